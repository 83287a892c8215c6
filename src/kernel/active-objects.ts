/** What the system still has in a block that a driver frees: timers that are set, DPCs and work items that are queued, lookaside lists in use. */
import type { Kernel } from "./kernel.ts";
import { listOf } from "./lists.ts";
import { LookasideList } from "./lookaside-lists.ts";
import { Timer } from "./timer-queue.ts";

/** Such an object in these bytes, and what it is; undefined: there is none. */
export function activeObjectIn(k: Kernel, start: number, bytes: number): { at: number; what: string } | undefined {
  const isInside = (at: number): boolean => at >= start && at < start + bytes;
  const timer = listOf(k.memory, Timer, k.header.firstTimer).find(({ owner, kind }) => kind !== "Background" && isInside(owner));
  if (timer !== undefined) return { at: timer.owner, what: "a timer that is set" };
  const queued = k.threads.find(({ state, hasStarted, subject }) => state === "Live" && !hasStarted && isInside(subject));
  if (queued?.kind === "Dpc") return { at: queued.subject, what: "a DPC that is queued" };
  if (queued?.kind === "WorkItem") return { at: queued.subject, what: "a work item that is queued" };
  const list = k.objects.all(LookasideList).find((each) => isInside(each.list));
  return list === undefined ? undefined : { at: list.list, what: "a lookaside list that was not deleted" };
}
