/** Rules of a protocol driver's registration. */
import { windowsStruct } from "../../kernel/windows.ts";
import { ProtocolDriver } from "../../ndis/objects.ts";
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";

const Characteristics = windowsStruct("NDIS_PROTOCOL_DRIVER_CHARACTERISTICS");
const FIRST_FAILURE = 0x8000_0000;
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

const MANDATORY = [
  ["BindAdapterHandlerEx", "protocol-mandatory-handlers"],
  ["UnbindAdapterHandlerEx", "protocol-mandatory-handlers"],
  ["OpenAdapterCompleteHandlerEx", "protocol-mandatory-handlers"],
  ["CloseAdapterCompleteHandlerEx", "protocol-mandatory-handlers"],
  ["NetPnPEventHandler", "protocol-mandatory-handlers"],
  ["ReceiveNetBufferListsHandler", "protocol-mandatory-handlers"],
  ["SendNetBufferListsCompleteHandler", "protocol-mandatory-handlers"],
  ["OidRequestCompleteHandler", "oid-protocol-complete-required"],
  ["StatusHandlerEx", "status-protocol-handler-required"],
] as const;

export const protocolDriverRules = ruleSet(
  [
    "protocol-mandatory-handlers",
    "oid-protocol-complete-required",
    "status-protocol-handler-required",
    "protocol-driverentry-synchronous",
    "protocol-deregister-on-entry-error",
  ],
  [
    on("call NdisRegisterProtocolDriver", ({ k, report }, { args }) => {
      const given = Characteristics.at(k.memory, args[1] ?? 0);
      for (const [handler, rule] of MANDATORY) {
        if (given[handler] !== 0) continue;
        report({ rule, message: `The protocol registers without ${handler}, which every connectionless protocol has.` });
      }
    }),
    on("note driver loaded", ({ k, report }, { address: slot, value: status }) => {
      const protocol = k.objects.all(ProtocolDriver).find((each) => each.slot === slot);
      if (protocol === undefined) return;
      if (status === NDIS_STATUS_PENDING) {
        report({
          rule: "protocol-driverentry-synchronous",
          message:
            "DriverEntry returned NDIS_STATUS_PENDING. It is synchronous: its driver is loaded when it returns, or is not.",
          driver: slot,
          target: protocol.bindAdapterEx,
        });
      }
      if (status < FIRST_FAILURE) return;
      report({
        rule: "protocol-deregister-on-entry-error",
        message: `DriverEntry failed with ${hex(status)}, and its protocol is still registered. NdisDeregisterProtocolDriver has to be called first.`,
        driver: slot,
        target: protocol.bindAdapterEx,
      });
    }),
  ],
);
