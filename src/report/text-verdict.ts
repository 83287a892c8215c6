/** The last lines of a report: the verdict in one sentence, how much it rests on, and what to type next. */
import { ddi } from "../contract/index.ts";
import { type Report, type ReportViolation, exitCodeOf } from "./report.ts";
import type { TextOptions } from "./text-options.ts";
import { plural, printable } from "./wrap.ts";

/** `violations` are merged. */
export function verdictText(report: Report, violations: readonly ReportViolation[], options: TextOptions): string[] {
  const next = nextCommands(report, violations, options);
  return [verdictLine(report, violations, options), ...next.map((line) => `  ${line}`)];
}

/** One line, such as "✓ clean: 12 runs, 43 rules watched". */
export function verdictLine(
  report: Report,
  violations: readonly ReportViolation[],
  { colors, isStrict }: Pick<TextOptions, "colors" | "isStrict">,
): string {
  const runs = plural(report.runs.length, "run");
  const failed = report.runs.filter(({ outcome }) => outcome === "failed").length;
  const failedText = failed === 0 ? "" : `; ${failed} of ${runs} could not be carried out`;
  const found = [countOf(violations, "error"), countOf(violations, "warning")].filter((text) => text !== "").join(", ");
  const exitCode = exitCodeOf(report, isStrict);
  if (exitCode === 2) return colors.red(colors.bold(`✗ ${found} in ${runs}${failedText}`));
  if (report.runs.length === 0) return colors.yellow("! nothing was run: no scenario fits these drivers");
  if (exitCode === 1) {
    const warnings = found === "" ? "" : `${found}; `;
    return colors.yellow(`! no verdict: ${warnings}${failed} of ${runs} could not be carried out`);
  }
  const { watched, exercised } = report.coverage.rules;
  const rules = `${plural(watched, "rule")} watched, ${exercised} of them on something that happened`;
  return colors.green(`✓ ${found === "" ? "clean" : `no errors, ${found}`}: ${runs}, ${rules}`);
}

function countOf(violations: readonly ReportViolation[], severity: ReportViolation["severity"]): string {
  const { length } = violations.filter((violation) => violation.severity === severity);
  return length === 0 ? "" : plural(length, severity);
}

function nextCommands(report: Report, violations: readonly ReportViolation[], { colors, tool }: TextOptions): string[] {
  const commands: (readonly [command: string, what: string])[] = [];
  const [first] = violations;
  // Of a name that nothing declares there is nothing to explain.
  const missing = report.targets.flatMap(({ imports }) => imports.missing).find(({ name }) => ddi(name) !== undefined);
  if (first !== undefined) commands.push([`${tool} explain ${first.rule}`, "what the rule asks for, and why"]);
  else if (missing !== undefined)
    commands.push([`${tool} explain ${missing.name}`, "what is known of the first missing routine"]);
  else if (report.runs.length === 0) commands.push([`${tool} list scenarios`, "what can be run, and with which drivers"]);
  else commands.push([`${tool} list rules`, "which rules were watched, and which are not yet"]);
  const width = Math.max(...commands.map(([command]) => command.length));
  return commands.map(([command, what]) => `${colors.cyan(printable(command.padEnd(width)))}  ${colors.dim(what)}`);
}
