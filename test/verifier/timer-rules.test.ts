import { describe } from "vitest";
import { type Change, MINIPORT, adapter, allows, breaks, call, settle, started, takenDown, wait } from "./support.ts";
import { allocateTimer, dueIn, taking, timer } from "./resources.ts";

const once = [...started, call(MINIPORT, "Try"), settle, ...takenDown];

interface Timing {
  readonly period?: number;
  /** Milliseconds until it is due. */
  readonly due?: number;
  readonly isHigh?: boolean;
  readonly cancels?: boolean;
}

/** `Try` sets a timer of the miniport, and cancels it or not; it is freed when the driver is unloaded. */
const timing =
  ({ period = 0, due = 3_600_000, isHigh = false, cancels = true }: Timing): Change =>
  (d, its) => {
    const word = d.statics(4);
    return {
      Timer() {},
      *Try() {
        const handle = yield* allocateTimer(d, its.get(adapter.handle), word);
        yield* d.NdisSetTimerObject(handle, dueIn(d, due), period, 0);
        if (!cancels) return;
        if (isHigh) yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
        yield* d.NdisCancelTimerObject(handle);
        if (isHigh) yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
      },
      *MiniportDriverUnload() {
        yield* d.NdisFreeTimerObject(d.memory.readU32(word));
        yield* its.inherited("MiniportDriverUnload");
      },
    };
  };

describe("A timer", () => {
  breaks("PeriodicTimer", "a timer with a period is cancelled at DISPATCH_LEVEL", {
    by: MINIPORT,
    says: /above PASSIVE_LEVEL for a timer that was set with a period/,
    miniport: timing({ period: 5000, isHigh: true }),
    actions: once,
  });
  allows("PeriodicTimer", "a timer without one is cancelled at DISPATCH_LEVEL", {
    miniport: timing({ isHigh: true }),
    actions: once,
  });

  breaks("timer-cancel-before-halt-end", "the halt leaves a timer set", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 timer\(s\) of the driver are set/,
    also: ["timer-allocate-free"],
    miniport: timing({ cancels: false }),
    actions: once,
  });
  allows("timer-cancel-before-halt-end", "the timer is cancelled before the halt, and still there", {
    miniport: timing({ period: 5000 }),
    actions: once,
  });

  breaks("mp-init-timer-left", "MiniportInitializeEx fails and leaves a timer set", {
    by: MINIPORT,
    says: /MiniportInitializeEx failed, and 1 timer\(s\) of the driver are set/,
    miniport: taking({ resources: [timer], gives: 0, failsInitialize: true }),
    actions: started,
    ends: "failed",
  });
  allows("mp-init-timer-left", "MiniportInitializeEx fails when it has cancelled its timer", {
    miniport: taking({ resources: [timer], gives: 1, failsInitialize: true }),
    actions: started,
    ends: "failed",
  });

  const freesTimer =
    (cancels: boolean): Change =>
    (d, its) => ({
      Timer() {},
      *Try() {
        const word = d.statics(4);
        const handle = yield* allocateTimer(d, its.get(adapter.handle), word);
        yield* d.NdisSetTimerObject(handle, dueIn(d, 3_600_000), 0, 0);
        if (cancels) yield* d.NdisCancelTimerObject(handle);
        yield* d.NdisFreeTimerObject(handle);
      },
    });
  breaks("timer-allocate-free", "a timer is freed while it is set", {
    by: MINIPORT,
    says: /NdisFreeTimerObject was called for a timer that is set/,
    miniport: freesTimer(false),
    actions: once,
  });
  allows("timer-allocate-free", "a timer is cancelled and then freed", { miniport: freesTimer(true), actions: once });

  /** A timer whose callback waits for a lock that `Try` holds until it has cancelled the timer, too late. */
  const slowCallback =
    (waits: boolean): Change =>
    (d, its) => {
      const [word, done] = [d.statics(4), d.statics(16)];
      return {
        *Timer() {
          yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
          yield* d.NdisSetEvent(done);
        },
        *Try() {
          yield* d.NdisInitializeEvent(done);
          const handle = yield* allocateTimer(d, its.get(adapter.handle), word);
          // The callback comes due while this thread holds the lock, and waits for it.
          yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          yield* d.NdisSetTimerObject(handle, dueIn(d, 0), 0, 0);
          for (let times = 0; times < 20; times += 1) yield* d.KeStallExecutionProcessor(50);
          yield* d.NdisCancelTimerObject(handle);
          if (!waits) yield* d.NdisFreeTimerObject(handle);
          yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
          if (!waits) return;
          yield* d.NdisWaitEvent(done, 0);
          yield* d.NdisMSleep(1000);
          yield* d.NdisFreeTimerObject(handle);
        },
      };
    };
  breaks("timer-oneshot-cancel-sync", "a timer is cancelled too late, and freed while its callback runs", {
    by: MINIPORT,
    says: /NdisFreeTimerObject was called while the callback of the timer runs/,
    miniport: slowCallback(false),
    actions: [...started, call(MINIPORT, "Try"), wait(100), settle, ...takenDown],
  });
  allows("timer-oneshot-cancel-sync", "a timer is cancelled too late, and its callback is waited for", {
    miniport: slowCallback(true),
    actions: [...started, call(MINIPORT, "Try"), wait(100), settle, ...takenDown],
  });
});
