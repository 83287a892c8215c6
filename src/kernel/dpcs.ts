/** Deferred procedure calls and kernel timers. */
import { absoluteTime, initializeDispatcher, DISPATCHER_TYPE, readTime } from "./dispatcher-objects.ts";
import type { Kernel } from "./kernel.ts";
import { leaf } from "./routine.ts";
import { IRQL } from "./state.ts";
import { cancelTimer, setTimer } from "./timer-queue.ts";
import { windowsStruct } from "./windows.ts";

const Kdpc = windowsStruct("KDPC");
const DPC_OBJECT = 0x13;

function arguments_(k: Kernel, dpc: number): number[] {
  const { DeferredContext, SystemArgument1, SystemArgument2 } = Kdpc.at(k.memory, dpc);
  return [dpc, DeferredContext, SystemArgument1, SystemArgument2];
}

/** A DPC that is queued and has not started; while it is, it is not queued again. */
function isQueued(k: Kernel, dpc: number): boolean {
  return k.threads.some(({ state, subject, hasStarted }) => state === "Live" && subject === dpc && !hasStarted);
}

export const dpcRoutines = [
  leaf("KeInitializeDpc", (k, dpc, routine, context) => {
    k.memory.clear(dpc, Kdpc.bytes);
    k.memory.u8[dpc] = DPC_OBJECT;
    const structure = Kdpc.at(k.memory, dpc);
    structure.DeferredRoutine = routine;
    structure.DeferredContext = context;
  }),
  leaf("KeInsertQueueDpc", (k, dpc, argument1, argument2) => {
    if (isQueued(k, dpc)) return false;
    const structure = Kdpc.at(k.memory, dpc);
    structure.SystemArgument1 = argument1;
    structure.SystemArgument2 = argument2;
    const start = {
      kind: "code",
      target: structure.DeferredRoutine,
      handler: "DeferredRoutine",
      args: arguments_(k, dpc),
    } as const;
    k.startThread("Dpc", start, { irql: IRQL.DISPATCH, processor: k.current.processor, subject: dpc });
    return true;
  }),
  leaf("KeInitializeTimer", (k, timer) => initializeDispatcher(k, timer, DISPATCHER_TYPE.NotificationTimer, false)),
  leaf("KeInitializeTimerEx", (k, timer, type) =>
    initializeDispatcher(k, timer, DISPATCHER_TYPE.NotificationTimer + type, false),
  ),
  leaf("KeSetTimer", (k, timer, dueTime, dpc = 0) => {
    const due = Math.max(absoluteTime(k, readTime(k, dueTime)), Number.MIN_VALUE);
    const target = dpc === 0 ? 0 : Kdpc.at(k.memory, dpc).DeferredRoutine;
    return setTimer(k, timer, due, 0, { target, args: dpc === 0 ? [] : arguments_(k, dpc), isNdis: false });
  }),
  leaf("KeCancelTimer", (k, timer) => cancelTimer(k, timer)),
];
