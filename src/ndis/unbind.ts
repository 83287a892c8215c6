/**
 * Unbinding from an Adapter: the protocol pauses, is asked to unbind, closes the adapter, and the binding is gone when both the unbind and the
 * close are complete.
 *
 * Pages: unbinding-from-an-adapter, nc-ndis-protocol_unbind_adapter_ex, nf-ndis-ndisunbindadapter, nf-ndis-ndiscompleteunbindadapterex.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, plan, run, step, until } from "../kernel/plan.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { remove } from "../kernel/lists.ts";
import { forgetPorts } from "./known-ports.ts";
import { Binding, UnbindOperation } from "./objects.ts";
import { pauseBinding } from "./pause-restart.ts";
import {
  NDIS_STATUS_PENDING,
  NDIS_STATUS_SUCCESS,
  adapterAt,
  bindingAt,
  bindingOf,
  isBindUndone,
  owedByProtocol,
  tellCompletedTwice,
} from "./stack.ts";
import { setBindingState } from "./states.ts";

/** How long the work item of NdisUnbindAdapter may have when it is to run before the call returns: a millisecond. */
const WORK_ITEM_TIME = 10_000;

/** Unbinds one binding of a stack that the caller has to itself. */
export const unbind = plan("unbind", struct("Unbind", { binding: u32, operation: u32 }), [
  step("the protocol pauses", (k, p) => {
    const binding = bindingAt(k, p.binding);
    binding.isUnbindRequested = true;
    return binding.state === "Running" ? run(pauseBinding, [p.binding]) : undefined;
  }),
  step("the protocol is asked to unbind", (k, p) => {
    const binding = bindingAt(k, p.binding);
    setBindingState(k, binding, "Closing");
    const operation = k.objects.create(UnbindOperation);
    operation.binding = binding;
    p.operation = operation.address;
    binding.unbind = "in-callback";
    const handler = binding.protocol?.unbindAdapterEx ?? 0;
    return call(handler, "ProtocolUnbindAdapterEx", [k.objects.handleOf(operation), binding.context]);
  }),
  step("the protocol has answered", (k, p, result) => {
    const binding = bindingAt(k, p.binding);
    if (result === NDIS_STATUS_PENDING) {
      if (binding.unbind === "in-callback") binding.unbind = "unbind-pending";
      return;
    }
    if (binding.unbind === "complete")
      tellCompletedTwice(k, owedByProtocol(binding, "NdisCompleteUnbindAdapterEx", "unbindAdapterEx"));
    // The callback has only two legal results, success and pending. Undocumented: any other is told to the rules and taken as success.
    binding.unbind = "complete";
    k.note("unbind returned", binding.address, result, binding.close);
    if (binding.close !== "open") return;
    // Undocumented: after a success without any close NDIS closes the binding itself, so that the run goes on past the violation.
    binding.isHandleClosed = true;
    binding.close = "closed";
  }),
  until("the unbind is complete", (k, p) => bindingAt(k, p.binding).unbind === "complete", {
    owes: (k, p) => owedByProtocol(bindingAt(k, p.binding), "NdisCompleteUnbindAdapterEx", "unbindAdapterEx"),
  }),
  step("the unbind is over", (k, p) => {
    const binding = bindingAt(k, p.binding);
    if (binding.close !== "open") return;
    k.note("unbind returned", binding.address, NDIS_STATUS_SUCCESS, binding.close);
    binding.isHandleClosed = true;
    binding.close = "closed";
  }),
  until("the close is complete", (k, p) => bindingAt(k, p.binding).close === "closed", {
    owes: () => ({ what: "the completion of NdisCloseAdapterEx", driver: -1, target: 0 }),
  }),
  // An unbind is complete only after the OID requests and sends of the binding are.
  until("its OID requests and sends are complete", (k, p) => {
    const { oidsOutstanding, sendsOutstanding } = bindingAt(k, p.binding);
    return oidsOutstanding === 0 && sendsOutstanding === 0;
  }),
  until("no indication to the binding is under way", (k, p) => bindingAt(k, p.binding).indicationsActive === 0),
  step("the binding is gone", (k, p) => {
    const binding = bindingAt(k, p.binding);
    k.objects.release(UnbindOperation.at(k.memory, p.operation));
    // Its bind, which this unbind undoes, ends with it.
    if (binding.bindParameters !== 0) {
      binding.unbind = "over";
      return;
    }
    setBindingState(k, binding, "Unbound");
    releaseBinding(k, binding);
  }),
]);

/** Takes the binding out of its adapter. */
export function releaseBinding(k: Kernel, binding: Binding): void {
  const { adapter } = binding;
  if (adapter !== undefined) adapter.firstBinding = remove(k.memory, Binding, adapter.firstBinding, binding);
  forgetPorts(k, binding);
  k.note("binding gone", binding.address, binding.context);
  k.objects.release(binding);
}

/**
 * An unbind that somebody asked for: waits for its turn; another one may have been faster. A bind that pends has the stack, and its protocol may
 * ask for the unbind in place of its completion. Undocumented: whether that bind is to be completed as well. It is, with a failure, before the
 * unbind or after; the binding is Unbound when both are over.
 */
export const unbindWhenFree = plan(
  "unbind on request",
  struct("UnbindWhenFree", { adapter: u32, bindingHandle: u32, hasStack: boolean }),
  [
    until("no other operation changes the stack, or only the bind that is to be undone", (k, p) => {
      const binding = k.objects.resolve(p.bindingHandle, Binding);
      return adapterAt(k, p.adapter).busy === 0 || (binding !== undefined && isBindUndone(binding));
    }),
    step("the binding is unbound", (k, p) => {
      const binding = k.objects.resolve(p.bindingHandle, Binding);
      if (binding === undefined || binding.state === "Closing" || binding.adapter === undefined) return done();
      if (binding.adapter.busy === 0) {
        binding.adapter.busy = 1;
        p.hasStack = true;
      }
      return run(unbind, [binding.address]);
    }),
    step("the stack is free again", (k, p) => {
      if (p.hasStack) freeStack(k, p.adapter);
    }),
  ],
);

export function freeStack(k: Kernel, adapterAddress: number): void {
  adapterAt(k, adapterAddress).busy = 0;
}

const unbindRequest = plan("NdisUnbindAdapter", struct("UnbindRequest", { handle: u32, binding: u32, wait: boolean }), [
  step("the work item is queued", (k, p) => {
    const binding = bindingOf(k, p.handle);
    if (binding === undefined) return done(NDIS_STATUS_SUCCESS);
    if (k.choose(2, "NdisUnbindAdapter: no resources") === 1) return done(constant("NDIS_STATUS_RESOURCES"));
    // Success does not promise a call of ProtocolUnbindAdapterEx: another unbind may be under way.
    if (binding.isUnbindRequested) return done(NDIS_STATUS_SUCCESS);
    binding.isUnbindRequested = true;
    p.binding = binding.address;
    const args = [binding.adapter?.address ?? 0, p.handle];
    k.startThread("WorkItem", { kind: "plan", plan: unbindWhenFree, args });
    // The work item can run before the call returns.
    p.wait = k.current.irql === 0 && k.choose(2, "NdisUnbindAdapter: the work item runs before the call returns") === 1;
  }),
  until("the work item has run, or need not have", (k, p) => !p.wait || k.objects.resolve(p.handle, Binding) === undefined, {
    // The caller may be in a handler that the work item waits for: then the call returns first.
    deadline: (k) => k.header.clock + WORK_ITEM_TIME,
  }),
  step("the call returns", () => done(NDIS_STATUS_SUCCESS)),
]);

export const unbindRoutines = [
  planned("NdisUnbindAdapter", unbindRequest),
  leaf("NdisCompleteUnbindAdapterEx", (k, unbindContext) => {
    const operation = k.objects.resolve(unbindContext, UnbindOperation);
    const binding = operation?.binding;
    if (binding === undefined) {
      k.note(
        "bad handle",
        unbindContext,
        0,
        `${k.objects.stateOf(unbindContext, UnbindOperation)}: an UnbindContext was expected`,
      );
      return;
    }
    if (binding.unbind === "complete") {
      k.note("completed without pending", unbindContext, 0, "NdisCompleteUnbindAdapterEx");
      return;
    }
    binding.unbind = "complete";
  }),
];
export const unbindPlans = [unbind, unbindWhenFree];
