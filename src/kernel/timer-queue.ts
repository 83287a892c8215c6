/** The timers that are set, in the order in which they were. What a timer does when it is due depends on its kind. */
import { listOf } from "./lists.ts";
import { setSignal } from "./dispatcher-objects.ts";
import { queueDpc } from "./dpc-queue.ts";
import type { Kernel } from "./kernel.ts";
import type { AnyPlan } from "./plan.ts";
import { IRQL } from "./state.ts";
import { f64, oneOf, struct, u32, type ViewOf } from "./struct.ts";

/** One timer that is set. `owner` is the object or driver structure that it belongs to. */
export const Timer = struct("Timer", {
  due: f64,
  /** 100-nanosecond units between repetitions; 0: once. */
  period: f64,
  owner: u32,
  /**
   * A kernel timer queues a DPC, those of NDIS and of the executive call a function, one of the background runs a plan on a thread. What owns a
   * kernel or executive timer is a dispatcher object, which is signalled.
   */
  kind: oneOf("Kernel", "Ndis", "Executive", "Background"),
  /** Address of the KDPC or of the function, or 0; number of the plan. */
  target: u32,
  context: u32,
  /** Address of the next running timer. */
  next: u32,
});
export type Timer = ViewOf<typeof Timer>;

/** Those that are set. */
export const timersOf = (kernel: Kernel): Timer[] => listOf(kernel.memory, Timer, kernel.header.firstTimer);

export const isSet = (kernel: Kernel, owner: number): boolean => timersOf(kernel).some((timer) => timer.owner === owner);

/** The owner's timer, if it is set, is due one more time only. */
export function stopRepeating(kernel: Kernel, owner: number): void {
  for (const timer of timersOf(kernel)) if (timer.owner === owner) timer.period = 0;
}

/** Sets the owner's timer, in place of the one that may be running. Returns whether one was. */
export function setTimer(
  kernel: Kernel,
  owner: number,
  time: { readonly due: number; readonly period: number },
  action: { readonly kind: Timer["kind"]; readonly target: number; readonly context?: number },
): boolean {
  const wasSet = cancelTimer(kernel, owner);
  kernel.ordering.release(owner);
  if (isDispatcher(action.kind)) setSignal(kernel, owner, false);
  const timer = kernel.objects.create(Timer);
  timer.owner = owner;
  timer.due = time.due;
  timer.period = time.period;
  timer.kind = action.kind;
  timer.target = action.target;
  timer.context = action.context ?? 0;
  const last = timersOf(kernel).at(-1);
  if (last === undefined) kernel.header.firstTimer = timer.address;
  else last.next = timer.address;
  return wasSet;
}

/**
 * Runs the plan with that argument again and again. What NDIS does in the background is no event of its own: where nothing else is to come, the
 * machine is at rest, and a run in which nothing can go on hangs.
 */
export function setBackgroundTimer(kernel: Kernel, owner: number, period: number, plan: AnyPlan, argument: number): void {
  const time = { due: kernel.header.clock + period, period };
  setTimer(kernel, owner, time, { kind: "Background", target: kernel.planNumber(plan), context: argument });
}

const isDispatcher = (kind: Timer["kind"]): boolean => kind === "Kernel" || kind === "Executive";

/** Takes the owner's timer out of the queue; false: none was set. */
export function cancelTimer(kernel: Kernel, owner: number): boolean {
  let previous: Timer | undefined;
  for (const timer of timersOf(kernel)) {
    if (timer.owner === owner) {
      kernel.ordering.acquire(owner);
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
    ...timersOf(kernel)
      .filter(({ kind }) => kind !== "Background" || withBackground)
      .map(({ due }) => due),
  );
}

/** Does what each timer that is due is for. */
export function fireTimers(kernel: Kernel): void {
  for (const timer of timersOf(kernel).toSorted((a, b) => a.due - b.due)) {
    if (timer.due > kernel.header.clock) continue;
    const { owner, kind, period, target, context } = timer;
    if (period > 0) timer.due += period;
    else cancelTimer(kernel, owner);
    kernel.note("timer fired", owner);
    if (isDispatcher(kind)) setSignal(kernel, owner, true);
    act(kernel, kind, owner, target, context);
  }
}

function act(kernel: Kernel, kind: Timer["kind"], owner: number, target: number, context: number): void {
  if (kind === "Background") {
    kernel.startThread("System", { kind: "plan", plan: kernel.planNumbered(target), args: [context] });
    return;
  }
  if (target === 0) return;
  if (kind === "Kernel") {
    // Undocumented: the processor of a timer's DPC that has no target. It is the first.
    kernel.ordering.forward(owner, target);
    queueDpc(kernel, target, 0);
    return;
  }
  const start =
    kind === "Ndis"
      ? ({ kind: "code", target, handler: "NetTimerCallback", args: [0, context, 0, 0] } as const)
      : ({ kind: "code", target, handler: "ExTimerCallback", args: [owner, context] } as const);
  kernel.startThread("Dpc", start, { irql: IRQL.DISPATCH, subject: owner });
}
