/**
 * Work items of the I/O manager and of the executive: what a system worker thread does later, at PASSIVE_LEVEL. A work item that is queued is a
 * thread that has not started; the system dequeues it before it calls the routine.
 *
 * Pages: nf-wdm-ioqueueworkitem, nf-wdm-ioqueueworkitemex, nf-wdm-iofreeworkitem, nf-wdm-ioinitializeworkitem, nf-wdm-exqueueworkitem.
 */
import type { Kernel } from "./kernel.ts";
import { allocate, free } from "./pool.ts";
import { leaf, local } from "./routine.ts";
import { struct, u32, words } from "./struct.ts";
import { windowsStruct } from "./windows.ts";

/** IO_WORKITEM, which is opaque. */
const IoWorkItem = struct("IO_WORKITEM", { object: u32, reserved: words(11) });
const WORK_ITEM_TAG = 0x6b57_6f49;
const WorkQueueItem = windowsStruct("WORK_QUEUE_ITEM");

const isQueued = (k: Kernel, item: number): boolean =>
  k.threads.some(
    ({ state, kind, subject, hasStarted }) => state === "Live" && kind === "WorkItem" && subject === item && !hasStarted,
  );

/** Undocumented: what queueing an item again does that is queued. It is queued once, as it was. */
function queue(k: Kernel, item: number, handler: string, target: number, args: readonly number[]): void {
  k.ordering.release(item);
  if (isQueued(k, item)) return;
  k.startThread("WorkItem", { kind: "code", target, handler, args }, { subject: item });
}

const initialize = (k: Kernel, object: number, item: number): void => {
  k.memory.clear(item, IoWorkItem.bytes);
  IoWorkItem.at(k.memory, item).object = object;
};

export const workItemHandlers = ["WorkItem", "WorkItemEx", "WorkerThreadRoutine"] as const;

export const workItemRoutines = [
  leaf("IoAllocateWorkItem", (k, object) => {
    const item = allocate(k, IoWorkItem.bytes, WORK_ITEM_TAG);
    if (item !== 0) initialize(k, object, item);
    return item;
  }),
  leaf("IoFreeWorkItem", free),
  local("IoSizeofWorkItem", () => IoWorkItem.bytes),
  local("IoInitializeWorkItem", initialize),
  local("IoUninitializeWorkItem", (k, item) => k.memory.clear(item, IoWorkItem.bytes)),
  leaf("IoQueueWorkItem", (k, item, routine, _queue, context = 0) =>
    queue(k, item, "WorkItem", routine, [IoWorkItem.at(k.memory, item).object, context]),
  ),
  leaf("IoQueueWorkItemEx", (k, item, routine, _queue, context = 0) =>
    queue(k, item, "WorkItemEx", routine, [IoWorkItem.at(k.memory, item).object, context, item]),
  ),
  leaf("ExQueueWorkItem", (k, item) => {
    const { WorkerRoutine, Parameter } = WorkQueueItem.at(k.memory, item);
    queue(k, item, "WorkerThreadRoutine", WorkerRoutine, [Parameter]);
  }),
];
