/** What an exploration may say of a scenario, and what it rests on. */
import { type Cost, isWithin } from "./costs.ts";

export type ClaimKind = "PROVED" | "BOUNDED" | "SAMPLED";

export interface Claim {
  readonly kind: ClaimKind;
  /** What has been covered, and what is left. */
  readonly text: string;
  /** What it holds under. */
  readonly assumptions: readonly string[];
}

export interface Covered {
  /** Rungs that are done. */
  readonly rungs: readonly Cost[];
  /** Nothing is left to do. */
  readonly isComplete: boolean;
  readonly states: number;
  readonly transitions: number;
  /** Transitions known of and not taken. */
  readonly left: number;
  /** Whether states that are equal were merged. */
  readonly merges: boolean;
  readonly sampled: {
    readonly runs: number;
    readonly strategies: readonly string[];
    /** Pairs of places between which a run switched, and the run in which the last new one was seen. */
    readonly pairs: number;
    readonly lastNewPair: number;
    /** Of PCT alone: how likely a bug of depth 3 was missed in its runs; undefined: it made none. */
    readonly missed?: number;
  };
  readonly processors: number;
  /** Lines before whose accesses to memory threads were switched. */
  readonly points: readonly string[];
}

/** Above that the bound of PCT says nothing. */
const SURELY_MISSED = 0.9;

const isAll = ({ preemptions }: Cost): boolean => preemptions === Number.POSITIVE_INFINITY;
const numberText = (value: number): string => value.toLocaleString("en-US");

export function claimOf(covered: Covered): Claim {
  const { rungs, isComplete, states, transitions, left } = covered;
  const work = covered.merges
    ? `${numberText(states)} states, ${numberText(transitions)} steps`
    : `${numberText(transitions)} steps`;
  const whole = rungs.filter(isAll).toSorted((one, other) => other.faults - one.faults)[0];
  const assumptions = assumptionsOf(covered);
  if (isComplete) return { kind: "PROVED", text: `all schedules, all answers and failures (${work})`, assumptions };
  if (whole !== undefined) {
    const faults = whole.faults === 0 ? "nothing failing and every answer at once" : faultsText(whole.faults);
    return { kind: "PROVED", text: `all schedules with ${faults} (${work}); ${leftText(left)}`, assumptions };
  }
  const bounds = rungs.filter((rung) => !rungs.some((other) => other !== rung && isWithin(rung, other)));
  if (bounds.length > 0) {
    const each = bounds.map(({ preemptions, faults }) => `${preemptionsText(preemptions)} and ${faultsText(faults)}`);
    return { kind: "BOUNDED", text: `all runs with ${each.join(", all with ")} (${work}); ${leftText(left)}`, assumptions };
  }
  return { kind: "SAMPLED", text: `${sampledText(covered)} (${work} of a search that is not done)`, assumptions };
}

/** Such as "1,200 random runs by POS, PCT and URW; the last new pair of places in run 812". */
export function sampledText({ sampled: { runs, strategies, pairs, lastNewPair, missed } }: Covered): string {
  const bound =
    missed === undefined || missed > SURELY_MISSED
      ? ""
      : `; a bug of depth 3 is missed by PCT's share with probability ${(missed * 100).toPrecision(2)} % at most`;
  const seen = `${numberText(pairs)} pairs of places seen, the last new one in run ${numberText(lastNewPair)}`;
  if (runs === 0) return "only the run in which nobody interferes";
  return `${numberText(runs)} random runs by ${strategies.join(", ")}; ${seen}${bound}`;
}

const leftText = (left: number): string => (left === 0 ? "nothing is left" : `${numberText(left)} steps beyond that are left`);
const atMost = (value: number, one: string, many: string): string =>
  value === 0 ? `no ${one}` : `at most ${value} ${value === 1 ? one : many}`;
const preemptionsText = (value: number): string => atMost(value, "preemption", "preemptions");
const faultsText = (value: number): string => atMost(value, "failure or late answer", "failures and late answers");

function assumptionsOf({ processors, merges, points }: Covered): string[] {
  const accesses =
    points.length === 0
      ? "not between two accesses to memory, on which no race was seen"
      : `and before the accesses to memory that were seen to race: ${points.join(", ")}`;
  return [
    `${processors} processors; a thread at DISPATCH_LEVEL keeps its own`,
    "sequential consistency: weak memory is not modelled",
    `threads are switched before calls of routines, after handlers return, where they wait and where they end, ${accesses}`,
    "the traffic of the scenario, and time that passes only from one timer or time-out to the next",
    ...(merges ? ["states that are equal are merged: data races are judged in the random runs alone"] : []),
  ];
}
