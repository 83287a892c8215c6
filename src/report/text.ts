/**
 * A report as text for a terminal, in the order a person asks: what was checked, how each scenario went, what is broken and why, the verdict,
 * and what to type next.
 */
import { groupBy } from "./group-by.ts";
import { mergeViolations } from "./merge.ts";
import type { Report, ReportRun, ReportTarget } from "./report.ts";
import { explorationText } from "./text-exploration.ts";
import type { TextOptions } from "./text-options.ts";
import { verdictText } from "./text-verdict.ts";
import { violationText } from "./text-violation.ts";
import { plural, printable, wrap } from "./wrap.ts";

/** Ends with a line break. */
export function reportAsText(report: Report, options: TextOptions): string {
  const violations = mergeViolations(report.violations);
  const parts = [
    ...(options.isQuiet ? [] : [targetsText(report, options), ...runsText(report, options)]),
    ...violations.map((violation) => violationText(violation, options)),
    verdictText(report, violations, options),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function runsText(report: Report, options: TextOptions): string[][] {
  return report.exploration === undefined ? [scenariosText(report, options)] : explorationText(report.exploration, report, options);
}

function targetsText({ targets }: Report, options: TextOptions): string[] {
  const nameWidth = Math.max(0, ...targets.map(({ name }) => name.length));
  const kindWidth = Math.max(0, ...targets.map((target) => kindText(target).length));
  return targets.flatMap((target) => {
    const { used, missing } = target.imports;
    const imports = `uses ${plural(used, "routine")} of Windows${missing.length === 0 ? "" : `, ${missing.length} more missing`}`;
    const head = `${options.colors.bold(printable(target.name.padEnd(nameWidth)))}  ${kindText(target).padEnd(kindWidth)}  ${imports}`;
    return [head, ...missingText(target, options), ...warningsText(target, options)];
  });
}

function kindText({ kind, language }: ReportTarget): string {
  const name = kind === "unknown" ? "driver" : `${kind} driver`;
  return `${name} in ${language === "c" ? "C" : "TypeScript"}`;
}

function missingText({ imports }: ReportTarget, { colors, shownPath }: TextOptions): string[] {
  return imports.missing.map(({ name, location }) => {
    const place = location === undefined ? "" : `, called at ${printable(`${shownPath(location.file)}:${location.line}`)}`;
    return `  ${colors.yellow("missing")}  ${printable(name)}${place}`;
  });
}

function warningsText({ warnings }: ReportTarget, { colors, width }: TextOptions): string[] {
  return warnings.flatMap((warning) =>
    wrap(printable(warning), width - 11).map((line, index) => `  ${index === 0 ? colors.yellow("warning") : "       "}  ${line}`),
  );
}

function scenariosText({ runs }: Report, options: TextOptions): string[] {
  const byScenario = groupBy(runs, ({ scenario }) => scenario);
  const nameWidth = Math.max(0, ...[...byScenario.keys()].map(({ length }) => length));
  const { green, red } = options.colors;
  return [...byScenario].flatMap(([scenario, ofScenario]) => {
    const unsuccessful = ofScenario.filter(({ outcome }) => outcome !== "passed");
    const head = `${printable(scenario.padEnd(nameWidth))}  ${plural(ofScenario.length, "run")}`;
    if (unsuccessful.length === 0) return [`${green("✓")} ${head}`];
    return [`${red("✗")} ${head}`, ...unsuccessfulText(unsuccessful, ofScenario.length, options)];
  });
}

/** Ways to answer that are named; the JSON report has them all. */
const ANSWERS = 3;

/** Runs that went wrong in the same way are told together. */
function unsuccessfulText(runs: readonly ReportRun[], all: number, { colors, width }: TextOptions): string[] {
  const byReason = groupBy(
    runs,
    ({ outcome, reason }) => `${outcomeText[outcome]}${reason === undefined ? "" : `: ${printable(reason)}`}`,
  );
  return [...byReason].flatMap(([reason, same]) => {
    const howMany = same.length === all ? "all" : `${same.length} of ${all}`;
    const reasonLines = wrap(`in ${howMany} ${reason}`, width - 6).map((line) => `    ${line}`);
    if (same.length === all) return reasonLines;
    const answers = same.slice(0, ANSWERS).map((run) => printable(run.answers));
    const more = same.length > ANSWERS ? [`${same.length - ANSWERS} more`] : [];
    return [
      ...reasonLines,
      ...wrap(`with ${[...answers, ...more].join("; ")}`, width - 8).map((line) => colors.dim(`      ${line}`)),
    ];
  });
}

const outcomeText: Readonly<Record<ReportRun["outcome"], string>> = {
  passed: "nothing went wrong",
  violated: "a rule was broken",
  bugcheck: "Windows would have stopped with a bug check",
  hung: "the run hung",
  failed: "the scenario could not be carried out",
};
