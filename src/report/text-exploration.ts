/** What an exploration may say of each scenario, and what all of that rests on. */
import type { Report, ReportExploration } from "./report.ts";
import type { TextOptions } from "./text-options.ts";
import { plural, printable, wrap } from "./wrap.ts";

/** Each scenario with its claim, then the assumptions. */
export function explorationText(
  exploration: readonly ReportExploration[],
  { violations }: Report,
  { colors, width }: TextOptions,
): string[][] {
  const claims = exploration.flatMap((each) => {
    const { scenario, claim, text, sampled } = each;
    const found = violations.filter((violation) => violation.scenario === scenario).length;
    const mark = found === 0 ? colors.green("✓") : colors.red("✗");
    const head = `${mark} ${printable(scenario)}  ${colors.bold(claim)}${found === 0 ? "" : colors.red(`  ${plural(found, "violation")}`)}`;
    const details = [text, ...(each.runs === 0 || claim === "SAMPLED" ? [] : [sampled]), mergedText(each)];
    return [head, ...details.flatMap((detail) => wrap(printable(detail), width - 6).map((line) => colors.dim(`    ${line}`)))];
  });
  const assumptions = [...new Set(exploration.flatMap((each) => each.assumptions))];
  return [
    claims,
    [colors.dim("Under these assumptions:"), ...assumptions.flatMap((text) => wrap(printable(text), width - 4).map((line, index) => colors.dim(`${index === 0 ? "  - " : "    "}${line}`)))],
  ];
}

const mergedText = ({ merged, transitions, milliseconds }: ReportExploration): string => {
  const share = transitions === 0 ? 0 : Math.round((100 * merged) / transitions);
  return `${share} % of the steps led to a known state; ${(milliseconds / 1000).toFixed(1)} s`;
};
