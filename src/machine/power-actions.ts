/** What the system's power does to adapters: actions of a scenario, as steps of its plan. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { type PlanStep, run, step } from "../kernel/plan.ts";
import { managesPower, setPower, shutDownAdapters } from "../ndis/index.ts";
import type { Adapter } from "../ndis/objects.ts";
import type { Action } from "./actions.ts";

export function powerSteps<L>(
  action: Extract<Action, { do: "power" | "shut down" }>,
  adapterNumber: (k: Kernel, index: number) => Adapter,
): PlanStep<L>[] {
  switch (action.do) {
    case "power":
      return [
        step(`adapter ${action.adapter} goes to ${action.state}`, (k) => {
          const adapter = adapterNumber(k, action.adapter);
          if (!managesPower(k, adapter))
            throw new RunFailed(`adapter ${action.adapter} has no power management: NDIS halts it, as "stop adapter" does`);
          return run(setPower, [adapter.address, constant(`NdisDeviceState${action.state}`)]);
        }),
      ];
    case "shut down":
      return [step("the system shuts down", () => run(shutDownAdapters, []))];
    default:
      return action satisfies never;
  }
}
