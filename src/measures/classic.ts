/** One of the classic programs of bench/classics/, right or broken, ready to be explored. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ExploreOptions, type Explored, explore } from "../explorer/explore.ts";
import { racingLines } from "../explorer/points.ts";
import type { Subject } from "../explorer/replay.ts";
import type { Scenario } from "../machine/actions.ts";
import type { Builder } from "../machine/build.ts";

export interface Classic {
  readonly subject: Subject;
  /** Lines on which its threads were seen to race. */
  readonly points: readonly string[];
}

const folder = fileURLToPath(new URL("../../bench/classics", import.meta.url));
const MAX_THREADS = 8;
const FUNCTIONS = [...Array.from({ length: MAX_THREADS }, (_, number) => `Thread${number}`), "Finished"];
/** Random runs for a first look at where threads race. */
const SCOUT_RUNS = 40;

export const classicNames = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".c"))
    .map((name) => name.slice(0, -2))
    .toSorted();

/** Builds it, looks where its threads race, and builds it again with scheduling points there. */
export async function prepare(builder: Builder, name: string, isBroken: boolean): Promise<Classic> {
  const path = `${folder}/${name}.c`;
  const scenario = scenarioOf(name, threadsOf(path));
  const build = async (points: readonly string[]): Promise<Classic> => {
    const options = { defines: isBroken ? ["BROKEN"] : [], points };
    return { subject: { drivers: [await builder.c([path], 0, options, FUNCTIONS)], scenario }, points };
  };
  const plain = await build([]);
  const scouted = exploreClassic(plain, { strategy: "walk", runs: SCOUT_RUNS });
  const points = [...new Set(racingLines(scouted.failures))].toSorted();
  return points.length === 0 ? plain : await build(points);
}

/** Left out of the options: no limit, all strategies. */
export function exploreClassic({ subject, points }: Classic, options: Partial<ExploreOptions>): Explored {
  const exploration = explore(subject, {
    budget: Number.POSITIVE_INFINITY,
    seed: 1,
    points,
    saved: [],
    now: () => performance.now(),
    progress: () => {},
    isInterrupted: () => false,
    ...options,
  });
  for (let next = exploration.next(); ; next = exploration.next()) if (next.done === true) return next.value;
}

/** These foretell what may happen in another run; the bug is found when it does happen. */
const FORETELLING: readonly string[] = ["data-race", "lock-order"];
export const isFailure = (rule: string): boolean => !FORETELLING.includes(rule);

/** As the first line of each program has it. */
function threadsOf(path: string): number {
  const count = /^\/\* threads: (\d)\./.exec(readFileSync(path, "utf8"))?.[1];
  if (count === undefined) throw new Error(`${path} does not begin with its number of threads`);
  return Number(count);
}

function scenarioOf(name: string, threads: number): Scenario {
  return {
    name,
    summary: "",
    actions: [
      { do: "load", driver: 0 },
      ...FUNCTIONS.slice(0, threads).map((each) => ({
        do: "in parallel" as const,
        actions: [{ do: "call" as const, driver: 0, function: each }],
      })),
      { do: "settle" },
      { do: "call", driver: 0, function: "Finished", result: 0 },
    ],
  };
}
