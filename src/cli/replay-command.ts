/** `ndislab replay TOKEN [TARGET...]`: one run again, told step by step. */
import { type CheckOptions, againWith, requestOf } from "./check-command.ts";
import { UsageError } from "./errors.ts";
import { progressOn } from "./progress.ts";
import { findSaved } from "./saved-failures.ts";
import { deviationLines, entryLines } from "./story-text.ts";
import { stepThrough } from "./story-stepper.ts";
import { exitCodeOf, reportAsText } from "../report/index.ts";
import { sourceLines } from "./files.ts";
import { type ExitCode, type World, colorsOf, shownPath, toolName, widthOf } from "./world.ts";

export interface ReplayOptions extends Pick<CheckOptions, "define" | "include" | "with" | "ndis" | "configuration" | "scenario"> {
  readonly all: boolean;
}

export async function replay(token: string, targets: readonly string[], options: ReplayOptions, world: World): Promise<ExitCode> {
  const wanted = targets.length > 0 ? targets : findSaved(token, world.folder)?.targets;
  if (wanted === undefined)
    throw new UsageError(
      `replay ${token}: no failure with this token is saved here; name the driver: ${toolName(world)} replay ${token} DRIVER`,
    );
  const request = requestOf(wanted, { ...options, quiet: false, strict: false }, world);
  const replayDrivers = await world.replayDrivers();
  const progress = progressOn(world.err);
  const { report, story } = await replayDrivers(request, token, progress.show).finally(progress.clear);
  const colors = colorsOf(world.out, world);
  const look = { colors, width: widthOf(world.out) };
  if (world.out.isTerminal && !options.all && world.keys !== undefined) await stepThrough(story, look, world.keys, world.out);
  else for (const entry of story.entries) world.out.write(`${entryLines(entry, look).join("\n")}\n`);
  world.out.write(`\n${deviationLines(story, look).join("\n")}\n\n`);
  const again = againWith(["replay", token], request);
  world.out.write(
    reportAsText(report, {
      ...look,
      shownPath: (file) => shownPath(file, world),
      tool: toolName(world),
      readLine: sourceLines(),
      isQuiet: true,
      isStrict: false,
      againCommand: () => `${toolName(world)} ${again}`,
    }),
  );
  return exitCodeOf(report);
}
