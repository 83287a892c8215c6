/** C drivers of test/c-drivers with one mistake in each function: what a recorded run says of a call, and at which marked lines. */
import { readFileSync } from "node:fs";
import { Builder } from "../../src/machine/build.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import { type RunResult, run } from "../../src/verifier/run.ts";
import { cacheFolder, repositoryFile } from "../machine/support.ts";

export interface Marked {
  readonly driver: MachineDriver;
  readonly source: string;
}

/** Builds test/c-drivers/<name>.c; each `ULONG Function(...)` of it that is not static can be called. */
export async function buildMarked(name: string): Promise<Marked> {
  const source = `test/c-drivers/${name}.c`;
  const functions = [...readFileSync(repositoryFile(source), "utf8").matchAll(/^ULONG (\w+)\(/gm)].map(([, each = ""]) => each);
  const builder = new Builder(cacheFolder);
  try {
    return { driver: await builder.c([repositoryFile(source)], 0, {}, functions), source };
  } finally {
    builder.stop();
  }
}

/** The line with the comment `MARK: mark`, counted from 1. */
export function markedLine({ source }: Marked, mark: string): number {
  const lines = readFileSync(repositoryFile(source), "utf8").split("\n");
  const line = lines.findIndex((text) => text.includes(`/* MARK: ${mark} */`));
  if (line < 0) throw new Error(`no line of ${source} is marked '${mark}'`);
  return line + 1;
}

/** The actions, with the driver loaded before them and unloaded after them. */
export const life = (...actions: readonly Action[]): readonly Action[] => [
  { do: "load", driver: 0 },
  ...actions,
  { do: "settle" },
  { do: "unload", driver: 0 },
];

export const call = (name: string, ...args: readonly number[]): Action => ({ do: "call", driver: 0, function: name, args });

/** A run of the actions under every rule, recorded. */
export function recordedRun({ driver }: Marked, actions: readonly Action[], records = true): RunResult {
  const [variant] = commonVariants;
  if (variant === undefined) throw new Error("no variant");
  return run({
    drivers: [driver],
    scenario: { name: "marked", summary: "", actions },
    strategy: (seen) => strategyOf(variant, seen),
    records,
  });
}
