/** How protocols answer network PnP events, and what they may not call while they handle one. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { ProtocolDriver } from "../../ndis/objects.ts";
import { eventOf } from "../../ndis/pnp-events.ts";
import { on, ruleSet } from "../rule.ts";
import { isInside } from "./binding.ts";

const NOT_SUPPORTED = constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0;
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** Events that a protocol always succeeds, and the rule that says so. A pause has one of its own: see binding.ts. */
const SUCCEEDED = (
  [
    ["NetEventRestart", "binding-restart-should-succeed"],
    ["NetEventIMReEnableDevice", "pnp-event-always-succeed"],
    ["NetEventCancelRemoveDevice", "pnp-event-always-succeed"],
    ["NetEventReconfigure", "pnp-event-always-succeed"],
    ["NetEventBindList", "pnp-event-always-succeed"],
    ["NetEventBindsComplete", "pnp-event-always-succeed"],
    ["NetEventPnPCapabilities", "pnp-event-always-succeed"],
    ["NetEventPortDeactivation", "pnp-event-always-succeed"],
    ["NetEventQueryPower", "pnp-query-power-succeed"],
  ] as const
).map(([name, rule]) => ({ name, rule, code: constant(name) }));

/** Events that may be failed, or have a rule of their own. */
const OTHERS: ReadonlyMap<number, string> = new Map(
  (["NetEventSetPower", "NetEventQueryRemoveDevice", "NetEventPause", "NetEventPortActivation"] as const).map((name) => [
    constant(name),
    name,
  ]),
);

/** Whether the current thread handles an event that is about one binding. */
function isInBindingEvent(k: Kernel): boolean {
  const thread = k.current;
  const driver = k.driverOfThread(thread);
  for (let index = 0; index < thread.depth; index += 1) {
    const frame = k.frame(thread, index);
    if (frame.kind !== "Code" || k.handlerName(frame) !== "ProtocolNetPnPEvent") continue;
    if (k.driverOf(frame.code) === driver && k.arguments(frame)[0] !== 0) return true;
  }
  return false;
}

/** Whether a protocol handles an event whose data it has to find wrong. */
export function isInMalformedEvent(k: Kernel): boolean {
  if (k.header.currentThread === 0) return false;
  const thread = k.current;
  for (let index = 0; index < thread.depth; index += 1) {
    const frame = k.frame(thread, index);
    if (frame.kind !== "Code" || k.handlerName(frame) !== "ProtocolNetPnPEvent") continue;
    if (eventOf(k, k.arguments(frame)[1] ?? 0)?.isMalformed === true) return true;
  }
  return false;
}

export const pnpEventRules = ruleSet(
  [
    "binding-restart-should-succeed",
    "pnp-event-always-succeed",
    "pnp-event-not-supported",
    "pnp-query-power-succeed",
    "reenumerate-not-in-bind-unbind",
    "reenumerate-not-in-binding-pnp-event",
  ],
  [
    on("note PnP event complete", ({ k, report }, { address, value: status, text: code }) => {
      if (address === 0 || status === 0) return;
      const protocol = ProtocolDriver.at(k.memory, address);
      const blame = { driver: protocol.slot, target: protocol.netPnPEvent };
      const event = SUCCEEDED.find((each) => each.code === Number(code));
      const name = event?.name ?? OTHERS.get(Number(code)) ?? `The event with code ${code}`;
      if (status >>> 0 === NOT_SUPPORTED) {
        report({
          rule: "pnp-event-not-supported",
          message: `${name} was answered with NDIS_STATUS_NOT_SUPPORTED. An NDIS 6 protocol answers an event that it does not know with NDIS_STATUS_SUCCESS.`,
          ...blame,
        });
        return;
      }
      if (event === undefined) return;
      report({
        rule: event.rule,
        message: `${name} was completed with ${hex(status)}. A protocol always succeeds this event.`,
        ...blame,
      });
    }),
    on("call NdisReEnumerateProtocolBindings", ({ k, report }) => {
      if (isInside(k, ["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx"])) {
        report({
          rule: "reenumerate-not-in-bind-unbind",
          message: "NdisReEnumerateProtocolBindings was called inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx.",
        });
      }
      if (isInBindingEvent(k)) {
        report({
          rule: "reenumerate-not-in-binding-pnp-event",
          message:
            "NdisReEnumerateProtocolBindings was called inside ProtocolNetPnPEvent for an event of one binding. It is allowed where ProtocolBindingContext is NULL.",
        });
      }
    }),
  ],
);
