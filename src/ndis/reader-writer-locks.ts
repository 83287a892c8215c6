/**
 * Read/write locks: those that NDIS allocates, and the older ones in the driver's own memory. Both keep their holder at DISPATCH_LEVEL; a writer may
 * come again, to write or to read; a reader may not become a writer. Writers that wait do not keep readers out: the lock is not fair.
 *
 * Pages: nf-ndis-ndisallocaterwlock, nf-ndis-ndisacquirerwlockread, nf-ndis-ndisacquirerwlockwrite, nf-ndis-ndisreleaserwlock,
 * nf-ndis-ndisacquirereadwritelock, nf-ndis-ndisreleasereadwritelock.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf, local, waiting } from "../kernel/routine.ts";
import {
  giveAlone,
  giveShared,
  isNotOwned,
  isOwnedBy,
  isUnowned,
  sharedLockAt,
  takeAlone,
  takeShared,
} from "../kernel/shared-locks.ts";
import { raiseToDispatch } from "../kernel/spin-locks.ts";
import type { Thread } from "../kernel/state.ts";
import { windowsStruct } from "../kernel/windows.ts";

const WHAT = "read/write lock";
const RW_LOCK_TAG = 0x6c77_524e;
/** The lock's word, and how often the writer has come again. */
const LOCK_BYTES = 8;
const AGAIN = 4;
const AT_DISPATCH_LEVEL = constant("NDIS_RWL_AT_DISPATCH_LEVEL");
const LockState = windowsStruct("LOCK_STATE");
const LockStateEx = windowsStruct("LOCK_STATE_EX");
const OlderLock = windowsStruct("NDIS_RW_LOCK");

/** What a LOCK_STATE remembers. */
const READ = 1;
const WRITE = 2;
const WRITER_AGAIN = 3;

const awaits = (k: Kernel, lock = 0) => sharedLockAt(k, lock, WHAT);
/** The page of each kind lets the others wait while one thread writes: the writer itself may read. */
const mayRead = (k: Kernel, thread: Thread, lock: number): boolean => isNotOwned(k, lock) || isOwnedBy(k, lock, thread);
const mayWrite = (k: Kernel, thread: Thread, lock: number): boolean => isUnowned(k, lock) || isOwnedBy(k, lock, thread);

/** Takes the lock, which is ready for it; what is to be remembered. */
function takeLock(k: Kernel, lock: number, isWrite: boolean): number {
  if (isOwnedBy(k, lock, k.current)) {
    k.memory.writeU32(lock + AGAIN, k.memory.readU32(lock + AGAIN) + 1);
    return WRITER_AGAIN;
  }
  if (isWrite) takeAlone(k, lock, WHAT);
  else takeShared(k, lock, WHAT);
  return isWrite ? WRITE : READ;
}

function giveLock(k: Kernel, lock: number, state: number): void {
  if (state === READ) giveShared(k, lock, WHAT);
  else if (state === WRITER_AGAIN) k.memory.writeU32(lock + AGAIN, Math.max(k.memory.readU32(lock + AGAIN) - 1, 0));
  else giveAlone(k, lock, WHAT);
}

/** NDIS_RWL_AT_DISPATCH_LEVEL: the caller says that it runs there, and NDIS does not look. */
const isAtDispatch = (flags: number): boolean => (flags & AT_DISPATCH_LEVEL) !== 0;

const acquireRWLock = <const N extends string>(name: N, isWrite: boolean) =>
  waiting(name, {
    before: (k, _lock, _state, flags = 0) => (isAtDispatch(flags) ? k.current.irql : raiseToDispatch(k)),
    readyFor: isWrite ? mayWrite : mayRead,
    awaits,
    then: (k, irql, _timedOut, lock, state, flags) => {
      const remembered = LockStateEx.at(k.memory, state);
      remembered.LockState = takeLock(k, lock, isWrite);
      remembered.OldIrql = irql;
      remembered.Flags = flags & 0xff;
    },
  });

const allocatedLocks = [
  // Undocumented: how large the lock is, and to whom it is charged. It is memory of the driver that asks for it.
  leaf("NdisAllocateRWLock", (k) => allocate(k, LOCK_BYTES, RW_LOCK_TAG)),
  leaf("NdisFreeRWLock", free),
  acquireRWLock("NdisAcquireRWLockRead", false),
  acquireRWLock("NdisAcquireRWLockWrite", true),
  leaf("NdisReleaseRWLock", (k, lock, state) => {
    const { LockState: remembered, OldIrql, Flags } = LockStateEx.at(k.memory, state);
    giveLock(k, lock, remembered);
    if (!isAtDispatch(Flags)) k.scheduler.setIrql(OldIrql);
  }),
];

const isWriteAccess = (write: number): boolean => (write & 0xff) !== 0;

const acquireReadWriteLock = <const N extends string>(name: N, before: (k: Kernel) => number) =>
  waiting(name, {
    before,
    readyFor: (k, thread, lock = 0, write = 0) => (isWriteAccess(write) ? mayWrite : mayRead)(k, thread, lock),
    awaits,
    then: (k, irql, _timedOut, lock, write, state) => {
      const remembered = LockState.at(k.memory, state);
      remembered.LockState = takeLock(k, lock, isWriteAccess(write));
      remembered.OldIrql = irql;
    },
  });

const olderLocks = [
  local("NdisInitializeReadWriteLock", (k, lock) => k.memory.clear(lock, OlderLock.bytes)),
  acquireReadWriteLock("NdisAcquireReadWriteLock", raiseToDispatch),
  acquireReadWriteLock("NdisDprAcquireReadWriteLock", (k) => k.current.irql),
  leaf("NdisReleaseReadWriteLock", (k, lock, state) => {
    const { LockState: remembered, OldIrql } = LockState.at(k.memory, state);
    giveLock(k, lock, remembered);
    k.scheduler.setIrql(OldIrql);
  }),
  leaf("NdisDprReleaseReadWriteLock", (k, lock, state) => giveLock(k, lock, LockState.at(k.memory, state).LockState)),
];

export const readerWriterLockRoutines = [...allocatedLocks, ...olderLocks];
