import { describe, expect, test } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { isAllowedAt } from "../../src/verifier/rules/irql-and-locks.ts";
import {
  MINIPORT,
  PROTOCOL,
  type Running,
  SUCCESS,
  adapter,
  allows,
  atOnce,
  binding,
  breaks,
  call,
  inParallel,
  settle,
  started,
  takenDown,
  wait,
} from "./support.ts";

describe("The IRQL of a call", () => {
  /** Asks for the name of its adapter, and frees it. */
  function* asksForName(d: DriverEnvironment, handle: number): Running<void> {
    const name = d.local("UNICODE_STRING", {});
    yield* d.NdisMQueryAdapterInstanceName(name.address, handle);
    yield* d.NdisFreeMemory(name.Buffer, 0, 0);
  }

  breaks("irql", "a routine for PASSIVE_LEVEL is called with a spin lock held", {
    by: MINIPORT,
    says: /NdisMQueryAdapterInstanceName was called at DISPATCH_LEVEL/,
    miniport: (d, its) => ({
      *AskWithLock() {
        yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
        yield* asksForName(d, its.get(adapter.handle));
        yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
      },
    }),
    actions: [...started, call(MINIPORT, "AskWithLock")],
  });

  breaks("irql", "a routine for DISPATCH_LEVEL is called at PASSIVE_LEVEL", {
    by: MINIPORT,
    says: /NdisDprAcquireSpinLock was called at PASSIVE_LEVEL/,
    miniport: (d, its) => ({
      *LockLow() {
        yield* d.NdisDprAcquireSpinLock(its.context() + adapter.lock);
        yield* d.NdisDprReleaseSpinLock(its.context() + adapter.lock);
      },
    }),
    actions: [...started, call(MINIPORT, "LockLow")],
    // The release is at the wrong level too.
  });

  allows("irql", "a routine for PASSIVE_LEVEL is called right after the lock is released", {
    miniport: (d, its) => ({
      *AskAfterLock() {
        yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
        yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
        yield* asksForName(d, its.get(adapter.handle));
      },
    }),
    actions: [...started, call(MINIPORT, "AskAfterLock"), ...takenDown],
  });

  allows("irql", "the routines for DISPATCH_LEVEL are called at DISPATCH_LEVEL", {
    miniport: (d, its) => ({
      *LockHigh() {
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisDprAcquireSpinLock(its.context() + adapter.lock);
        yield* d.NdisDprReleaseSpinLock(its.context() + adapter.lock);
        yield* d.KeLowerIrql(irql);
      },
    }),
    actions: [...started, call(MINIPORT, "LockHigh"), ...takenDown],
  });

  breaks("irql", "a handler returns at another level than it was called at", {
    by: MINIPORT,
    says: /MiniportRestart was called at PASSIVE_LEVEL and returned at DISPATCH_LEVEL/,
    miniport: (d) => ({
      *MiniportRestart() {
        yield* d.KeRaiseIrqlToDpcLevel();
        return SUCCESS;
      },
    }),
    actions: started.slice(0, 3).filter((action) => action.do !== "load" || action.driver === MINIPORT),
  });

  test.each([
    ["PASSIVE", [true, false, false]],
    ["<=DISPATCH", [true, true, true]],
    ["<DISPATCH", [true, true, false]],
    ["<=APC", [true, true, false]],
    ["DISPATCH", [false, false, true]],
    [">=DISPATCH", [false, false, true]],
    ["see-remarks", [true, true, true]],
    [null, [true, true, true]],
  ] as const)("the contract's text %s is about these levels", (text, expected) => {
    expect([0, 1, 2].map((irql) => isAllowedAt(text, irql))).toEqual(expected);
  });
});

describe("Spin locks", () => {
  breaks("lock-balance", "a lock is released that nobody holds", {
    by: PROTOCOL,
    says: /The spin lock at 0x[0-9a-f]+ was released by thread \d+, but it is not held/,
    protocol: (d, its) => ({
      *ReleaseOnly() {
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisReleaseSpinLock(its.context() + binding.lock);
        yield* d.KeLowerIrql(irql);
      },
    }),
    actions: [...started, call(PROTOCOL, "ReleaseOnly")],
  });

  breaks("lock-balance", "a lock is released that another thread holds", {
    by: PROTOCOL,
    says: /was released by thread \d+, but it is held by thread \d+/,
    // Sleeping with a lock is how the test keeps it.
    also: ["sleep-irql"],
    protocol: (d, its) => ({
      *HoldLock() {
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* d.NdisMSleep(20_000);
        yield* d.NdisReleaseSpinLock(its.context() + binding.lock);
      },
      *ReleaseForeign() {
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisReleaseSpinLock(its.context() + binding.lock);
        yield* d.KeLowerIrql(irql);
      },
    }),
    actions: [...started, inParallel(call(PROTOCOL, "HoldLock")), wait(10), call(PROTOCOL, "ReleaseForeign"), settle],
  });

  breaks("lock-balance", "a handler returns with a lock held", {
    by: MINIPORT,
    says: /MiniportRestart returned with 1 lock\(s\) that it acquired still held/,
    also: ["irql"],
    miniport: (d) => ({
      *MiniportRestart(context) {
        yield* d.NdisAcquireSpinLock(context + adapter.lock);
        return SUCCESS;
      },
    }),
    actions: started.slice(0, 3).filter((action) => action.do !== "load" || action.driver === MINIPORT),
    answers: [atOnce],
  });

  allows("lock-balance", "two locks are held, one inside the other", {
    protocol: (d, its) => ({
      *HoldTwo() {
        const other = yield* d.NdisAllocateMemoryWithTagPriority(0, 16, 1, 0);
        yield* d.NdisAllocateSpinLock(other);
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* d.NdisDprAcquireSpinLock(other);
        yield* d.NdisDprReleaseSpinLock(other);
        yield* d.NdisReleaseSpinLock(its.context() + binding.lock);
        yield* d.NdisFreeMemory(other, 0, 0);
      },
    }),
    actions: [...started, call(PROTOCOL, "HoldTwo"), ...takenDown],
  });
});
