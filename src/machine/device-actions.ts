/** What the devices of adapters and the system's power do: actions of a scenario, as steps of its plan. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { type PlanStep, run, step } from "../kernel/plan.ts";
import {
  DEVICE_EVENTS,
  interruptAdapter,
  managesPower,
  notifyDeviceEvent,
  powerProfile,
  setPower,
  shutDownAdapters,
} from "../ndis/index.ts";
import type { Adapter } from "../ndis/objects.ts";
import type { Action } from "./actions.ts";

export function deviceSteps<L>(
  action: Extract<Action, { do: "power" | "shut down" | "interrupt" | "device event" }>,
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
    case "interrupt":
      return [
        step(`the device of adapter ${action.adapter} interrupts`, (k) => interruptAdapter(k, adapterNumber(k, action.adapter))),
      ];
    case "device event":
      return [
        step(`adapter ${action.adapter}: the miniport is told that its device is ${action.event}`, (k) => {
          const { address } = adapterNumber(k, action.adapter);
          return run(notifyDeviceEvent, [address, DEVICE_EVENTS[action.event], powerProfile(action.event)]);
        }),
      ];
    default:
      return action satisfies never;
  }
}
