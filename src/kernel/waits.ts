/**
 * Waits on dispatcher objects: one, or any or all of several. What a wait does to an object (a mutex is acquired, a synchronization
 * event reset) is done when the wait is satisfied.
 *
 * Pages: nf-wdm-kewaitforsingleobject, nf-wdm-kewaitformultipleobjects, nf-ntddk-kepulseevent, nf-wdm-kedelayexecutionthread.
 */
import { constant } from "../contract/index.ts";
import { DISPATCHER_TYPE, SIGNAL_STATE, isSignalled, setSignal, typeOf } from "./dispatcher-objects.ts";
import { givesBytes, readsBytes } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import { acquireMutex, isMutexFreeFor, mutexAt } from "./mutexes.ts";
import { type Awaited, leaf, waiting } from "./routine.ts";
import type { Thread } from "./state.ts";
import { dueAt, read64 } from "./times.ts";

const STATUS_SUCCESS = 0;
const STATUS_TIMEOUT = constant("STATUS_TIMEOUT");
const STATUS_ABANDONED_WAIT_0 = constant("STATUS_ABANDONED_WAIT_0");
const MAXIMUM_WAIT_OBJECTS_EXCEEDED = 0xc;
/** What every dispatcher object begins with. */
const DISPATCHER_BYTES = 16;
const WAIT_ALL = constant("WaitAll");
/** 100-nanosecond units. */
const MICROSECOND = 10;

interface ObjectWait {
  readonly objects: readonly number[];
  readonly isForAll: boolean;
}

const single = (object: number): ObjectWait => ({ objects: [object], isForAll: true });
const multiple = (k: Kernel, count: number, objects: number, type: number): ObjectWait => ({
  objects: Array.from({ length: count }, (_, index) => k.memory.readU32(objects + index * 4)),
  isForAll: type === WAIT_ALL,
});

function isReady(k: Kernel, thread: Thread, object: number): boolean {
  return typeOf(k, object) === DISPATCHER_TYPE.Mutant ? isMutexFreeFor(k, thread, object) : isSignalled(k, object);
}

/** The thread's wait is satisfied by the object. True: it is a mutex that was abandoned. */
function take(k: Kernel, thread: Thread, object: number): boolean {
  k.ordering.acquire(object);
  switch (typeOf(k, object)) {
    case DISPATCHER_TYPE.Mutant:
      return acquireMutex(k, thread, object);
    case DISPATCHER_TYPE.Semaphore:
      k.memory.writeU32(object + SIGNAL_STATE, k.memory.readU32(object + SIGNAL_STATE) - 1);
      return false;
    case DISPATCHER_TYPE.SynchronizationEvent:
    case DISPATCHER_TYPE.SynchronizationTimer:
      setSignal(k, object, false);
      return false;
    default:
      return false;
  }
}

function canBeSatisfied(k: Kernel, thread: Thread, { objects, isForAll }: ObjectWait): boolean {
  return isForAll ? objects.every((each) => isReady(k, thread, each)) : objects.some((each) => isReady(k, thread, each));
}

/** Takes what the wait, which can be satisfied, is for; its status. */
function satisfy(k: Kernel, thread: Thread, { objects, isForAll }: ObjectWait): number {
  if (!isForAll) {
    const index = objects.findIndex((each) => isReady(k, thread, each));
    return (take(k, thread, objects[index] ?? 0) ? STATUS_ABANDONED_WAIT_0 : 0) + index;
  }
  const abandoned = objects.map((each) => take(k, thread, each)).indexOf(true);
  return abandoned < 0 ? STATUS_SUCCESS : STATUS_ABANDONED_WAIT_0 + abandoned;
}

/** The end of a wait of the current thread. */
function ended(k: Kernel, timedOut: boolean, wait: ObjectWait): number {
  const thread = k.current;
  const { woken } = thread;
  thread.woken = 0;
  if (woken !== 0) return woken - 1;
  return timedOut ? STATUS_TIMEOUT : satisfy(k, thread, wait);
}

const isOver = (k: Kernel, thread: Thread, wait: ObjectWait): boolean => thread.woken !== 0 || canBeSatisfied(k, thread, wait);
const deadline = (k: Kernel, timeout: number): number => (timeout === 0 ? 0 : dueAt(k, read64(k, timeout)));

/** Too many objects for the wait blocks that there are. */
function checkCount(k: Kernel, count: number, waitBlocks: number): void {
  const most = constant(waitBlocks === 0 ? "THREAD_WAIT_OBJECTS" : "MAXIMUM_WAIT_OBJECTS");
  if (count <= most) return;
  const blocks = waitBlocks === 0 ? "without wait blocks of its own" : "with wait blocks";
  k.bugCheck(
    MAXIMUM_WAIT_OBJECTS_EXCEEDED,
    [0, 0, 0, 0],
    `KeWaitForMultipleObjects was called for ${count} objects ${blocks}, which are at most ${most}`,
  );
}

/** Those of the objects that are mutexes which somebody has. */
function heldMutexes(k: Kernel, { objects, isForAll }: ObjectWait): Awaited {
  const mutexes = objects.filter((each) => typeOf(k, each) === DISPATCHER_TYPE.Mutant);
  const holders = isForAll ? mutexes.flatMap((each) => mutexAt(k, each).holders) : [];
  return { what: `${isForAll ? "all" : "any"} of ${objects.length} objects in KeWaitForMultipleObjects`, holders };
}

// ---- pulses

/** What the thread waits for in a routine of this file. */
function waitOf(k: Kernel, thread: Thread): ObjectWait | undefined {
  if (thread.state !== "Live" || thread.depth === 0 || thread.woken !== 0) return undefined;
  const frame = k.frame(thread, thread.depth - 1);
  if (frame.kind !== "Operation" || frame.step === 0) return undefined;
  const [first = 0, second = 0, third = 0] = k.arguments(frame);
  const { name } = k.routineOf(frame.code);
  if (name === "KeWaitForSingleObject") return single(first);
  return name === "KeWaitForMultipleObjects" ? multiple(k, first, second, third) : undefined;
}

/** Signals the event for those who wait at this moment, and for nobody else. */
function pulse(k: Kernel, event: number): number {
  const old = setSignal(k, event, true);
  const waiters = k.threads.filter((thread) => waitOf(k, thread)?.objects.includes(event) === true);
  // Undocumented: which of the threads that wait for a synchronization event is released. The schedule decides.
  while (waiters.length > 0 && isSignalled(k, event)) {
    const [thread] = waiters.splice(k.choose(waiters.length, "schedule"), 1);
    const wait = thread === undefined ? undefined : waitOf(k, thread);
    if (thread === undefined || wait === undefined || !canBeSatisfied(k, thread, wait)) continue;
    thread.woken = 1 + satisfy(k, thread, wait);
  }
  setSignal(k, event, false);
  return old;
}

export const waitRoutines = [
  waiting("KeWaitForSingleObject", {
    before: (k, object = 0) => {
      givesBytes(k, object, DISPATCHER_BYTES);
      return 0;
    },
    readyFor: (k, thread, object = 0) => isOver(k, thread, single(object)),
    deadline: (k, _saved, _object, _reason, _mode, _alertable, timeout = 0) => deadline(k, timeout),
    awaits: (k, object = 0) => (typeOf(k, object) === DISPATCHER_TYPE.Mutant ? mutexAt(k, object) : undefined),
    then: (k, _saved, timedOut, object) => ended(k, timedOut, single(object)),
  }),
  waiting("KeWaitForMultipleObjects", {
    before: (k, count = 0, objects = 0, type = 0, _reason, _mode, _alertable, _timeout, waitBlocks = 0) => {
      checkCount(k, count, waitBlocks);
      readsBytes(k, objects, count * 4);
      for (const object of multiple(k, count, objects, type).objects) givesBytes(k, object, DISPATCHER_BYTES);
      return 0;
    },
    readyFor: (k, thread, count = 0, objects = 0, type = 0) => isOver(k, thread, multiple(k, count, objects, type)),
    deadline: (k, _saved, _count, _objects, _type, _reason, _mode, _alertable, timeout = 0) => deadline(k, timeout),
    awaits: (k, count = 0, objects = 0, type = 0) => heldMutexes(k, multiple(k, count, objects, type)),
    then: (k, _saved, timedOut, count, objects, type) => ended(k, timedOut, multiple(k, count, objects, type)),
  }),
  leaf("KePulseEvent", pulse),
  waiting("KeDelayExecutionThread", {
    ready: () => false,
    deadline: (k, _saved, _mode, _alertable, interval = 0) => dueAt(k, read64(k, interval)),
    then: () => STATUS_SUCCESS,
  }),
  // The caller keeps its processor if it is at DISPATCH_LEVEL; the others go on.
  waiting("KeStallExecutionProcessor", {
    ready: (_k, microseconds) => microseconds === 0,
    deadline: (k, _saved, microseconds = 0) => k.header.clock + microseconds * MICROSECOND,
    then: () => {},
  }),
];
