/** What `check` tells of coverage: text on standard output, other forms in files. */
import {
  type LineCoverage,
  type Report,
  coverageAsCobertura,
  coverageAsHtml,
  coverageAsLcov,
  coverageAsText,
} from "../report/index.ts";
import { linesOf, writeWhole } from "./files.ts";
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
  return (
    coverage === true ||
    coverageScenarios === true ||
    [coverageLcov, coverageCobertura, coverageHtml].some((file) => file !== undefined)
  );
}

/** `isTold`: the report is text, so that standard output may have more. */
export function deliverCoverage(report: Report, isTold: boolean, options: CoverageOptions, world: World): void {
  if (!wantsCoverage(options)) return;
  const { lines } = report.coverage;
  if (lines === undefined) {
    world.err.write("ndislab: coverage is counted for drivers in C; this one is in TypeScript, and nothing was written.\n");
    return;
  }
  const forms: readonly (readonly [form: string, file: string | undefined, make: () => string])[] = [
    ["LCOV", options.coverageLcov, () => coverageAsLcov(lines)],
    ["Cobertura", options.coverageCobertura, () => coverageAsCobertura(lines, coberturaOptions(world))],
    ["HTML", options.coverageHtml, () => coverageAsHtml(lines, htmlOptions(report, world))],
  ];
  const written = forms.flatMap(([form, file, make]) => {
    if (file === undefined) return [];
    writeWhole(file, make());
    return [`  the coverage as ${form} is in ${file}\n`];
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

function coberturaOptions(world: World): Parameters<typeof coverageAsCobertura>[1] {
  const { folder, version } = world;
  return { version, time: Date.now(), folder, pathOf: (file) => shownPath(file, world) };
}

function htmlOptions({ targets }: Report, world: World): Parameters<typeof coverageAsHtml>[1] {
  return {
    title: targets[0]?.name ?? "",
    shownPath: (file) => shownPath(file, world),
    readSource: (file) => {
      const lines = linesOf(file);
      return lines.length === 0 ? undefined : lines;
    },
  };
}
