/** The table of the classics. */
import type { Builder } from "../machine/build.ts";
import { type RandomStrategy, randomStrategies } from "../explorer/random.ts";
import { classicNames } from "./classic.ts";
import { type Effort, type Measured, measureClassic, shortcomings } from "./classics.ts";
import { cells } from "./table.ts";

const STRATEGIES: readonly RandomStrategy[] = ["walk", ...randomStrategies.filter((each) => each !== "walk")];
const WIDTHS = [24, ...STRATEGIES.map(() => 8), 9, 12, 9, 9, 9];

/** Only those of these names, if there are any. Returns what does not meet the aims. */
export async function measureClassics(
  builder: Builder,
  only: ReadonlySet<string>,
  isQuick: boolean,
  print: (line: string) => void,
): Promise<string[]> {
  const effort: Effort = isQuick ? { seeds: 3, mostRuns: 2000, budget: 10_000 } : { seeds: 20, mostRuns: 10_000, budget: 10_000 };
  print(
    `The classics: runs to the bug (median of ${effort.seeds} seeds), the search until it finds it, and its claim for the right program`,
  );
  print(cells(["", ...STRATEGIES, "search s", "transitions", "right", "states", "s"], WIDTHS));
  const problems: string[] = [];
  for (const name of classicNames().filter((each) => only.size === 0 || only.has(each))) {
    const measured = await measureClassic(builder, name, effort);
    print(row(measured, effort));
    problems.push(...shortcomings(measured));
  }
  return problems;
}

function row({ name, runs, broken, right }: Measured, { mostRuns }: Effort): string {
  const found = broken.rules.length > 0 ? broken.seconds.toFixed(2) : "missed";
  const claim = right.rules.length > 0 ? "ACCUSED" : right.claim;
  const random = STRATEGIES.map((each) => runs[each] ?? `>${mostRuns}`);
  return cells([name, ...random, found, broken.transitions, claim, right.states, right.seconds.toFixed(2)], WIDTHS);
}
