/** Rules of a binding's life: bind, open, pause, unbind, close, complete. */
import type { Kernel } from "../../kernel/kernel.ts";
import { Binding, UnbindOperation } from "../../ndis/objects.ts";
import { bindingAt } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** The binding behind a handle, also when the handle may not be used any more. */
const bindingBehind = (k: Kernel, handle: number): Binding | undefined => k.objects.resolve(handle, Binding);

/** Whether the current thread is inside that handler of the driver whose code runs. */
export function isInside(k: Kernel, handlers: readonly string[]): boolean {
  const thread = k.current;
  const driver = k.driverOfThread(thread);
  for (let index = 0; index < thread.depth; index += 1) {
    const frame = k.frame(thread, index);
    if (frame.kind === "Code" && handlers.includes(k.handlerName(frame)) && k.driverOf(frame.code) === driver) return true;
  }
  return false;
}

/** Bindings that have been Running since they were bound. */
const hasRun = shadowTable("bindings that have run", 64);

const protocolOf = (binding: Binding): number => binding.protocol?.slot ?? -1;

export const openRules = ruleSet(
  ["bind-open-only-in-bind-context", "bind-fail-after-open-close-inside"],
  [
    on("note open outside bind", ({ report }, { address }) =>
      report({
        rule: "bind-open-only-in-bind-context",
        message: `NdisOpenAdapterEx was called with BindContext ${hex(address)}, which belongs to no bind that is under way. An adapter may be opened only while its ProtocolBindAdapterEx is handled, once.`,
      }),
    ),
    on("note bind failed with the adapter open", ({ k, report }, { address, value }) => {
      const binding = bindingAt(k, address);
      report({
        rule: "bind-fail-after-open-close-inside",
        message: `The bind failed with ${hex(value)}, but the adapter is still open. NdisCloseAdapterEx must be called, and be complete, before a bind fails.`,
        driver: protocolOf(binding),
        target: binding.protocol?.bindAdapterEx ?? 0,
      });
    }),
  ],
);

export const closeRules = ruleSet(
  ["close-only-from-bind-or-unbind", "close-outside-handler", "close-waits-for-originated-work", "close-context-lifetime"],
  [
    on("call NdisCloseAdapterEx", ({ k, report }, { args }) => {
      const binding = bindingBehind(k, args[0] ?? 0);
      if (binding === undefined || binding.isHandleClosed) return;
      if (binding.state !== "Opening" && binding.state !== "Closing") {
        report({
          rule: "close-only-from-bind-or-unbind",
          message: `NdisCloseAdapterEx was called for a binding that is ${binding.state}. An adapter may be closed only in the context of ProtocolBindAdapterEx or ProtocolUnbindAdapterEx; elsewhere call NdisUnbindAdapter.`,
        });
      }
      // Undocumented: whether "from ProtocolBindAdapterEx or ProtocolUnbindAdapterEx" means their calls, or all the time until a bind or an
      // unbind that pends is complete. The latter; a close outside of the calls is a warning.
      else if (!isInside(k, ["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx"])) {
        report({
          rule: "close-outside-handler",
          message: `NdisCloseAdapterEx was called for a binding that is ${binding.state}, but not inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx. The pages say that an adapter is closed from these.`,
          isWarning: true,
        });
      }
      const { sendsOutstanding, oidsOutstanding } = binding;
      if (sendsOutstanding + oidsOutstanding > 0) {
        report({
          rule: "close-waits-for-originated-work",
          message: `NdisCloseAdapterEx was called while ${sendsOutstanding} sends and ${oidsOutstanding} OID requests of the binding are not complete.`,
        });
      }
    }),
    on("note free", ({ k, report }, { address, value: bytes, driver }) => {
      if (driver < 0) return;
      const binding = k.objects
        .all(Binding)
        .find(
          ({ context, open, close }) => open === "open" && close !== "closed" && context >= address && context < address + bytes,
        );
      if (binding === undefined || protocolOf(binding) !== driver) return;
      report({
        rule: "close-context-lifetime",
        message: `The binding context at ${hex(address)} was freed while the close of its binding is not complete: NDIS still passes it to the driver's handlers.`,
      });
    }),
  ],
);

export const unbindRules = ruleSet(
  [
    "unbind-cannot-fail",
    "unbind-must-close",
    "unbind-complete-after-cleanup",
    "unbind-success-requires-close-done",
    "unbindadapter-not-in-bind-unbind",
    "unbind-leaked-nbl",
  ],
  [
    on("note unbind returned", ({ k, report }, { address, value: status, text: close }) => {
      const binding = bindingAt(k, address);
      const blame = { driver: protocolOf(binding), target: binding.protocol?.unbindAdapterEx ?? 0 };
      if (status !== 0) {
        report({
          rule: "unbind-cannot-fail",
          message: `ProtocolUnbindAdapterEx returned ${hex(status)}. It has two legal results, NDIS_STATUS_SUCCESS and NDIS_STATUS_PENDING: an unbind cannot fail.`,
          ...blame,
        });
      }
      if (close === "open") {
        report({
          rule: "unbind-must-close",
          message: "The unbind is complete, but NdisCloseAdapterEx was never called for the binding: it is still open.",
          ...blame,
        });
      }
      if (close === "close-pending" && status === 0) {
        report({
          rule: "unbind-success-requires-close-done",
          message:
            "ProtocolUnbindAdapterEx returned NDIS_STATUS_SUCCESS while its NdisCloseAdapterEx is still pending. It must wait for ProtocolCloseAdapterCompleteEx, or return NDIS_STATUS_PENDING.",
          ...blame,
        });
      }
    }),
    on("call NdisCompleteUnbindAdapterEx", ({ k, report }, { args }) => {
      const binding = k.objects.resolve(args[0] ?? 0, UnbindOperation)?.binding;
      if (binding?.close !== "close-pending") return;
      report({
        rule: "unbind-complete-after-cleanup",
        message:
          "NdisCompleteUnbindAdapterEx was called while the driver's NdisCloseAdapterEx is still pending. An unbind that pends is completed when ProtocolCloseAdapterCompleteEx has been called.",
      });
    }),
    on("call NdisUnbindAdapter", ({ k, report }) => {
      if (!isInside(k, ["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx"])) return;
      report({
        rule: "unbindadapter-not-in-bind-unbind",
        message:
          "NdisUnbindAdapter was called inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx. There the driver closes the adapter itself.",
      });
    }),
    on("note close complete", ({ k, report }, { address }) => {
      const binding = bindingAt(k, address);
      if (binding.receivesHeld === 0) return;
      report({
        rule: "unbind-leaked-nbl",
        message: `The close of a binding is complete while its protocol still holds ${binding.receivesHeld} received lists, and has no handle to return them with.`,
        driver: protocolOf(binding),
        target: binding.protocol?.unbindAdapterEx ?? 0,
      });
    }),
  ],
);

export const bindingPauseRules = ruleSet(
  [
    "binding-pause-cannot-fail",
    "binding-pause-waits-sends",
    "binding-paused-needs-receives-returned",
    "binding-pause-no-new-sends",
    "bind-no-send-until-restart",
    "binding-send-states",
  ],
  [
    on("note pause event complete", ({ k, report }, { address, value: status }) => {
      const binding = bindingAt(k, address);
      const blame = { driver: protocolOf(binding), target: binding.protocol?.netPnPEvent ?? 0 };
      if (status !== 0) {
        report({
          rule: "binding-pause-cannot-fail",
          message: `NetEventPause was completed with ${hex(status)}. A pause cannot fail.`,
          ...blame,
        });
      }
      if (binding.sendsOutstanding > 0) {
        report({
          rule: "binding-pause-waits-sends",
          message: `NetEventPause was completed while ${binding.sendsOutstanding} sends of the binding are not complete. Wait for ProtocolSendNetBufferListsComplete first.`,
          ...blame,
        });
      }
      if (binding.receivesHeld > 0) {
        report({
          rule: "binding-paused-needs-receives-returned",
          message: `NetEventPause was completed while the protocol still holds ${binding.receivesHeld} received lists. Return them first.`,
          ...blame,
        });
      }
    }),
    on("state binding", ({ shadow }, { address, to }) => {
      if (to === "Running") shadow.set(hasRun, address, 1);
      if (to === "Unbound") shadow.set(hasRun, address, 0);
    }),
    on("call NdisSendNetBufferLists", ({ k, shadow, report }, { args }) => {
      const binding = bindingBehind(k, args[0] ?? 0);
      // A send between the delivery of NetEventPause and the moment its handler takes the driver's lock cannot be prevented, nor can one between
      // the moment the handler of NetEventRestart sets the driver's flag and its return: Pausing and Restarting are no violation.
      if (binding === undefined || binding.isHandleClosed || ["Running", "Pausing", "Restarting"].includes(binding.state)) return;
      const beforeUnbind =
        shadow.get(hasRun, binding.address) === 0 ? "bind-no-send-until-restart" : "binding-pause-no-new-sends";
      report({
        rule: binding.state === "Closing" ? "binding-send-states" : beforeUnbind,
        message: `NdisSendNetBufferLists was called on a binding that is ${binding.state}. Sends start after NetEventRestart and end with NetEventPause.`,
      });
    }),
  ],
  [hasRun],
);
