/** Rules of power: how a miniport takes its adapter to sleep, and what nobody does while it sleeps. */
import { constant, statusName } from "../../contract/index.ts";
import { Adapter, Binding } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";
import { sendsHeldBy } from "./reset.ts";

const NOT_ACCEPTED = constant("NDIS_STATUS_NOT_ACCEPTED") >>> 0;
const nameOf = (status: number): string => statusName(status) ?? `0x${status.toString(16).padStart(8, "0")}`;

export const powerRules = ruleSet(
  ["pm-set-power-cannot-fail", "pm-set-low-power-drain", "recv-indicate-during-lowpower", "oid-low-power-forbidden"],
  [
    on("note power set", ({ k, report }, { address, value: status, text }) => {
      const adapter = Adapter.at(k.memory, address);
      const { miniport } = adapter;
      const of = { driver: miniport?.slot ?? -1, target: miniport?.oidRequest ?? 0 };
      // A miniport that is resetting says so.
      if (status !== 0 && !(status === NOT_ACCEPTED && adapter.reset !== "none")) {
        const message = `The miniport ended OID_PNP_SET_POWER with ${nameOf(status)}. It always succeeds.`;
        report({ rule: "pm-set-power-cannot-fail", message, ...of });
      }
      const sends = text === "asleep" ? sendsHeldBy(k, adapter) : 0;
      if (sends === 0) return;
      const message = `The miniport has taken its adapter to sleep and still has ${sends} list(s) that were sent. It completes them first.`;
      report({ rule: "pm-set-low-power-drain", message, ...of });
    }),
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, report }, { args }) => {
      if (k.objects.resolve(args[0] ?? 0, Adapter)?.power !== "asleep") return;
      report({
        rule: "recv-indicate-during-lowpower",
        message:
          "NdisMIndicateReceiveNetBufferLists was called for an adapter that sleeps. Nothing is received until it is woken.",
      });
    }),
    on("call NdisOidRequest", ({ k, report }, { args }) => {
      const binding = k.objects.resolve(args[0] ?? 0, Binding);
      // A protocol that is unbound clears what it set, whatever the power.
      if (binding?.adapter?.power !== "asleep" || binding.state === "Closing") return;
      report({
        rule: "oid-low-power-forbidden",
        message: "NdisOidRequest was called for an adapter that sleeps. A protocol waits until it hears of NdisDeviceStateD0.",
      });
    }),
  ],
);
