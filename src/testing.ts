/** Exploration and replay for tests: whatever runs them, a failure is a violation of the report. */
import { existsSync } from "node:fs";
import { readSaved, savedPath, writeSaved } from "./cli/saved-failures.ts";
import { type ExploreRequest, exploreDrivers } from "./explorer/explore-drivers.ts";
import { type Replayed, replayDrivers } from "./explorer/replay-drivers.ts";
import type { Report } from "./report/index.ts";
import type { CheckRequest } from "./verifier/check.ts";

/** As the options of `ndislab check`. */
export interface DriverOptions {
  readonly with?: readonly string[];
  readonly defines?: readonly string[];
  readonly includes?: readonly string[];
  readonly ndis?: string;
  readonly configuration?: string;
  /** Glob over the names of stock scenarios, or a file that exports one. */
  readonly scenario?: string;
  /** Where built drivers are kept; left out: nowhere. */
  readonly cacheFolder?: string;
}

/** As the options of `ndislab explore`. */
export interface ExploreOptions extends DriverOptions, Partial<Omit<ExploreRequest, keyof CheckRequest | "saved">> {
  /** Keep failures in a file beside the first target, and try those first that are there; left out: true. */
  readonly saves?: boolean;
}

const VERSION = "test";

const requestOf = (
  targets: readonly string[],
  { with: others = [], defines = [], includes = [], ...options }: DriverOptions,
): CheckRequest => ({
  targets,
  with: others,
  defines,
  includes,
  version: VERSION,
  ...(options.ndis === undefined ? {} : { ndis: options.ndis }),
  ...(options.configuration === undefined ? {} : { configuration: options.configuration }),
  ...(options.scenario === undefined ? {} : { scenario: options.scenario }),
  ...(options.cacheFolder === undefined ? {} : { cacheFolder: options.cacheFolder }),
});

/**
 * Explores the driver's scenarios for so many seconds (10, unless it is said) and returns the report: what was found is in `violations`, what was
 * covered in `exploration`. Throws only for what can be put right: a driver that does not compile, a name that is no file.
 */
export async function explore(targets: string | readonly string[], options: ExploreOptions = {}): Promise<Report> {
  const named = typeof targets === "string" ? [targets] : targets;
  const { saves = true, seconds = 10, seed = 1, runs, preemptions, faults, strategy, processors } = options;
  const base = process.cwd();
  const saved = saves && existsSync(savedPath(named, base)) ? readSaved(named, base) : [];
  const report = await exploreDrivers(
    {
      ...requestOf(named, options),
      seconds,
      seed,
      saved: saved.map(({ token }) => token),
      ...(runs === undefined ? {} : { runs }),
      ...(preemptions === undefined ? {} : { preemptions }),
      ...(faults === undefined ? {} : { faults }),
      ...(strategy === undefined ? {} : { strategy }),
      ...(processors === undefined ? {} : { processors }),
    },
    {
      progress: () => {},
      now: () => performance.now(),
      isInterrupted: () => false,
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
    },
  );
  if (saves) writeSaved(named, report, saved, base);
  return report;
}

/** Makes the run of the token again. */
export function replay(token: string, targets: string | readonly string[], options: DriverOptions = {}): Promise<Replayed> {
  return replayDrivers(requestOf(typeof targets === "string" ? [targets] : targets, options), token, () => {});
}
