/** How fast the bugs of the classic programs are found, by each random strategy and by the search; and what is claimed of those that are right. */
import type { ClaimKind } from "../explorer/claim.ts";
import { Player } from "../explorer/player.ts";
import { type RandomStrategy, randomStrategies, randomly, seeded } from "../explorer/random.ts";
import type { Builder } from "../machine/build.ts";
import { type Classic, exploreClassic, isFailure, prepare } from "./classic.ts";

export interface Effort {
  readonly seeds: number;
  /** Random runs after which a seed gives up. */
  readonly mostRuns: number;
  /** Milliseconds for the search. */
  readonly budget: number;
}

export interface Measured {
  readonly name: string;
  /** Runs to the bug, the median of all seeds; undefined: more than there may be. */
  readonly runs: Readonly<Record<RandomStrategy, number | undefined>>;
  readonly broken: SearchMeasured;
  readonly right: SearchMeasured & { readonly states: number };
}

interface SearchMeasured {
  readonly claim: ClaimKind;
  readonly seconds: number;
  readonly transitions: number;
  /** The rules that were broken. */
  readonly rules: readonly string[];
}

export async function measureClassic(builder: Builder, name: string, effort: Effort): Promise<Measured> {
  const broken = await prepare(builder, name, true);
  const right = await prepare(builder, name, false);
  const runs = Object.fromEntries(randomStrategies.map((each) => [each, runsToBug(broken, each, effort)]));
  return {
    name,
    runs: runs as Measured["runs"],
    broken: search(broken, effort, true),
    right: search(right, effort, false),
  };
}

/** What does not meet the aims: every broken program is found by the search and by a random strategy, no right one fails. */
export function shortcomings({ name, runs, broken, right }: Measured): string[] {
  return [
    ...(broken.rules.length === 0 ? [`${name}: the search does not find the bug`] : []),
    ...(Object.values(runs).every((each) => each === undefined) ? [`${name}: no random strategy finds the bug`] : []),
    ...(right.rules.length > 0 ? [`${name}: the right program is said to break ${right.rules.join(", ")}`] : []),
  ];
}

function search(classic: Classic, { budget }: Effort, stopsAtFailure: boolean): Measured["right"] {
  const { claim, milliseconds, counts, failures, reason } = exploreClassic(classic, {
    strategy: "search",
    budget,
    ...(stopsAtFailure ? { isEnough: (found) => found.some(isFailure) } : {}),
  });
  if (reason !== undefined) throw new Error(`the scenario could not be carried out: ${reason}`);
  const rules = [...new Set(failures.filter(isFailure).map(({ violation }) => violation.rule))];
  return { claim: claim.kind, seconds: milliseconds / 1000, transitions: counts.transitions, states: counts.states, rules };
}

function runsToBug({ subject }: Classic, strategy: RandomStrategy, { seeds, mostRuns }: Effort): number | undefined {
  const player = new Player(subject);
  const { experience } = player.playUndisturbed();
  const needed = Array.from({ length: seeds }, (_, seed) => {
    const random = seeded(seed + 1);
    for (let run = 1; run <= mostRuns; run += 1) {
      const decide = randomly(strategy, seeded(Math.floor(random() * 0x1_0000_0000)), experience, { varies: false, failures: 0 });
      if (player.play(decide, { records: false, judgesRaces: false }).result.findings.length > 0) return run;
    }
    return Number.POSITIVE_INFINITY;
  });
  const median = needed.toSorted((one, other) => one - other)[Math.floor(seeds / 2)] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(median) ? median : undefined;
}
