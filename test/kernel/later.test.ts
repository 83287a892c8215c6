import { beforeAll, describe, expect, test } from "vitest";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildDriver, call, found, inParallel, passes, passesInAnyOrder } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("later");
});

const parallel = (...names: readonly string[]) => names.map((name) => inParallel(call(name)));

describe("A kernel timer", () => {
  test("is signalled when it is due, and its DPC runs; it can be set again and cancelled before", () => {
    passes(driver, call("TimerOnce"));
  });

  test("with a period restarts as soon as it expires, until it is cancelled or set again", () => {
    passes(driver, call("TimerPeriodic"));
  });
});

describe("A timer that the system allocates", () => {
  test("is signalled when it is due, and its callback runs; when it is deleted, so does the delete callback", () => {
    passes(driver, call("ExTimerFires"));
  });

  test("is deleted after its last expiration if it is not cancelled, and cannot be set meanwhile", () => {
    passes(driver, call("ExTimerDeletedLater"));
  });

  test("stops Windows if its deletion is to wait but not to cancel", () => {
    const { outcome, findings } = found(driver, call("ExTimerWaitsWithoutCancel"));
    expect(outcome).toBe("bugcheck");
    expect(findings).toEqual([expect.stringMatching(/^bugcheck: ExDeleteTimer was called to wait, but not to cancel/)]);
  });
});

test("An NDIS timer with a tolerance works as one without", () => {
  passes(driver, call("NdisTimer"));
});

describe("A work item", () => {
  test("runs once at PASSIVE_LEVEL, and may be freed in its routine", () => {
    passes(driver, call("WorkItems"));
  });

  test("that was allocated is freed before the driver is unloaded", () => {
    const { findings } = found(driver, call("WorkItemLeft"), { do: "unload", driver: 0 });
    expect(findings).toEqual([expect.stringMatching(/^leak-memory: .*IoWk/)]);
  });
});

describe("An executive spin lock", () => {
  test("is had by one thread alone or shared, and converted only by the one thread that shares it", () => {
    passes(driver, call("ExecutiveAlone"));
    const many = parallel("EnterExclusive", "EnterShared", "EnterShared", "EnterExclusive", "EnterShared");
    passesInAnyOrder(driver, many, call("OneInside"));
  });

  test("deadlocks a thread that acquires it twice", () => {
    expect(found(driver, call("ExclusiveTwice")).findings).toEqual([
      expect.stringMatching(/^deadlock: .*thread (\d+) .*waits for the executive spin lock at 0x[0-9a-f]+, which thread \1 has/),
    ]);
  });
});

describe("A queued spin lock", () => {
  test("is had by one thread at a time, which gets its IRQL back", () => {
    passesInAnyOrder(driver, parallel("EnterQueued", "EnterQueued", "EnterQueued"), call("OneInside"));
  });

  test("is given to those who wait in the order in which they came", () => {
    passesInAnyOrder(driver, parallel("TakeTurn", "TakeTurn", "TakeTurn"), call("AllServed"), 4);
  });
});

test("A spin lock of a threaded DPC is had by one thread at a time", () => {
  passesInAnyOrder(driver, parallel("EnterForDpc", "EnterForDpc", "EnterForDpc"), call("OneInside"));
});
