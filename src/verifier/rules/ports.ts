/** Rules of NDIS ports: allocate, activate, use, deactivate, free. */
import type { Kernel } from "../../kernel/kernel.ts";
import { Adapter, Binding } from "../../ndis/objects.ts";
import { DEFAULT_PORT, isPortActive, portNumbered } from "../../ndis/port-states.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { NET_EVENT } from "../../ndis/pnp-events.ts";
import { on, ruleSet } from "../rule.ts";
import { isInside } from "./binding.ts";

const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");

const adapterBehind = (k: Kernel, handle: number): Adapter | undefined => k.objects.resolve(handle, Adapter);

export const portFreeRules = ruleSet(
  [
    "port-default-not-freed-by-driver",
    "port-free-deactivate-first",
    "port-free-before-halt-returns",
    "port-free-on-init-failure",
    "port-default-controlled-deactivate-before-halt-returns",
  ],
  [
    on("call NdisMFreePort", ({ k, report }, { args }) => {
      const [handle = 0, number = 0] = args;
      const adapter = adapterBehind(k, handle);
      if (adapter === undefined) return;
      if (number === DEFAULT_PORT) {
        report({
          rule: "port-default-not-freed-by-driver",
          message:
            "NdisMFreePort was called for port 0. The default port belongs to NDIS, which frees it when MiniportHaltEx has returned.",
        });
      } else if (portNumbered(k, adapter, number)?.state === "Activated") {
        report({
          rule: "port-free-deactivate-first",
          message: `NdisMFreePort was called for port ${number} while it is active. Deactivate it first: NdisMNetPnPEvent with NetEventPortDeactivation.`,
        });
      }
    }),
    on("note port left", ({ k, report }, { address, value: number, text: when }) => {
      const isHalt = when.startsWith("MiniportHaltEx");
      const { miniport } = Adapter.at(k.memory, address);
      report({
        rule: isHalt ? "port-free-before-halt-returns" : "port-free-on-init-failure",
        message: `${when} while port ${number} is still allocated. Every port that the driver allocated must be freed before that.`,
        driver: miniport?.slot ?? -1,
        target: (isHalt ? miniport?.halt : miniport?.initialize) ?? 0,
      });
    }),
    on("note default port left active", ({ k, report }, { address }) => {
      const { miniport } = Adapter.at(k.memory, address);
      report({
        rule: "port-default-controlled-deactivate-before-halt-returns",
        message: "MiniportHaltEx returned while the default port, which the driver controls, is still active.",
        driver: miniport?.slot ?? -1,
        target: miniport?.halt ?? 0,
      });
    }),
  ],
);

export const portAllocateRules = ruleSet(
  ["port-alloc-after-registration-attributes", "port-alloc-before-halt"],
  [
    on("call NdisMAllocatePort", ({ k, report }, { args }) => {
      const adapter = adapterBehind(k, args[0] ?? 0);
      if (adapter === undefined) return;
      if (!adapter.hasRegistrationAttributes) {
        report({
          rule: "port-alloc-after-registration-attributes",
          message: "NdisMAllocatePort was called before NdisMSetMiniportAttributes has set the registration attributes.",
        });
      }
      if (adapter.isHalting) {
        report({ rule: "port-alloc-before-halt", message: "NdisMAllocatePort was called after MiniportHaltEx was called." });
      }
    }),
  ],
);

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

/** Activation and deactivation: when NDIS refuses one, a rule is broken. */
export const portEventRules = ruleSet(
  [...Object.values(REFUSED), DEFAULT_NOT_ALONE].flatMap(({ rules }) => rules).concat("port-netpnp-not-in-oid"),
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
    on("call NdisMNetPnPEvent", ({ k, report }) => {
      if (!isInside(k, ["MiniportOidRequest"])) return;
      report({
        rule: "port-netpnp-not-in-oid",
        message:
          "NdisMNetPnPEvent was called inside MiniportOidRequest. OID requests and network PnP events are serialised: this can deadlock.",
      });
    }),
    on("note port event refused", ({ report }, { address: number, value: isActivation, text: status }) => {
      const isDefault = status === "NDIS_STATUS_INVALID_PORT" && number === DEFAULT_PORT;
      const found = isDefault ? DEFAULT_NOT_ALONE : REFUSED[status];
      if (found === undefined) return;
      const event = isActivation === 1 ? "NetEventPortActivation" : "NetEventPortDeactivation";
      report({
        rule: found.rules[isActivation === 1 ? 0 : 1],
        message: `NdisMNetPnPEvent with ${event} was refused with ${status}: ${found.why(`port ${number}`)}. No port has changed.`,
      });
    }),
  ],
);

export const portUseRules = ruleSet(
  ["recv-port-number", "port-no-status-for-inactive", "send-port-active"],
  [
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, report }, { args }) => {
      const [handle = 0, , number = 0] = args;
      const adapter = adapterBehind(k, handle);
      if (adapter === undefined || isPortActive(k, adapter, number)) return;
      report({ rule: "recv-port-number", message: `A receive is indicated on port ${number}, which is not active.` });
    }),
    on("call NdisMIndicateStatusEx", ({ k, report }, { args }) => {
      const [handle = 0, indication = 0] = args;
      const adapter = adapterBehind(k, handle);
      const number = k.memory.readU32(indication + 8);
      if (adapter === undefined || number === DEFAULT_PORT || isPortActive(k, adapter, number)) return;
      report({ rule: "port-no-status-for-inactive", message: `A status is indicated for port ${number}, which is not active.` });
    }),
    on("call NdisSendNetBufferLists", ({ k, report }, { args }) => {
      const [handle = 0, , number = 0] = args;
      const adapter = k.objects.resolve(handle, Binding)?.adapter;
      if (adapter === undefined || isPortActive(k, adapter, number)) return;
      report({ rule: "send-port-active", message: `A send names port ${number}, which is not active.` });
    }),
  ],
);
