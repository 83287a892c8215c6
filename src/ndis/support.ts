/** NDIS's own names for services of the kernel: memory, spin locks, events, sleep, and small questions. */
import type { Kernel } from "../kernel/kernel.ts";
import { DISPATCHER_TYPE, initializeDispatcher, isSignalled, setSignal } from "../kernel/dispatcher-objects.ts";
import { allocateUnwritten, free } from "../kernel/pool.ts";
import { leaf, local, waiting } from "../kernel/routine.ts";
import { give, isFree, raiseToDispatch, spinLockAt, take } from "../kernel/spin-locks.ts";

/** NDIS_SPIN_LOCK: the lock word, then the IRQL from before it was acquired, then (where Windows has nothing) by which routine it was. */
const OLD_IRQL = 4;
const IS_DPR = 5;
/** Of this library: the major version in the high word. */
export const NDIS_VERSION = 0x0006_0057;
/** 100-nanosecond units. */
const MICROSECOND = 10;
const MILLISECOND = 10_000;

/** Undocumented: whether NDIS clears the memory. It passes on what pool gives, which is not. */
function allocateTo(k: Kernel, variable: number, bytes: number, tag: number): string {
  const address = allocateUnwritten(k, bytes, tag);
  k.memory.writeU32(variable, address);
  return address === 0 ? "NDIS_STATUS_RESOURCES" : "NDIS_STATUS_SUCCESS";
}

/** A lock that one of the two pairs of routines acquires is released by the same pair: nobody checks, but it is told of. */
function giveBy(k: Kernel, lock: number, isDpr: boolean): void {
  if (!isFree(k, lock) && (k.memory.u8[lock + IS_DPR] !== 0) !== isDpr) k.note("spin lock released by the other routine", lock);
  k.memory.u8[lock + IS_DPR] = 0;
  give(k, lock);
}

const lockRoutines = [
  local("NdisAllocateSpinLock", (k, lock) => {
    k.memory.writeU32(lock, 0);
    k.memory.writeU32(lock + OLD_IRQL, 0);
  }),
  local("NdisFreeSpinLock", () => {}),
  waiting("NdisAcquireSpinLock", {
    before: raiseToDispatch,
    ready: isFree,
    awaits: spinLockAt,
    then: (k, saved, _timedOut, lock) => {
      take(k, lock);
      k.memory.u8[lock + OLD_IRQL] = saved;
    },
  }),
  leaf("NdisReleaseSpinLock", (k, lock) => {
    const irql = k.memory.u8[lock + OLD_IRQL] ?? 0;
    giveBy(k, lock, false);
    k.scheduler.setIrql(irql);
  }),
  waiting("NdisDprAcquireSpinLock", {
    ready: isFree,
    awaits: spinLockAt,
    then: (k, _saved, _timedOut, lock) => {
      take(k, lock);
      k.memory.u8[lock + IS_DPR] = 1;
    },
  }),
  leaf("NdisDprReleaseSpinLock", (k, lock) => giveBy(k, lock, true)),
];

const eventRoutines = [
  leaf("NdisInitializeEvent", (k, event) => initializeDispatcher(k, event, DISPATCHER_TYPE.NotificationEvent, false)),
  leaf("NdisSetEvent", (k, event) => void setSignal(k, event, true)),
  leaf("NdisResetEvent", (k, event) => void setSignal(k, event, false)),
  waiting("NdisWaitEvent", {
    ready: isSignalled,
    // Zero milliseconds: without end.
    deadline: (k, _saved, _event, milliseconds = 0) => (milliseconds === 0 ? 0 : k.header.clock + milliseconds * MILLISECOND),
    then: (k, _saved, timedOut, event) => {
      if (!timedOut) k.ordering.acquire(event);
      return !timedOut;
    },
  }),
  waiting("NdisMSleep", {
    ready: () => false,
    deadline: (k, _saved, microseconds = 0) => k.header.clock + Math.max(microseconds, 1) * MICROSECOND,
    then: () => {},
  }),
];

const memoryRoutines = [
  leaf("NdisAllocateMemoryWithTag", allocateTo),
  leaf("NdisAllocateMemoryWithTagPriority", (k, _handle, bytes, tag) => allocateUnwritten(k, bytes, tag)),
  leaf("NdisFreeMemory", (k, address) => free(k, address)),
  leaf("NdisFreeMemoryWithTag", (k, address) => free(k, address)),
  leaf("NdisFreeMemoryWithTagPriority", (k, _handle, address) => free(k, address)),
];

const questions = [
  leaf("NdisGetVersion", () => NDIS_VERSION),
  // Undocumented: how many values there are before one comes again. They are the values of a byte, without 0.
  leaf("NdisGeneratePartialCancelId", (k) => {
    const given = k.header.cancelIdsGiven;
    k.header.cancelIdsGiven += 1;
    return (given % 255) + 1;
  }),
];

export const supportRoutines = [...lockRoutines, ...eventRoutines, ...memoryRoutines, ...questions];
