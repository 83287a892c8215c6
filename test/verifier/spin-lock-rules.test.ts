/** The rules of Static Driver Verifier's about spin locks, waits and sleeps. */
import { describe } from "vitest";
import {
  type Change,
  type Running,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  binding,
  breaks,
  call,
  load,
  settle,
  started,
  takenDown,
} from "./support.ts";

const alone = [load(MINIPORT), { do: "start adapter", driver: MINIPORT, adapter: 0 } as const];
const tried = [...started, call(PROTOCOL, "Try"), settle, ...takenDown];

describe("A spin lock", () => {
  breaks("deadlock", "NdisDprAcquireSpinLock is called for a lock that the thread has", {
    by: PROTOCOL,
    says: /waits for the spin lock at 0x[0-9a-f]+, which thread \d+ has/,
    protocol: (d, its) => ({
      *Try() {
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* d.NdisDprAcquireSpinLock(its.context() + binding.lock);
      },
    }),
    actions: [...started, call(PROTOCOL, "Try")],
    ends: "hung",
  });

  breaks("lock-balance", "a handler returns with a lock of NdisDprAcquireSpinLock held", {
    by: MINIPORT,
    says: /MiniportRestart returned with 1 lock\(s\) that it acquired still held/,
    also: ["irql"],
    miniport: (d) => ({
      *MiniportRestart(context) {
        yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisDprAcquireSpinLock(context + adapter.lock);
        return SUCCESS;
      },
    }),
    actions: alone,
  });
  breaks("lock-balance", "NdisDprReleaseSpinLock is called for a lock that nobody acquired", {
    by: PROTOCOL,
    says: /was released by thread \d+, but it is not held/,
    protocol: (d, its) => ({
      *Try() {
        const old = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisDprReleaseSpinLock(its.context() + binding.lock);
        yield* d.KeLowerIrql(old);
      },
    }),
    actions: tried,
  });

  const pairs = (acquire: "Dpr" | "", release: "Dpr" | ""): Change => {
    return (d, its) => ({
      *Try() {
        const lock = its.context() + binding.lock;
        const old = yield* d.KeRaiseIrqlToDpcLevel();
        yield* acquire === "" ? d.NdisAcquireSpinLock(lock) : d.NdisDprAcquireSpinLock(lock);
        yield* release === "" ? d.NdisReleaseSpinLock(lock) : d.NdisDprReleaseSpinLock(lock);
        yield* d.KeLowerIrql(old);
      },
    });
  };
  breaks("spinlock-balanced", "NdisDprReleaseSpinLock releases what NdisAcquireSpinLock acquired", {
    by: PROTOCOL,
    says: /was released by the routine of the other pair/,
    protocol: pairs("", "Dpr"),
    actions: tried,
  });
  breaks("spinlock-balanced", "NdisReleaseSpinLock releases what NdisDprAcquireSpinLock acquired", {
    by: PROTOCOL,
    says: /was released by the routine of the other pair/,
    protocol: pairs("Dpr", ""),
    actions: tried,
  });
  allows("spinlock-balanced", "each lock is released by the routine of its pair", {
    protocol: (d, its) => ({
      *Try() {
        yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* d.NdisReleaseSpinLock(its.context() + binding.lock);
        yield* pairs("Dpr", "Dpr")(d, its)["Try"]?.() as Running<void>;
      },
    }),
    actions: tried,
  });
});

describe("A read/write lock", () => {
  const frees = (isHeld: boolean): Change => {
    return (d, its) => ({
      *Try() {
        const lock = yield* d.NdisAllocateRWLock(its.get(binding.handle));
        const state = d.local("LOCK_STATE_EX", {}).address;
        yield* d.NdisAcquireRWLockWrite(lock, state, 0);
        if (isHeld) yield* d.NdisFreeRWLock(lock);
        yield* d.NdisReleaseRWLock(lock, state);
        if (!isHeld) yield* d.NdisFreeRWLock(lock);
      },
    });
  };
  breaks("rwlock-release-before-free", "it is freed by the thread that holds it", {
    by: PROTOCOL,
    says: /The read\/write lock at 0x[0-9a-f]+ was freed while it was held/,
    // What is released then is memory that was freed.
    also: ["lock-balance"],
    protocol: frees(true),
    actions: tried,
  });
  allows("rwlock-release-before-free", "it is released and then freed", { protocol: frees(false), actions: tried });
});

describe("What waits", () => {
  const withLock = (isHeld: boolean, body: (d: Parameters<Change>[0]) => Running<unknown>): Change => {
    return (d, its) => ({
      *Try() {
        if (isHeld) yield* d.NdisAcquireSpinLock(its.context() + binding.lock);
        yield* body(d);
        if (isHeld) yield* d.NdisReleaseSpinLock(its.context() + binding.lock);
      },
    });
  };
  function* waits(d: Parameters<Change>[0]): Running<void> {
    const event = d.statics(16);
    yield* d.NdisInitializeEvent(event);
    yield* d.NdisSetEvent(event);
    yield* d.NdisWaitEvent(event, 0);
  }
  function* sleeps(d: Parameters<Change>[0]): Running<void> {
    yield* d.NdisMSleep(1);
  }
  breaks("waitevent-irql", "NdisWaitEvent is called with a spin lock held", {
    by: PROTOCOL,
    says: /NdisWaitEvent was called at DISPATCH_LEVEL\. It may be called at PASSIVE only/,
    protocol: withLock(true, waits),
    actions: tried,
  });
  allows("waitevent-irql", "NdisWaitEvent is called at PASSIVE_LEVEL", { protocol: withLock(false, waits), actions: tried });
  breaks("sleep-irql", "NdisMSleep is called with a spin lock held", {
    by: PROTOCOL,
    says: /NdisMSleep was called at DISPATCH_LEVEL/,
    protocol: withLock(true, sleeps),
    actions: tried,
  });
  allows("sleep-irql", "NdisMSleep is called below DISPATCH_LEVEL", { protocol: withLock(false, sleeps), actions: tried });
});
