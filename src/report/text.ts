/**
 * A report as text for a terminal, in the order a person asks: what was checked, how each scenario went, what is broken and why, the verdict,
 * and what to type next.
 */
import { groupBy } from "./group-by.ts";
import { mergeViolations } from "./merge.ts";
import type { Location, Report, ReportRun, ReportTarget } from "./report.ts";
import type { TextOptions } from "./text-options.ts";
import { verdictText } from "./text-verdict.ts";
import { violationText } from "./text-violation.ts";
import { plural, printable, wrap } from "./wrap.ts";

/** Ends with a line break. */
export function reportAsText(report: Report, options: TextOptions): string {
  const violations = mergeViolations(report.violations);
  const parts = [
    ...(options.isQuiet ? [] : [targetsText(report, options), scenariosText(report, options)]),
    ...violations.map((violation) => violationText(violation, options)),
    verdictText(report, violations, options),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function placeText({ file, line }: Location): string {
  return printable(`${file}:${line}`);
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

function missingText({ imports }: ReportTarget, { colors }: TextOptions): string[] {
  return imports.missing.map(({ name, location }) => {
    const place = location === undefined ? "" : `, called at ${placeText(location)}`;
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
  return [...byScenario].flatMap(([scenario, ofScenario]) => {
    const unsuccessful = ofScenario.filter(({ outcome }) => outcome !== "passed");
    const name = printable(scenario.padEnd(nameWidth));
    const { green, red } = options.colors;
    if (unsuccessful.length === 0) return [`${green("✓")} ${name}  ${plural(ofScenario.length, "run")}`];
    const head = `${red("✗")} ${name}  ${unsuccessful.length} of ${plural(ofScenario.length, "run")} went wrong`;
    return [head, ...unsuccessfulText(unsuccessful, options)];
  });
}

/** Runs that went wrong in the same way share a line. */
function unsuccessfulText(runs: readonly ReportRun[], { colors, width }: TextOptions): string[] {
  const byReason = groupBy(
    runs,
    ({ outcome, reason }) => `${outcomeText[outcome]}${reason === undefined ? "" : `: ${printable(reason)}`}`,
  );
  return [...byReason].flatMap(([reason, same]) => {
    const answers = [...new Set(same.map((run) => printable(run.answers)))].join("; ");
    return [
      ...wrap(reason, width - 6).map((line) => `    ${line}`),
      ...wrap(answers, width - 15).map((line, index) => colors.dim(`      ${index === 0 ? "answers:" : "        "} ${line}`)),
    ];
  });
}

const outcomeText: Readonly<Record<ReportRun["outcome"], string>> = {
  passed: "passed",
  violated: "a rule was broken",
  bugcheck: "Windows would have stopped with a bug check",
  hung: "hung",
  failed: "could not be carried out",
};
