/** The files of the corpus, the cases in them, and the runs that they are for. memory/cases.h says how a case tells what is wrong with it. */
import { readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { type Checks, allChecks } from "../../src/cdriver/checks/flags.ts";
import type { KernelMemory } from "../../src/kernel/index.ts";
import { Builder } from "../../src/machine/build.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { type PlacedFinding, type RunOptions, run } from "../../src/verifier/run.ts";
import { runAndRecord } from "../../src/verifier/recorded.ts";
import { SeededStrategy, cacheFolder, repositoryFile } from "../machine/support.ts";
import { type Surroundings, actionsFor, counterpartOf, isSurroundings } from "./surroundings.ts";

const folder = repositoryFile("test/c-drivers/memory");
const RACE = "data-race";

/** What a line says that is found there. */
interface Mark {
  readonly line: number;
  readonly rule: string;
  readonly level: "error" | "warning";
}

export interface Case {
  readonly name: string;
  readonly summary: string;
  readonly marks: readonly Mark[];
}

export interface CorpusFile {
  readonly path: string;
  readonly title: string;
  readonly surroundings: Surroundings;
  readonly cases: readonly Case[];
}

export const corpusFiles: readonly CorpusFile[] = readdirSync(folder)
  .filter((name) => name.endsWith(".c"))
  .sort()
  .map((name) => read(join(folder, name)));

function read(path: string): CorpusFile {
  const text = readFileSync(path, "utf8");
  const title = /^\/\* ([^*]+)\. \*\/$/m.exec(text)?.[1];
  const surroundings = /#include "(\w+)\.h"/.exec(text)?.[1];
  if (title === undefined) throw new Error(`${path} begins with no sentence that says what it is about`);
  if (!isSurroundings(surroundings)) throw new Error(`${path} is no driver of a kind that scenarios are known for`);
  return { path, title, surroundings, cases: casesIn(path, text.split("\n")) };
}

function casesIn(path: string, lines: readonly string[]): Case[] {
  const cases: Case[] = [];
  let marks: Mark[] = [];
  let name: string | undefined;
  let summary: string | undefined;
  for (const [index, text] of lines.entries()) {
    const [, level, rule = ""] = /\/\/ expect(-warning)?: ([\w-]+)$/.exec(text) ?? [];
    if (rule !== "") marks.push({ line: index + 1, rule, level: level === undefined ? "error" : "warning" });
    const started = /^\w+ Case_(\w+)\(/.exec(text)?.[1];
    if (started !== undefined) {
      name = started;
      summary = /^\/\* (.+)\. \*\/$/.exec(lines[index - 1] ?? "")?.[1];
      if (summary === undefined) throw new Error(`${path}:${index}: the sentence that says what Case_${name} does is missing`);
    }
    if (text !== "}" || name === undefined || summary === undefined) continue;
    cases.push({ name, summary, marks });
    marks = [];
    name = undefined;
  }
  return cases;
}

/** The driver of the file, built with those checks, and what stands above or below it. */
export async function buildCorpusFile(
  { path, surroundings, cases }: CorpusFile,
  checks: Checks = allChecks,
): Promise<readonly MachineDriver[]> {
  const builder = new Builder(cacheFolder);
  try {
    const names = cases.map(({ name }) => `Case_${name}`);
    const driver = await builder.c([path], 0, { checks }, names);
    const counterpart = counterpartOf(surroundings);
    if (counterpart === undefined) return [driver];
    return [driver, await builder.counterpart(counterpart, 1, repositoryFile("src/machine/counterparts"))];
  } finally {
    builder.stop();
  }
}

/** What one run of the case comes to, in the form of `expected`; by default everything is answered at once, and threads run until they wait. */
export function found(
  { path, surroundings }: CorpusFile,
  drivers: readonly MachineDriver[],
  { name, marks }: Case,
  memory: KernelMemory,
  strategy: RunOptions["strategy"] = (seen) => strategyOf({ name: "at once", pick: () => 0 }, seen),
  judgesRaces = true,
): readonly string[] {
  const scenario = { name, summary: "", actions: actionsFor(surroundings, `Case_${name}`) };
  const { findings, outcome } = runAndRecord((options) => {
    memory.reset();
    return run({ drivers, scenario, strategy, memory, judgesRaces, ...options });
  }).result;
  if (outcome.kind === "failed") return [`the run failed: ${outcome.error.message}`];
  const told = new Set(findings.map((finding) => placeOf(finding, path, marks)));
  // A line is told of once, by the worst that is found there.
  for (const line of told) told.delete(`${line}, warning`);
  // A race is one finding, on one of its lines.
  const races = marks.filter(({ rule }) => rule === RACE);
  for (const level of ["error", "warning"] as const) {
    const lines = races.filter((mark) => mark.level === level).map(textOf);
    if (lines.some((line) => told.has(line))) for (const line of lines) told.add(line);
  }
  return [...told].sort();
}

/** Other ways for a case to run, in which nothing may be found either if it is right. */
export const otherOrders: readonly RunOptions["strategy"][] = [
  ...commonVariants.slice(1).map(
    (variant): RunOptions["strategy"] =>
      (seen) =>
        strategyOf(variant, seen),
  ),
  ...[1, 2, 3].map((seed) => () => new SeededStrategy(seed)),
];

export const expected = ({ marks }: Case): readonly string[] => [...new Set(marks.map(textOf))].sort();

const textOf = ({ line, rule, level }: Mark): string =>
  `${String(line).padStart(4)}: ${rule}${level === "error" ? "" : `, ${level}`}`;

/** A finding as the mark that it should have; elsewhere than in the file of the case, with its place and message. */
function placeOf({ rule, location, message, isWarning, related }: PlacedFinding, path: string, marks: readonly Mark[]): string {
  const level = isWarning === true ? "warning" : "error";
  if (location?.file === path) {
    const here = textOf({ line: location.line, rule, level });
    if (rule !== RACE) return here;
    const others = related.flatMap(({ stack }) => stack.find(({ file }) => file === path)?.line ?? []);
    return others.some((line) => marks.some((mark) => mark.line === line)) ? here : `${here}, with ${others.join() || "nobody"}`;
  }
  const place = location === undefined ? "nowhere" : `${basename(location.file)}:${location.line}`;
  return `${place}: ${rule}: ${message}`;
}
