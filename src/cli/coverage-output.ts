/** What `check` tells of coverage: text on standard output, other forms in files. */
import type { LineCoverage, Report } from "../report/index.ts";
import { coverageAsLcov, coverageAsText } from "../report/index.ts";
import { writeWhole } from "./files.ts";
import { type World, colorsOf, shownPath, widthOf } from "./world.ts";

export interface CoverageOptions {
  readonly coverage?: boolean;
  readonly coverageScenarios?: boolean;
  readonly coverageLcov?: string;
  readonly coverageCobertura?: string;
  readonly coverageHtml?: string;
  readonly quiet: boolean;
}

/** Whoever names a form wants coverage. */
export function wantsCoverage(options: CoverageOptions): boolean {
  const { coverage, coverageScenarios, coverageLcov, coverageCobertura, coverageHtml } = options;
  return coverage === true || coverageScenarios === true || [coverageLcov, coverageCobertura, coverageHtml].some((file) => file !== undefined);
}

/** `isTold`: the report is text, so that standard output may have more. */
export function deliverCoverage(report: Report, isTold: boolean, options: CoverageOptions, world: World): void {
  if (!wantsCoverage(options)) return;
  const { lines } = report.coverage;
  if (lines === undefined) {
    world.err.write("ndislab: coverage is counted for drivers in C; this one is in TypeScript, and nothing was written.\n");
    return;
  }
  const forms = [
    ["LCOV", options.coverageLcov, coverageAsLcov],
  ] as const;
  const written = forms.flatMap(([form, file, make]) => {
    if (file === undefined) return [];
    writeWhole(file, make(lines));
    return [`  the coverage for ${form} is in ${file}\n`];
  });
  if (isTold && !options.quiet) world.out.write(`\n${asText(lines, options, world)}${written.join("")}`);
}

function asText(lines: LineCoverage, options: CoverageOptions, world: World): string {
  return coverageAsText(lines, {
    colors: colorsOf(world.out, world),
    width: widthOf(world.out),
    shownPath: (file) => shownPath(file, world),
    hasScenarios: options.coverageScenarios === true,
  });
}
