/** Deferred procedure calls. */
import { IMPORTANCE, Kdpc, queueDpc, queuedDpc } from "./dpc-queue.ts";
import { plan, step, until } from "./plan.ts";
import { processorIndex } from "./processors.ts";
import { leaf, planned } from "./routine.ts";
import { IRQL } from "./state.ts";
import { struct, u32 } from "./struct.ts";
import { windowsStruct } from "./windows.ts";

const DPC_OBJECT = 0x13;
const DpcWatchdogInformation = windowsStruct("KDPC_WATCHDOG_INFORMATION");
/** In clock ticks: for one DPC, and for DPCs that follow each other. */
const DPC_TIME_LIMIT = 1280;
const DPC_WATCHDOG_LIMIT = 7680;

/** Returns when the DPCs that were queued before have run; those that are queued meanwhile may come later. */
const flushQueuedDpcs = plan("KeFlushQueuedDpcs", struct("FlushQueuedDpcs", { last: u32 }), [
  step("the queues are looked at", (k, p) => {
    p.last = k.header.threadsCreated;
  }),
  until(
    "the DPCs that were queued have run to completion",
    (k, p) => !k.threads.some(({ state, kind, number }) => state === "Live" && kind === "Dpc" && number <= p.last),
  ),
]);

export const dpcRoutines = [
  leaf("KeInitializeDpc", (k, dpc, routine, context) => {
    k.memory.clear(dpc, Kdpc.bytes);
    k.memory.u8[dpc] = DPC_OBJECT;
    const structure = Kdpc.at(k.memory, dpc);
    structure.DeferredRoutine = routine;
    structure.DeferredContext = context;
    structure.Importance = IMPORTANCE.Medium;
  }),
  leaf("KeInsertQueueDpc", (k, dpc, argument1, argument2) => {
    if (queuedDpc(k, dpc) !== undefined) {
      // Its routine, which runs later, sees what was done until now.
      k.ordering.release(dpc);
      return false;
    }
    const structure = Kdpc.at(k.memory, dpc);
    structure.SystemArgument1 = argument1;
    structure.SystemArgument2 = argument2;
    return queueDpc(k, dpc, k.current.processor);
  }),
  leaf("KeRemoveQueueDpc", (k, dpc) => {
    const queued = queuedDpc(k, dpc);
    if (queued === undefined) return false;
    k.clearThread(queued);
    return true;
  }),
  leaf("KeSetImportanceDpc", (k, dpc, importance) => {
    Kdpc.at(k.memory, dpc).Importance = importance & 0xff;
  }),
  leaf("KeSetTargetProcessorDpc", (k, dpc, processor) => {
    // Undocumented: which processor of group 0 a number past the last one means. It is counted round.
    Kdpc.at(k.memory, dpc).Number = ((processor & 0xff) % k.header.processorCount) + 1;
  }),
  leaf("KeSetTargetProcessorDpcEx", (k, dpc, processorNumber) => {
    const index = processorIndex(k, processorNumber);
    if (index === undefined) return "STATUS_INVALID_PARAMETER";
    Kdpc.at(k.memory, dpc).Number = index + 1;
    return "STATUS_SUCCESS";
  }),
  planned("KeFlushQueuedDpcs", flushQueuedDpcs),
  leaf("KeQueryDpcWatchdogInformation", (k, information) => {
    if (k.current.irql < IRQL.DISPATCH) return "STATUS_UNSUCCESSFUL";
    // No time passes while a driver's code runs. There is no watchdog, as limits of 0 say, or the time is nearly up: the run decides.
    k.memory.clear(information, DpcWatchdogInformation.bytes);
    if (k.choose(2, "KeQueryDpcWatchdogInformation: the time is nearly up") === 1) {
      const watchdog = DpcWatchdogInformation.at(k.memory, information);
      watchdog.DpcTimeLimit = DPC_TIME_LIMIT;
      watchdog.DpcTimeCount = 1;
      watchdog.DpcWatchdogLimit = DPC_WATCHDOG_LIMIT;
      watchdog.DpcWatchdogCount = 1;
    }
    return "STATUS_SUCCESS";
  }),
  // Undocumented: after how long the answer is TRUE. No time passes while a driver's code runs, so it never lasts too long.
  leaf("KeShouldYieldProcessor", () => false),
];
