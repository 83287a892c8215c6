/** Rules of a miniport adapter's life: initialize, pause, restart, halt. */
import { Adapter } from "../../ndis/objects.ts";
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

export const adapterRules = ruleSet(
  ["mp-init-general-attributes-required", "mp-pause-cannot-fail", "mp-pause-waits-receives", "mp-halt-wait-receives"],
  [
    on("note initialize returned", ({ k, report }, { address, value: status, text }) => {
      if (status !== 0 || text === "attributes set") return;
      const { miniport } = Adapter.at(k.memory, address);
      report({
        rule: "mp-init-general-attributes-required",
        message: "MiniportInitializeEx succeeded without having set the general attributes with NdisMSetMiniportAttributes.",
        driver: miniport?.slot ?? -1,
        target: miniport?.initialize ?? 0,
      });
    }),
    on("handler return MiniportPause", ({ report }, { result, returning, target }) => {
      if (result === 0 || result === NDIS_STATUS_PENDING) return;
      report({
        rule: "mp-pause-cannot-fail",
        message: `MiniportPause returned ${hex(result)}. It has two legal results, NDIS_STATUS_SUCCESS and NDIS_STATUS_PENDING.`,
        driver: returning,
        target,
      });
    }),
    on("state adapter", ({ k, report }, { address, from, to }) => {
      const adapter = Adapter.at(k.memory, address);
      if (from !== "Pausing" || to !== "Paused" || adapter.receivesOutstanding === 0) return;
      report({
        rule: "mp-pause-waits-receives",
        message: `The miniport completed its pause while ${adapter.receivesOutstanding} lists that it indicated are not returned.`,
        driver: adapter.miniport?.slot ?? -1,
        target: adapter.miniport?.pause ?? 0,
      });
    }),
    on("note halt returned", ({ k, report }, { address }) => {
      const { receivesOutstanding, miniport } = Adapter.at(k.memory, address);
      if (receivesOutstanding === 0) return;
      report({
        rule: "mp-halt-wait-receives",
        message: `MiniportHaltEx returned while ${receivesOutstanding} lists that it indicated are not returned.`,
        driver: miniport?.slot ?? -1,
        target: miniport?.halt ?? 0,
      });
    }),
  ],
);

/**
 * From the call of MiniportRestart to the end of a pause; before and after that nobody may be told of received data. MiniportShutdownEx need not
 * wait for what is under way.
 */
const RECEIVING = ["Restarting", "Running", "Pausing", "Shutdown"];

export const indicationRules = ruleSet(
  ["mp-pause-no-receive-indications"],
  [
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, report }, { args }) => {
      const adapter = k.objects.resolve(args[0] ?? 0, Adapter);
      if (adapter === undefined || RECEIVING.includes(adapter.state)) return;
      report({
        rule: "mp-pause-no-receive-indications",
        message: `NdisMIndicateReceiveNetBufferLists was called for an adapter that is ${adapter.state}. A paused adapter indicates no received data.`,
      });
    }),
  ],
);

/** Handlers during which a driver may not be deregistered: all that NDIS calls, except DriverEntry and the unload handlers. */
export const deregisterRules = ruleSet(
  ["protocol-deregister-not-in-callback"],
  [
    on("call NdisDeregisterProtocolDriver", ({ k, report }) => {
      const thread = k.current;
      for (let index = 0; index < thread.depth; index += 1) {
        const frame = k.frame(thread, index);
        const name = frame.kind === "Code" ? k.handlerName(frame) : "";
        if (!name.startsWith("Protocol")) continue;
        report({
          rule: "protocol-deregister-not-in-callback",
          message: `NdisDeregisterProtocolDriver was called inside ${name}. It unbinds and waits: from a handler that NDIS calls it can deadlock.`,
        });
        return;
      }
    }),
  ],
);
