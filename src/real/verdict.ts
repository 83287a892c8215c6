/** What a real driver comes to: the rules that it breaks, and the functions that its scenarios enter. */
import type { Builder } from "../machine/build.ts";
import { must } from "../kernel/assert.ts";
import { scenarioFor, stockFor } from "../machine/stock-scenarios.ts";
import { CoverageCollector } from "../verifier/line-coverage.ts";
import { runScenarios } from "../verifier/runs.ts";
import { counterpartFor, hasDevice } from "../verifier/targets.ts";
import type { RealDriver } from "./drivers.ts";

export interface Verdict {
  readonly runs: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly violations: readonly {
    readonly rule: string;
    readonly function: string;
    readonly line: number;
    readonly count: number;
    readonly message: string;
  }[];
  readonly functions: { readonly total: number; readonly entered: number };
  /** Each with the reason why no scenario comes there. */
  readonly neverEntered: Readonly<Record<string, string>>;
}

export async function verdictOf(
  builder: Builder,
  driver: RealDriver,
  project: string,
  includeFolders: readonly string[],
): Promise<Verdict> {
  const built = await builder.c([project], 0, {
    configuration: driver.configuration,
    includeFolders,
    defines: [],
    coverage: "functions",
  });
  const counterpart = await counterpartFor(builder, driver.kind, 1, () => {});
  const stack = counterpart === undefined ? [built] : [built, counterpart];
  const coverage = must(built.image.coverage(), `${driver.name} was built without coverage`);
  const collector = new CoverageCollector(coverage);
  const stock = stockFor(driver.kind, hasDevice(built)).map((each) => scenarioFor(each, 0, stack.length - 1));
  const { runs, violations } = runScenarios(stack, [...stock, ...driver.scenarios], {
    progress: () => {},
    afterRun: collector.afterRun,
  });
  const outcomes: Record<string, number> = {};
  for (const { outcome } of runs) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const { functions } = coverage;
  const entries = collector.counts().functions;
  const never = functions.filter((_, index) => entries[index] === 0).map(({ name }) => name);
  return {
    runs: runs.length,
    outcomes,
    violations: violations.map(({ rule, location, count, message }) => ({
      rule,
      function: location?.function ?? "",
      line: location?.line ?? 0,
      count,
      message: message.replaceAll(/0x(?!12)[0-9a-f]{5,}/g, "0x..."),
    })),
    functions: { total: functions.length, entered: functions.length - never.length },
    neverEntered: Object.fromEntries(
      never.toSorted().map((name) => [name, driver.reasons[name] ?? "no scenario comes there yet"]),
    ),
  };
}

/** What is not as it was, a line each. */
export function differences(before: Verdict | undefined, now: Verdict): string[] {
  if (before === undefined) return ["there is no committed verdict"];
  const lines: string[] = [];
  const linesOf = ({ violations }: Verdict): string[] =>
    violations.map(({ rule, function: name, line, message }) => `${rule} in ${name}, line ${line}: ${message}`);
  for (const line of linesOf(now).filter((each) => !linesOf(before).includes(each))) lines.push(`new: ${line}`);
  for (const line of linesOf(before).filter((each) => !linesOf(now).includes(each))) lines.push(`gone: ${line}`);
  const text = (value: unknown): string => JSON.stringify(value);
  if (text(before.outcomes) !== text(now.outcomes))
    lines.push(`outcomes ${text(now.outcomes)}, and were ${text(before.outcomes)}`);
  const lost = Object.keys(now.neverEntered).filter((name) => !Object.hasOwn(before.neverEntered, name));
  const won = Object.keys(before.neverEntered).filter((name) => !Object.hasOwn(now.neverEntered, name));
  if (lost.length > 0) lines.push(`no longer entered: ${lost.join(", ")}`);
  if (won.length > 0) lines.push(`now entered: ${won.join(", ")}`);
  return lines;
}
