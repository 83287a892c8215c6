/**
 * Plans: what the library does over time.
 *
 * A plan is a table of named steps. Its activation is a frame in kernel memory (the step number and the locals), so a thread that
 * waits inside one is data: it can be copied, restored and shown. Step names are sentences; they appear in the trace, in "who waits
 * for what" and in diagrams.
 */
import { assert } from "./assert.ts";
import type { Kernel } from "./kernel.ts";
import { FRAME_WORDS } from "./state.ts";
import type { FieldTypes, Fields, Struct, ViewBase } from "./struct.ts";

/** What a step asks of the kernel; nothing: go on with the next step. */
export type Next =
  | { readonly kind: "call"; readonly target: number; readonly handler: string; readonly args: readonly number[] }
  | { readonly kind: "run"; readonly plan: AnyPlan; readonly args: readonly number[] }
  | { readonly kind: "goto"; readonly sentence: string }
  | { readonly kind: "done"; readonly result: number };

export interface RunStep<L> {
  readonly kind: "step";
  readonly sentence: string;
  /**
   * For strategies that let threads be switched at calls only: "always", many ways come together here; "never", the step touches its own locals
   * alone, or nobody could tell. Left out: after a handler has returned.
   */
  readonly point?: "always" | "never";
  /** `result` is what the previous step's call or plan returned. */
  run(k: Kernel, locals: L, result: number): Next | undefined | void;
}

export interface UntilStep<L> {
  readonly kind: "until";
  readonly sentence: string;
  /** Has no effect: it is asked whenever the scheduler looks for a thread to run. */
  ready(k: Kernel, locals: L): boolean;
  /** Absolute time at which the wait ends anyway (`thread.timedOut` is then true); 0: never. */
  deadline?(k: Kernel, locals: L): number;
  /** What the wait is for, and which driver owes it, for the report of a hung run. */
  owes?(k: Kernel, locals: L): Obligation | undefined;
}

/** Something that a driver has to do: a routine that it has to call, say. */
export interface Obligation {
  readonly what: string;
  /** Slot of the driver that owes it; -1: the library itself. */
  readonly driver: number;
  /** The handler that took the obligation on. */
  readonly target: number;
}

export type PlanStep<L> = RunStep<L> | UntilStep<L>;

export interface Plan<L> {
  readonly name: string;
  readonly locals: { at(memory: ViewBase["memory"], address: number): L; readonly bytes: number };
  readonly steps: readonly PlanStep<L>[];
  /** Number of the first step with that sentence. */
  readonly places: ReadonlyMap<string, number>;
}
// Locals are written and read by the plan's own steps only; the kernel moves them about without looking inside.
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyPlan = Plan<any>;

/** Arguments of a run are stored, in order, in the first words of the locals. */
export function plan<const F extends FieldTypes>(
  name: string,
  locals: Struct<F>,
  steps: readonly PlanStep<ViewBase & Fields<F>>[],
): Plan<ViewBase & Fields<F>> {
  assert(locals.bytes <= FRAME_WORDS * 4, `the locals of plan '${name}' do not fit a frame`);
  const places = new Map(steps.map(({ sentence }, index) => [sentence, index] as const).toReversed());
  return { name, locals, steps, places };
}

export function step<L>(sentence: string, run: RunStep<L>["run"]): RunStep<L> {
  return { kind: "step", sentence, run };
}

/** A step that touches its own locals alone. */
export const quietStep = <L>(sentence: string, doIt: RunStep<L>["run"]): RunStep<L> => ({
  ...step(sentence, doIt),
  point: "never",
});

export function until<L>(
  sentence: string,
  ready: UntilStep<L>["ready"],
  more: Omit<UntilStep<L>, "kind" | "sentence" | "ready"> = {},
): UntilStep<L> {
  return { kind: "until", sentence, ready, ...more };
}

/** Calls a driver's handler; its result is the next step's `result`. */
export const call = (target: number, handler: string, args: readonly number[]): Next => ({ kind: "call", target, handler, args });
/** Runs another plan; its result is the next step's `result`. */
export const run = (target: AnyPlan, args: readonly number[]): Next => ({ kind: "run", plan: target, args });
/** Goes on at the step with that sentence. */
export const goTo = (sentence: string): Next => ({ kind: "goto", sentence });
/** Ends the plan. */
export const done = (result = 0): Next => ({ kind: "done", result: result >>> 0 });
