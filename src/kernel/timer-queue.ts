/** The running timers of a machine. What a timer does when it is due depends on its kind: a DPC, or a function of NDIS or of the kernel. */
import type { Kernel } from "./kernel.ts";
import type { AnyPlan } from "./plan.ts";
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
  /** A timer of the library's own: 1 + the number of a plan to run on a thread, with `argument0`. Alone it does not make the clock go on. */
  plan: u32,
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
  const timer = enqueue(kernel, due, period);
  fill(timer, { owner, ...dpc });
  return wasSet;
}

/**
 * Runs the plan with that argument again and again. What NDIS does in the background is no event of its own: where nothing else is to come, the
 * machine is at rest, and a run in which nothing can go on hangs.
 */
export function setBackgroundTimer(kernel: Kernel, owner: number, period: number, plan: AnyPlan, argument: number): void {
  cancelTimer(kernel, owner);
  const timer = enqueue(kernel, kernel.header.clock + period, period);
  timer.owner = owner;
  timer.plan = kernel.planNumber(plan) + 1;
  timer.argument0 = argument;
}

function enqueue(kernel: Kernel, due: number, period: number): Timer {
  const timer = kernel.objects.create(Timer);
  timer.due = due;
  timer.period = period;
  const last = running(kernel).at(-1);
  if (last === undefined) kernel.header.firstTimer = timer.address;
  else last.next = timer.address;
  return timer;
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

/** When the next timer is due, with those of the background or without; infinite: none is set. */
export function nextTimer(kernel: Kernel, withBackground: boolean): number {
  return Math.min(
    ...running(kernel)
      .filter(({ plan }) => plan === 0 || withBackground)
      .map(({ due }) => due),
  );
}

/** Starts a DPC, or a thread, for each timer that is due. */
export function fireTimers(kernel: Kernel): void {
  for (const timer of running(kernel).toSorted((a, b) => a.due - b.due)) {
    if (timer.due > kernel.header.clock) continue;
    const { owner, target, plan, period, processor } = timer;
    const args = [timer.argument0, timer.argument1, timer.argument2, timer.argument3];
    const handler = timer.isNdis ? "NetTimerCallback" : "DeferredRoutine";
    if (period > 0) timer.due += period;
    else cancelTimer(kernel, owner);
    kernel.note("timer fired", owner);
    if (plan !== 0) kernel.startThread("System", { kind: "plan", plan: kernel.planNumbered(plan - 1), args: [args[0] ?? 0] });
    if (target !== 0)
      kernel.startThread("Dpc", { kind: "code", target, handler, args }, { irql: IRQL.DISPATCH, processor, subject: owner });
  }
}
