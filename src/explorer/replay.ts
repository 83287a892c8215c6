/** Runs from the start: with given picks, along a token, or as a random strategy has it; each tells what it did. */
import { type Candidates, type Kernel, type KernelMemory, type Strategy, isAboutResources } from "../kernel/index.ts";
import type { Scenario } from "../machine/actions.ts";
import type { MachineDriver } from "../machine/machine.ts";
import { type RunOptions, type RunResult, run } from "../verifier/run.ts";
import { type Choice, type Cost, aboutSchedule, costOf, nothing, plus } from "./costs.ts";
import { labelOf, siteHash } from "./labels.ts";
import { pointsFor } from "./points.ts";
import type { Deviation } from "./token.ts";

/** The same driver, scenario and number of processors. */
export interface Subject {
  readonly drivers: readonly MachineDriver[];
  readonly scenario: Scenario;
  readonly processors?: number;
  /** Lines of the drivers that are scheduling points. */
  readonly accessLines?: readonly string[];
}

/** A choice that is to be made. */
export interface Asked {
  readonly index: number;
  readonly count: number;
  readonly what: string;
  readonly candidates: Candidates | undefined;
  readonly kernel: Kernel;
}

/** Decides the choices of one run. */
export type Decide = (asked: Asked) => number;

export interface ToldDeviation extends Deviation {
  /** What was different there, for a person. */
  readonly label: string;
}

export interface Replay {
  readonly result: RunResult;
  readonly choices: readonly Choice[];
  /** Those that were not made as if nobody interfered. */
  readonly deviations: readonly ToldDeviation[];
  readonly cost: Cost;
}

export interface ReplayOptions {
  readonly records: boolean;
  readonly memory?: KernelMemory;
  readonly words?: readonly number[];
  /** Left out: accesses of different threads are compared. */
  readonly judgesRaces?: boolean;
  readonly onEntry?: NonNullable<RunOptions["onEntry"]>;
}

/** Makes the run. */
export function replay(subject: Subject, decide: Decide, options: ReplayOptions): Replay {
  const choices: Choice[] = [];
  const deviations: ToldDeviation[] = [];
  let cost = nothing;
  const strategyFor = (seen: (what: string, picked: number) => void, kernel: () => Kernel): Strategy => ({
    choose: (count, what, candidates) => {
      const k = kernel();
      const index = choices.length;
      const picked = Math.min(decide({ index, count, what, candidates, kernel: k }), count - 1);
      const choice = { what, count, picked, ...aboutSchedule(candidates) };
      choices.push(choice);
      seen(what, picked);
      cost = plus(cost, costOf(choice));
      if (picked !== 0) deviations.push({ index, picked, ...describe(k, what, picked, candidates) });
      return picked;
    },
    preempts: true,
    parksAlways: false,
    ...pointsFor(subject.drivers),
    timePasses: true,
  });
  const result = run({ ...subject, ...options, strategy: strategyFor });
  return { result, choices, deviations, cost };
}

/** What a pick that is not the first means. */
function describe(k: Kernel, what: string, picked: number, candidates: Candidates | undefined): { label: string; site: string } {
  if (candidates === undefined) {
    const label = isAboutResources(what) ? what : `${what}: answer ${picked + 1}, instead of the simplest`;
    return { label, site: siteHash(`${what} ${picked}`) };
  }
  const chosen = labelOf(k, candidates.all[picked]);
  const other = candidates.couldGoOn ? labelOf(k, candidates.all[0]) : undefined;
  const label = other === undefined ? `${chosen}, goes on first` : `${other}, is preempted by ${chosen}`;
  return { label, site: siteHash(`${other ?? ""} ${chosen}`) };
}

/** The picks of a run, one after the other; past their end nobody interferes. */
export const byPicks =
  (picks: readonly number[]): Decide =>
  ({ index }) =>
    picks[index] ?? 0;

/** Of a run that is known by what it did differently. */
export function byDeviations(deviations: readonly Omit<Deviation, "site">[]): Decide {
  const picked = new Map(deviations.map((each) => [each.index, each.picked]));
  return ({ index }) => picked.get(index) ?? 0;
}

/**
 * Along a token: each deviation at its place. Where something else is there, because the driver has changed since, `diverged` is told, and the rest
 * is made wherever the same can be picked.
 */
export function byToken(deviations: readonly Deviation[], diverged: (deviation: Deviation, found: string) => void): Decide {
  let next = 0;
  let rest: Decide | undefined;
  return (asked) => {
    if (rest !== undefined) return rest(asked);
    const wanted = deviations[next];
    if (wanted === undefined || asked.index < wanted.index) return 0;
    const { label, site } = describe(asked.kernel, asked.what, wanted.picked, asked.candidates);
    if (site === wanted.site && wanted.picked < asked.count) {
      next += 1;
      return wanted.picked;
    }
    diverged(wanted, label);
    rest = bySites(deviations.slice(next));
    return rest(asked);
  };
}

/**
 * The same, where the run may be another one than that of which they were told: each is made at the first choice, after the one before, at which the
 * same thing can be picked in the same place.
 */
export function bySites(deviations: readonly Deviation[]): Decide {
  let next = 0;
  return ({ count, what, candidates, kernel }) => {
    const wanted = deviations[next];
    if (wanted === undefined) return 0;
    for (let picked = 1; picked < count; picked += 1) {
      if (describe(kernel, what, picked, candidates).site !== wanted.site) continue;
      next += 1;
      return picked;
    }
    return 0;
  };
}
