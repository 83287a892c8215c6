/**
 * Kernel timers, in the driver's memory. When one is due it is signalled, and its DPC is queued.
 *
 * Pages: nf-wdm-kesettimerex, nf-wdm-kesetcoalescabletimer, nf-wdm-kecanceltimer, nf-wdm-kereadstatetimer.
 */
import { DISPATCHER_TYPE, initializeDispatcher, isSignalled } from "./dispatcher-objects.ts";
import type { Kernel } from "./kernel.ts";
import { leaf, local } from "./routine.ts";
import { cancelTimer, setTimer } from "./timer-queue.ts";
import { dueAt, read64 } from "./times.ts";
import { windowsStruct } from "./windows.ts";

const Ktimer = windowsStruct("KTIMER");
const MILLISECOND = 10_000;

function initialize(k: Kernel, timer: number, type: number): void {
  k.memory.clear(timer, Ktimer.bytes);
  initializeDispatcher(k, timer, type, false);
  k.memory.u8[timer + 2] = Ktimer.bytes / 4;
}

function set(k: Kernel, timer: number, dueTime: number, periodMilliseconds: number, dpc: number): boolean {
  const time = { due: dueAt(k, read64(k, dueTime)), period: periodMilliseconds * MILLISECOND };
  return setTimer(k, timer, time, { kind: "Kernel", target: dpc });
}

export const timerRoutines = [
  local("KeInitializeTimer", (k, timer) => initialize(k, timer, DISPATCHER_TYPE.NotificationTimer)),
  local("KeInitializeTimerEx", (k, timer, type) => initialize(k, timer, DISPATCHER_TYPE.NotificationTimer + type)),
  leaf("KeSetTimer", (k, timer, dueTime, dpc) => set(k, timer, dueTime, 0, dpc)),
  leaf("KeSetTimerEx", set),
  // The tolerance lets Windows be late; it need not be.
  leaf("KeSetCoalescableTimer", (k, timer, dueTime, period, _tolerance, dpc = 0) => set(k, timer, dueTime, period, dpc)),
  // A DPC that the timer has queued already still runs: a periodic timer's driver has to wait for it.
  leaf("KeCancelTimer", (k, timer) => cancelTimer(k, timer)),
  leaf("KeReadStateTimer", isSignalled),
];
