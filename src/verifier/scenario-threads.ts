/** The scenarios of a check, spread over threads. */
import type { Scenario } from "../machine/actions.ts";
import type { MachineDriver } from "../machine/machine.ts";
import { type PortableDriver, portableDriver } from "../machine/portable-stack.ts";
import { WorkerPool } from "../workers/pool.ts";
import { type RunsResult, type ScenarioResult, together } from "./runs.ts";

export type ScenarioThreads = WorkerPool<readonly PortableDriver[], Scenario, ScenarioResult>;

/** They can be started before there are drivers, and load the library meanwhile. */
export const startThreads = (count: number): ScenarioThreads =>
  new WorkerPool(new URL("./scenario-worker.js", import.meta.url), count);

/** As runScenarios() would run them, with the same result. */
export async function runInThreads(
  threads: ScenarioThreads,
  stack: readonly MachineDriver[],
  scenarios: readonly Scenario[],
  progress: (line: string) => void,
): Promise<RunsResult> {
  threads.setUp(stack.map(portableDriver));
  const results: ScenarioResult[] = [];
  const longestFirst = [...scenarios.entries()].toSorted(([, a], [, b]) => lengthOf(b) - lengthOf(a));
  await Promise.all(
    longestFirst.map(async ([place, scenario]) => {
      results[place] = await threads.run(scenario, () => progress(`running ${scenario.name}`));
    }),
  );
  return together(results);
}

/** Beside the others. The longest begin, so that no thread is left alone with one at the end. */
function lengthOf({ actions, failures }: Scenario): number {
  return failures === "each" ? Number.MAX_SAFE_INTEGER : actions.length;
}
