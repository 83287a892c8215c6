/**
 * Sends: from a protocol down the stack to the miniport, and the completion back up.
 *
 * Pages: nf-ndis-ndissendnetbufferlists, nc-ndis-miniport_send_net_buffer_lists, nf-ndis-ndismsendnetbufferlistscomplete,
 * nc-ndis-protocol_send_net_buffer_lists_complete.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, call, done, goTo, plan, step } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { IRQL } from "../kernel/state.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { countLists, cutBySource, setSource, setStatus, sourceOf } from "./chains.ts";
import { callBelow, takerBelow } from "./layers.ts";
import { Binding } from "./objects.ts";
import { isPortActive } from "./ports.ts";
import { adapterOf, bindingOf, isResetting } from "./stack.ts";

const NDIS_STATUS_PAUSED = constant("NDIS_STATUS_PAUSED");
const COMPLETE_AT_DISPATCH = constant("NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL");

function completeTo(k: Kernel, binding: Binding, list: number, flags: number): Next {
  binding.sendsOutstanding -= countLists(k, list);
  const handler = binding.protocol?.sendNetBufferListsComplete ?? 0;
  return call(handler, "ProtocolSendNetBufferListsComplete", [binding.context, list, flags]);
}

const send = plan("NdisSendNetBufferLists", struct("Send", { handle: u32, list: u32, port: u32, flags: u32 }), [
  step("the lists go down the stack", (k, p) => {
    const binding = bindingOf(k, p.handle);
    const adapter = binding?.adapter;
    if (binding === undefined || adapter === undefined) return done();
    setSource(k, p.list, p.handle);
    binding.sendsOutstanding += countLists(k, p.list);
    // While NetEventRestart is handled the miniport runs already, and the driver may set its flag before NDIS knows of its answer.
    const canSend = binding.state === "Running" || binding.state === "Pausing" || binding.state === "Restarting";
    if (isResetting(adapter)) {
      setStatus(k, p.list, constant("NDIS_STATUS_RESET_IN_PROGRESS"));
      return completeTo(k, binding, p.list, k.current.irql === IRQL.DISPATCH ? COMPLETE_AT_DISPATCH : 0);
    }
    if (canSend && !isPortActive(k, adapter, p.port)) {
      // Undocumented: what becomes of a send on a port that is not active. It comes back, and never reaches the miniport.
      setStatus(k, p.list, constant("NDIS_STATUS_INVALID_PORT"));
      return completeTo(k, binding, p.list, k.current.irql === IRQL.DISPATCH ? COMPLETE_AT_DISPATCH : 0);
    }
    if (canSend && adapter.state === "Running")
      return callBelow(takerBelow(k, adapter.top, "send"), "send", [p.list, p.port, p.flags]);
    // Undocumented: what becomes of a send on a binding that is not running. It comes back with NDIS_STATUS_PAUSED, as from a paused miniport.
    setStatus(k, p.list, NDIS_STATUS_PAUSED);
    return completeTo(k, binding, p.list, k.current.irql === IRQL.DISPATCH ? COMPLETE_AT_DISPATCH : 0);
  }),
]);

const sendComplete = plan("NdisMSendNetBufferListsComplete", struct("SendComplete", { handle: u32, list: u32, flags: u32 }), [
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
  step("are there lists of another sender?", (_k, p) => (p.list === 0 ? done() : goTo("the lists of one sender go back to it"))),
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
