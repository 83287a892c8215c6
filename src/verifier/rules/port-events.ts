/** Rules of the events that activate and deactivate NDIS ports: the miniport's call, and what protocols make of it. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { listOf } from "../../kernel/lists.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { listsOf, sourceOf, statusOf } from "../../ndis/chains.ts";
import { Adapter, Binding, OidOperation } from "../../ndis/objects.ts";
import { NET_EVENT } from "../../ndis/pnp-events.ts";
import { DEFAULT_PORT, isPortActive, portNumbered } from "../../ndis/port-states.ts";
import { bindingAt } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";
import { isInside } from "./binding.ts";
import { adapterBehind } from "./ports.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");
const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
const Request = windowsStruct("NDIS_OID_REQUEST");

/** From a list that is on its way on a port other than the default port to the port's number. */
const received = shadowTable("lists received on a port", 2048);
const sent = shadowTable("lists sent on a port", 2048);

/** The rule that a refused event breaks, by NDIS's status: one for activations, one for deactivations; and what is wrong with the port. */
const REFUSED: Readonly<
  Record<string, { readonly rules: readonly [activation: string, deactivation: string]; readonly why: (port: string) => string }>
> = {
  NDIS_STATUS_INVALID_PORT_STATE: {
    rules: ["port-activate-all-allocated", "port-deactivate-all-active"],
    why: (port) => `${port} is already in the state that was asked for`,
  },
  NDIS_STATUS_INVALID_PORT: {
    rules: ["port-activate-all-allocated", "port-deactivate-all-active"],
    why: (port) => `${port} is not allocated`,
  },
  NDIS_STATUS_INVALID_PARAMETER: {
    rules: ["port-activate-event-format", "port-deactivate-event-format"],
    why: () => "its buffer is missing",
  },
};
const DEFAULT_NOT_ALONE: (typeof REFUSED)[string] = {
  rules: ["port-activate-default-alone", "port-deactivate-default-alone"],
  why: () => "its list names the default port, port 0, and others: the default port must be alone",
};

/** The request that the adapter's miniport has answered with NDIS_STATUS_PENDING and not completed. */
function pendedRequest(k: Kernel, adapter: Adapter | undefined): number | undefined {
  if (adapter === undefined) return undefined;
  return listOf(k.memory, OidOperation, adapter.firstOid).find(({ state, isPended }) => state === "Active" && isPended)?.handed;
}

/** Activation and deactivation: when NDIS refuses one, a rule is broken. */
export const portEventRules = ruleSet(
  [...Object.values(REFUSED), DEFAULT_NOT_ALONE]
    .flatMap(({ rules }) => rules)
    .concat("port-netpnp-not-in-oid", "port-freed-not-reactivatable", "port-inactive-uses-forbidden"),
  [
    on("call NdisMNetPnPEvent", ({ k, report }, { args: [, notification = 0] }) => {
      const { PortNumber, NetPnPEvent_NetEvent: event } = Notification.at(k.memory, notification);
      const isActivation = event === NET_EVENT.PortActivation;
      if (PortNumber === 0 || !(isActivation || event === NET_EVENT.PortDeactivation)) return;
      report({
        rule: isActivation ? "port-activate-event-format" : "port-deactivate-event-format",
        message: `NdisMNetPnPEvent was called with PortNumber ${PortNumber} in the notification. It has to be 0: the ports are those of the buffer.`,
      });
    }),
    on("call NdisMNetPnPEvent", ({ k, report }, { args: [handle = 0, notification = 0] }) => {
      const { PortNumber, NetPnPEvent_NetEvent: event } = Notification.at(k.memory, notification);
      const adapter = adapterBehind(k, handle);
      if (event === NET_EVENT.PortActivation || event === NET_EVENT.PortDeactivation || adapter === undefined) return;
      if (PortNumber === 0 || isPortActive(k, adapter, PortNumber)) return;
      report({
        rule: "port-inactive-uses-forbidden",
        message: `NdisMNetPnPEvent names port ${PortNumber} as the source of an event. The port is not active: no event comes from it.`,
      });
    }),
    on("call NdisMNetPnPEvent", ({ k, report }, { args: [handle = 0] }) => {
      const pended = pendedRequest(k, adapterBehind(k, handle));
      if (pended !== undefined && !isInside(k, ["MiniportOidRequest"])) {
        report({
          rule: "port-netpnp-not-in-oid",
          message: `NdisMNetPnPEvent was called while the OID request ${hex(pended)}, for which MiniportOidRequest returned NDIS_STATUS_PENDING, is not complete. OID requests and network PnP events are serialised: this can deadlock.`,
        });
      }
      if (!isInside(k, ["MiniportOidRequest"])) return;
      report({
        rule: "port-netpnp-not-in-oid",
        message:
          "NdisMNetPnPEvent was called inside MiniportOidRequest. OID requests and network PnP events are serialised: this can deadlock.",
      });
    }),
    on("note port event refused", ({ k, report }, { address, value: number, text }) => {
      const [wanted = "", status = ""] = text.split(" ");
      const isActivation = wanted === "Activated";
      const event = isActivation ? "NetEventPortActivation" : "NetEventPortDeactivation";
      const isDefault = status === "NDIS_STATUS_INVALID_PORT" && number === DEFAULT_PORT;
      if (
        status === "NDIS_STATUS_INVALID_PORT" &&
        !isDefault &&
        number <= Adapter.at(k.memory, address).highestPort &&
        isActivation
      ) {
        report({
          rule: "port-freed-not-reactivatable",
          message: `NdisMNetPnPEvent with ${event} was refused with ${status}: port ${number} was freed. A port that is freed cannot be activated again; allocate one.`,
        });
        return;
      }
      const found = isDefault ? DEFAULT_NOT_ALONE : REFUSED[status];
      if (found === undefined) return;
      report({
        rule: found.rules[isActivation ? 0 : 1],
        message: `NdisMNetPnPEvent with ${event} was refused with ${status}: ${found.why(`port ${number}`)}. No port has changed.`,
      });
    }),
  ],
);

/** Numbers of the array of a deactivation event. */
function deactivated(k: Kernel, notification: number): number[] {
  const given = Notification.at(k.memory, notification);
  if (given.NetPnPEvent_NetEvent !== NET_EVENT.PortDeactivation || given.NetPnPEvent_Buffer === 0) return [];
  const count = given.NetPnPEvent_BufferLength >>> 2;
  return Array.from({ length: count }, (_, index) => k.memory.readU32(given.NetPnPEvent_Buffer + index * 4));
}

/** The rule for a miniport that sends nothing on a port that is changing: it is active all that time. */
const NOT_READY = {
  activating: "port-activate-ready-for-sends",
  deactivating: "port-deactivate-handle-requests-until-return",
} as const;
const NO_PORT: ReadonlyMap<number, string> = new Map(
  (["NDIS_STATUS_INVALID_PORT", "NDIS_STATUS_INVALID_PORT_STATE"] as const).map((name) => [constant(name) >>> 0, name]),
);

/** What is under way on a port when it is deactivated: indications of the miniport, sends and OID requests of a protocol. */
export const portDrainRules = ruleSet(
  [
    "port-deactivate-no-outstanding-indications",
    "port-deactivate-protocol-drain",
    "port-deactivate-protocol-cannot-fail",
    ...Object.values(NOT_READY),
  ],
  [
    on("call NdisMSendNetBufferListsComplete", ({ k, shadow, report }, { args: [handle = 0, lists = 0] }) => {
      const adapter = adapterBehind(k, handle);
      if (adapter === undefined) return;
      for (const list of listsOf(k, lists)) {
        const number = shadow.get(sent, list);
        const change = number === 0 ? undefined : portNumbered(k, adapter, number)?.change;
        const status = NO_PORT.get(statusOf(k, list) >>> 0);
        if (status === undefined || change === undefined || change === "none") continue;
        report({
          rule: NOT_READY[change],
          message: `A send on port ${number} was completed with ${status} while the port is ${change}. The miniport has to handle sends on a port from the call of NdisMNetPnPEvent that activates it to the return of the one that deactivates it.`,
        });
      }
    }),
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, shadow }, { args: [, lists = 0, port = 0, , flags = 0] }) => {
      if (port === 0 || (flags & RESOURCES) !== 0) return;
      for (const list of listsOf(k, lists)) shadow.set(received, list, port);
    }),
    on("handler MiniportReturnNetBufferLists", ({ k, shadow }, { args: [, lists = 0] }) => {
      for (const list of listsOf(k, lists)) shadow.set(received, list, 0);
    }),
    on("call NdisMNetPnPEvent", ({ k, shadow, report }, { args: [handle = 0, notification = 0] }) => {
      const adapter = adapterBehind(k, handle);
      if (adapter === undefined) return;
      for (const number of deactivated(k, notification)) {
        const lists = shadow.entries(received).filter(([list, port]) => port === number && sourceOf(k, list) === handle).length;
        const calls = portNumbered(k, adapter, number)?.indicationsActive ?? 0;
        if (lists + calls === 0) continue;
        report({
          rule: "port-deactivate-no-outstanding-indications",
          message: `NdisMNetPnPEvent deactivates port ${number} while ${lists} list(s) that were indicated on it are not returned and ${calls} indication(s) for it are under way.`,
        });
      }
    }),
    on("call NdisSendNetBufferLists", ({ k, shadow }, { args: [, lists = 0, port = 0] }) => {
      if (port !== 0) for (const list of listsOf(k, lists)) shadow.set(sent, list, port);
    }),
    on("handler ProtocolSendNetBufferListsComplete", ({ k, shadow }, { args: [, lists = 0] }) => {
      for (const list of listsOf(k, lists)) shadow.set(sent, list, 0);
    }),
    on("note port deactivation complete", ({ k, shadow, report }, { address, value: number }) => {
      const binding = bindingAt(k, address);
      const handle = k.objects.handleOf(binding);
      const sends = shadow.entries(sent).filter(([list, port]) => port === number && sourceOf(k, list) === handle).length;
      const requests = k.objects
        .all(OidOperation)
        .filter((each) => each.binding?.address === address && Request.at(k.memory, each.request).PortNumber === number).length;
      if (sends + requests === 0) return;
      report({
        rule: "port-deactivate-protocol-drain",
        message: `NetEventPortDeactivation was completed while ${sends} send(s) and ${requests} OID request(s) of the binding on port ${number} are not complete.`,
        driver: binding.protocol?.slot ?? -1,
        target: binding.protocol?.netPnPEvent ?? 0,
      });
    }),
    on("note port deactivation answered", ({ k, report }, { address, value: status }) => {
      if (status === 0) return;
      const { protocol } = Binding.at(k.memory, address);
      report({
        rule: "port-deactivate-protocol-cannot-fail",
        message: `NetEventPortDeactivation was completed with ${hex(status)}. The port is deactivated all the same: a protocol should always succeed it.`,
        driver: protocol?.slot ?? -1,
        target: protocol?.netPnPEvent ?? 0,
      });
    }),
  ],
  [received, sent],
);
