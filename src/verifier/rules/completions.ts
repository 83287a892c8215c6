/** A completion belongs to an operation that pended, once; and a handler that completed its operation itself may not return a final status too. */
import { BindOperation, UnbindOperation } from "../../ndis/objects.ts";
import { NDIS_STATUS_PENDING } from "../../ndis/stack.ts";
import { on, ruleSet, type Watcher } from "../rule.ts";

/** The completion routine's rules: completed without a pending operation, or twice. */
const RULES: Readonly<Record<string, string>> = {
  NdisCompleteBindAdapterEx: "bind-complete-only-if-pending",
  NdisCompleteUnbindAdapterEx: "unbind-complete-only-if-pending",
  NdisMOidRequestComplete: "oid-complete-not-pending-on-driver",
};

const unexpected = on("note completed without pending", ({ report }, { text: routine }) => {
  const rule = RULES[routine];
  if (rule === undefined) return;
  report({
    rule,
    message: `${routine} was called, but the operation that it names is not pending: it is complete, or its handler never returned NDIS_STATUS_PENDING.`,
  });
});

/** A handler that called its completion routine and then returns something other than PENDING has completed the operation twice. */
const twice: Watcher[] = [
  on("handler return ProtocolBindAdapterEx", ({ k, report }, { result, returning, target }) => {
    if (result === NDIS_STATUS_PENDING) return;
    const operation = k.objects
      .all(BindOperation)
      .find(({ binding }) => binding?.bind === "complete" && binding.protocol?.slot === returning);
    if (operation === undefined) return;
    report({
      rule: "bind-complete-only-if-pending",
      message:
        "ProtocolBindAdapterEx called NdisCompleteBindAdapterEx and then did not return NDIS_STATUS_PENDING: the bind is completed twice.",
      driver: returning,
      target,
    });
  }),
  on("handler return ProtocolUnbindAdapterEx", ({ k, report }, { result, returning, target }) => {
    if (result === NDIS_STATUS_PENDING) return;
    const operation = k.objects
      .all(UnbindOperation)
      .find(({ binding }) => binding?.unbind === "complete" && binding.protocol?.slot === returning);
    if (operation === undefined) return;
    report({
      rule: "unbind-complete-only-if-pending",
      message:
        "ProtocolUnbindAdapterEx called NdisCompleteUnbindAdapterEx and then did not return NDIS_STATUS_PENDING: the unbind is completed twice.",
      driver: returning,
      target,
    });
  }),
];

const pendingStatus = on("call NdisMOidRequestComplete", ({ report }, { args }) => {
  if (args[2] !== NDIS_STATUS_PENDING) return;
  report({
    rule: "oid-complete-not-pending-status",
    message: "NdisMOidRequestComplete was called with NDIS_STATUS_PENDING. A completion carries the final status.",
  });
});

export const completionRules = ruleSet(
  [
    "bind-complete-only-if-pending",
    "unbind-complete-only-if-pending",
    "oid-complete-not-pending-on-driver",
    "oid-complete-not-pending-status",
  ],
  [unexpected, ...twice, pendingStatus],
);
