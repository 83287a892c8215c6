import { beforeAll, describe, expect, test } from "vitest";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildDriver, call, found, inParallel, passes, passesInAnyOrder, passesWith } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("processors");
});

describe("A DPC", () => {
  test("that is queued has run when KeFlushQueuedDpcs returns, in the order of the queue", () => {
    passes(driver, call("Flush"));
  });

  test("is taken out of its queue by KeRemoveQueueDpc, which answers whether it was there, and does not run", () => {
    passes(driver, call("Remove"));
  });

  test("of high importance goes to the beginning of its queue, the others to the end", () => {
    passes(driver, call("Importance"));
  });

  test("runs on its target processor as it was when the DPC was queued; a processor that is not there is refused", () => {
    passes(driver, call("Target"));
  });

  test("learns from its watchdog that there is no limit, and is not told to yield", () => {
    passes(driver, call("Watchdog"));
  });

  test("learns, in other runs, that its time is nearly up", () => {
    passesWith(driver, 1, call("WatchdogNearItsEnd"));
  });
});

test("Below DISPATCH_LEVEL, KeQueryDpcWatchdogInformation fails", () => {
  expect(found(driver, call("WatchdogBelowDispatch")).findings).toEqual([
    expect.stringMatching(/^irql: KeQueryDpcWatchdogInformation was called at PASSIVE_LEVEL/),
  ]);
});

test("KeTryToAcquireSpinLockAtDpcLevel answers FALSE at once if somebody has the lock", () => {
  passes(driver, call("TryLock"));
});

describe("Processors", () => {
  test("have an index, and a number in the one group", () => {
    passes(driver, call("Numbers"));
  });

  test("are the same under NDIS's names", () => {
    passes(driver, call("NdisNumbers"));
  });
});

describe("A thread with an affinity", () => {
  test("runs on those processors from the call on, and gets its old affinity back", () => {
    passes(driver, call("Affinity"));
  });

  test("keeps it if the group or the mask of a later one is not valid, and is told zeros", () => {
    passes(driver, call("GroupAffinity"));
  });

  test("changes processors only below DISPATCH_LEVEL", () => {
    passes(driver, call("AffinityAtDispatch"));
  });

  test("never runs on another processor, whoever is scheduled in between", () => {
    const four = [0, 1, 0, 1].map((processor) => inParallel(call("StayOnOne", processor)));
    passesInAnyOrder(driver, four, call("NobodyStrayed"));
  });
});

test("Times go on together while a thread sleeps", () => {
  passes(driver, call("Times"));
});
