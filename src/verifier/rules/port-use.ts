/** Rules of the use of NDIS ports: in indications of the miniport, in sends and OID requests of protocols. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { knowledgeOf } from "../../ndis/known-ports.ts";
import { Adapter, Binding, OidOperation } from "../../ndis/objects.ts";
import { DEFAULT_PORT, PortState, isPortActive, portNumbered } from "../../ndis/port-states.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { adapterBehind } from "./ports.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const Request = windowsStruct("NDIS_OID_REQUEST");
const PORT_STATE = constant("NDIS_STATUS_PORT_STATE");
const AUTHENTICATION = constant("OID_GEN_PORT_AUTHENTICATION_PARAMETERS");
const SET = constant("NdisRequestSetInformation");
const NOT_SUPPORTED = constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0;

/** Why that port may not be indicated for: the rule and the reason; undefined: it may. `rule` is that of any other port that is not active. */
function indicationFault(
  k: Kernel,
  adapter: Adapter,
  number: number,
  rule: string,
): readonly [rule: string, why: string] | undefined {
  const port = number === DEFAULT_PORT ? undefined : portNumbered(k, adapter, number);
  if (!isPortActive(k, adapter, number)) {
    if (number !== DEFAULT_PORT && adapter.highestPort === 0)
      return ["port-zero-when-none", "which is not active: the miniport has never allocated a port, and has to say port 0"];
    if (port?.isRefused === true)
      return ["port-activate-failed-not-used", "which is not active: NDIS has refused to activate it"];
    if (port?.hasBeenActive === false)
      return ["port-activate-via-event", "which was never activated: raise NetEventPortActivation with NdisMNetPnPEvent first"];
    return [rule, "which is not active"];
  }
  if (port?.change === "activating")
    return ["port-activate-no-indications-before-return", "which is being activated: NdisMNetPnPEvent has not returned yet"];
  if (port?.change === "deactivating")
    return ["port-deactivate-no-indications-after", "which is being deactivated: NdisMNetPnPEvent was called for that already"];
  return undefined;
}

export const portIndicationRules = ruleSet(
  [
    "recv-port-number",
    "port-no-status-for-inactive",
    "port-zero-when-none",
    "port-activate-via-event",
    "port-activate-failed-not-used",
    "port-activate-no-indications-before-return",
    "port-deactivate-no-indications-after",
    "port-status-indication-portnumber",
  ],
  [
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, report }, { args: [handle = 0, , number = 0] }) => {
      const adapter = adapterBehind(k, handle);
      const fault = adapter === undefined ? undefined : indicationFault(k, adapter, number, "recv-port-number");
      if (fault !== undefined) report({ rule: fault[0], message: `A receive is indicated on port ${number}, ${fault[1]}.` });
    }),
    on("call NdisMIndicateStatusEx", ({ k, report }, { args: [handle = 0, indication = 0] }) => {
      const adapter = adapterBehind(k, handle);
      const { PortNumber: number, StatusCode, StatusBuffer, StatusBufferSize } = Indication.at(k.memory, indication);
      if (adapter === undefined) return;
      if (StatusCode === PORT_STATE && (StatusBuffer === 0 || StatusBufferSize < PortState.bytes)) {
        report({
          rule: "port-status-indication-portnumber",
          message: `NDIS_STATUS_PORT_STATE is indicated with ${StatusBufferSize} bytes in its buffer. It has to carry an NDIS_PORT_STATE, which has ${PortState.bytes}.`,
        });
      }
      // Port 0: the status may be about the adapter.
      const fault = number === DEFAULT_PORT ? undefined : indicationFault(k, adapter, number, "port-no-status-for-inactive");
      if (fault !== undefined) report({ rule: fault[0], message: `A status is indicated for port ${number}, ${fault[1]}.` });
    }),
  ],
);

/** The rule that a protocol breaks that uses an active port of which it knows no good. */
const UNKNOWN = {
  untold: ["port-protocol-use-only-notified", "of which it was not told, by its bind parameters or an event, that it is active"],
  refused: ["port-protocol-may-fail-activation", "though it has failed the event that told it of the port"],
  "given up": ["port-deactivate-protocol-drain", "though it has completed the event that deactivates the port"],
} as const;

/** Judges a use of a port by the protocol behind the binding handle. */
function judgeUse({ k, report }: RuleContext, handle: number, number: number, what: string, inactiveRule: string): void {
  const binding = k.objects.resolve(handle, Binding);
  const adapter = binding?.adapter;
  if (binding === undefined || adapter === undefined) return;
  if (!isPortActive(k, adapter, number)) {
    report({ rule: inactiveRule, message: `${what} names port ${number}, which is not active.` });
    return;
  }
  const knowledge = number === DEFAULT_PORT ? "told" : knowledgeOf(k, binding, number);
  if (knowledge === "told") return;
  const [rule, why] = UNKNOWN[knowledge];
  report({ rule, message: `${what} of a protocol names port ${number}, ${why}.` });
}

export const portUseRules = ruleSet(
  [
    "send-port-active",
    "port-inactive-uses-forbidden",
    "port-protocol-use-only-notified",
    "port-protocol-may-fail-activation",
    "port-deactivate-protocol-drain",
    "port-oid-auth-required",
  ],
  [
    on("call NdisSendNetBufferLists", (context, { args: [handle = 0, , number = 0] }) =>
      judgeUse(context, handle, number, "A send", "send-port-active"),
    ),
    ...["NdisOidRequest", "NdisDirectOidRequest"].map((name) =>
      on(`call ${name}`, (context, { args: [handle = 0, request = 0] }) => {
        const { PortNumber } = Request.at(context.k.memory, request);
        judgeUse(context, handle, PortNumber, "An OID request", "port-inactive-uses-forbidden");
      }),
    ),
    on("note OID request complete", ({ k, report }, { address, value: status }) => {
      const { adapter, request } = OidOperation.at(k.memory, address);
      const { RequestType, DATA_SET_INFORMATION_Oid: oid } = Request.at(k.memory, request);
      if (adapter === undefined || adapter.highestPort === 0 || status >>> 0 !== NOT_SUPPORTED) return;
      if (RequestType !== SET || oid !== AUTHENTICATION) return;
      report({
        rule: "port-oid-auth-required",
        message:
          "The miniport allocates NDIS ports and answered OID_GEN_PORT_AUTHENTICATION_PARAMETERS with NDIS_STATUS_NOT_SUPPORTED. A miniport with ports has to support it.",
        driver: adapter.miniport?.slot ?? -1,
        target: adapter.miniport?.oidRequest ?? 0,
      });
    }),
  ],
);
