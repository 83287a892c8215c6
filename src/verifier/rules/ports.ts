/** Rules of NDIS ports: allocate and free. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { Adapter } from "../../ndis/objects.ts";
import { DEFAULT_PORT, PortCharacteristics, portNumbered } from "../../ndis/port-states.ts";
import { on, ruleSet } from "../rule.ts";

export const adapterBehind = (k: Kernel, handle: number): Adapter | undefined => k.objects.resolve(handle, Adapter);

/** Types of ports that are the system's. */
const RESERVED_TYPES: ReadonlyMap<number, string> = new Map(
  (["NdisPortTypeBridge", "NdisPortTypeNdisImPlatform"] as const).map((name) => [constant(name), name]),
);

export const portFreeRules = ruleSet(
  [
    "port-default-not-freed-by-driver",
    "port-free-deactivate-first",
    "port-free-requires-allocated",
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
        return;
      }
      const port = portNumbered(k, adapter, number);
      if (port?.state !== "Activated") return;
      if (port.change === "deactivating") {
        report({
          rule: "port-free-requires-allocated",
          message: `NdisMFreePort was called for port ${number} while its deactivation is under way. The port is active until NdisMNetPnPEvent has returned.`,
        });
      } else {
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
  ["port-alloc-after-registration-attributes", "port-alloc-before-halt", "port-types"],
  [
    on("call NdisMAllocatePort", ({ k, report }, { args: [, characteristics = 0] }) => {
      const type = RESERVED_TYPES.get(PortCharacteristics.at(k.memory, characteristics).Type);
      if (type === undefined) return;
      report({
        rule: "port-types",
        message: `NdisMAllocatePort was called for a port of type ${type}, which is the system's own.`,
      });
    }),
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
