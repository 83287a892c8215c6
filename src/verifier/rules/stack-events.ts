/** When a miniport may keep protocols from binding above it, and let them bind again. */
import { constant } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Adapter } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";

const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");
const NAMES: ReadonlyMap<number, string> = new Map(
  (["NetEventInhibitBindsAbove", "NetEventAllowBindsAbove"] as const).map((name) => [constant(name), name]),
);

export const stackEventRules = ruleSet(
  ["pnp-inhibit-binds"],
  [
    on("call NdisMNetPnPEvent", ({ k, report }, { args: [handle = 0, notification = 0], irql }) => {
      const name = NAMES.get(Notification.at(k.memory, notification).NetPnPEvent_NetEvent);
      if (name === undefined) return;
      const adapter = k.objects.resolve(handle, Adapter);
      const { locksHeld } = k.current;
      const faults = [
        ...(irql === 0 ? [] : [`at IRQL ${irql}, and not at PASSIVE_LEVEL`]),
        ...(locksHeld === 0 ? [] : [`with ${locksHeld} lock(s) held`]),
        ...(adapter === undefined || adapter.power === "awake" ? [] : ["while the adapter is not in D0"]),
        ...(adapter === undefined ? ["for an adapter that is not between its MiniportInitializeEx and its MiniportHaltEx"] : []),
      ];
      if (faults.length === 0) return;
      report({ rule: "pnp-inhibit-binds", message: `${name} was raised ${faults.join(", ")}.` });
    }),
  ],
);
