/** The running timers of a machine. What a timer does when it is due depends on its kind: a DPC, or a function of NDIS or of the kernel. */
import type { Kernel } from "./kernel.ts";
import { IRQL } from "./state.ts";
import { boolean, f64, struct, u32, type ViewOf } from "./struct.ts";

/** One timer that is set. `owner` is the object or driver structure that it belongs to. */
export const Timer = struct("Timer", {
  due: f64,
  /** 100-nanosecond units between repetitions; 0: once. */
  period: f64,
  owner: u32,
  /** Function to call in a DPC, with these arguments. */
  target: u32,
  argument0: u32,
  argument1: u32,
  argument2: u32,
  argument3: u32,
  /** 0: four arguments as for a KDEFERRED_ROUTINE; 1: as for an NDIS_TIMER_FUNCTION. */
  isNdis: boolean,
  processor: u32,
  /** Address of the next running timer. */
  next: u32,
});
export type Timer = ViewOf<typeof Timer>;

function running(kernel: Kernel): Timer[] {
  const found: Timer[] = [];
  for (let address = kernel.header.firstTimer; address !== 0; ) {
    const timer = Timer.at(kernel.memory, address);
    found.push(timer);
    address = timer.next;
  }
  return found;
}

/** Sets the owner's timer, in place of the one that may be running. Returns whether one was. */
export function setTimer(
  kernel: Kernel,
  owner: number,
  due: number,
  period: number,
  dpc: Omit<Parameters<typeof fill>[1], "owner">,
): boolean {
  const wasSet = cancelTimer(kernel, owner);
  const timer = kernel.objects.create(Timer);
  fill(timer, { owner, ...dpc });
  timer.due = due;
  timer.period = period;
  const last = running(kernel).at(-1);
  if (last === undefined) kernel.header.firstTimer = timer.address;
  else last.next = timer.address;
  return wasSet;
}

function fill(
  timer: Timer,
  { owner, target, args, isNdis }: { owner: number; target: number; args: readonly number[]; isNdis: boolean },
): void {
  timer.owner = owner;
  timer.target = target;
  timer.argument0 = args[0] ?? 0;
  timer.argument1 = args[1] ?? 0;
  timer.argument2 = args[2] ?? 0;
  timer.argument3 = args[3] ?? 0;
  timer.isNdis = isNdis;
}

/** Takes the owner's timer out of the queue; false: none was set. */
export function cancelTimer(kernel: Kernel, owner: number): boolean {
  let previous: Timer | undefined;
  for (const timer of running(kernel)) {
    if (timer.owner === owner) {
      unlink(kernel, previous, timer);
      return true;
    }
    previous = timer;
  }
  return false;
}

function unlink(kernel: Kernel, previous: Timer | undefined, timer: Timer): void {
  if (previous === undefined) kernel.header.firstTimer = timer.next;
  else previous.next = timer.next;
  kernel.objects.release(timer);
}

/** When the next timer is due; 0: none is set. */
export function nextTimer(kernel: Kernel): number {
  const due = running(kernel).map((timer) => timer.due);
  return due.length === 0 ? 0 : Math.min(...due);
}

/** Starts a DPC for each timer that is due. */
export function fireTimers(kernel: Kernel): void {
  for (const timer of running(kernel).toSorted((a, b) => a.due - b.due)) {
    if (timer.due > kernel.header.clock) continue;
    const { owner, target, period, processor } = timer;
    const args = [timer.argument0, timer.argument1, timer.argument2, timer.argument3];
    const handler = timer.isNdis ? "NetTimerCallback" : "DeferredRoutine";
    if (period > 0) timer.due += period;
    else cancelTimer(kernel, owner);
    kernel.note("timer fired", owner);
    if (target !== 0)
      kernel.startThread("Dpc", { kind: "code", target, handler, args }, { irql: IRQL.DISPATCH, processor, subject: owner });
  }
}
