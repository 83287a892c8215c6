/**
 * Multicast addresses: each binding has its own, some added more than once; the miniport gets them all together, each once.
 *
 * Pages: oid-802-3-multicast-list, oid-802-3-add-multicast-address, oid-802-3-delete-multicast-address.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import type { Adapter, Binding } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { bindingsOf } from "./stack.ts";

export const ADDRESS_BYTES = 6;
/** In a binding's list: the address, and how often it was added. */
const ENTRY_BYTES = 8;

/** From an address, as its bytes in text, to how often it was added. */
export type Addresses = ReadonlyMap<string, number>;

const textOf = (k: Kernel, address: number): string =>
  Array.from(k.memory.u8.subarray(address, address + ADDRESS_BYTES)).join(":");

function addressesOf(k: Kernel, { multicast, multicastCount }: Binding): Addresses {
  return new Map(
    Array.from({ length: multicastCount }, (_, index) => {
      const entry = multicast + index * ENTRY_BYTES;
      return [textOf(k, entry), k.memory.readU16(entry + ADDRESS_BYTES)] as const;
    }),
  );
}

/** The addresses of all bindings, each once; one of them may be about to have others. */
export function multicastUnion(k: Kernel, adapter: Adapter, changed?: { binding: Binding; addresses: Addresses }): Uint8Array {
  const texts = bindingsOf(k, adapter).flatMap((binding) => [
    ...(binding.address === changed?.binding.address ? changed.addresses : addressesOf(k, binding)).keys(),
  ]);
  return Uint8Array.from([...new Set(texts)].flatMap((text) => text.split(":").map(Number)));
}

export function hasMulticastAddress(k: Kernel, binding: Binding, address: Uint8Array): boolean {
  return addressesOf(k, binding).has(Array.from(address).join(":"));
}

/** A new block with the list; 0: it is empty. */
export function writeAddresses(k: Kernel, addresses: Addresses): number {
  if (addresses.size === 0) return 0;
  const block = allocate(k, addresses.size * ENTRY_BYTES, NDIS_TAG, -1);
  let entry = block;
  for (const [text, count] of addresses) {
    k.memory.u8.set(text.split(":").map(Number), entry);
    k.memory.writeU16(entry + ADDRESS_BYTES, count);
    entry += ENTRY_BYTES;
  }
  return block;
}

export function replaceAddresses(k: Kernel, binding: Binding, block: number, count: number): void {
  if (binding.multicast !== 0) free(k, binding.multicast);
  binding.multicast = block;
  binding.multicastCount = count;
}

/** What the binding's list becomes by a set request; a status by name: the request is refused. */
export function changedAddresses(k: Kernel, binding: Binding, oid: number, buffer: number, bytes: number): Addresses | string {
  const isList = oid === constant("OID_802_3_MULTICAST_LIST");
  if (isList ? bytes % ADDRESS_BYTES !== 0 : bytes < ADDRESS_BYTES) return "NDIS_STATUS_INVALID_LENGTH";
  const given = Array.from({ length: isList ? bytes / ADDRESS_BYTES : 1 }, (_, index) => buffer + index * ADDRESS_BYTES);
  // An address that is no multicast address gets the status of a list that is full.
  if (given.some((address) => ((k.memory.u8[address] ?? 0) & 1) === 0)) return "NDIS_STATUS_MULTICAST_FULL";
  const texts = given.map((address) => textOf(k, address));
  if (isList) return new Map(texts.map((text) => [text, 1]));
  const [text = ""] = texts;
  const addresses = new Map(addressesOf(k, binding));
  const count = addresses.get(text) ?? 0;
  if (oid === constant("OID_802_3_ADD_MULTICAST_ADDRESS")) return addresses.set(text, count + 1);
  // An address that was added more than once is deleted as often.
  if (count === 0) return "NDIS_STATUS_MULTICAST_NOT_FOUND";
  if (count === 1) addresses.delete(text);
  else addresses.set(text, count - 1);
  return addresses;
}
