/** A completion belongs to an operation that pended, once; and a handler that completed its operation itself may not return a final status too. */
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";

interface Completion {
  /** The rule for a call when nothing is pending. */
  readonly rule: string;
  /** The rule for a call inside the handler that then answers too, where it is another one. */
  readonly answeredRule?: string;
  readonly handler: string;
}

const COMPLETIONS: Readonly<Record<string, Completion>> = {
  NdisCompleteBindAdapterEx: { rule: "bind-complete-only-if-pending", handler: "ProtocolBindAdapterEx" },
  NdisCompleteUnbindAdapterEx: { rule: "unbind-complete-only-if-pending", handler: "ProtocolUnbindAdapterEx" },
  NdisCompleteNetPnPEvent: { rule: "pnp-event-pending-complete", handler: "ProtocolNetPnPEvent" },
  NdisMOidRequestComplete: {
    rule: "oid-complete-not-pending-on-driver",
    answeredRule: "oid-complete-once",
    handler: "MiniportOidRequest",
  },
  NdisMDirectOidRequestComplete: { rule: "oid-direct-pending-complete", handler: "MiniportDirectOidRequest" },
  // Without a pending operation these three stop the machine: see run.ts.
  NdisMPauseComplete: { rule: "mp-pause-complete-unexpected", handler: "MiniportPause" },
  NdisMResetComplete: { rule: "mp-reset-complete-unexpected", handler: "MiniportResetEx" },
  NdisMRestartComplete: { rule: "mp-restart-complete-unexpected", handler: "MiniportRestart" },
};

export const completionRules = ruleSet(
  [
    ...Object.values(COMPLETIONS).flatMap(({ rule, answeredRule = rule }) => [rule, answeredRule]),
    "oid-complete-not-pending-status",
  ],
  [
    on("note completed without pending", ({ report }, { text: routine }) => {
      const completion = COMPLETIONS[routine];
      if (completion === undefined) return;
      const message = `${routine} was called, but the operation that it names is not pending: it is complete, or its handler never returned NDIS_STATUS_PENDING.`;
      report({ rule: completion.rule, message });
    }),
    on("note completed and answered", ({ report }, { address: target, value: driver, text: routine }) => {
      const completion = COMPLETIONS[routine];
      if (completion === undefined) return;
      const { rule, answeredRule = rule, handler } = completion;
      report({
        rule: answeredRule,
        message: `${handler} called ${routine} and then did not return NDIS_STATUS_PENDING: what it handles is completed twice.`,
        driver,
        target,
      });
    }),
    on("call NdisMOidRequestComplete", ({ report }, { args }) => {
      if (args[2] !== NDIS_STATUS_PENDING) return;
      report({
        rule: "oid-complete-not-pending-status",
        message: "NdisMOidRequestComplete was called with NDIS_STATUS_PENDING. A completion carries the final status.",
      });
    }),
  ],
);
