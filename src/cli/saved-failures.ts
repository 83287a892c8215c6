/** Failures that an exploration has found, kept beside the user's project: the next one tries them first. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Report } from "../report/index.ts";
import { writeWhole } from "./files.ts";

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

/** In the folder of the first target; `base` is where relative paths begin. */
export function savedPath(targets: readonly string[], base: string): string {
  const first = resolve(base, targets[0] ?? ".");
  const folder = existsSync(first) && statSync(first).isDirectory() ? first : dirname(first);
  return join(folder, SAVED_FILE);
}

/** Those of these targets; of a file that cannot be read, none. */
export function readSaved(targets: readonly string[], base: string): SavedFailure[] {
  const names = namesOf(targets, base);
  return allIn(savedPath(targets, base)).filter((each) => isSame(each.targets, names));
}

/** What was found now, and what was saved of other targets; no file where there is nothing. */
export function writeSaved(targets: readonly string[], report: Report, before: readonly SavedFailure[], base: string): void {
  const path = savedPath(targets, base);
  const names = namesOf(targets, base);
  const others = allIn(path).filter((each) => !isSame(each.targets, names));
  const found = new Map(
    report.violations.map(({ token, rule, message }) => [`${rule} ${token}`, { token, rule, message, targets: names }]),
  );
  if (found.size === 0 && before.length === 0) return;
  writeWhole(path, `${JSON.stringify({ schemaVersion: 1, failures: [...others, ...found.values()] }, undefined, 2)}\n`);
}

/** Undefined: no file here or beside the targets has it. */
export function findSaved(token: string, folder: string): SavedFailure | undefined {
  return allIn(join(folder, SAVED_FILE)).find((each) => each.token === token);
}

function allIn(path: string): SavedFailure[] {
  if (!existsSync(path)) return [];
  try {
    return savedFile.parse(JSON.parse(readFileSync(path, "utf8"))).failures;
  } catch {
    return [];
  }
}

const namesOf = (targets: readonly string[], base: string): string[] => targets.map((target) => resolve(base, target));
const isSame = (one: readonly string[], other: readonly string[]): boolean => one.join("\n") === other.join("\n");
