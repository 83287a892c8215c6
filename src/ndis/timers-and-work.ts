/** NDIS timers and I/O work items: what runs later, in a DPC or in a worker thread. */
import type { Kernel } from "../kernel/kernel.ts";
import { absoluteTime, readTime } from "../kernel/dispatcher-objects.ts";
import { leaf } from "../kernel/routine.ts";
import { cancelTimer, setTimer } from "../kernel/timer-queue.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { IoWorkItem, TimerObject } from "./objects.ts";

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

export const timerAndWorkRoutines = [
  leaf("NdisAllocateTimerObject", (k, _driver, characteristics, handleVariable) => {
    const given = TimerCharacteristics.at(k.memory, characteristics);
    const timer = k.objects.create(TimerObject);
    timer.slot = k.driverOfThread(k.current);
    timer.function = given.TimerFunction;
    timer.context = given.FunctionContext;
    timer.tag = given.AllocationTag;
    k.memory.writeU32(handleVariable, k.objects.handleOf(timer));
    return "NDIS_STATUS_SUCCESS";
  }),
  leaf("NdisSetTimerObject", (k, handle, dueTime, periodMilliseconds, context) => {
    const timer = timerOf(k, handle);
    if (timer === undefined) return false;
    const due = Math.max(absoluteTime(k, readTime(k, dueTime)), Number.MIN_VALUE);
    const args = [0, context === 0 ? timer.context : (context ?? 0), 0, 0];
    return setTimer(k, timer.address, due, periodMilliseconds * MILLISECOND, { target: timer.function, args, isNdis: true });
  }),
  leaf("NdisCancelTimerObject", (k, handle) => {
    const timer = timerOf(k, handle);
    return timer !== undefined && cancelTimer(k, timer.address);
  }),
  leaf("NdisFreeTimerObject", (k, handle) => {
    const timer = timerOf(k, handle);
    if (timer === undefined) return;
    if (cancelTimer(k, timer.address)) k.note("timer freed while set", handle);
    k.objects.release(timer);
  }),
  leaf("NdisAllocateIoWorkItem", (k) => {
    const item = k.objects.create(IoWorkItem);
    item.slot = k.driverOfThread(k.current);
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
