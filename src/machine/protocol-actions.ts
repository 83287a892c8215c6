/** Actions about protocol drivers as a whole, and events of adapters that only protocols hear of. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { PlanStep } from "../kernel/plan.ts";
import { run, step } from "../kernel/plan.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { ADAPTER_EVENTS, ANNOUNCEMENTS, announce, tellOfEvent, uninstallProtocol } from "../ndis/index.ts";
import { type Adapter, ProtocolDriver } from "../ndis/objects.ts";
import { NET_EVENT } from "../ndis/pnp-events.ts";
import type { Action } from "./actions.ts";

const UNKNOWN_EVENT = constant("NetEventMaximum") + 0x100;

const DOES = ["adapter event", "unknown event", "announce bind list", "reconfigure", "uninstall"] as const;
type ProtocolAction = Extract<Action, { do: (typeof DOES)[number] }>;

export const isProtocolAction = (action: Action): action is ProtocolAction => DOES.some((each) => each === action.do);

export function protocolSteps<L>(action: ProtocolAction, adapterNumber: (k: Kernel, index: number) => Adapter): PlanStep<L>[] {
  switch (action.do) {
    case "adapter event":
      return [
        step(`adapter ${action.adapter}: its protocols are told: ${action.event}`, (k) => {
          const { address } = adapterNumber(k, action.adapter);
          return run(tellOfEvent, [address, ADAPTER_EVENTS[action.event], action.event === "wake-up on" ? 1 : 0]);
        }),
      ];
    case "unknown event":
      return [
        step(`adapter ${action.adapter}: its protocols are told of an unknown event`, (k) =>
          run(tellOfEvent, [adapterNumber(k, action.adapter).address, UNKNOWN_EVENT]),
        ),
      ];
    case "announce bind list": {
      const form = action.form ?? "well-formed";
      const sentence = form === "well-formed" ? "the bind list has changed" : `a bind list is announced: ${form}`;
      return [step(sentence, () => run(announce, [NET_EVENT.BindList, ANNOUNCEMENTS.indexOf(form)]))];
    }
    case "reconfigure":
      return [step("the configuration of the protocols has changed", () => run(announce, [NET_EVENT.Reconfigure, 0]))];
    case "uninstall":
      return [
        step(`driver ${action.driver} is uninstalled`, (k) => {
          const protocol = k.objects.all(ProtocolDriver).find(({ slot }) => slot === action.driver);
          if (protocol === undefined) throw new RunFailed("the driver that is to be uninstalled has registered no protocol");
          return run(uninstallProtocol, [protocol.address]);
        }),
      ];
    default:
      return action satisfies never;
  }
}
