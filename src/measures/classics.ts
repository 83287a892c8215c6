/** How fast the bugs of the classic programs are found, by each random strategy and by the search; and what is claimed of those that are right. */
import type { ClaimKind } from "../explorer/claim.ts";
import type { Found } from "../explorer/failures.ts";
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

/** What does not meet the aims: each bug is found by the search and by a random strategy, and each right program, since all are finite, is proved. */
export function shortcomings({ name, runs, broken, right }: Measured): string[] {
  return [
    ...(broken.rules.length === 0 ? [`${name}: the search does not find the bug`] : []),
    ...(Object.values(runs).every((each) => each === undefined) ? [`${name}: no random strategy finds the bug`] : []),
    ...(right.claim === "PROVED" ? [] : [`${name}: the right program is only ${right.claim}`]),
    ...(right.rules.length > 0 ? [`${name}: the right program is said to break ${right.rules.join(", ")}`] : []),
  ];
}

function search(classic: Classic, { budget }: Effort, stopsAtFailure: boolean): Measured["right"] {
  const { claim, milliseconds, counts, failures, reason } = exploreClassic(classic, {
    strategy: "search",
    budget,
    ...(stopsAtFailure ? { isEnough: (found) => rulesOf(found).length > 0 } : {}),
  });
  if (reason !== undefined) throw new Error(`the scenario could not be carried out: ${reason}`);
  const { states, transitions } = counts;
  return { claim: claim.kind, seconds: milliseconds / 1000, transitions, states, rules: rulesOf(failures) };
}

const rulesOf = (failures: readonly Found[]): string[] =>
  [...new Set(failures.map(({ violation }) => violation.rule))].filter(isFailure);

function runsToBug({ subject }: Classic, strategy: RandomStrategy, { seeds, mostRuns }: Effort): number | undefined {
  const player = new Player(subject);
  const { experience } = player.playUndisturbed();
  const needed: number[] = [];
  // Once half of the seeds have given up, so has the median.
  for (let seed = 1; seed <= seeds && seed - needed.length <= seeds / 2; seed += 1) {
    const random = seeded(seed);
    for (let run = 1; run <= mostRuns; run += 1) {
      const decide = randomly(strategy, seeded(Math.floor(random() * 0x1_0000_0000)), experience, { varies: false, failures: 0 });
      const { findings } = player.play(decide, { records: false, judgesRaces: false }).result;
      if (!findings.some(({ rule }) => isFailure(rule))) continue;
      needed.push(run);
      break;
    }
  }
  return needed.toSorted((one, other) => one - other)[Math.floor(seeds / 2)];
}
