/**
 * NDIS timers and I/O work items: what runs later, in a DPC or in a worker thread.
 *
 * Pages: nf-ndis-ndisallocatetimerobject, nf-ndis-ndissettimerobject, nf-ndis-ndissetcoalescabletimerobject, nf-ndis-ndiscanceltimerobject,
 * nf-ndis-ndisfreetimerobject, nf-ndis-ndisallocateioworkitem, nf-ndis-ndisqueueioworkitem, nf-ndis-ndisfreeioworkitem.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { leaf, waiting } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { IRQL, type Thread } from "../kernel/state.ts";
import { cancelTimer, setTimer } from "../kernel/timer-queue.ts";
import { dueAt, read64 } from "../kernel/times.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { IoWorkItem, TimerObject } from "./resource-objects.ts";

const TimerCharacteristics = windowsStruct("NDIS_TIMER_CHARACTERISTICS");
const MILLISECOND = 10_000;

function timerOf(k: Kernel, handle: number): TimerObject | undefined {
  const timer = k.objects.resolve(handle, TimerObject);
  if (timer === undefined)
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, TimerObject)}: a timer object handle was expected`);
  return timer;
}

function workItemOf(k: Kernel, handle: number): IoWorkItem | undefined {
  const item = k.objects.resolve(handle, IoWorkItem);
  if (item === undefined)
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, IoWorkItem)}: a work item handle was expected`);
  return item;
}

function set(k: Kernel, handle: number, dueTime: number, periodMilliseconds: number, context: number): boolean {
  const timer = timerOf(k, handle);
  if (timer === undefined) return false;
  timer.isPeriodic = periodMilliseconds !== 0;
  const time = { due: dueAt(k, read64(k, dueTime)), period: periodMilliseconds * MILLISECOND };
  const action = { kind: "Ndis", target: timer.function, context: context === 0 ? timer.context : context } as const;
  return setTimer(k, timer.address, time, action);
}

/** Threads that run the callback of the timer, or are about to. */
export const callbacksOf = (k: Kernel, timer: number): Thread[] =>
  k.threads.filter(({ state, kind, subject }) => state === "Live" && kind === "Dpc" && subject === timer);

/** Of a periodic timer, no callback runs when the cancel is over; a caller at a wrong level, or inside the callback, is not kept. */
function isFlushed(k: Kernel, thread: Thread, handle = 0): boolean {
  const timer = k.objects.resolve(handle, TimerObject);
  if (timer === undefined || !timer.isPeriodic || thread.irql > IRQL.PASSIVE) return true;
  return callbacksOf(k, timer.address).length === 0;
}

export const timerAndWorkRoutines = [
  leaf("NdisAllocateTimerObject", (k, owner, characteristics, handleVariable) => {
    if (isScarce(k)) return "NDIS_STATUS_RESOURCES";
    const given = TimerCharacteristics.at(k.memory, characteristics);
    const timer = k.objects.create(TimerObject);
    timer.slot = k.driverOfThread(k.current);
    timer.owner = owner;
    timer.function = given.TimerFunction;
    timer.context = given.FunctionContext;
    timer.tag = given.AllocationTag;
    k.memory.writeU32(handleVariable, k.objects.handleOf(timer));
    return "NDIS_STATUS_SUCCESS";
  }),
  leaf("NdisSetTimerObject", set),
  // The tolerance lets Windows be late; it need not be.
  leaf("NdisSetCoalescableTimerObject", set),
  waiting("NdisCancelTimerObject", {
    before: (k, handle = 0) => {
      const timer = timerOf(k, handle);
      return timer !== undefined && cancelTimer(k, timer.address) ? 1 : 0;
    },
    readyFor: isFlushed,
    awaits: (k, handle = 0) => {
      const timer = k.objects.resolve(handle, TimerObject);
      return { what: "the callback of the timer", holders: timer === undefined ? [] : callbacksOf(k, timer.address) };
    },
    then: (_k, wasSet) => wasSet !== 0,
  }),
  leaf("NdisFreeTimerObject", (k, handle) => {
    const timer = timerOf(k, handle);
    if (timer === undefined) return;
    if (cancelTimer(k, timer.address)) k.note("timer freed while set", handle);
    // Inside the callback itself the driver knows what it does.
    const running = callbacksOf(k, timer.address).filter(({ address }) => address !== k.current.address);
    if (running.length > 0) k.note("timer freed while its callback runs", handle);
    k.objects.release(timer);
  }),
  leaf("NdisAllocateIoWorkItem", (k, owner) => {
    if (isScarce(k)) return 0;
    const item = k.objects.create(IoWorkItem);
    item.slot = k.driverOfThread(k.current);
    item.owner = owner;
    return k.objects.handleOf(item);
  }),
  leaf("NdisQueueIoWorkItem", (k, handle, routine, context) => {
    const item = workItemOf(k, handle);
    if (item === undefined) return;
    k.startThread(
      "WorkItem",
      { kind: "code", target: routine, handler: "WorkItem", args: [context, handle] },
      { subject: item.address },
    );
  }),
  leaf("NdisFreeIoWorkItem", (k, handle) => {
    const item = workItemOf(k, handle);
    if (item !== undefined) k.objects.release(item);
  }),
];
