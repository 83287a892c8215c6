/** The order in which the search goes up: nothing, each single fault, few preemptions, both, and at last all there is. */
import type { Cost } from "./costs.ts";
import type { Rung } from "./search.ts";

const ALL = Number.POSITIVE_INFINITY;

/** Undefined: there is no limit. */
export interface Limits {
  readonly preemptions?: number;
  readonly faults?: number;
}

const ORDER: readonly (readonly [preemptions: number, faults: number])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [2, 0],
  [ALL, 0],
  [0, 2],
  [2, 1],
  [1, 2],
  [ALL, 1],
  [2, 2],
  [ALL, 2],
  [ALL, ALL],
];

export function ladder({ preemptions = ALL, faults = ALL }: Limits): Rung[] {
  const rungs = ORDER.map(([p, f]): Cost => ({ preemptions: Math.min(p, preemptions), faults: Math.min(f, faults) }));
  const limit = { preemptions, faults };
  return [...rungs, limit].filter((rung, index, all) => all.findIndex((other) => isEqual(rung, other)) === index);
}

const isEqual = (one: Cost, other: Cost): boolean => one.preemptions === other.preemptions && one.faults === other.faults;
