/** Failures that an exploration has found, kept beside the user's project: the next one tries them first. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Report } from "../report/index.ts";
import { writeWhole } from "./files.ts";
import type { World } from "./world.ts";

export const SAVED_FILE = "ndislab.failures.json";

const savedFailure = z.object({
  token: z.string(),
  rule: z.string(),
  message: z.string(),
  /** What was explored, as it was named, from the folder of the file. */
  targets: z.array(z.string()),
});
const savedFile = z.object({ schemaVersion: z.literal(1), failures: z.array(savedFailure) });
export type SavedFailure = z.infer<typeof savedFailure>;

/** In the folder of the first target. */
export function savedPath(targets: readonly string[], world: World): string {
  const first = resolve(world.folder, targets[0] ?? ".");
  const folder = existsSync(first) && statSync(first).isDirectory() ? first : dirname(first);
  return join(folder, SAVED_FILE);
}

/** Those of these targets; of a file that cannot be read, none. */
export function readSaved(targets: readonly string[], world: World): SavedFailure[] {
  const names = namesOf(targets, world);
  return allIn(savedPath(targets, world)).filter((each) => isSame(each.targets, names));
}

/** What was found now, and what was saved of other targets; no file where there is nothing. */
export function writeSaved(targets: readonly string[], report: Report, before: readonly SavedFailure[], world: World): void {
  const path = savedPath(targets, world);
  const names = namesOf(targets, world);
  const others = allIn(path).filter((each) => !isSame(each.targets, names));
  const found = new Map(report.violations.map(({ token, rule, message }) => [`${rule} ${token}`, { token, rule, message, targets: names }]));
  if (found.size === 0 && before.length === 0) return;
  writeWhole(path, `${JSON.stringify({ schemaVersion: 1, failures: [...others, ...found.values()] }, undefined, 2)}\n`);
}

/** Undefined: no file here or beside the targets has it. */
export function findSaved(token: string, world: World): SavedFailure | undefined {
  return allIn(join(world.folder, SAVED_FILE)).find((each) => each.token === token);
}

function allIn(path: string): SavedFailure[] {
  if (!existsSync(path)) return [];
  try {
    return savedFile.parse(JSON.parse(readFileSync(path, "utf8"))).failures;
  } catch {
    return [];
  }
}

const namesOf = (targets: readonly string[], world: World): string[] => targets.map((target) => resolve(world.folder, target));
const isSame = (one: readonly string[], other: readonly string[]): boolean => one.join("\n") === other.join("\n");
