/**
 * What the page tests share: the same driver in C and in TypeScript, in a stack with the library's own counterpart; runs of a list of actions
 * with chosen answers of NDIS; and the run told in lines that a test can compare.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type ConstantName, constant } from "../../src/contract/index.ts";
import { type Entry, KernelMemory, type Strategy, firstCome } from "../../src/kernel/index.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import { Builder } from "../../src/machine/build.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import { type PlacedFinding, type RunResult, run } from "../../src/verifier/run.ts";

export const LANGUAGES = ["C", "TypeScript"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Slots of a stack: the driver that the page is about, its counterpart, and the same protocol once more. */
export const DRIVER = 0;
export const COUNTERPART = 1;
export const SECOND = 2;

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const COUNTERPARTS = folder("../../src/machine/counterparts");
const memory = new KernelMemory();

export type Stacks = Readonly<Record<Language, readonly MachineDriver[]>>;

/** Builds the driver of both languages, each with the counterpart that it needs. */
export async function buildStacks(name: "unbinder" | "porter"): Promise<Stacks> {
  const cache = join(tmpdir(), "ndislab-test-pages");
  mkdirSync(cache, { recursive: true });
  const builder = new Builder(cache);
  try {
    const counterpart = await builder.counterpart(name === "unbinder" ? "miniport" : "protocol", COUNTERPART, COUNTERPARTS);
    const build = (language: Language, slot: number): Promise<MachineDriver> => {
      const path = folder(`drivers/${name}.${language === "C" ? "c" : "ts"}`);
      return language === "C" ? builder.c([path], slot, {}) : builder.typeScript(path, slot);
    };
    const stack = async (language: Language): Promise<MachineDriver[]> => {
      const driver = await build(language, DRIVER);
      return name === "unbinder" ? [driver, counterpart, await build(language, SECOND)] : [driver, counterpart];
    };
    return { C: await stack("C"), TypeScript: await stack("TypeScript") };
  } finally {
    builder.stop();
  }
}

// ---- actions

export const load = (driver: number): Action => ({ do: "load", driver });
export const unload = (driver: number): Action => ({ do: "unload", driver });
export const start = (driver: number, adapter = 0): Action => ({ do: "start adapter", driver, adapter });
export const stop = (adapter = 0): Action => ({ do: "stop adapter", adapter });
export const unbind = (driver: number, adapter = 0): Action => ({ do: "unbind", adapter, driver });
export const bind = (adapter = 0): Action => ({ do: "bind", adapter });
export const pause = (adapter = 0): Action => ({ do: "pause", adapter });
export const restart = (adapter = 0): Action => ({ do: "restart", adapter });
export const settle: Action = { do: "settle" };
export const exercise = (what: number, value = 0, driver = DRIVER): Action => ({
  do: "call",
  driver,
  function: "Exercise",
  args: [what, value],
});

// ---- runs

/** Picks of NDIS by the name of the choice; what is not named is answered at once. */
export type Answers = Readonly<Record<string, number>>;

/** Picks for a call that NDIS may answer late: NdisOpenAdapterEx, NdisCloseAdapterEx. */
export const AT_ONCE = 0;
export const PENDING_THEN_COMPLETED = 1;
export const COMPLETED_BEFORE_RETURN = 2;

/** A recorded run: threads run until they wait. */
export function play(stack: readonly MachineDriver[], actions: readonly Action[], answers: Answers = {}): RunResult {
  const variant = { name: "chosen", pick: (_count: number, what: string) => answers[what] ?? AT_ONCE };
  return playWith(stack, actions, (seen) => strategyOf(variant, seen), true);
}

type MakeStrategy = Parameters<typeof run>[0]["strategy"];

function playWith(
  stack: readonly MachineDriver[],
  actions: readonly Action[],
  strategy: MakeStrategy,
  records: boolean,
): RunResult {
  memory.reset();
  return run({ drivers: stack, scenario: { name: "page", summary: "", actions }, strategy, records, memory });
}

/** The run comes to its end and breaks no rule. */
export function expectClean(result: RunResult): void {
  expect(breaches(result)).toEqual([]);
  expect(result.outcome).toEqual({ kind: "finished" });
}

const SEEDS = 8;

/**
 * Whatever NDIS and the counterpart choose to do late, and however the threads are interleaved, the run comes to its end and breaks no rule:
 * every answer the same way; parked at every call; and some runs in which any thread may be switched away at any call and each answer is
 * chosen anew.
 */
export function expectAlwaysClean(stack: readonly MachineDriver[], actions: readonly Action[]): void {
  const strategies: MakeStrategy[] = [
    ...commonVariants.map(
      (variant): MakeStrategy =>
        (seen) =>
          strategyOf(variant, seen),
    ),
    () => ({ ...firstCome, parksAlways: true }),
    ...Array.from(
      { length: SEEDS },
      (_, seed): MakeStrategy =>
        () =>
          seeded(seed + 1),
    ),
  ];
  for (const strategy of strategies) expectClean(playWith(stack, actions, strategy, false));
}

/** Choices that look random, the same ones each time. That resources are short is another matter than this. */
function seeded(seed: number): Strategy {
  let state = seed;
  const next = (count: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  return {
    choose: (count, what) => {
      if (what.endsWith("no resources")) return 0;
      // Most calls go on with the thread that runs: else no thread gets anywhere.
      return what === "schedule" && next(4) !== 0 ? 0 : next(count);
    },
    preempts: true,
    parksAlways: false,
  };
}

/** The rules that a run broke, each with the driver's line: `rule @ mark`, where the line has the comment "MARK: mark". */
export function breaches(result: RunResult): string[] {
  return result.findings.map((finding) => `${finding.rule} @ ${markOf(finding)}`);
}

/** A function has its mark in the line before it; its place is its first line, or its first statement. */
const HEAD_LINES = 8;

function markOf({ location }: PlacedFinding): string {
  if (location === undefined) return "nowhere";
  const lines = readFileSync(folder(`drivers/${basename(location.file)}`), "utf8")
    .split("\n")
    .slice(0, location.line);
  const here = /MARK: (.*?)(?: \*\/)?$/.exec(lines.at(-1) ?? "")?.[1];
  const [above] = lines.slice(-HEAD_LINES).flatMap((line) => /MARK: (.*) begins/.exec(line)?.[1] ?? []);
  return here ?? above ?? `${basename(location.file)}:${location.line}`;
}

// ---- what happened

const STATUSES: readonly ConstantName[] = [
  "NDIS_STATUS_SUCCESS",
  "NDIS_STATUS_PENDING",
  "NDIS_STATUS_FAILURE",
  "NDIS_STATUS_RESOURCES",
  "NDIS_STATUS_INVALID_PORT",
  "NDIS_STATUS_INVALID_PORT_STATE",
];
const statusNames: ReadonlyMap<number, string> = new Map(
  STATUSES.map((name) => [constant(name) >>> 0, name.replace("NDIS_STATUS_", "")]),
);
const statusName = (status: number): string => statusNames.get(status) ?? `0x${status.toString(16)}`;

export interface Told {
  /** Begins with the scenario's step that has this sentence. */
  readonly from?: string;
  /** Only entries in the name of this driver, and states. */
  readonly driver?: number;
}

/** The entries of a run, from that step of the scenario on. */
export function entriesOf(result: RunResult, from?: string): Entry[] {
  const entries = result.entries.map(({ entry }) => entry);
  const first = from === undefined ? 0 : entries.findIndex((entry) => entry.kind === "step" && entry.sentence === from);
  if (first < 0) throw new Error(`the scenario has no step '${from}'`);
  return entries.slice(first);
}

/** The calls, handlers and states of these names, in the order in which they happened, one line each. */
export function story(result: RunResult, names: readonly string[], { from, driver }: Told = {}): string[] {
  return entriesOf(result, from).flatMap((entry) => {
    const line = lineOf(entry, names);
    if (line === undefined) return [];
    const isWanted = driver === undefined || entry.kind === "state" || actor(entry) === driver;
    return isWanted ? [line] : [];
  });
}

const actor = (entry: Entry): number => (entry.kind === "handler return" ? entry.returning : entry.driver);

function lineOf(entry: Entry, names: readonly string[]): string | undefined {
  switch (entry.kind) {
    case "call":
    case "handler":
      return names.includes(entry.name) ? entry.name : undefined;
    case "return":
    case "handler return":
      return names.includes(entry.name) ? `${entry.name} = ${statusName(entry.result)}` : undefined;
    case "state":
      return names.includes(entry.object) ? stateLine(entry) : undefined;
    default:
      return undefined;
  }
}

function stateLine({ object, address, from, to }: Extract<Entry, { kind: "state" }>): string {
  return object === "port" ? `port ${address}: ${from} -> ${to}` : `${object}: ${from} -> ${to}`;
}

/** The states that an object of the kind went through, as one line. */
export function statesOf(result: RunResult, object: "binding" | "adapter", from?: string): string {
  const changes = entriesOf(result, from).flatMap((entry) => (entry.kind === "state" && entry.object === object ? [entry] : []));
  return [changes[0]?.from ?? "", ...changes.map(({ to }) => to)].join(" -> ");
}

/** Calls of a routine, or of a handler, with their arguments. */
export function callsOf(result: RunResult, name: string, from?: string): Extract<Entry, { kind: "call" | "handler" }>[] {
  return entriesOf(result, from).flatMap((entry) =>
    (entry.kind === "call" || entry.kind === "handler") && entry.name === name ? [entry] : [],
  );
}

/** What `Exercise` answered, in order. */
export function answersOf(result: RunResult): number[] {
  return entriesOf(result).flatMap((entry) =>
    entry.kind === "handler return" && entry.name === "ScenarioFunction" ? [entry.result] : [],
  );
}
