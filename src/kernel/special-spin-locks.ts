/**
 * Executive spin locks, which may be shared, and queued spin locks, which are given in the order in which threads came for them.
 *
 * Pages: nf-wdm-exacquirespinlockshared, nf-wdm-extryconvertsharedspinlockexclusive, nf-wdm-keacquireinstackqueuedspinlock, kernel/queued-spin-locks.
 */
import type { Kernel } from "./kernel.ts";
import { leaf, waiting } from "./routine.ts";
import {
  beginWait,
  endWait,
  giveAlone,
  giveShared,
  isOpenToShare,
  isUnowned,
  sharedLockAt,
  sharersOf,
  sharesOf,
  takeAlone,
  takeShared,
} from "./shared-locks.ts";
import { give, isFree, raiseToDispatch, spinLockAt, take } from "./spin-locks.ts";
import type { Thread } from "./state.ts";
import { windowsStruct } from "./windows.ts";

const WHAT = "executive spin lock";
const awaits = (k: Kernel, lock = 0) => sharedLockAt(k, lock, WHAT);
const noRaise = (k: Kernel): number => k.current.irql;

// Undocumented: whether a thread that waits for exclusive access keeps new readers out. It does, so that it is not starved.
const acquireShared = <const N extends string>(name: N, before: (k: Kernel) => number) =>
  waiting(name, {
    before,
    ready: isOpenToShare,
    awaits,
    then: (k, irql, _timedOut, lock) => {
      takeShared(k, lock, WHAT);
      return irql;
    },
  });

const acquireExclusive = <const N extends string>(name: N, raise: (k: Kernel) => number) =>
  waiting(name, {
    before: (k, lock = 0) => {
      beginWait(k, lock);
      return raise(k);
    },
    ready: isUnowned,
    awaits,
    then: (k, irql, _timedOut, lock) => {
      endWait(k, lock);
      takeAlone(k, lock, WHAT);
      return irql;
    },
  });

const executiveSpinLocks = [
  acquireShared("ExAcquireSpinLockShared", raiseToDispatch),
  acquireShared("ExAcquireSpinLockSharedAtDpcLevel", noRaise),
  acquireExclusive("ExAcquireSpinLockExclusive", raiseToDispatch),
  acquireExclusive("ExAcquireSpinLockExclusiveAtDpcLevel", noRaise),
  leaf("ExReleaseSpinLockShared", (k, lock, irql) => {
    giveShared(k, lock, WHAT);
    k.scheduler.setIrql(irql & 0xff);
  }),
  leaf("ExReleaseSpinLockSharedFromDpcLevel", (k, lock) => giveShared(k, lock, WHAT)),
  leaf("ExReleaseSpinLockExclusive", (k, lock, irql) => {
    giveAlone(k, lock, WHAT);
    k.scheduler.setIrql(irql & 0xff);
  }),
  leaf("ExReleaseSpinLockExclusiveFromDpcLevel", (k, lock) => giveAlone(k, lock, WHAT)),
  // It succeeds for the one thread that shares the lock with nobody.
  leaf("ExTryConvertSharedSpinLockExclusive", (k, lock) => {
    const sharers = sharersOf(k, lock);
    if (sharers.length !== 1 || sharesOf(k, k.current, lock) !== 1) return false;
    giveShared(k, lock, WHAT);
    takeAlone(k, lock, WHAT);
    return true;
  }),
];

// ---- queued spin locks: while it waits, a handle has its place in the queue where Windows has the next handle

const Handle = windowsStruct("KLOCK_QUEUE_HANDLE");
const QUEUED = new Set(["KeAcquireInStackQueuedSpinLock", "KeAcquireInStackQueuedSpinLockAtDpcLevel"]);

/** The places in the queue of those who wait for the lock. */
function places(k: Kernel, lock: number): { thread: Thread; place: number }[] {
  return k.threads.flatMap((thread) => {
    const frame = thread.state === "Live" && thread.depth > 0 ? k.frame(thread, thread.depth - 1) : undefined;
    if (frame?.kind !== "Operation" || frame.step === 0 || !QUEUED.has(k.routineOf(frame.code).name)) return [];
    const [wanted = 0, handle = 0] = k.arguments(frame);
    return wanted === lock ? [{ thread, place: Handle.at(k.memory, handle).LockQueue_Next }] : [];
  });
}

const acquireQueued = <const N extends string>(name: N, raise: (k: Kernel) => number) =>
  waiting(name, {
    before: (k, lock = 0, handle = 0) => {
      const last = Math.max(0, ...places(k, lock).map(({ place }) => place));
      const structure = Handle.at(k.memory, handle);
      structure.LockQueue_Next = last + 1;
      structure.LockQueue_Lock = lock;
      return raise(k);
    },
    readyFor: (k, thread, lock = 0, handle = 0) => {
      const own = Handle.at(k.memory, handle).LockQueue_Next;
      return isFree(k, lock) && !places(k, lock).some((each) => each.thread.address !== thread.address && each.place < own);
    },
    awaits: spinLockAt,
    then: (k, irql, _timedOut, lock, handle) => {
      take(k, lock);
      const structure = Handle.at(k.memory, handle);
      structure.LockQueue_Next = 0;
      structure.OldIrql = irql;
    },
  });

const queuedSpinLocks = [
  acquireQueued("KeAcquireInStackQueuedSpinLock", raiseToDispatch),
  acquireQueued("KeAcquireInStackQueuedSpinLockAtDpcLevel", noRaise),
  leaf("KeReleaseInStackQueuedSpinLock", (k, handle) => {
    const { LockQueue_Lock: lock, OldIrql } = Handle.at(k.memory, handle);
    give(k, lock);
    k.scheduler.setIrql(OldIrql);
  }),
  leaf("KeReleaseInStackQueuedSpinLockFromDpcLevel", (k, handle) => give(k, Handle.at(k.memory, handle).LockQueue_Lock)),
];

export const specialSpinLockRoutines = [...executiveSpinLocks, ...queuedSpinLocks];
