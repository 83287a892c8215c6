/**
 * Receives: from the miniport up the stack to the protocols, and the lists back down.
 *
 * Pages: nf-ndis-ndismindicatereceivenetbufferlists, nc-ndis-protocol_receive_net_buffer_lists, nf-ndis-ndisreturnnetbufferlists,
 * nc-ndis-miniport_return_net_buffer_lists.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, call, done, goTo, plan, step } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { countLists, setSource } from "./chains.ts";
import { bindingsAbove } from "./layers.ts";
import { giveLists, takeLists } from "./list-ownership.ts";
import type { Adapter, Binding } from "./objects.ts";
import { countIndication } from "./port-states.ts";
import { adapterAt, adapterOf, bindingAt, bindingOf } from "./stack.ts";

const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
const AT_DISPATCH = constant("NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL");
const RETURN_AT_DISPATCH = constant("NDIS_RETURN_FLAGS_DISPATCH_LEVEL");

/**
 * A binding that pauses, or is paused, still gets what comes, and returns it at once. Receives come even after the close call, until the close
 * is complete, though the handle to return them by is dead. Undocumented: what happens to their buffers. Such a list is indicated with the
 * RESOURCES flag: it stays NDIS's. Undocumented: whether a binding that has never run gets anything. It does not.
 */
export function receivers(k: Kernel, adapter: Adapter): Binding[] {
  return bindingsAbove(k, adapter, "receive").filter(
    ({ state, open, close, hasRestarted }) => open === "open" && close !== "closed" && state !== "Opening" && hasRestarted,
  );
}

function giveBack(k: Kernel, adapter: Adapter, list: number, flags: number): Next {
  const handler = adapter.miniport?.returnNetBufferLists ?? 0;
  takeLists(k, list, handler);
  return call(handler, "MiniportReturnNetBufferLists", [adapter.context, list, flags]);
}

const Indicate = struct("Indicate", {
  handle: u32,
  list: u32,
  port: u32,
  count: u32,
  flags: u32,
  adapter: u32,
  index: u32,
  binding: u32,
  isKept: boolean,
});

const indicate = plan("NdisMIndicateReceiveNetBufferLists", Indicate, [
  step("the lists come up the stack", (k, p) => {
    const adapter = adapterOf(k, p.handle);
    // Undocumented: what becomes of data that comes after the adapter was shut down. Nobody gets it, and it does not come back.
    if (adapter === undefined || adapter.state === "Shutdown") return done();
    p.adapter = adapter.address;
    countIndication(k, adapter, p.port, 1);
    setSource(k, p.list, p.handle);
    if ((p.flags & RESOURCES) !== 0) return;
    adapter.receivesOutstanding += countLists(k, p.list);
    giveLists(k, p.list, "NdisMIndicateReceiveNetBufferLists");
  }),
  step("the next protocol gets the lists", (k, p) => {
    const all = receivers(k, adapterAt(k, p.adapter));
    const binding = all[p.index];
    if (binding === undefined) return goTo("the lists that nobody keeps go back");
    p.index += 1;
    p.binding = binding.address;
    binding.indicationsActive += 1;
    // Undocumented: how NDIS shares lists among several protocols. Each gets them in turn with the RESOURCES flag, so that only NDIS returns them.
    const isShared = all.length > 1 || binding.state === "Closing";
    const flags = isShared ? p.flags | RESOURCES : p.flags;
    p.isKept = (flags & RESOURCES) === 0;
    if (p.isKept) binding.receivesHeld += countLists(k, p.list);
    const handler = binding.protocol?.receiveNetBufferLists ?? 0;
    takeLists(k, p.list, handler);
    return call(handler, "ProtocolReceiveNetBufferLists", [binding.context, p.list, p.port, p.count, flags]);
  }),
  step("the protocol has seen the lists", (k, p) => {
    bindingAt(k, p.binding).indicationsActive -= 1;
    if (!p.isKept) return goTo("the next protocol gets the lists");
    countIndication(k, adapterAt(k, p.adapter), p.port, -1);
    return done();
  }),
  step("the lists that nobody keeps go back", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    countIndication(k, adapter, p.port, -1);
    if ((p.flags & RESOURCES) !== 0) return done();
    adapter.receivesOutstanding -= countLists(k, p.list);
    return giveBack(k, adapter, p.list, (p.flags & AT_DISPATCH) === 0 ? 0 : RETURN_AT_DISPATCH);
  }),
]);

const giveBackLists = plan("NdisReturnNetBufferLists", struct("Return", { handle: u32, list: u32, flags: u32 }), [
  step("the lists go back to the miniport", (k, p) => {
    const binding = bindingOf(k, p.handle);
    const adapter = binding?.adapter;
    if (binding === undefined || adapter === undefined) return done();
    giveLists(k, p.list, "NdisReturnNetBufferLists");
    const count = countLists(k, p.list);
    binding.receivesHeld -= Math.min(count, binding.receivesHeld);
    adapter.receivesOutstanding -= Math.min(count, adapter.receivesOutstanding);
    return adapter.state === "Shutdown" ? done() : giveBack(k, adapter, p.list, p.flags);
  }),
]);

export const receiveRoutines = [
  planned("NdisMIndicateReceiveNetBufferLists", indicate),
  planned("NdisReturnNetBufferLists", giveBackLists),
];
