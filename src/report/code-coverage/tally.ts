/** How much of what is there was reached. */
import type { FileCoverage } from "./line-coverage.ts";

export interface Tally {
  readonly found: number;
  readonly hit: number;
}

export interface Tallies {
  readonly lines: Tally;
  /** Ways out of branches. */
  readonly branches: Tally;
  readonly functions: Tally;
}

export const tallyKinds = ["lines", "branches", "functions"] as const;

export function talliesOf(files: readonly FileCoverage[]): Tallies {
  return {
    lines: tally(files.flatMap(({ lines }) => lines.map(({ runs }) => runs))),
    branches: tally(files.flatMap(({ branches }) => branches.flatMap(({ ways }) => ways))),
    functions: tally(files.flatMap(({ functions }) => functions.map(({ runs }) => runs))),
  };
}

export function tally(counts: readonly number[]): Tally {
  return { found: counts.length, hit: counts.filter((count) => count > 0).length };
}

/** Where there is nothing, all of it was reached. */
export const shareOf = ({ found, hit }: Tally): number => (found === 0 ? 1 : hit / found);

/** 100 % only when nothing is missing. */
export function percentOf(each: Tally): string {
  if (each.found === 0) return "-";
  return `${(Math.floor(shareOf(each) * 1000) / 10).toFixed(1)}%`;
}
