/** What `npm start` does without arguments: checks every example on its own, and shows that the planted mistakes are found. */
import { basename as baseName, join } from "node:path";
import { CompileError, InputError } from "../cdriver/errors.ts";
import {
  type Colors,
  type Location,
  type Report,
  clip,
  exitCodeOf,
  mergeViolations,
  plural,
  printable,
} from "../report/index.ts";
import { cacheFolder } from "./cache-folder.ts";
import { UsageError } from "./errors.ts";
import { type Example, examplesFolder, examplesIn } from "./demo-examples.ts";
import { progressOn } from "./progress.ts";
import { commandLine } from "./shell-words.ts";
import { type CheckDrivers, type ExitCode, type World, colorsOf, shownPath, toolName, widthOf } from "./world.ts";

interface Verdict {
  readonly example: Example;
  readonly path: string;
  readonly asExpected: boolean;
  /** What was found, in a few words. */
  readonly text: string;
  readonly location?: Location;
}

export async function demo(world: World, folder = examplesFolder): Promise<ExitCode> {
  const examples = examplesIn(folder);
  if (examples.length === 0)
    throw new UsageError(`there are no examples in ${folder}. Check a driver of yours: ${toolName(world)} check driver.c`);
  const colors = colorsOf(world.out, world);
  world.out.write(
    `${colors.bold("ndislab checks its own examples")}: Windows network drivers, bound and run here, without Windows.\n\n`,
  );
  const checkDrivers = await world.checkDrivers();
  const width = Math.max(...examples.map(({ file }) => file.length));
  const verdicts: Verdict[] = [];
  for (const example of examples) {
    const verdict = await checkOne(example, folder, checkDrivers, world);
    verdicts.push(verdict);
    world.out.write(`${verdictLines(verdict, width, colors, world).join("\n")}\n`);
  }
  world.out.write(`\n${closing(verdicts, colors, world).join("\n")}\n`);
  return verdicts.every(({ asExpected }) => asExpected) ? 0 : 3;
}

async function checkOne(example: Example, folder: string, checkDrivers: CheckDrivers, world: World): Promise<Verdict> {
  const path = shownPath(join(folder, example.file), world);
  const request = {
    targets: [path],
    with: [],
    defines: [],
    includes: [],
    cacheFolder: cacheFolder(world),
    version: world.version,
  };
  const progress = progressOn(world.err);
  try {
    const report = await checkDrivers(request, (line) => progress.show(`${example.file}: ${line}`));
    return { example, path, ...judge(example, report) };
  } catch (error) {
    // One that cannot be built does not keep the others from being shown.
    if (!(error instanceof InputError || error instanceof CompileError)) throw error;
    return { example, path, asExpected: false, text: `could not be checked: ${error.message}` };
  } finally {
    progress.clear();
  }
}

/** A right driver is clean; a planted mistake is reported under its rule. */
function judge({ breaks }: Example, report: Report): Pick<Verdict, "asExpected" | "text" | "location"> {
  const violations = mergeViolations(report.violations);
  const found = violations.find(({ rule }) => rule === breaks) ?? violations[0];
  const asExpected = breaks === undefined ? exitCodeOf(report) === 0 : found?.rule === breaks;
  if (found === undefined) return { asExpected, text: cleanText(report) };
  const more = violations.length > 1 ? ` and ${violations.length - 1} more` : "";
  return {
    asExpected,
    text: `found ${found.rule}${more}`,
    ...(found.location === undefined ? {} : { location: found.location }),
  };
}

function cleanText(report: Report): string {
  const failed = report.runs.find(({ outcome }) => outcome === "failed");
  if (failed !== undefined) return `could not be carried out: ${failed.reason ?? failed.scenario}`;
  return `clean in ${plural(report.runs.length, "run")}`;
}

function verdictLines(
  { example, asExpected, text, location }: Verdict,
  nameWidth: number,
  colors: Colors,
  world: World,
): string[] {
  const mark = asExpected ? colors.green("✓") : colors.red("✗");
  const place = location === undefined ? "" : `${baseName(location.file)}:${location.line} `;
  const room = widthOf(world.out) - nameWidth - 4;
  const first = `${mark} ${example.file.padEnd(nameWidth)}  ${clip(printable(text.replaceAll("\n", " ")), room)}`;
  const second = `${place}${example.shows}`;
  return second === "" ? [first] : [first, colors.dim(`${" ".repeat(nameWidth + 4)}${clip(second, room)}`)];
}

function closing(verdicts: readonly Verdict[], colors: Colors, world: World): string[] {
  const wrong = verdicts.filter(({ asExpected }) => !asExpected);
  const mistakes = verdicts.filter(({ example }) => example.breaks !== undefined);
  const tool = toolName(world);
  const [told] = mistakes;
  const next: (readonly [command: string, what: string])[] = [
    ...(told === undefined
      ? []
      : ([[`${tool} ${commandLine(["check", told.path])}`, "the whole story of a planted mistake"]] as const)),
    ...(told?.example.breaks === undefined
      ? []
      : ([[`${tool} explain ${told.example.breaks}`, "the rule, and what it is about"]] as const)),
    [`${tool} check your-driver.c`, "a driver of yours: .c files, a folder or a .vcxproj"],
  ];
  const width = Math.max(...next.map(([command]) => command.length));
  const verdict =
    wrong.length > 0
      ? colors.red(
          `✗ ${plural(wrong.length, "example")} of ${verdicts.length} did not behave as expected: ndislab is broken here. Please report it.`,
        )
      : colors.green(
          `✓ ${plural(verdicts.length - mistakes.length, "right driver")} clean, ${plural(mistakes.length, "planted mistake")} found.`,
        );
  return [
    verdict,
    "",
    "Type next:",
    ...next.map(([command, what]) => `  ${colors.cyan(command.padEnd(width))}  ${colors.dim(what)}`),
  ];
}
