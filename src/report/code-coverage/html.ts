/** Coverage as one page that needs nothing else: totals, what was never reached, and each file with its lines marked. */
import { page, escape } from "./html-page.ts";
import { plural } from "../wrap.ts";
import type { FileCoverage, LineCoverage, Unreached } from "./line-coverage.ts";
import { type Tallies, type Tally, percentOf, shareOf, talliesOf, tallyKinds } from "./tally.ts";

export interface CoverageHtmlOptions {
  /** Of the page: the driver's name. */
  readonly title: string;
  readonly shownPath: (file: string) => string;
  /** The lines of a source; undefined when it cannot be read. */
  readonly readSource: (file: string) => readonly string[] | undefined;
}

export function coverageAsHtml(coverage: LineCoverage, options: CoverageHtmlOptions): string {
  const { files, runs, scenarios, unreached } = coverage;
  const all = talliesOf(files);
  const rows = files.map((file, index) =>
    row(`<a href="#f${index}">${escape(options.shownPath(file.file))}</a>`, talliesOf([file])),
  );
  const byScenario = scenarios.map((each) =>
    row(`${escape(each.scenario)} <small>${plural(each.runs, "run")}</small>`, {
      lines: { found: all.lines.found, hit: each.lines },
      branches: { found: all.branches.found, hit: each.branches },
      functions: { found: all.functions.found, hit: each.functions },
    }),
  );
  return page(`Coverage of ${options.title}`, [
    `<h1>Coverage of ${escape(options.title)}</h1>`,
    `<p>What ${plural(runs, "run")} of <code>ndislab check</code> executed. The number beside a line says in how many of them it was.</p>`,
    table("File", [...rows, row("All", all)]),
    `<details><summary>Each scenario alone</summary>${table("Scenario", byScenario)}</details>`,
    ...unreachedList("Functions that no run has entered", "function", unreached, files),
    ...unreachedList("Lines that no run has executed, of the other functions", "lines", unreached, files),
    ...files.map((file, index) => section(file, index, options)),
  ]);
}

function table(name: string, rows: readonly string[]): string {
  const heads = tallyKinds.map((kind) => `<th colspan="3">${kind}</th>`).join("");
  return `<table class="totals"><thead><tr><th>${name}</th>${heads}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function row(name: string, tallies: Tallies): string {
  return `<tr><td>${name}</td>${tallyKinds.map((kind) => cells(tallies[kind])).join("")}</tr>`;
}

function cells(each: Tally): string {
  const bar = `<meter min="0" max="1" low="0.5" high="0.8" optimum="1" value="${shareOf(each).toFixed(3)}"></meter>`;
  return `<td>${bar}</td><td class="n">${percentOf(each)}</td><td class="n">${each.hit}/${each.found}</td>`;
}

function unreachedList(
  title: string,
  kind: Unreached["kind"],
  unreached: readonly Unreached[],
  files: readonly FileCoverage[],
): string[] {
  const shown = unreached.filter((each) => each.kind === kind);
  if (shown.length === 0) return [];
  const items = shown.map(({ file, function: name, line, lastLine, reason }) => {
    const target = `#f${files.findIndex((each) => each.file === file)}l${line}`;
    const lines = kind === "function" || lastLine === line ? `${line}` : `${line}–${lastLine}`;
    const why = reason === undefined ? "" : `<br><small>${escape(reason)}</small>`;
    return `<li><a href="${target}"><code>${escape(name)}</code>, ${escape(baseName(file))}:${lines}</a>${why}</li>`;
  });
  return [`<h2>${title}</h2>`, `<ul class="unreached">${items.join("")}</ul>`];
}

function section(file: FileCoverage, index: number, { shownPath, readSource }: CoverageHtmlOptions): string {
  const heading = `<h2 id="f${index}">${escape(shownPath(file.file))}</h2>`;
  const source = readSource(file.file);
  if (source === undefined) return `${heading}<p>The source cannot be read any more.</p>`;
  const runsOf = new Map(file.lines.map(({ line, runs }) => [line, runs]));
  const rows = source.map((text, position) => {
    const line = position + 1;
    const runs = runsOf.get(line);
    const ways = file.branches.filter((branch) => branch.line === line).map((branch) => branch.ways);
    const isPartial = ways.flat().some((taken) => taken === 0) && (runs ?? 0) > 0;
    const kind = runs === undefined ? "" : runs === 0 ? "missed" : isPartial ? "partial" : "hit";
    const target = kind === "missed" || file.functions.some((each) => each.line === line) ? ` id="f${index}l${line}"` : "";
    const cellsOfLine = [
      `<td class="n">${line}</td>`,
      `<td class="n">${runs ?? ""}</td>`,
      `<td>${ways.map(branchMark).join(" ")}</td>`,
      `<td><pre>${escape(text)}</pre></td>`,
    ];
    return `<tr class="${kind}"${target}>${cellsOfLine.join("")}</tr>`;
  });
  return `${heading}<table class="source"><tbody>${rows.join("\n")}</tbody></table>`;
}

/** A box for each way out of a branch, full when it was taken. */
function branchMark(ways: readonly number[]): string {
  const told = ways
    .map((runs, way) => `way ${way + 1}: ${runs === 0 ? "never taken" : `taken in ${plural(runs, "run")}`}`)
    .join("; ");
  return `<span class="ways" title="${told}">${ways.map((runs) => (runs === 0 ? "□" : "■")).join("")}</span>`;
}

const baseName = (file: string): string => file.split(/[\\/]/).at(-1) ?? file;
