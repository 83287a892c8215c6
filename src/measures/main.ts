/**
 * `npm run measures`: what the explorer achieves on programs whose bugs are known. With names after it, only those, of which "unbind" is one;
 * `--quick` for a sample that takes minutes. It ends with 1 if a bug is missed or a right program accused.
 */
import { Builder } from "../machine/build.ts";
import { type RandomStrategy, randomStrategies } from "../explorer/random.ts";
import { classicNames } from "./classic.ts";
import { measureUnbind } from "./unbind.ts";
import { type Effort, type Measured, measureClassic, shortcomings } from "./classics.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const words = process.argv.slice(2);
const only = new Set(words.filter((word) => !word.startsWith("--")));
const effort: Effort = words.includes("--quick")
  ? { seeds: 3, mostRuns: 2000, budget: 10_000 }
  : { seeds: 20, mostRuns: 10_000, budget: 10_000 };

const STRATEGIES: readonly RandomStrategy[] = ["walk", ...randomStrategies.filter((each) => each !== "walk")];
const cells = (values: readonly (string | number)[], widths: readonly number[]): string =>
  values
    .map((value, index) => (index === 0 ? String(value).padEnd(widths[0] ?? 0) : String(value).padStart(widths[index] ?? 0)))
    .join(" ");
const WIDTHS = [24, ...STRATEGIES.map(() => 8), 9, 12, 9, 9, 9];

function row({ name, runs, broken, right }: Measured): string {
  const found = broken.rules.length > 0 ? broken.seconds.toFixed(2) : "missed";
  const claim = right.rules.length > 0 ? "ACCUSED" : right.claim;
  const random = STRATEGIES.map((each) => runs[each] ?? `>${effort.mostRuns}`);
  return cells([name, ...random, found, broken.transitions, claim, right.states, right.seconds.toFixed(2)], WIDTHS);
}

print(
  `The classics: runs to the bug (median of ${effort.seeds} seeds), the search until it finds it, and its claim for the right program`,
);
print(cells(["", ...STRATEGIES, "search s", "transitions", "right", "states", "s"], WIDTHS));
const builder = new Builder();
const problems: string[] = [];
const isWanted = (name: string): boolean => only.size === 0 || only.has(name);
for (const name of classicNames().filter(isWanted)) {
  const measured = await measureClassic(builder, name, effort);
  print(row(measured));
  problems.push(...shortcomings(measured));
}
if (isWanted("unbind")) problems.push(...(await measureUnbind(builder, print, words.includes("--quick"))));
builder.stop();
for (const problem of problems) print(problem);
if (problems.length > 0) process.exitCode = 1;
