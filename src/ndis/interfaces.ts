/**
 * Network interfaces: adapters are some, and drivers that are interface providers register others. Each has an index, a NET_LUID, and a
 * place in the interface stack.
 *
 * Pages: nf-ndis-ndisifregisterprovider, nf-ndis-ndisifregisterinterface, nf-ndis-ndisifallocatenetluidindex, nf-ndis-ndisifaddifstackentry,
 * nf-ndis-ndisifgetinterfaceindexfromnetluid, nf-ndis-ndisifquerybindingifindex.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { leaf } from "../kernel/routine.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { InterfaceProvider, InterfaceStackEntry, NetInterface, NetLuidIndex } from "./interface-objects.ts";
import type { Adapter } from "./objects.ts";
import { adapters, bindingOf } from "./stack.ts";

const Characteristics = windowsStruct("NDIS_IF_PROVIDER_CHARACTERISTICS");
const ETHERNET = constant("IF_TYPE_ETHERNET_CSMACD");
/** Undocumented: which numbers are given. Those of adapters come first. */
const FIRST_INTERFACE = 0x100;
const FIRST_LUID_INDEX = 0x8000;
const LUID_INDEX_END = 0x100_0000;

/** A NET_LUID as its two words. */
interface Luid {
  readonly low: number;
  readonly high: number;
}

/** From bit 24 on the index, from bit 48 on the type. */
const luidOf = (type: number, index: number): Luid => ({
  low: ((index & 0xff) << 24) >>> 0,
  high: ((index >>> 8) | (type << 16)) >>> 0,
});
const typeOf = ({ high }: Luid): number => high >>> 16;
const indexOf = ({ low, high }: Luid): number => ((high & 0xffff) << 8) | (low >>> 24);

export const interfaceIndex = (adapter: Adapter): number => adapter.index + 1;
const luidOfAdapter = (adapter: Adapter): Luid => luidOf(ETHERNET, FIRST_LUID_INDEX + adapter.index);

const readLuid = (k: Kernel, address: number): Luid => ({ low: k.memory.readU32(address), high: k.memory.readU32(address + 4) });

function writeLuid(k: Kernel, variable: number, { low, high }: Luid): void {
  k.memory.writeU32(variable, low);
  k.memory.writeU32(variable + 4, high);
}

export function writeAdapterLuid(k: Kernel, variable: number, adapter: Adapter): void {
  writeLuid(k, variable, luidOfAdapter(adapter));
}

/** All interfaces, with their numbers. */
function interfaces(k: Kernel): { index: number; luid: Luid }[] {
  return [
    ...adapters(k).map((adapter) => ({ index: interfaceIndex(adapter), luid: luidOfAdapter(adapter) })),
    ...k.objects.all(NetInterface).map((each) => ({ index: each.index, luid: { low: each.luidLow, high: each.luidHigh } })),
  ];
}

const byIndex = (k: Kernel, index: number) => interfaces(k).find((each) => each.index === index);
const byLuid = (k: Kernel, { low, high }: Luid) => interfaces(k).find(({ luid }) => luid.low === low && luid.high === high);

function firstFree(first: number, isUsed: (number: number) => boolean): number {
  let number = first;
  while (isUsed(number)) number += 1;
  return number;
}

function providerOf(k: Kernel, handle: number): InterfaceProvider | undefined {
  const provider = k.objects.resolve(handle, InterfaceProvider);
  if (provider === undefined)
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, InterfaceProvider)}: an interface provider handle was expected`);
  return provider;
}

function registerProvider(k: Kernel, characteristics: number, context: number, handleVariable: number): string {
  const given = Characteristics.at(k.memory, characteristics);
  if (!hasHeader(k, characteristics, ["NDIS_OBJECT_TYPE_DEFAULT"], ["NDIS_SIZEOF_IF_PROVIDER_CHARACTERISTICS_REVISION_1"]))
    return "NDIS_STATUS_NOT_SUPPORTED";
  if (given.QueryObjectHandler === 0 || given.SetObjectHandler === 0) return "NDIS_STATUS_INVALID_PARAMETER";
  const provider = k.objects.create(InterfaceProvider);
  provider.slot = k.driverOfThread(k.current);
  provider.context = context;
  provider.queryObject = given.QueryObjectHandler;
  provider.setObject = given.SetObjectHandler;
  k.memory.writeU32(handleVariable, k.objects.handleOf(provider));
  return "NDIS_STATUS_SUCCESS";
}

function deregisterProvider(k: Kernel, handle: number): void {
  const provider = providerOf(k, handle);
  if (provider === undefined) return;
  const left = k.objects.all(NetInterface).filter((each) => each.provider?.address === provider.address);
  if (left.length > 0) k.note("interface provider released with interfaces", handle, left.length);
  // Undocumented: what becomes of interfaces that are left. They go with their provider.
  for (const each of left) removeInterface(k, each);
  k.objects.release(provider);
}

function registerInterface(
  k: Kernel,
  handle: number,
  luidAddress: number,
  context: number,
  info: number,
  indexVariable: number,
): string {
  const provider = providerOf(k, handle);
  const luid = readLuid(k, luidAddress);
  const isAllocated = k.objects.all(NetLuidIndex).some(({ type, index }) => type === typeOf(luid) && index === indexOf(luid));
  // Undocumented: which parameters are invalid. A handle that is none, a LUID whose index was not allocated, no information.
  if (provider === undefined || !isAllocated || info === 0) return "NDIS_STATUS_INVALID_PARAMETER";
  if (byLuid(k, luid) !== undefined) return "STATUS_DUPLICATE_OBJECTID";
  const index = firstFree(FIRST_INTERFACE, (number) => byIndex(k, number) !== undefined);
  const registered = k.objects.create(NetInterface);
  registered.provider = provider;
  registered.context = context;
  registered.luidLow = luid.low;
  registered.luidHigh = luid.high;
  registered.index = index;
  k.memory.writeU32(indexVariable, index);
  return "NDIS_STATUS_SUCCESS";
}

/** The interface is gone, and its entries in the interface stack. */
function removeInterface(k: Kernel, registered: NetInterface): void {
  for (const entry of k.objects.all(InterfaceStackEntry)) {
    if (entry.higher === registered.index || entry.lower === registered.index) k.objects.release(entry);
  }
  k.objects.release(registered);
}

function allocateLuidIndex(k: Kernel, type: number, indexVariable: number): string {
  const used = k.objects.all(NetLuidIndex);
  const ofAdapters = adapters(k).map((adapter) => indexOf(luidOfAdapter(adapter)));
  const first = FIRST_LUID_INDEX + ofAdapters.length;
  const index = firstFree(first, (number) => used.some((each) => each.type === type && each.index === number));
  if (index >= LUID_INDEX_END) return "NDIS_STATUS_RESOURCES";
  const allocated = k.objects.create(NetLuidIndex);
  allocated.type = type;
  allocated.index = index;
  k.memory.writeU32(indexVariable, index);
  return "NDIS_STATUS_SUCCESS";
}

const entryOf = (k: Kernel, higher: number, lower: number) =>
  k.objects.all(InterfaceStackEntry).find((entry) => entry.higher === higher && entry.lower === lower);

/** Whether the interface is `upper` itself or stands below it; the table has no cycle yet. */
function isBelow(k: Kernel, upper: number, index: number): boolean {
  if (upper === index) return true;
  return k.objects.all(InterfaceStackEntry).some(({ higher, lower }) => higher === upper && isBelow(k, lower, index));
}

function addStackEntry(k: Kernel, higher: number, lower: number): string {
  if (byIndex(k, higher) === undefined || byIndex(k, lower) === undefined) return "NDIS_STATUS_INTERFACE_NOT_FOUND";
  // Undocumented: an entry that is there already. It stays the only one.
  if (entryOf(k, higher, lower) !== undefined) return "NDIS_STATUS_SUCCESS";
  // The table of the interface stack has no cycles.
  if (isBelow(k, lower, higher))
    k.bugCheck(0x7c, [0x1b, higher, lower, 0], `interface ${higher} was to stand above ${lower}, which stands above it already`);
  const entry = k.objects.create(InterfaceStackEntry);
  entry.higher = higher;
  entry.lower = lower;
  return "NDIS_STATUS_SUCCESS";
}

/** No filter changes what an adapter's bindings are bound to: the highest interface and the lowest are the adapter's. */
function queryBinding(k: Kernel, handle: number, indices: readonly number[], luids: readonly number[]): string {
  const adapter = bindingOf(k, handle)?.adapter;
  if (adapter === undefined) return "NDIS_STATUS_FAILURE";
  for (const variable of indices) k.memory.writeU32(variable, interfaceIndex(adapter));
  for (const variable of luids) writeAdapterLuid(k, variable, adapter);
  return "NDIS_STATUS_SUCCESS";
}

export const interfaceRoutines = [
  leaf("NdisIfRegisterProvider", registerProvider),
  leaf("NdisIfDeregisterProvider", deregisterProvider),
  leaf("NdisIfRegisterInterface", (k, handle, luid, context, info, indexVariable = 0) =>
    registerInterface(k, handle, luid, context, info, indexVariable),
  ),
  leaf("NdisIfDeregisterInterface", (k, index) => {
    const registered = k.objects.all(NetInterface).find((each) => each.index === index);
    if (registered !== undefined) removeInterface(k, registered);
    else k.note("bad handle", index, 0, "not a handle: the index of a registered interface was expected");
  }),
  leaf("NdisIfAllocateNetLuidIndex", (k, type, indexVariable) => allocateLuidIndex(k, type & 0xffff, indexVariable)),
  leaf("NdisIfFreeNetLuidIndex", (k, type, index) => {
    const allocated = k.objects.all(NetLuidIndex).find((each) => each.type === (type & 0xffff) && each.index === index);
    if (allocated === undefined) return "NDIS_STATUS_INVALID_PARAMETER";
    k.objects.release(allocated);
    return "NDIS_STATUS_SUCCESS";
  }),
  leaf("NdisIfAddIfStackEntry", addStackEntry),
  leaf("NdisIfDeleteIfStackEntry", (k, higher, lower) => {
    const entry = entryOf(k, higher, lower);
    if (entry !== undefined) k.objects.release(entry);
  }),
  leaf("NdisIfGetInterfaceIndexFromNetLuid", (k, luid, indexVariable) => {
    const found = byLuid(k, readLuid(k, luid));
    if (found === undefined) return "NDIS_STATUS_INTERFACE_NOT_FOUND";
    k.memory.writeU32(indexVariable, found.index);
    return "NDIS_STATUS_SUCCESS";
  }),
  leaf("NdisIfGetNetLuidFromInterfaceIndex", (k, index, luidVariable) => {
    const found = byIndex(k, index);
    if (found === undefined) return "NDIS_STATUS_INTERFACE_NOT_FOUND";
    writeLuid(k, luidVariable, found.luid);
    return "NDIS_STATUS_SUCCESS";
  }),
  leaf("NdisIfQueryBindingIfIndex", (k, handle, boundIndex, boundLuid, lowestIndex = 0, lowestLuid = 0) =>
    queryBinding(k, handle, [boundIndex, lowestIndex], [boundLuid, lowestLuid]),
  ),
];
