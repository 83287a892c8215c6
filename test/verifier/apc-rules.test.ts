import { describe } from "vitest";
import { MINIPORT, PROTOCOL, allows, breaks, call, started, takenDown } from "./support.ts";

describe("Regions without APCs", () => {
  breaks("apc-region", "a push lock is acquired outside of one", {
    by: PROTOCOL,
    says: /ExAcquirePushLockShared was called while normal kernel APCs could come/,
    protocol: (d) => {
      const lock = d.statics(4);
      return {
        *LockOutside() {
          yield* d.ExAcquirePushLockShared(lock);
          yield* d.ExReleasePushLockShared(lock);
        },
      };
    },
    actions: [...started, call(PROTOCOL, "LockOutside")],
  });

  breaks("apc-region", "one is left that was not entered", {
    by: MINIPORT,
    says: /KeLeaveGuardedRegion was called more often than KeEnterGuardedRegion/,
    miniport: (d) => ({
      *LeaveOnly() {
        yield* d.KeEnterCriticalRegion();
        yield* d.KeLeaveGuardedRegion();
        yield* d.KeLeaveCriticalRegion();
      },
    }),
    actions: [...started, call(MINIPORT, "LeaveOnly")],
  });

  breaks("apc-region", "a function returns inside of one", {
    by: MINIPORT,
    says: /returned inside a critical or guarded region/,
    miniport: (d) => ({
      *EnterOnly() {
        yield* d.KeEnterCriticalRegion();
      },
    }),
    actions: [...started, call(MINIPORT, "EnterOnly")],
  });

  allows("apc-region", "locks are acquired at APC_LEVEL, in a guarded region and in a critical region", {
    protocol: (d) => {
      const lock = d.statics(4);
      return {
        *LockInside() {
          const irql = yield* d.KfRaiseIrql(1);
          yield* d.ExAcquirePushLockShared(lock);
          yield* d.ExReleasePushLockShared(lock);
          yield* d.KeLowerIrql(irql);
          yield* d.KeEnterGuardedRegion();
          yield* d.ExAcquirePushLockExclusive(lock);
          yield* d.ExReleasePushLockExclusive(lock);
          yield* d.KeLeaveGuardedRegion();
          yield* d.KeEnterCriticalRegion();
          yield* d.ExAcquirePushLockExclusive(lock);
          yield* d.ExReleasePushLockExclusive(lock);
          yield* d.KeLeaveCriticalRegion();
        },
      };
    },
    actions: [...started, call(PROTOCOL, "LockInside"), ...takenDown],
  });
});
