/**
 * Timers that the system allocates. One begins with a dispatcher header, so that drivers can wait for it.
 *
 * Pages: nf-wdm-exallocatetimer, nf-wdm-exsettimer, nf-wdm-excanceltimer, nf-wdm-exdeletetimer,
 * kernel/deleting-a-system-allocated-timer-object.
 */
import { constant } from "../contract/index.ts";
import { DISPATCHER_TYPE, initializeDispatcher } from "./dispatcher-objects.ts";
import type { Kernel } from "./kernel.ts";
import { call, done, plan, run, step, until } from "./plan.ts";
import { allocate, free } from "./pool.ts";
import { leaf, planned } from "./routine.ts";
import { boolean, struct, u32, words } from "./struct.ts";
import { cancelTimer, isSet, setTimer, stopRepeating } from "./timer-queue.ts";
import { dueAt } from "./times.ts";

const ExTimer = struct("ExTimer", {
  header: words(4),
  callback: u32,
  context: u32,
  isHighResolution: boolean,
  /** ExDeleteTimer was called. */
  isDisabled: boolean,
});
const EX_TIMER_TAG = 0x6d54_7845;
const HIGH_RESOLUTION = constant("EX_TIMER_HIGH_RESOLUTION");
const NO_WAKE = constant("EX_TIMER_NO_WAKE");
const NOTIFICATION = constant("EX_TIMER_NOTIFICATION");
/** EXT_DELETE_PARAMETERS: version, reserved, then the callback and its context. */
const DELETE_CALLBACK = 8;
const DELETE_CONTEXT = 12;

/** Undocumented: which bug check it is. TIMER_OR_DPC_INVALID is the one that is about timers. */
const stop = (k: Kernel, timer: number, message: string): never => k.bugCheck(0xc7, [0, timer, 0, 0], message);

const joined = (low: number, high: number): bigint => BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));

/** Whether it is set, or its callback has not returned. */
const isPending = (k: Kernel, timer: number): boolean =>
  isSet(k, timer) || k.threads.some(({ state, kind, subject }) => state === "Live" && kind === "Dpc" && subject === timer);

const finishDeleting = plan("ExDeleteTimer, the end", struct("FinishDeleting", { timer: u32, callback: u32, context: u32 }), [
  until("the timer has finished expiring", (k, p) => !isPending(k, p.timer)),
  step("the timer object is deleted", (k, p) => {
    free(k, p.timer);
    return p.callback === 0 ? undefined : call(p.callback, "ExTimerDeleteCallback", [p.context]);
  }),
]);

const DeleteLocals = struct("DeleteTimer", { timer: u32, cancel: u32, wait: u32, parameters: u32, wasCancelled: boolean });

const deleteTimer = plan("ExDeleteTimer", DeleteLocals, [
  step("the timer object is disabled", (k, p) => {
    const timer = ExTimer.at(k.memory, p.timer);
    const cancels = (p.cancel & 0xff) !== 0;
    const waits = (p.wait & 0xff) !== 0;
    if (waits && !cancels) stop(k, p.timer, "ExDeleteTimer was called to wait, but not to cancel");
    if (timer.isDisabled) return done(0);
    timer.isDisabled = true;
    stopRepeating(k, p.timer);
    p.wasCancelled = cancels && cancelTimer(k, p.timer);
    const callback = p.parameters === 0 ? 0 : k.memory.readU32(p.parameters + DELETE_CALLBACK);
    const context = p.parameters === 0 ? 0 : k.memory.readU32(p.parameters + DELETE_CONTEXT);
    const args = [p.timer, callback, context];
    if (waits || !isPending(k, p.timer)) return run(finishDeleting, args);
    k.startThread("System", { kind: "plan", plan: finishDeleting, args });
    return undefined;
  }),
  step("it answers whether the timer was cancelled", (_k, p) => done(p.wasCancelled ? 1 : 0)),
]);

export const exTimerPlans = [finishDeleting];
export const exTimerHandlers = ["ExTimerCallback", "ExTimerDeleteCallback"] as const;

export const exTimerRoutines = [
  leaf("ExAllocateTimer", (k, callback, context, attributes) => {
    if ((attributes & HIGH_RESOLUTION) !== 0 && (attributes & NO_WAKE) !== 0)
      stop(k, 0, "ExAllocateTimer was called with EX_TIMER_HIGH_RESOLUTION and EX_TIMER_NO_WAKE, which exclude each other");
    const address = allocate(k, ExTimer.bytes, EX_TIMER_TAG);
    if (address === 0) return 0;
    const isNotification = (attributes & NOTIFICATION) !== 0;
    const type = isNotification ? DISPATCHER_TYPE.NotificationTimer : DISPATCHER_TYPE.SynchronizationTimer;
    initializeDispatcher(k, address, type, false);
    const timer = ExTimer.at(k.memory, address);
    timer.callback = callback;
    timer.context = context;
    timer.isHighResolution = (attributes & HIGH_RESOLUTION) !== 0;
    return address;
  }),
  leaf("ExSetTimer_split", (k, address, dueLow, dueHigh, periodLow = 0, periodHigh = 0) => {
    const timer = ExTimer.at(k.memory, address);
    const due = joined(dueLow, dueHigh);
    if (timer.isDisabled) return false;
    if (timer.isHighResolution && due >= 0n)
      stop(k, address, "ExSetTimer was called with an absolute time for a high-resolution timer");
    const time = { due: dueAt(k, due), period: Number(joined(periodLow, periodHigh)) };
    return setTimer(k, address, time, { kind: "Executive", target: timer.callback, context: timer.context });
  }),
  leaf("ExCancelTimer", (k, timer) => !ExTimer.at(k.memory, timer).isDisabled && cancelTimer(k, timer)),
  planned("ExDeleteTimer", deleteTimer),
];
