/**
 * Loopback: NDIS indicates what a protocol sends as received data, to those bindings that want it.
 *
 * Pages: looping-back-ndis-packets, oid-gen-mac-options, oid-gen-current-packet-filter, nf-ndis-ndissendnetbufferlists.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, goTo, plan, step } from "../kernel/plan.ts";
import { IRQL } from "../kernel/state.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { NetBufferList, nextList } from "./chains.ts";
import { allocateLoopback, freeLoopback } from "./derived-lists.ts";
import { takeLists } from "./list-ownership.ts";
import { ADDRESS_BYTES, hasMulticastAddress } from "./multicast.ts";
import { dataRanges, netBuffersOf } from "./net-buffers.ts";
import type { Adapter, Binding } from "./objects.ts";
import { receivers } from "./receives.ts";
import { adapterAt, bindingAt, bindingsOf } from "./stack.ts";

const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const CHECK_FOR_LOOPBACK = constant("NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK");
const IS_LOOPBACK = constant("NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET");
const NO_LOOPBACK = constant("NDIS_MAC_OPTION_NO_LOOPBACK");
const MEDIA: ReadonlySet<number> = new Set([constant("NdisMedium802_3"), constant("NdisMedium802_5")]);
const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
const AT_DISPATCH = constant("NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL");
const TAG_SLOT = NetBufferList.offset("NetBufferListInfo") + constant("Ieee8021QNetBufferListInfo") * 4;
const FILTER = {
  directed: constant("NDIS_PACKET_TYPE_DIRECTED"),
  multicast: constant("NDIS_PACKET_TYPE_MULTICAST"),
  allMulticast: constant("NDIS_PACKET_TYPE_ALL_MULTICAST"),
  broadcast: constant("NDIS_PACKET_TYPE_BROADCAST"),
  promiscuous: constant("NDIS_PACKET_TYPE_PROMISCUOUS"),
  allLocal: constant("NDIS_PACKET_TYPE_ALL_LOCAL"),
  noLocal: constant("NDIS_PACKET_TYPE_NO_LOCAL"),
} as const;

/** Whether sends with these flags are looped back at all. A miniport without NDIS_MAC_OPTION_NO_LOOPBACK does it itself. */
export function isLoopedBack(k: Kernel, adapter: Adapter, flags: number): boolean {
  if (adapter.generalAttributes === 0) return false;
  const { MediaType, MacOptions } = GeneralAttributes.at(k.memory, adapter.generalAttributes);
  if (!MEDIA.has(MediaType) || (MacOptions & NO_LOOPBACK) === 0) return false;
  if ((flags & CHECK_FOR_LOOPBACK) !== 0) return true;
  const bindings = bindingsOf(k, adapter);
  if (bindings.length < 2) return false;
  return bindings.some(
    ({ packetFilter }) =>
      (packetFilter & FILTER.allLocal) !== 0 ||
      ((packetFilter & FILTER.promiscuous) !== 0 && (packetFilter & FILTER.noLocal) === 0),
  );
}

/** The sender gets its own sends when it asked for them; the others get them unless they ask for nothing local. */
function wantsLoopback(binding: Binding, sender: number, flags: number): boolean {
  if (binding.address === sender) return (flags & CHECK_FOR_LOOPBACK) !== 0;
  return (binding.packetFilter & FILTER.noLocal) === 0;
}

/** Whether the packet filter of the binding takes a packet with that destination address. */
function accepts(k: Kernel, adapter: Adapter, binding: Binding, destination: Uint8Array): boolean {
  const { packetFilter: filter } = binding;
  if ((filter & (FILTER.promiscuous | FILTER.allLocal)) !== 0) return true;
  if (destination.every((byte) => byte === 0xff)) return (filter & FILTER.broadcast) !== 0;
  if (((destination[0] ?? 0) & 1) !== 0) {
    if ((filter & FILTER.allMulticast) !== 0) return true;
    return (filter & FILTER.multicast) !== 0 && hasMulticastAddress(k, binding, destination);
  }
  const own = adapter.generalAttributes + GeneralAttributes.offset("CurrentMacAddress");
  return (filter & FILTER.directed) !== 0 && destination.every((byte, index) => byte === k.memory.u8[own + index]);
}

/** The NET_BUFFER structures of the list that the binding is to get. */
function packetsFor(k: Kernel, adapter: Adapter, binding: Binding, list: number): number[] {
  return netBuffersOf(k, list).filter((netBuffer) => {
    const bytes = dataRanges(k, netBuffer, 0, ADDRESS_BYTES).flatMap(({ address, length }) => [
      ...k.memory.u8.subarray(address, address + length),
    ]);
    return bytes.length === ADDRESS_BYTES && accepts(k, adapter, binding, Uint8Array.from(bytes));
  });
}

const LoopBack = struct("LoopBack", {
  adapter: u32,
  sender: u32,
  list: u32,
  port: u32,
  flags: u32,
  index: u32,
  binding: u32,
  copy: u32,
});

/**
 * Indicates the lists to the bindings that want them, before the miniport gets them. What is indicated stays NDIS's: structures over the sender's
 * data, given with the RESOURCES flag.
 */
export const loopBack = plan("loop sent lists back", LoopBack, [
  step("the next binding gets what it wants of the list", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    const binding = receivers(k, adapter)[p.index];
    if (binding === undefined) {
      p.index = 0;
      p.list = nextList(k, p.list);
      return p.list === 0 ? done() : goTo("the next binding gets what it wants of the list");
    }
    p.index += 1;
    const packets = wantsLoopback(binding, p.sender, p.flags) ? packetsFor(k, adapter, binding, p.list) : [];
    p.copy = packets.length === 0 ? 0 : allocateLoopback(k, packets);
    if (p.copy === 0) return goTo("the next binding gets what it wants of the list");
    const list = NetBufferList.at(k.memory, p.copy);
    list.NblFlags |= IS_LOOPBACK;
    // Undocumented: what of the sender's information goes along. The 802.1Q tag means the same to a receiver; the offloads do not.
    k.memory.writeU32(p.copy + TAG_SLOT, k.memory.readU32(p.list + TAG_SLOT));
    p.binding = binding.address;
    binding.indicationsActive += 1;
    const flags = RESOURCES | (k.current.irql >= IRQL.DISPATCH ? AT_DISPATCH : 0);
    const handler = binding.protocol?.receiveNetBufferLists ?? 0;
    takeLists(k, p.copy, handler);
    return call(handler, "ProtocolReceiveNetBufferLists", [binding.context, p.copy, p.port, 1, flags]);
  }),
  step("the protocol has seen it", (k, p) => {
    bindingAt(k, p.binding).indicationsActive -= 1;
    freeLoopback(k, p.copy);
    return goTo("the next binding gets what it wants of the list");
  }),
]);
export const loopbackPlans = [loopBack];
