/** Which lines, branches and functions of a driver a check has executed. Counts are of runs: in how many of them it was executed. */

export interface LineCoverage {
  readonly runs: number;
  readonly files: readonly FileCoverage[];
  /** What the runs of each scenario alone have executed. */
  readonly scenarios: readonly ScenarioCoverage[];
  readonly unreached: readonly Unreached[];
}

export interface FileCoverage {
  readonly file: string;
  /** Executable lines, ascending. */
  readonly lines: readonly { readonly line: number; readonly runs: number }[];
  /** Conditional branches by line: for each way out the number of runs that took it. */
  readonly branches: readonly { readonly line: number; readonly ways: readonly number[] }[];
  /** By line. */
  readonly functions: readonly { readonly name: string; readonly line: number; readonly runs: number }[];
}

export interface ScenarioCoverage {
  readonly scenario: string;
  readonly runs: number;
  readonly lines: number;
  /** Ways out of branches. */
  readonly branches: number;
  readonly functions: number;
}

/** A function that was never entered, or lines in a row of one that was. */
export interface Unreached {
  readonly kind: "function" | "lines";
  readonly file: string;
  readonly function: string;
  readonly line: number;
  readonly lastLine: number;
  /** What would reach it, or why nothing has; left out where that is not known. */
  readonly reason?: string;
}
