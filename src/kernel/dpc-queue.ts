/** The queues of DPCs. A DPC that is queued is a thread that has not started. */
import type { Kernel } from "./kernel.ts";
import { IRQL, type Thread } from "./state.ts";
import { windowsStruct } from "./windows.ts";

/** Its target processor is kept with 1 added; 0: it has none. */
export const Kdpc = windowsStruct("KDPC");
export const IMPORTANCE = { Medium: 1, High: 2 } as const;

/** The DPC as it waits in a queue; undefined: it is in none, or runs already. */
export function queuedDpc(k: Kernel, dpc: number): Thread | undefined {
  return k.threads.find(
    ({ state, kind, subject, hasStarted }) => state === "Live" && kind === "Dpc" && subject === dpc && !hasStarted,
  );
}

/** Queues the DPC, on that processor if it has no other target. False: it is queued already. */
export function queueDpc(k: Kernel, dpc: number, processor: number): boolean {
  k.ordering.release(dpc);
  if (queuedDpc(k, dpc) !== undefined) return false;
  const structure = Kdpc.at(k.memory, dpc);
  const { DeferredRoutine: target, DeferredContext, SystemArgument1, SystemArgument2, Number: number } = structure;
  const args = [dpc, DeferredContext, SystemArgument1, SystemArgument2];
  const queued = k.startThread(
    "Dpc",
    { kind: "code", target, handler: "DeferredRoutine", args },
    { irql: IRQL.DISPATCH, processor: number === 0 ? processor : number - 1, subject: dpc },
  );
  // One of high importance goes to the head of its queue. The others are taken up when the processor comes to them: no page promises how soon,
  // and the strategy of the run decides.
  queued.isUrgent = structure.Importance === IMPORTANCE.High;
  return true;
}
