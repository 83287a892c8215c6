/** What a driver's flags of coverage tell of, by the files on disk. */
import type { CoverageInfo } from "./line-coverage.ts";

export interface CoveredFunction {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** In the binary: one for each source that it was compiled with. */
  readonly indexes: readonly number[];
  /** It was entered when one of these is set. */
  readonly points: readonly number[];
  /** Functions of the driver that call it by its name, by their indexes. */
  readonly callers: readonly number[];
  /** Where it is in the table: what a pointer to it is. */
  readonly pointers: readonly number[];
}

export interface CoveredLine {
  readonly file: string;
  readonly line: number;
  /** The function that it is in. */
  readonly function: string;
  /** It was executed when one of these is set. */
  readonly points: readonly number[];
}

export interface CoveredBranch {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  /** It went a way when one of the way's points is set. */
  readonly outcomes: readonly (readonly number[])[];
}

/** A point is a byte that is set when code is executed. */
export interface DriverCoverage {
  /** Where the first one is. */
  readonly base: number;
  readonly points: number;
  readonly functions: readonly CoveredFunction[];
  /** By file, then by line. */
  readonly lines: readonly CoveredLine[];
  readonly branches: readonly CoveredBranch[];
}

export function coverageOf(
  info: { readonly coverage: CoverageInfo; readonly table: readonly number[]; readonly tableBase: number },
  fileName: (file: number) => string,
  own: readonly { readonly index: number; readonly function: string; readonly file: string; readonly line: number }[],
): DriverCoverage {
  const { base, points, functions, lines, branches } = info.coverage;
  const byIndex = new Map(own.map((each) => [each.index, each]));
  const named = <T extends { file: number; function: number }>(each: T) => ({
    ...each,
    file: fileName(each.file),
    function: byIndex.get(each.function)?.function ?? "",
  });
  const merged = new Map<
    string,
    { name: string; file: string; line: number } & Record<"indexes" | "points" | "callers" | "pointers", number[]>
  >();
  for (const { index, entry, callers } of functions) {
    const at = byIndex.get(index);
    if (at === undefined) continue;
    const { function: name, file, line } = at;
    const key = `${name} ${file}:${line}`;
    const known = merged.get(key) ?? { name, file, line, indexes: [], points: [], callers: [], pointers: [] };
    merged.set(key, known);
    known.indexes.push(index);
    known.points.push(entry);
    known.callers.push(...callers);
    known.pointers.push(...info.table.flatMap((each, place) => (each === index ? [info.tableBase + place] : [])));
  }
  return { base, points, functions: [...merged.values()], lines: lines.map(named), branches: branches.map(named) };
}

export function coverageWarnings(info: CoverageInfo | undefined): string[] {
  if (info === undefined || info.leftOut === 0) return [];
  return [
    `Coverage: there is room for ${info.points} places in the code, and the driver has more. Its last ${info.leftOut} functions are not counted.`,
  ];
}
