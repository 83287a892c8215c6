import { beforeAll, describe, expect, test } from "vitest";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildDriver, call, found, inParallel, passes, passesInAnyOrder } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("waits");
});

const initialize = call("Initialize");
const wait = { do: "wait", milliseconds: 1 } as const;
const four = (name: string) =>
  [0, 1, 0, 1].map((turned) => inParallel(call(name, ...(name === "EnterWithBoth" ? [turned] : []))));

describe("A mutex", () => {
  test("is had again by its owner, released as often as it was acquired, and keeps normal APCs away meanwhile", () => {
    passes(driver, initialize, call("MutexAlone"));
  });

  test("is had by one thread at a time", () => {
    passesInAnyOrder(driver, [initialize, ...four("EnterWithMutex")], call("AtMost", 1));
  });

  test("can be released only by the thread that holds it: the routine raises an exception", () => {
    const { outcome, findings } = found(
      driver,
      initialize,
      inParallel(call("HoldMutexUntilReady")),
      wait,
      call("MutexReleasedByStranger"),
    );
    expect(outcome).toBe("failed");
    expect(findings).toEqual([
      expect.stringMatching(/^lock-balance: The mutex at 0x[0-9a-f]+ was released by thread \d+, but it is held by thread \d+/),
    ]);
  });

  test("is released before the handler returns; the next thread that acquires it is told that it was abandoned", () => {
    const { outcome, findings } = found(driver, initialize, inParallel(call("MutexKept")), wait, call("MutexAbandoned"));
    expect(outcome).toBe("finished");
    expect(findings).toEqual([expect.stringMatching(/^lock-balance: .* returned with 1 lock\(s\)/)]);
  });

  test("that is initialized while a thread has it is free; the thread is told of, and the mutexes that it had before can be released", () => {
    const { outcome, findings } = found(driver, initialize, call("MutexInitializedWhileOwned"));
    expect(outcome).toBe("finished");
    expect(findings).toEqual([expect.stringMatching(/^lock-balance: .* returned with 1 lock\(s\)/)]);
  });

  test("stops Windows if a system thread ends with it", () => {
    const { outcome, findings } = found(driver, initialize, call("ThreadEndsWithMutex"));
    expect(outcome).toBe("bugcheck");
    expect(findings.at(-1)).toMatch(/^bugcheck: a system thread ended with the mutex .*0x4000008a/i);
  });

  test("is named, with its holder, when nothing can go on", () => {
    const { findings } = found(driver, initialize, inParallel(call("HoldMutexUntilReady")), wait, call("WaitForMutex"));
    expect(findings).toEqual([expect.stringMatching(/^hung: .*waits for the mutex at 0x[0-9a-f]+, which thread \d+ has/)]);
    const { findings: circle } = found(driver, initialize, inParallel(call("Crossed", 0)), call("Crossed", 1));
    expect(circle).toEqual([expect.stringMatching(/^deadlock: .*waits for the mutex .*waits for the mutex/)]);
  });
});

describe("A semaphore", () => {
  test("lets as many waits through as its count says", () => {
    passes(driver, initialize, call("Semaphores"));
    passesInAnyOrder(driver, [initialize, ...four("EnterWithSemaphore")], call("AtMost", 2));
  });

  test("may not be released past its limit", () => {
    expect(found(driver, initialize, call("SemaphorePastLimit")).outcome).toBe("failed");
  });
});

test("A synchronization event releases one thread at a time", () => {
  passesInAnyOrder(driver, [initialize, ...four("EnterWithEvent"), inParallel(call("SignalSecond"))], call("AtMost", 1));
});

describe("A wait for several objects", () => {
  test("for any takes the first that is signalled, and answers its index; for all takes all of them or none", () => {
    passes(driver, initialize, call("WaitAnyAndAll"));
  });

  test("for all of several mutexes takes them together, so that their order does not matter", () => {
    passesInAnyOrder(driver, [initialize, ...four("EnterWithBoth")], call("AtMost", 1));
  });

  test("ends when its time is over, counted from now or from 1601", () => {
    passes(driver, initialize, call("TimeOut"));
  });

  test("needs APC_LEVEL or below, unless its time-out is zero", () => {
    expect(found(driver, initialize, call("WaitTooHigh")).findings).toEqual([
      expect.stringMatching(/^irql: KeWaitForMultipleObjects was called at DISPATCH_LEVEL with a time-out other than zero/),
    ]);
  });

  test("needs wait blocks of its own for more than three objects", () => {
    passes(driver, initialize, call("ManyWithBlocks"));
    const { outcome, findings } = found(driver, initialize, call("TooMany"));
    expect(outcome).toBe("bugcheck");
    expect(findings).toEqual([expect.stringMatching(/^bugcheck: .*4 objects without wait blocks.*0xc/)]);
  });
});

describe("A pulse", () => {
  test("of a notification event releases all threads that wait at that moment", () => {
    const two = [inParallel(call("WaitForPulse", 0)), inParallel(call("WaitForPulse", 0)), wait];
    passes(driver, initialize, ...two, call("Pulse"), wait, call("WokenAre", 2));
    passes(driver, initialize, call("Pulse"), ...two, call("WokenAre", 0), call("Pulse"), wait, call("WokenAre", 2));
  });

  test("of a synchronization event releases one of them", () => {
    const two = [inParallel(call("WaitForPulse", 1)), inParallel(call("WaitForPulse", 1)), wait];
    passes(driver, initialize, ...two, call("PulseSecond"), wait, call("WokenAre", 1), call("SignalAll"));
  });
});

test("A thread is signalled when it ends", () => {
  passes(driver, initialize, call("WaitForThread"));
});

test("Regions without APCs nest, and APC_LEVEL is one for all APCs", () => {
  passes(driver, initialize, call("Regions"));
});

test("A processor stalls for as long as it was asked to", () => {
  passes(driver, initialize, call("Stall"));
});

test("A fast mutex is had by one thread, at APC_LEVEL, and once", () => {
  passesInAnyOrder(driver, [initialize, ...four("EnterWithFastMutex")], call("AtMost", 1));
});

describe("A resource", () => {
  test("is had again by a thread that has it, in the way in which it has it", () => {
    passes(driver, initialize, call("ResourceAlone"));
  });

  test("is had by one thread alone, or shared", () => {
    passesInAnyOrder(driver, [initialize, ...four("EnterWithResource"), ...four("ShareResource")], call("AtMost", 1));
  });

  test("stops Windows if a thread releases it that does not have it", () => {
    const { outcome, findings } = found(driver, initialize, call("ResourceReleasedByStranger"));
    expect(outcome).toBe("bugcheck");
    expect(findings).toEqual([expect.stringMatching(/^bugcheck: the resource .*0xe3/i)]);
  });
});
