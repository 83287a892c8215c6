/**
 * Settings of an adapter that its bindings share: packet filter, lookahead, multicast addresses. Each binding sets its own, and the miniport is
 * told what all of them need together, in a request of NDIS's own where that is more than the binding asked for.
 *
 * Undocumented: how NDIS combines packet filters and lookaheads in a set request. The filters are joined, the largest lookahead counts.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { windowsStruct } from "../kernel/windows.ts";
import {
  ADDRESS_BYTES,
  type Addresses,
  changedAddresses,
  multicastUnion,
  replaceAddresses,
  writeAddresses,
} from "./multicast.ts";
import type { Adapter, Binding, OidOperation } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { NDIS_STATUS_SUCCESS, bindingsOf } from "./stack.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
type Request = ReturnType<typeof Request.at>;
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const PACKET_FILTER = constant("OID_GEN_CURRENT_PACKET_FILTER");
const LOOKAHEAD = constant("OID_GEN_CURRENT_LOOKAHEAD");
const MULTICAST_LIST = constant("OID_802_3_MULTICAST_LIST");
const MULTICAST: ReadonlySet<number> = new Set([
  MULTICAST_LIST,
  constant("OID_802_3_ADD_MULTICAST_ADDRESS"),
  constant("OID_802_3_DELETE_MULTICAST_ADDRESS"),
]);

/** All packet filter bits that some binding of the adapter asked for. */
export function combinedFilter(k: Kernel, adapter: Adapter, without?: Binding): number {
  return bindingsOf(k, adapter)
    .filter(({ address }) => address !== without?.address)
    .reduce((filter, binding) => (filter | binding.packetFilter) >>> 0, 0);
}

/** The largest that a binding has set; before that, what the miniport can provide. */
export function largestLookahead(k: Kernel, adapter: Adapter, without?: Binding): number {
  const set = bindingsOf(k, adapter)
    .filter(({ address }) => address !== without?.address)
    .map(({ lookahead }) => lookahead);
  const largest = Math.max(0, ...set);
  if (largest > 0 || without !== undefined || adapter.generalAttributes === 0) return largest;
  return GeneralAttributes.at(k.memory, adapter.generalAttributes).LookaheadSize;
}

/** The request once more, in NDIS's own memory, with that data. */
export function ownRequest(k: Kernel, address: number, oid: number, data: Uint8Array): number {
  const own = allocate(k, Request.bytes + Math.max(data.length, 8), NDIS_TAG, -1);
  k.memory.copy(own, address, Math.min(Request.at(k.memory, address).Header_Size, Request.bytes));
  const copy = Request.at(k.memory, own);
  copy.DATA_SET_INFORMATION_Oid = oid;
  copy.DATA_SET_INFORMATION_InformationBuffer = own + Request.bytes;
  copy.DATA_SET_INFORMATION_InformationBufferLength = data.length;
  k.memory.u8.set(data, own + Request.bytes);
  return own;
}

/** Four bytes, little-endian. */
export const wordBytes = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

function tooShort(given: Request): number {
  given.DATA_SET_INFORMATION_BytesNeeded = 4;
  return constant("NDIS_STATUS_INVALID_LENGTH");
}

/**
 * Looks at a set request of a binding before the miniport gets it, and puts what the miniport gets into `handed`. A status: NDIS is done with
 * the request itself.
 */
export function prepareSet(k: Kernel, operation: OidOperation): number | undefined {
  const { adapter, binding, request } = operation;
  if (adapter === undefined || binding === undefined) return undefined;
  const given = Request.at(k.memory, request);
  const { DATA_SET_INFORMATION_Oid: oid, DATA_SET_INFORMATION_InformationBuffer: buffer } = given;
  if (MULTICAST.has(oid)) return prepareMulticast(k, operation, adapter, binding);
  if (oid !== PACKET_FILTER && oid !== LOOKAHEAD) return undefined;
  if (given.DATA_SET_INFORMATION_InformationBufferLength < 4) return tooShort(given);
  const wanted = k.memory.readU32(buffer);
  if (oid === PACKET_FILTER) {
    const all = (wanted | combinedFilter(k, adapter, binding)) >>> 0;
    if (all !== wanted) operation.handed = ownRequest(k, request, oid, wordBytes(all));
    return undefined;
  }
  // NDIS itself refuses a lookahead that the miniport cannot provide.
  const maximum = adapter.generalAttributes === 0 ? 0 : GeneralAttributes.at(k.memory, adapter.generalAttributes).LookaheadSize;
  if (maximum > 0 && wanted > maximum) return constant("NDIS_STATUS_INVALID_DATA");
  const largest = Math.max(wanted, largestLookahead(k, adapter, binding));
  if (largest !== wanted) operation.handed = ownRequest(k, request, oid, wordBytes(largest));
  return undefined;
}

function prepareMulticast(k: Kernel, operation: OidOperation, adapter: Adapter, binding: Binding): number | undefined {
  const given = Request.at(k.memory, operation.request);
  const { DATA_SET_INFORMATION_Oid: oid, DATA_SET_INFORMATION_InformationBuffer: buffer } = given;
  const addresses = changedAddresses(k, binding, oid, buffer, given.DATA_SET_INFORMATION_InformationBufferLength);
  if (typeof addresses === "string") return constant(addresses);
  const union = multicastUnion(k, adapter, { binding, addresses });
  const maximum =
    adapter.generalAttributes === 0 ? 0 : GeneralAttributes.at(k.memory, adapter.generalAttributes).MaxMulticastListSize;
  if (union.length / ADDRESS_BYTES > maximum) return constant("NDIS_STATUS_MULTICAST_FULL");
  given.DATA_SET_INFORMATION_BytesRead = given.DATA_SET_INFORMATION_InformationBufferLength;
  const isNews = oid === MULTICAST_LIST || multicastUnion(k, adapter).length !== union.length;
  if (isNews) {
    propose(k, operation, addresses);
    operation.handed = ownRequest(k, operation.request, MULTICAST_LIST, union);
    return undefined;
  }
  replaceAddresses(k, binding, writeAddresses(k, addresses), addresses.size);
  return NDIS_STATUS_SUCCESS;
}

function propose(k: Kernel, operation: OidOperation, addresses: Addresses): void {
  operation.proposal = writeAddresses(k, addresses);
  operation.proposalCount = addresses.size;
}

/** The set request is over with that status: what the miniport wrote goes to the binding's request, and the binding has what it asked for. */
export function finishSet(k: Kernel, operation: OidOperation, status: number): void {
  const { adapter, binding, request, handed } = operation;
  if (adapter === undefined || binding === undefined) return;
  const given = Request.at(k.memory, request);
  const oid = given.DATA_SET_INFORMATION_Oid;
  if (handed !== 0 && handed !== request) {
    const answered = Request.at(k.memory, handed);
    if (!MULTICAST.has(oid)) given.DATA_SET_INFORMATION_BytesRead = answered.DATA_SET_INFORMATION_BytesRead;
    given.DATA_SET_INFORMATION_BytesNeeded = answered.DATA_SET_INFORMATION_BytesNeeded;
    free(k, handed);
  }
  const isDone = status === NDIS_STATUS_SUCCESS;
  if (MULTICAST.has(oid) && handed !== 0) {
    if (isDone) {
      replaceAddresses(k, binding, operation.proposal, operation.proposalCount);
      adapter.multicastCount = multicastUnion(k, adapter).length / ADDRESS_BYTES;
    } else if (operation.proposal !== 0) free(k, operation.proposal);
    operation.proposal = 0;
  }
  if (!isDone) return;
  const value = oid === PACKET_FILTER || oid === LOOKAHEAD ? k.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer) : 0;
  if (oid === LOOKAHEAD) binding.lookahead = value;
  if (oid !== PACKET_FILTER) return;
  binding.packetFilter = value;
  adapter.packetFilter = combinedFilter(k, adapter);
}

/** The binding closes: it needs nothing any more. */
export function forgetSettings(k: Kernel, binding: Binding): void {
  binding.packetFilter = 0;
  binding.lookahead = 0;
  replaceAddresses(k, binding, 0, 0);
}
