/** What the threads of a check do: one scenario after the other, on the same stack of drivers. */
import { type PortableDriver, receivedDriver } from "../machine/portable-stack.ts";
import type { MachineDriver } from "../machine/machine.ts";
import type { Scenario } from "../machine/actions.ts";
import { serve } from "../workers/serve.ts";
import { type RunMemory, type ScenarioResult, runMemory, runScenario } from "./runs.ts";

interface Prepared {
  readonly stack: readonly MachineDriver[];
  readonly memory: RunMemory;
}

serve<readonly PortableDriver[], Scenario, ScenarioResult, Prepared>(
  async (stack) => ({ stack: await Promise.all(stack.map(receivedDriver)), memory: runMemory() }),
  ({ stack, memory }, scenario) => runScenario(stack, scenario, memory),
);
