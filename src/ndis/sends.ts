/**
 * Sends: from a protocol down the stack to the miniport, and the completion back up.
 *
 * Pages: nf-ndis-ndissendnetbufferlists, nc-ndis-miniport_send_net_buffer_lists, nf-ndis-ndismsendnetbufferlistscomplete,
 * nc-ndis-protocol_send_net_buffer_lists_complete.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, call, done, goTo, plan, quietStep, run, step } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { IRQL } from "../kernel/state.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { countLists, cutBySource, setSource, setStatus, sourceOf } from "./chains.ts";
import { callBelow, takerBelow } from "./layers.ts";
import { isLoopedBack, loopBack } from "./loopback.ts";
import { type Adapter, Binding } from "./objects.ts";
import { giveLists, takeLists } from "./list-ownership.ts";
import { isPortActive } from "./port-states.ts";
import { adapterAt, adapterOf, bindingAt, bindingOf, isResetting } from "./stack.ts";

const COMPLETE_AT_DISPATCH = constant("NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL");

function completeTo(k: Kernel, binding: Binding, list: number, flags: number): Next {
  binding.sendsOutstanding -= countLists(k, list);
  const handler = binding.protocol?.sendNetBufferListsComplete ?? 0;
  takeLists(k, list, handler);
  return call(handler, "ProtocolSendNetBufferListsComplete", [binding.context, list, flags]);
}

const Send = struct("Send", {
  handle: u32,
  list: u32,
  port: u32,
  flags: u32,
  adapter: u32,
  binding: u32,
  /** It goes down though nobody should send now. */
  isPassed: boolean,
});

/** Why the lists do not go down; undefined: they do. */
function refusal(k: Kernel, binding: Binding, adapter: Adapter, port: number): number | undefined {
  if (isResetting(adapter)) return constant("NDIS_STATUS_RESET_IN_PROGRESS");
  // While NetEventRestart is handled the miniport runs already, and the driver may set its flag before NDIS knows of its answer.
  const canSend = binding.state === "Running" || binding.state === "Pausing" || binding.state === "Restarting";
  // Undocumented: what becomes of a send on a port that is not active. It comes back, and never reaches the miniport.
  if (canSend && !isPortActive(k, adapter, port)) return constant("NDIS_STATUS_INVALID_PORT");
  if (canSend && adapter.state === "Running") return undefined;
  // Undocumented: what becomes of a send on a binding that is not running. It comes back as from a paused miniport.
  return constant("NDIS_STATUS_PAUSED");
}

/** Undocumented: whether a send reaches a miniport that pauses or is paused. It may, since such a miniport has to reject sends. */
function reachesPaused(k: Kernel, { state }: Adapter, refused: number | undefined): boolean {
  if (refused !== constant("NDIS_STATUS_PAUSED") || (state !== "Pausing" && state !== "Paused")) return false;
  return k.choose(2, "NdisSendNetBufferLists: the miniport is paused") === 1;
}

function refuse(k: Kernel, binding: Binding, list: number, status: number): Next {
  setStatus(k, list, status);
  return completeTo(k, binding, list, k.current.irql === IRQL.DISPATCH ? COMPLETE_AT_DISPATCH : 0);
}

const send = plan("NdisSendNetBufferLists", Send, [
  step("the lists are looked at", (k, p) => {
    const binding = bindingOf(k, p.handle);
    const adapter = binding?.adapter;
    if (binding === undefined || adapter === undefined) return done();
    setSource(k, p.list, p.handle);
    giveLists(k, p.list, "NdisSendNetBufferLists");
    binding.sendsOutstanding += countLists(k, p.list);
    const refused = refusal(k, binding, adapter, p.port);
    p.isPassed = reachesPaused(k, adapter, refused);
    if (refused !== undefined && !p.isPassed) return refuse(k, binding, p.list, refused);
    p.adapter = adapter.address;
    p.binding = binding.address;
    return isLoopedBack(k, adapter, p.flags)
      ? run(loopBack, [adapter.address, binding.address, p.list, p.port, p.flags])
      : undefined;
  }),
  step("the lists go down the stack", (k, p) => {
    if (p.adapter === 0) return done();
    // A reset may have begun since.
    const binding = bindingAt(k, p.binding);
    const adapter = adapterAt(k, p.adapter);
    const refused = p.isPassed ? undefined : refusal(k, binding, adapter, p.port);
    if (refused !== undefined) return refuse(k, binding, p.list, refused);
    const taker = takerBelow(k, adapter.top, "send");
    takeLists(k, p.list, taker.adapter?.miniport?.sendNetBufferLists ?? 0);
    return callBelow(taker, "send", [p.list, p.port, p.flags]);
  }),
]);

const sendComplete = plan("NdisMSendNetBufferListsComplete", struct("SendComplete", { handle: u32, list: u32, flags: u32 }), [
  step("the miniport has them no longer", (k, p) => {
    if (adapterOf(k, p.handle) === undefined) return done();
    giveLists(k, p.list, "NdisMSendNetBufferListsComplete");
  }),
  step("the lists of one sender go back to it", (k, p) => {
    if (adapterOf(k, p.handle) === undefined || p.list === 0) return done();
    const first = p.list;
    p.list = cutBySource(k, first);
    const binding = k.objects.resolve(sourceOf(k, first), Binding);
    if (binding === undefined) {
      k.note("bad list", first, sourceOf(k, first), "a completed list has no sender");
      return undefined;
    }
    return completeTo(k, binding, first, p.flags);
  }),
  quietStep("are there lists of another sender?", (_k, p) =>
    p.list === 0 ? done() : goTo("the lists of one sender go back to it"),
  ),
]);

const cancelSend = plan("NdisCancelSendNetBufferLists", struct("CancelSend", { handle: u32, cancelId: u32 }), [
  step("the miniport is asked to cancel", (k, p) => {
    const adapter = bindingOf(k, p.handle)?.adapter;
    if (adapter === undefined || adapter.state === "Shutdown") return done();
    return call(adapter.miniport?.cancelSend ?? 0, "MiniportCancelSend", [adapter.context, p.cancelId]);
  }),
]);

export const sendRoutines = [
  planned("NdisSendNetBufferLists", send),
  planned("NdisMSendNetBufferListsComplete", sendComplete),
  planned("NdisCancelSendNetBufferLists", cancelSend),
];
