/** `ndislab explore TARGET...`: searches schedules and failures, and says what it has covered. */
import type { ExploreRequest } from "../explorer/explore-drivers.ts";
import { exitCodeOf } from "../report/index.ts";
import { type CheckOptions, againWith, deliver, formatOf, requestOf } from "./check-command.ts";
import { UsageError } from "./errors.ts";
import { progressOn } from "./progress.ts";
import { readSaved, writeSaved } from "./saved-failures.ts";
import type { ExitCode, World } from "./world.ts";

export interface ExploreCommandOptions extends CheckOptions {
  readonly seconds: string;
  readonly runs?: string;
  readonly preemptions?: string;
  readonly faults?: string;
  readonly seed: string;
  readonly strategy?: string;
  readonly processors?: string;
  readonly save: boolean;
}

export const strategies = ["search", "pos", "pct", "urw", "walk"] as const;

export async function explore(targets: readonly string[], options: ExploreCommandOptions, world: World): Promise<ExitCode> {
  const format = formatOf(options);
  const check = requestOf(targets, options, world);
  const saved = options.save ? readSaved(targets, world.folder) : [];
  const request: ExploreRequest = { ...check, ...limitsOf(options), saved: saved.map(({ token }) => token) };
  const exploreDrivers = await world.exploreDrivers();
  const progress = progressOn(world.err, options.quiet);
  const interrupt = world.interrupts();
  try {
    const report = await exploreDrivers(request, {
      progress: progress.show,
      now: world.now,
      isInterrupted: interrupt.isWanted,
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
    });
    progress.clear();
    if (interrupt.isWanted()) world.err.write("Interrupted: what follows is what was covered until then.\n");
    deliver(report, format, options, world, (_scenario, token) => againWith(["replay", token], check));
    if (options.save) writeSaved(targets, report, saved, world.folder);
    return exitCodeOf(report, options.strict);
  } finally {
    progress.clear();
    interrupt.stop();
  }
}

function limitsOf(options: ExploreCommandOptions): Omit<ExploreRequest, keyof ReturnType<typeof requestOf> | "saved"> {
  const { runs, preemptions, faults, processors } = options;
  const strategy = strategies.find((each) => each === options.strategy);
  return {
    seconds: numberOf("--seconds", options.seconds, 0.1),
    seed: wholeOf("--seed", options.seed, 0),
    ...(runs === undefined ? {} : { runs: wholeOf("--runs", runs, 0) }),
    ...(preemptions === undefined ? {} : { preemptions: wholeOf("--preemptions", preemptions, 0) }),
    ...(faults === undefined ? {} : { faults: wholeOf("--faults", faults, 0) }),
    ...(processors === undefined ? {} : { processors: wholeOf("--processors", processors, 1, 8) }),
    ...(strategy === undefined ? {} : { strategy }),
  };
}

function numberOf(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < least)
    throw new UsageError(`${name} ${text}: a number of at least ${least} was expected`);
  return value;
}

function wholeOf(name: string, text: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UsageError(`${name} ${text}: a whole number ${range} was expected`);
  }
  return value;
}
