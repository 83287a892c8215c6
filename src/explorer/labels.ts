/** Names for what a thread is about to do: the same in every run, and mostly in the next version of a driver too. */
import type { Candidate, Kernel } from "../kernel/index.ts";
import { ACCESS_POINT } from "../kernel/access-point.ts";
import type { Thread } from "../kernel/state.ts";

/** Such as "the work item of CompletePause, in NdisCompleteNetPnPEvent". */
export function labelOf(k: Kernel, candidate: Candidate | undefined): string {
  if (candidate === undefined) return "nobody";
  if (candidate === "clock") return "the clock";
  return `${ownerOf(k, candidate)}, ${placeOf(k, candidate)}`;
}

const KINDS: Readonly<Record<Thread["kind"], string>> = {
  System: "a system thread",
  WorkItem: "the work item",
  Dpc: "the DPC",
  Scenario: "the scenario",
  Application: "the application",
};

/** What the thread is there for: the function that it began with. */
export function ownerOf(k: Kernel, thread: Thread): string {
  if (thread.depth === 0) return KINDS[thread.kind];
  const outermost = k.frame(thread, 0);
  if (outermost.kind === "Code") return `${KINDS[thread.kind]} ${k.nameOf(outermost.code)}`;
  return outermost.kind === "Plan" ? `${KINDS[thread.kind]} (${k.planOf(outermost).name})` : KINDS[thread.kind];
}

/** Where it is: its next call, or the step of the library that comes next. */
export function placeOf(k: Kernel, thread: Thread): string {
  if (thread.depth === 0) return "at its end";
  const frame = k.frame(thread, thread.depth - 1);
  switch (frame.kind) {
    case "Plan": {
      const plan = k.planOf(frame);
      return `in ${plan.name} before '${plan.steps[frame.step]?.sentence ?? "its end"}'`;
    }
    case "Operation":
      return `before ${nameOf(k.routineOf(frame.code).name)}`;
    case "Code":
      // The running thread has called a routine that has not begun.
      if (thread.address === k.header.currentThread && thread.hasStarted) return `before ${nameOf(k.routineNow)}`;
      return `before ${k.handlerName(frame)} (${k.nameOf(frame.code)})`;
    default:
      return "nowhere";
  }
}

const nameOf = (routine: string): string => (routine === ACCESS_POINT ? "an access to shared memory" : routine);

/** A short name for a text: 15 bits, in three characters. */
export function siteHash(text: string): string {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  return ((hash ^ (hash >>> 15)) & 0x7fff).toString(36).padStart(3, "0");
}
