/**
 * How a documented routine is declared: once, for C drivers, TypeScript drivers, the import table, the IRQL rule and the coverage page.
 *
 * Names, parameters, IRQL and page come from the contract tables; here is only what the routine does.
 */
import { applyWith } from "./apply.ts";
import type { Kernel } from "./kernel.ts";
import type { AnyPlan } from "./plan.ts";
import type { Thread } from "./state.ts";

/** A documented status by name, or a number. Nothing: the routine returns nothing. */
export type Answer = number | string | boolean | void;

// A routine's parameters are the 32-bit words that the driver passed; each body names the ones it takes.
type Body<R> = (k: Kernel, ...args: number[]) => R;

interface RoutineBase<N extends string = string> {
  readonly name: N;
}
/** Changes state and returns; never waits. */
export interface LeafRoutine<N extends string = string> extends RoutineBase<N> {
  readonly kind: "leaf";
  /** Touches only its caller's memory: no other thread could notice, so no scheduling point. */
  readonly isLocal: boolean;
  readonly body: Body<Answer>;
}
/** Waits until `ready`, then runs `body` without a switch in between. */
export interface WaitRoutine<N extends string = string> extends RoutineBase<N> {
  readonly kind: "wait";
  /** Done once, at the call; what it returns is `saved` for the others. */
  readonly before: ((k: Kernel, ...args: number[]) => number) | undefined;
  /** Has no effect. `thread` is the one that waits. */
  readonly ready: (k: Kernel, thread: Thread, args: readonly number[]) => boolean;
  /** Absolute time at which the wait ends anyway; 0: never. */
  readonly deadline: ((k: Kernel, saved: number, ...args: number[]) => number) | undefined;
  readonly body: (k: Kernel, saved: number, timedOut: boolean, ...args: number[]) => Answer;
  readonly awaits: ((k: Kernel, ...args: number[]) => Awaited | undefined) | undefined;
}
/** What a wait is for, and the threads that keep it, for the report of a hung run. */
export interface Awaited {
  readonly what: string;
  readonly holders: readonly Thread[];
}
/** Takes time: a plan whose first locals are the arguments. */
export interface PlanRoutine<N extends string = string> extends RoutineBase<N> {
  readonly kind: "plan";
  readonly plan: AnyPlan;
}
export type Routine = LeafRoutine | WaitRoutine | PlanRoutine;

export const leaf = <const N extends string>(name: N, body: Body<Answer>): LeafRoutine<N> => ({
  kind: "leaf",
  name,
  isLocal: false,
  body,
});
export const local = <const N extends string>(name: N, body: Body<Answer>): LeafRoutine<N> => ({
  kind: "leaf",
  name,
  isLocal: true,
  body,
});
export const planned = <const N extends string>(name: N, plan: AnyPlan): PlanRoutine<N> => ({ kind: "plan", name, plan });

interface WaitBase {
  readonly before?: WaitRoutine["before"];
  readonly deadline?: WaitRoutine["deadline"];
  readonly then: WaitRoutine["body"];
  readonly awaits?: WaitRoutine["awaits"];
}
/** Neither condition has an effect. `readyFor` is for waits that end sooner for one thread than for another: a mutex is free for its owner. */
export type WaitBehaviour = WaitBase &
  (
    | { readonly ready: (k: Kernel, ...args: number[]) => boolean }
    | { readonly readyFor: (k: Kernel, thread: Thread, ...args: number[]) => boolean }
  );
export const waiting = <const N extends string>(name: N, behaviour: WaitBehaviour): WaitRoutine<N> => ({
  kind: "wait",
  name,
  before: behaviour.before,
  ready:
    "ready" in behaviour
      ? (k, _thread, args) => applyWith(behaviour.ready, k, args)
      : (k, thread, args) => behaviour.readyFor(k, thread, ...args),
  deadline: behaviour.deadline,
  body: behaviour.then,
  awaits: behaviour.awaits,
});

/** Routines that end with a lock held. */
export const isAcquire = (routine: string): boolean =>
  /^(Ke|Ndis|NdisDpr|Ex)Acquire(InStackQueued)?(Spin|RW|ReadWrite|Push)Lock/.test(routine);

/**
 * Routines that only give a lock back. Whatever other threads could do before such a call they can do after it, with the same effect, unless they
 * try for the lock without waiting.
 */
export const isRelease = (routine: string): boolean =>
  /^(Ke|Ndis|NdisDpr|Ex)Release(InStackQueued)?(Spin|RW|ReadWrite|Push)Lock/.test(routine);

/**
 * Routines that allocate memory or give it back, of which each thread has its own, or begin with what nobody else knows yet: what others do meanwhile
 * makes no difference to them.
 */
export const isAboutMemory = (routine: string): boolean => ABOUT_MEMORY.some((each) => each.test(routine));

const ABOUT_MEMORY: readonly RegExp[] = [
  /^(Ke|Ndis|Ex)Initialize|^NdisAllocateSpinLock|^RtlInit/,
  /^Ex(Allocate|Free)Pool|^Ndis(Allocate|Free)(Memory|Mdl)|^Io(Allocate|Free)Mdl/,
  /^Ndis(Allocate|Free)(NetBuffer|Clone|Reassembled|Fragment)(?!.*Pool$)/,
];
