/**
 * Random strategies: each makes a run from its start, the same for the same seed.
 *
 * - walk: whoever could go on goes on, each as likely as the others.
 * - POS: each pending step has a random priority, drawn anew when it is another one (Yuan, Yang, Gu: Partial Order Aware Concurrency Sampling).
 * - PCT: each thread has a random priority, and at a few random moments the one that runs gets the lowest (Burckhardt, Kothari, Musuvathi, Nagarakatte:
 *   A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs).
 * - URW: who has more steps to come is more likely to go on, so that all interleavings are about as likely (Zhao, Wolff, Mathur, Roychoudhury: Selectively
 *   Uniform Concurrency Testing).
 */
import { type Candidate, type Kernel, isAboutResources } from "../kernel/index.ts";
import type { Decide } from "./replay.ts";
import { ownerOf } from "./labels.ts";

/** A generator of numbers from 0 to 1, 1 excluded: mulberry32. */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** What an earlier run of the scenario tells about the next. */
export interface Experience {
  /** How often it was asked who goes on, and how often whether there are resources. */
  readonly schedules: number;
  readonly scarce: number;
  /** Of each thread, by what it is there for: how many steps it made. */
  readonly steps: ReadonlyMap<string, number>;
}

export type RandomStrategy = "walk" | "pos" | "pct" | "urw";
export const randomStrategies: readonly RandomStrategy[] = ["pos", "pct", "urw", "walk"];

/** Preemptions that PCT makes, at most: its bugs are of one more order. */
const CHANGES = 2;
/** Time rarely passes while a thread could run. */
const CLOCK_CHANCE = 0.03;

type Schedule = (all: readonly Candidate[], index: number, k: Kernel) => number;

/** How a run answers where nobody asks who goes on. */
export interface Answers {
  /** Each answer that is no failure is as likely as the others; else it is the simplest. */
  readonly varies: boolean;
  /** So many calls find no resources. */
  readonly failures: number;
}

export function randomly(strategy: RandomStrategy, random: Random, experience: Experience, answers: Answers): Decide {
  const schedule = schedules[strategy](random, experience);
  const failing = new Set(Array.from({ length: answers.failures }, () => Math.floor(random() * Math.max(experience.scarce, 1))));
  let scarce = 0;
  return ({ index, count, what, candidates, kernel }) => {
    if (candidates === undefined) {
      if (!isAboutResources(what)) return answers.varies ? Math.floor(random() * count) : 0;
      const fails = failing.has(scarce);
      scarce += 1;
      return fails ? 1 : 0;
    }
    const { all } = candidates;
    const hasClock = all.at(-1) === "clock";
    if (hasClock && random() < CLOCK_CHANCE) return all.length - 1;
    return schedule(hasClock ? all.slice(0, -1) : all, index, kernel);
  };
}

const indexOfLargest = (values: readonly number[]): number => values.indexOf(Math.max(...values));

const schedules: Readonly<Record<RandomStrategy, (random: Random, experience: Experience) => Schedule>> = {
  walk: (random) => (all) => Math.floor(random() * all.length),
  pos: (random) => {
    const priorities = new Map<number, number>();
    return (all) => {
      const picked = indexOfLargest(all.map((each) => priorityOf(priorities, each, random)));
      // It makes the step; the next one has a priority of its own.
      priorities.delete(numberOf(all[picked]));
      return picked;
    };
  },
  pct: (random, { schedules: length }) => {
    const priorities = new Map<number, number>();
    const changes = new Set(Array.from({ length: CHANGES }, () => Math.floor(random() * Math.max(length, 1))));
    let made = 0;
    let lowest = 0;
    return (all) => {
      const values = all.map((each) => priorityOf(priorities, each, random));
      if (changes.has(made)) {
        lowest -= 1;
        const highest = indexOfLargest(values);
        priorities.set(numberOf(all[highest]), lowest);
        values[highest] = lowest;
      }
      made += 1;
      return indexOfLargest(values);
    };
  },
  urw: (random, { steps }) => {
    const made = new Map<number, number>();
    return (all, _index, k) => {
      const weights = all.map((each) => {
        if (each === "clock") return 0;
        return Math.max((steps.get(ownerOf(k, each)) ?? 1) - (made.get(each.number) ?? 0), 1);
      });
      let left = random() * weights.reduce((sum, each) => sum + each, 0);
      const picked = Math.max(
        weights.findIndex((each) => (left -= each) < 0),
        0,
      );
      const number = numberOf(all[picked]);
      made.set(number, (made.get(number) ?? 0) + 1);
      return picked;
    };
  },
};

const numberOf = (candidate: Candidate | undefined): number =>
  candidate === undefined || candidate === "clock" ? 0 : candidate.number;

function priorityOf(priorities: Map<number, number>, candidate: Candidate, random: Random): number {
  const number = numberOf(candidate);
  const known = priorities.get(number);
  if (known !== undefined) return known;
  const drawn = random();
  priorities.set(number, drawn);
  return drawn;
}
