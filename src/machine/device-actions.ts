/** What the devices of adapters and the system's power do: actions of a scenario, as steps of its plan. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { type Next, type PlanStep, run, step } from "../kernel/plan.ts";
import { struct, u32 } from "../kernel/struct.ts";
import {
  DEVICE_EVENTS,
  createAdapter,
  interruptAdapter,
  managesPower,
  notifyDeviceEvent,
  powerProfile,
  setPower,
  shutDownAdapters,
  startAdapter,
  stopAdapter,
} from "../ndis/index.ts";
import { Adapter, MiniportDriver } from "../ndis/objects.ts";
import type { Action } from "./actions.ts";

/** An adapter whose driver knows nothing of power, while it sleeps: NDIS has halted it, and starts it anew when it wakes. */
export const HaltedForPower = struct("HaltedForPower", { index: u32, miniport: u32 });

/** Halts or starts an adapter without power management, in place of telling its driver of the state. */
function haltForPower(k: Kernel, index: number, isAwake: boolean): Next | undefined {
  const halted = k.objects.all(HaltedForPower).find((each) => each.index === index);
  if (isAwake) {
    if (halted === undefined) return undefined;
    const miniport = MiniportDriver.at(k.memory, halted.miniport);
    k.objects.release(halted);
    return run(startAdapter, [createAdapter(k, miniport, index).address]);
  }
  if (halted !== undefined) return undefined;
  const adapter = k.objects.all(Adapter).find((each) => each.index === index);
  if (adapter === undefined) throw new RunFailed(`the scenario names adapter ${index}, which is not there`);
  const sleeping = k.objects.create(HaltedForPower);
  sleeping.index = index;
  sleeping.miniport = adapter.miniport?.address ?? 0;
  return run(stopAdapter, [adapter.address, constant("NdisHaltDevicePoweredDown")]);
}

function haltAction({ bySurprise, isStopped }: Extract<Action, { do: "stop adapter" }>): number {
  if (bySurprise === true) return constant("NdisHaltDeviceSurpriseRemoved");
  return constant(isStopped === true ? "NdisHaltDeviceStopped" : "NdisHaltDeviceDisabled");
}

export function deviceSteps<L>(
  action: Extract<Action, { do: "stop adapter" | "power" | "shut down" | "bug check" | "interrupt" | "device event" }>,
  adapterNumber: (k: Kernel, index: number) => Adapter,
): PlanStep<L>[] {
  switch (action.do) {
    case "stop adapter":
      return [
        step(`adapter ${action.adapter} stops`, (k) =>
          run(stopAdapter, [adapterNumber(k, action.adapter).address, haltAction(action)]),
        ),
      ];
    case "power":
      return [
        step(`adapter ${action.adapter} goes to ${action.state}`, (k) => {
          const adapter = k.objects.all(Adapter).find(({ index }) => index === action.adapter);
          if (adapter === undefined || !managesPower(k, adapter)) return haltForPower(k, action.adapter, action.state === "D0");
          return run(setPower, [adapter.address, constant(`NdisDeviceState${action.state}`)]);
        }),
      ];
    case "shut down":
      return [step("the system shuts down", () => run(shutDownAdapters, [constant("NdisShutdownPowerOff")]))];
    case "bug check":
      return [step("the system stops with an error", () => run(shutDownAdapters, [constant("NdisShutdownBugCheck")]))];
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
