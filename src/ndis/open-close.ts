/**
 * Opening and closing an adapter. Either answer is NDIS's to choose: at once, or NDIS_STATUS_PENDING with the completion handler
 * called before or after the call returns.
 *
 * Pages: nf-ndis-ndisopenadapterex, nf-ndis-ndiscloseadapterex, nc-ndis-protocol_open_adapter_complete_ex,
 * nc-ndis-protocol_close_adapter_complete_ex.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, plan, run, step, until } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { readUnicodeString } from "../kernel/strings.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { BindOperation, Binding } from "./objects.ts";
import { tellSettings } from "./told-settings.ts";
import { forgetSettings } from "./shared-settings.ts";
import { NDIS_STATUS_PENDING, NDIS_STATUS_SUCCESS, bindingAt, bindingOf } from "./stack.ts";

const OpenParameters = windowsStruct("NDIS_OPEN_PARAMETERS");
const BindParameters = windowsStruct("NDIS_BIND_PARAMETERS");

/**
 * NDIS_MAX_FRAME_TYPES_PER_OPEN. Undocumented: its value, which is in no public header. Sixteen, so that nobody is refused, or accused, who keeps
 * to a smaller one.
 */
export const MOST_FRAME_TYPES = 16;

/** How NDIS answers a call that it may answer late. */
const ANSWERS = ["at once", "pending, completed after the call returns", "pending, completed before the call returns"] as const;
export type AnswerKind = (typeof ANSWERS)[number];

export function chooseAnswer(k: Kernel, what: string): AnswerKind {
  return ANSWERS[k.choose(ANSWERS.length, what)] ?? "at once";
}

const completeOpen = plan("complete an open", struct("CompleteOpen", { binding: u32, parameters: u32, handleVariable: u32 }), [
  step("the open is complete", (k, p) => {
    const binding = bindingAt(k, p.binding);
    // The handle and the medium are set before ProtocolOpenAdapterCompleteEx is called, and not while the open pends.
    giveOutputs(k, binding, p.parameters, p.handleVariable);
    return call(binding.protocol?.openAdapterCompleteEx ?? 0, "ProtocolOpenAdapterCompleteEx", [
      binding.context,
      binding.openStatus,
    ]);
  }),
]);

/** The open is over: what it gives is written, if it succeeded. */
function giveOutputs(k: Kernel, binding: Binding, parameters: number, handleVariable: number): void {
  const isOpen = binding.openStatus === NDIS_STATUS_SUCCESS;
  binding.open = isOpen ? "open" : "not open";
  if (!isOpen) return;
  const { SelectedMediumIndex } = OpenParameters.at(k.memory, parameters);
  k.memory.writeU32(SelectedMediumIndex, binding.mediumIndex);
  k.memory.writeU32(handleVariable, k.objects.handleOf(binding));
}

/** Everything that can refuse an open; the adapter is the one that the bind callback is about. */
function openStatus(k: Kernel, binding: Binding, parameters: number): number {
  const given = OpenParameters.at(k.memory, parameters);
  const offered = BindParameters.at(k.memory, binding.bindParameters);
  if (readUnicodeString(k.memory, given.AdapterName) !== readUnicodeString(k.memory, offered.AdapterName)) {
    return constant("NDIS_STATUS_ADAPTER_NOT_FOUND");
  }
  // Undocumented: the status for more frame types than an open may have.
  if (given.FrameTypeArraySize > MOST_FRAME_TYPES) return constant("NDIS_STATUS_FAILURE");
  for (let index = 0; index < given.MediumArraySize; index += 1) {
    if (k.memory.readU32(given.MediumArray + index * 4) !== offered.MediaType) continue;
    binding.mediumIndex = index;
    // Opens that fail for want of resources are a choice of the run.
    return k.choose(2, "NdisOpenAdapterEx: no resources") === 1 ? constant("NDIS_STATUS_RESOURCES") : NDIS_STATUS_SUCCESS;
  }
  return constant("NDIS_STATUS_UNSUPPORTED_MEDIA");
}

const open = plan(
  "NdisOpenAdapterEx",
  struct("Open", {
    protocol: u32,
    context: u32,
    parameters: u32,
    bindContext: u32,
    handleVariable: u32,
    binding: u32,
    wait: boolean,
  }),
  [
    step("the open is looked at", (k, p) => {
      const operation = k.objects.resolve(p.bindContext, BindOperation);
      const binding = operation?.binding;
      // An adapter may be opened only while its bind is handled, with the BindContext of that bind.
      if (binding === undefined || binding.state !== "Opening" || binding.open !== "not open") {
        k.note("open outside bind", p.bindContext);
        return done(constant("NDIS_STATUS_FAILURE"));
      }
      binding.open = "opening";
      p.binding = binding.address;
      binding.context = p.context;
      binding.openStatus = openStatus(k, binding, p.parameters);
      const answer = chooseAnswer(k, "NdisOpenAdapterEx");
      if (answer === "at once") {
        giveOutputs(k, binding, p.parameters, p.handleVariable);
        return done(binding.openStatus);
      }
      binding.open = "open-pending";
      k.startThread("System", { kind: "plan", plan: completeOpen, args: [binding.address, p.parameters, p.handleVariable] });
      p.wait = answer === "pending, completed before the call returns";
    }),
    until("the completion has been called, or need not be", (k, p) => !p.wait || bindingAt(k, p.binding).open !== "open-pending"),
    step("the call returns", () => done(NDIS_STATUS_PENDING)),
  ],
);

/** The close is over: NDIS delivers nothing more. */
function finishClose(k: Kernel, binding: Binding): void {
  binding.close = "closed";
  k.note("close complete", binding.address);
}

const completeClose = plan("complete a close", struct("CompleteClose", { binding: u32 }), [
  until("no indication to the binding is under way", (k, p) => bindingAt(k, p.binding).indicationsActive === 0),
  step("the close is complete", (k, p) => {
    const binding = bindingAt(k, p.binding);
    // Undocumented: the documentation does not say whether the close counts as complete before or after the handler has run. The
    // handler may complete the unbind, after which the driver may be gone, so the close is complete when it is called.
    finishClose(k, binding);
    return call(binding.protocol?.closeAdapterCompleteEx ?? 0, "ProtocolCloseAdapterCompleteEx", [binding.context]);
  }),
]);

const close = plan("NdisCloseAdapterEx", struct("Close", { handle: u32, binding: u32, wait: boolean }), [
  step("the handle is dead", (k, p) => {
    const binding = bindingOf(k, p.handle);
    // NdisCloseAdapterEx has no documented failure. Undocumented: a close of a wrong handle is told to the rules and changes nothing.
    if (binding === undefined) return done(NDIS_STATUS_SUCCESS);
    p.binding = binding.address;
    binding.isHandleClosed = true;
    binding.close = "closing-sync";
    forgetSettings(k, binding);
    // Undocumented: NDIS tells the miniport the packet filter and the multicast addresses that the remaining bindings need. The pages only
    // ask the protocol to clear its own first; a miniport sees the requests either way.
    return run(tellSettings, [binding.adapter?.address ?? 0, 0]);
  }),
  step("NDIS answers", (k, p) => {
    const binding = bindingAt(k, p.binding);
    const answer =
      binding.indicationsActive > 0 ? "pending, completed after the call returns" : chooseAnswer(k, "NdisCloseAdapterEx");
    if (answer === "at once") {
      finishClose(k, binding);
      return done(NDIS_STATUS_SUCCESS);
    }
    binding.close = "close-pending";
    k.startThread("System", { kind: "plan", plan: completeClose, args: [binding.address] });
    p.wait = answer === "pending, completed before the call returns";
  }),
  until(
    "the completion has been called, or need not be",
    (k, p) => !p.wait || k.objects.resolve(p.handle, Binding)?.close !== "close-pending",
  ),
  step("the call returns", () => done(NDIS_STATUS_PENDING)),
]);

export const openCloseRoutines = [planned("NdisOpenAdapterEx", open), planned("NdisCloseAdapterEx", close)];
export const openClosePlans = [completeOpen, completeClose];
