/** `ndislab check TARGET...`: the stock scenarios that fit, every rule watched, one report. */
import pico from "picocolors";
import { type Report, type TextOptions, exitCodeOf, mergeViolations, reportAsJson, reportAsText, verdictLine } from "../report/index.ts";
import { cacheFolder } from "./cache-folder.ts";
import { type CoverageOptions, deliverCoverage, wantsCoverage } from "./coverage-output.ts";
import type { CheckRequest } from "../verifier/check.ts";
import { UsageError } from "./errors.ts";
import { sourceLines, writeWhole } from "./files.ts";
import { progressOn } from "./progress.ts";
import { commandLine } from "./shell-words.ts";
import { type ExitCode, type World, colorsOf, shownPath, toolName, widthOf } from "./world.ts";

export interface CheckOptions extends CoverageOptions {
  readonly define?: readonly string[];
  readonly include?: readonly string[];
  readonly with?: readonly string[];
  readonly ndis?: string;
  readonly configuration?: string;
  readonly scenario?: string;
  readonly threads?: string;
  readonly format?: string;
  readonly output?: string;
  readonly quiet: boolean;
  readonly strict: boolean;
}

export const formats = ["text", "json"] as const;
type Format = (typeof formats)[number];

export async function check(targets: readonly string[], options: CheckOptions, world: World): Promise<ExitCode> {
  const format = formatOf(options);
  const request = requestOf(targets, options, world);
  const checkDrivers = await world.checkDrivers();
  const progress = progressOn(world.err, options.quiet);
  const report = await checkDrivers(request, progress.show).finally(progress.clear);
  deliver(report, format, options, world, (scenario) => againWith(["check"], request, ["--scenario", scenarioOf(request, scenario)]));
  deliverCoverage(report, format === "text", options, world);
  return exitCodeOf(report, options.strict);
}

export function requestOf(targets: readonly string[], options: CheckOptions, world: World): CheckRequest {
  const { ndis, configuration, scenario } = options;
  if (ndis !== undefined && !/^6\.\d{1,2}$/.test(ndis)) {
    throw new UsageError(`--ndis ${ndis}: a version of NDIS 6 was expected, such as --ndis 6.30`);
  }
  return {
    targets,
    ...threadsOf(options),
    with: options.with ?? [],
    defines: options.define ?? [],
    includes: options.include ?? [],
    ...(ndis === undefined ? {} : { ndis }),
    ...(configuration === undefined ? {} : { configuration }),
    ...(scenario === undefined ? {} : { scenario }),
    ...(wantsCoverage(options) ? { coverage: true } : {}),
    cacheFolder: cacheFolder(world),
    version: world.version,
  };
}

function threadsOf({ threads }: CheckOptions): { threads?: number } {
  if (threads === undefined) return {};
  if (!/^[1-9]\d?$/.test(threads)) throw new UsageError(`--threads ${threads}: a number from 1 to 99 was expected`);
  return { threads: Number(threads) };
}

/** What is named wins; else a file that ends in .json gets JSON. */
export function formatOf({ format, output }: CheckOptions): Format {
  return formats.find((each) => each === format) ?? (output?.endsWith(".json") === true ? "json" : "text");
}

/**
 * The report goes to the file or to standard output; when it goes to a file, standard output gets the verdict. `again` is the command line that runs
 * the scenario of a violation again.
 */
export function deliver(
  report: Report,
  format: Format,
  options: CheckOptions,
  world: World,
  again: TextOptions["againCommand"],
): void {
  const { output } = options;
  const isColoured = format === "text" && output === undefined;
  const colors = isColoured ? colorsOf(world.out, world) : pico.createColors(false);
  const text = format === "json" ? reportAsJson(report) : asText(report, again, colors, options, world);
  if (output === undefined) {
    world.out.write(text);
    return;
  }
  writeWhole(output, text);
  if (options.quiet) return;
  const verdict = verdictLine(report, mergeViolations(report.violations), {
    colors: colorsOf(world.out, world),
    isStrict: options.strict,
  });
  world.out.write(`${verdict}\n  the report is in ${output}\n`);
}

function asText(
  report: Report,
  again: TextOptions["againCommand"],
  colors: ReturnType<typeof pico.createColors>,
  options: CheckOptions,
  world: World,
): string {
  return reportAsText(report, {
    colors,
    tool: toolName(world),
    width: widthOf(world.out),
    shownPath: (file) => shownPath(file, world),
    readLine: sourceLines(),
    isQuiet: options.quiet,
    isStrict: options.strict,
    againCommand: (scenario, token) => `${toolName(world)} ${again(scenario, token)}`,
  });
}

const option = (name: string, value: string | undefined): string[] => (value === undefined ? [] : [name, value]);

/** A command for the same drivers. */
export function againWith(command: readonly string[], request: CheckRequest, more: readonly string[] = []): string {
  return commandLine([
    ...command,
    ...request.targets,
    ...request.with.flatMap((driver) => ["--with", driver]),
    ...request.defines.map((define) => `-D${define}`),
    ...request.includes.map((folder) => `-I${folder}`),
    ...option("--ndis", request.ndis),
    ...option("--configuration", request.configuration),
    ...more,
  ]);
}

/** A scenario from a file is asked for by the file. */
const scenarioOf = (request: CheckRequest, scenario: string): string =>
  request.scenario !== undefined && /\.[cm]?[jt]s$/.test(request.scenario) ? request.scenario : scenario;
