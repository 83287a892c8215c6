/** Coverage as text for a terminal: how much of each file, then what was never reached, and why where that is known. */
import { groupBy } from "../group-by.ts";
import type { TextOptions } from "../text-options.ts";
import { plural, printable, wrap } from "../wrap.ts";
import type { LineCoverage, Unreached } from "./line-coverage.ts";
import { type Tallies, type Tally, percentOf, talliesOf, tallyKinds } from "./tally.ts";

export interface CoverageTextOptions extends Pick<TextOptions, "colors" | "width" | "shownPath"> {
  /** A line for each scenario, too. */
  readonly hasScenarios: boolean;
}

type Row = readonly [name: string, tallies: Tallies];

/** Ends with a line break. */
export function coverageAsText(coverage: LineCoverage, options: CoverageTextOptions): string {
  const { files, runs, scenarios } = coverage;
  const all = talliesOf(files);
  const rows: Row[] = files.map((file) => [options.shownPath(file.file), talliesOf([file])]);
  const byScenario: Row[] = scenarios.map((each) => [
    `${each.scenario}, ${plural(each.runs, "run")}`,
    {
      lines: { found: all.lines.found, hit: each.lines },
      branches: { found: all.branches.found, hit: each.branches },
      functions: { found: all.functions.found, hit: each.functions },
    },
  ]);
  const parts = [
    [
      options.colors.bold(`Coverage in ${plural(runs, "run")}`),
      ...table([...rows, ...(rows.length > 1 ? [["all", all] as const] : [])]),
    ],
    ...(options.hasScenarios ? [[options.colors.bold("Each scenario alone"), ...table(byScenario)]] : []),
    unreachedText("Functions that no run has entered", "function", coverage, options),
    unreachedText("Lines that no run has executed, of the other functions", "lines", coverage, options),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function table(rows: readonly Row[]): string[] {
  const nameWidth = Math.max(0, ...rows.map(([name]) => name.length));
  const cells = rows.map(([, tallies]) => tallyKinds.map((kind) => cell(tallies[kind])));
  const widths = tallyKinds.map((kind, column) => Math.max(kind.length, ...cells.map((each) => each[column]?.length ?? 0)));
  const line = (name: string, columns: readonly string[]): string =>
    `  ${printable(name).padEnd(nameWidth)}  ${columns.map((text, column) => text.padStart(widths[column] ?? 0)).join("  ")}`;
  return [line("", tallyKinds), ...rows.map(([name], index) => line(name, cells[index] ?? []))];
}

const cell = (each: Tally): string => `${each.hit}/${each.found} ${percentOf(each).padStart(6)}`;

function unreachedText(
  title: string,
  kind: Unreached["kind"],
  { unreached }: LineCoverage,
  options: CoverageTextOptions,
): string[] {
  // What has the same function and the same reason is told in one line.
  const groups = groupBy(
    unreached.filter((each) => each.kind === kind),
    (each) => JSON.stringify(kind === "function" ? each : [each.file, each.function, each.reason]),
  );
  if (groups.size === 0) return [];
  return [options.colors.bold(title), ...[...groups.values()].flatMap((each) => groupText(each, options))];
}

function groupText(group: readonly Unreached[], { colors, width, shownPath }: CoverageTextOptions): string[] {
  const [first] = group;
  if (first === undefined) return [];
  const { kind, file, function: name, reason } = first;
  const lines = group.map(({ line, lastLine }) => (kind === "function" || lastLine === line ? `${line}` : `${line}-${lastLine}`));
  const place = `${shownPath(file)}:${lines.join(", ")}`;
  const text = kind === "function" ? `${name}, ${place}` : `${place}, in ${name}`;
  const why = reason === undefined ? [] : wrap(printable(reason), width - 6);
  return [
    ...wrap(printable(text), width - 4).map((each, index) => `${index === 0 ? "  " : "    "}${each}`),
    ...why.map((each) => colors.dim(`      ${each}`)),
  ];
}
