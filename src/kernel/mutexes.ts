/**
 * Mutexes: had by one thread, as often as it likes; and fast mutexes, had once, at APC_LEVEL. The signal state of a mutex is 1 while
 * nobody has it, and goes down by 1 each time that it is acquired.
 *
 * Pages: nf-wdm-keinitializemutex, nf-wdm-kereleasemutex, nf-wdm-exacquirefastmutex, bug-check-0x4000008a--thread-terminate-held-mutex.
 */
import { chainOf } from "./driver-chains.ts";
import { constant } from "../contract/index.ts";
import { DISPATCHER_TYPE, SIGNAL_STATE, initializeDispatcher } from "./dispatcher-objects.ts";
import { raise } from "./exceptions.ts";
import type { Kernel } from "./kernel.ts";
import { type Awaited, leaf, local, waiting } from "./routine.ts";
import { IRQL, Thread } from "./state.ts";
import { windowsStruct } from "./windows.ts";

const Mutant = windowsStruct("KMUTANT");
const FastMutex = windowsStruct("FAST_MUTEX");
const THREAD_TERMINATE_HELD_MUTEX = 0x4000_008a;
/** Where a mutex has the address of the one that its thread acquired before. */
const BEFORE = Mutant.offset("MutantListEntry");
const WORDS = Mutant.bytes / 4;

const stateOf = (k: Kernel, mutex: number): number => k.memory.readU32(mutex + SIGNAL_STATE) | 0;
const setState = (k: Kernel, mutex: number, state: number): void => k.memory.writeU32(mutex + SIGNAL_STATE, state >>> 0);

function ownerOf(k: Kernel, mutex: number): Thread | undefined {
  const { OwnerThread } = Mutant.at(k.memory, mutex);
  return OwnerThread === 0 ? undefined : k.thread(OwnerThread);
}

export const isMutexFreeFor = (k: Kernel, thread: Thread, mutex: number): boolean =>
  stateOf(k, mutex) > 0 || ownerOf(k, mutex)?.address === thread.address;

/** The thread has the mutex, perhaps once more. True: the thread that had it before ended without releasing it. */
export function acquireMutex(k: Kernel, thread: Thread, mutex: number): boolean {
  const structure = Mutant.at(k.memory, mutex);
  setState(k, mutex, stateOf(k, mutex) - 1);
  k.ordering.acquire(mutex);
  if (structure.OwnerThread !== 0) return false;
  structure.OwnerThread = thread.address;
  k.memory.writeU32(mutex + BEFORE, thread.mutexes);
  thread.mutexes = mutex;
  thread.criticalRegions += 1;
  thread.locksHeld += 1;
  k.tellLock(mutex, "acquire", thread.number, "mutex");
  const wasAbandoned = structure.Abandoned !== 0;
  structure.Abandoned = 0;
  return wasAbandoned;
}

/** Nobody has the mutex. */
function disown(k: Kernel, thread: Thread, mutex: number): void {
  let place = thread.address + Thread.offsets.mutexes;
  // A mutex that was initialized while it was owned has lost those before it.
  for (const owned of chainOf("mutexes that a thread owns", thread.mutexes, (each) => k.memory.readU32(each + BEFORE))) {
    if (owned === mutex) k.memory.writeU32(place, k.memory.readU32(mutex + BEFORE));
    place = owned + BEFORE;
  }
  k.memory.writeU32(mutex + BEFORE, 0);
  Mutant.at(k.memory, mutex).OwnerThread = 0;
  setState(k, mutex, 1);
}

/** A thread ends with mutexes that it has. */
export function abandonMutexes(k: Kernel, thread: Thread): void {
  while (thread.mutexes !== 0) {
    const mutex = thread.mutexes;
    if (thread.kind === "System")
      k.bugCheck(
        THREAD_TERMINATE_HELD_MUTEX,
        [thread.managed, mutex, 0, 0],
        `a system thread ended with the mutex at 0x${mutex.toString(16)}`,
      );
    // Undocumented: what a mutex becomes that a work item has not released. The worker thread goes on with it in Windows; here it ends, and the
    // mutex is abandoned.
    disown(k, thread, mutex);
    Mutant.at(k.memory, mutex).Abandoned = 1;
  }
}

export function mutexAt(k: Kernel, mutex: number): Awaited {
  const owner = ownerOf(k, mutex);
  return { what: `the mutex at 0x${mutex.toString(16)}`, holders: owner === undefined ? [] : [owner] };
}

/** Returns the signal state from before: 0 when the mutex is free now. */
function release(k: Kernel, mutex: number): number {
  const thread = k.current;
  const owner = ownerOf(k, mutex);
  const before = stateOf(k, mutex);
  if (owner?.address !== thread.address || before === 0) k.tellLock(mutex, "release", owner?.number ?? 0, "mutex");
  if (owner?.address !== thread.address) {
    const wasAbandoned = Mutant.at(k.memory, mutex).Abandoned !== 0;
    raise(k, "KeReleaseMutex", constant(wasAbandoned ? "STATUS_ABANDONED" : "STATUS_MUTANT_NOT_OWNED"));
  }
  if (before < 0) {
    setState(k, mutex, before + 1);
    return before;
  }
  k.ordering.release(mutex);
  disown(k, thread, mutex);
  thread.criticalRegions -= 1;
  thread.locksHeld -= 1;
  return before;
}

// ---- fast mutexes: a count of 1 while nobody has it

const isFastMutexFree = (k: Kernel, mutex: number): boolean => FastMutex.at(k.memory, mutex).Count === 1;

function takeFastMutex(k: Kernel, mutex: number, irql: number): void {
  const structure = FastMutex.at(k.memory, mutex);
  structure.Count = 0;
  structure.Owner = k.current.address;
  structure.OldIrql = irql;
  k.current.locksHeld += 1;
  k.ordering.acquire(mutex);
  k.tellLock(mutex, "acquire", k.current.number, "fast mutex");
}

const fastMutexRoutines = [
  local("ExInitializeFastMutex", (k, mutex) => {
    k.memory.clear(mutex, FastMutex.bytes);
    FastMutex.at(k.memory, mutex).Count = 1;
    initializeDispatcher(k, mutex + FastMutex.offset("Event"), DISPATCHER_TYPE.SynchronizationEvent, false);
  }),
  waiting("ExAcquireFastMutex", {
    before: (k) => k.scheduler.setIrql(Math.max(k.current.irql, IRQL.APC)),
    ready: isFastMutexFree,
    awaits: (k, mutex = 0) => {
      const { Owner } = FastMutex.at(k.memory, mutex);
      return { what: `the fast mutex at 0x${mutex.toString(16)}`, holders: Owner === 0 ? [] : [k.thread(Owner)] };
    },
    then: (k, irql, _timedOut, mutex) => takeFastMutex(k, mutex, irql),
  }),
  leaf("ExTryToAcquireFastMutex", (k, mutex) => {
    if (!isFastMutexFree(k, mutex)) return false;
    takeFastMutex(k, mutex, k.scheduler.setIrql(Math.max(k.current.irql, IRQL.APC)));
    return true;
  }),
  leaf("ExReleaseFastMutex", (k, mutex) => {
    const structure = FastMutex.at(k.memory, mutex);
    const { Owner, OldIrql } = structure;
    k.ordering.release(mutex);
    k.tellLock(mutex, "release", Owner === 0 ? 0 : k.thread(Owner).number, "fast mutex");
    structure.Count = 1;
    structure.Owner = 0;
    structure.OldIrql = 0;
    if (k.current.locksHeld > 0) k.current.locksHeld -= 1;
    k.scheduler.setIrql(OldIrql);
  }),
];

export const mutexRoutines = [
  local("KeInitializeMutex", (k, mutex) => {
    k.memory.clear(mutex, Mutant.bytes);
    initializeDispatcher(k, mutex, DISPATCHER_TYPE.Mutant, true);
    k.memory.u8[mutex + 2] = WORDS;
    Mutant.at(k.memory, mutex).ApcDisable = 1;
  }),
  leaf("KeReleaseMutex", release),
  leaf("KeReadStateMutex", stateOf),
  ...fastMutexRoutines,
];
