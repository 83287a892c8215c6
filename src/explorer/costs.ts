/** What a run costs: how far it is from what happens when nobody interferes. Runs of few preemptions and faults are the ones that people understand. */
import type { Candidates } from "../kernel/index.ts";

export interface Cost {
  /** Threads that could go on and had to let another one, and moments at which time passed though a thread could run. */
  readonly preemptions: number;
  /** Calls that failed, or were answered in another way than the simplest. */
  readonly faults: number;
}

export const nothing: Cost = { preemptions: 0, faults: 0 };

export const plus = (one: Cost, other: Cost): Cost => ({
  preemptions: one.preemptions + other.preemptions,
  faults: one.faults + other.faults,
});

/** Whether the one leaves at least as much of every budget as the other. */
export const isWithin = (one: Cost, other: Cost): boolean => one.preemptions <= other.preemptions && one.faults <= other.faults;

/** A choice that was made. */
export interface Choice {
  readonly what: string;
  readonly count: number;
  readonly picked: number;
  /** Of a schedule: picking another one than the first preempts a thread that could go on. */
  readonly couldGoOn: boolean;
  /** Of a schedule: the last of the candidates is the clock. */
  readonly hasClock: boolean;
}

export const aboutSchedule = (candidates: Candidates | undefined): Pick<Choice, "couldGoOn" | "hasClock"> => ({
  couldGoOn: candidates?.couldGoOn === true,
  hasClock: candidates?.all.at(-1) === "clock",
});

export function costOf({ what, count, picked, couldGoOn, hasClock }: Choice): Cost {
  if (picked === 0) return nothing;
  if (what !== "schedule") return { preemptions: 0, faults: 1 };
  return couldGoOn || (hasClock && picked === count - 1) ? { preemptions: 1, faults: 0 } : nothing;
}

/** Fewer faults, and of those as few, fewer preemptions. */
export const isLess = (one: Cost, other: Cost): boolean =>
  one.faults < other.faults || (one.faults === other.faults && one.preemptions < other.preemptions);
