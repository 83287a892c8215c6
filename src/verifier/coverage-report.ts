/** What a check has executed of a driver, as a part of its report. */
import type { FileCoverage, LineCoverage, ScenarioCoverage } from "../report/code-coverage/line-coverage.ts";
import type { CoverageCollector, Counts } from "./line-coverage.ts";
import { type CheckedStack, unreachedOf } from "./unreached.ts";

export function lineCoverageOf(collector: CoverageCollector, checked: CheckedStack): LineCoverage {
  const counts = collector.counts();
  return {
    runs: counts.runs,
    files: filesOf(collector, counts),
    scenarios: collector.scenarios.map((scenario) => scenarioOf(scenario, collector.counts(scenario))),
    unreached: unreachedOf(collector, checked),
  };
}

/** By file, what the runs that were counted have executed. */
export function filesOf({ coverage }: CoverageCollector, counts: Counts): FileCoverage[] {
  const { lines, branches, functions } = coverage;
  const names = new Set([...lines, ...branches, ...functions].map(({ file }) => file));
  let way = 0;
  const ways = branches.map(({ outcomes }) => outcomes.map(() => counts.ways[way++] ?? 0));
  return [...names].toSorted().map((file) => {
    const own = <T extends { readonly file: string; readonly line: number }, R>(
      all: readonly T[],
      make: (each: T, index: number) => R,
    ): R[] =>
      all
        .flatMap((each, index) => (each.file === file ? [{ line: each.line, made: make(each, index) }] : []))
        .toSorted((a, b) => a.line - b.line)
        .map(({ made }) => made);
    return {
      file,
      lines: own(lines, ({ line }, index) => ({ line, runs: counts.lines[index] ?? 0 })),
      branches: own(branches, ({ line }, index) => ({ line, ways: ways[index] ?? [] })),
      functions: own(functions, ({ name, line }, index) => ({ name, line, runs: counts.functions[index] ?? 0 })),
    };
  });
}

function scenarioOf(scenario: string, { runs, lines, ways, functions }: Counts): ScenarioCoverage {
  const reached = (counts: Uint32Array): number => counts.filter((each) => each > 0).length;
  return { scenario, runs, lines: reached(lines), branches: reached(ways), functions: reached(functions) };
}
