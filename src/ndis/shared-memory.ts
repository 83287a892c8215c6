/**
 * Memory that a driver shares with its device. A machine has no device, so it is memory of the driver at page boundaries; its physical
 * addresses are the virtual ones.
 *
 * Pages: nf-ndis-ndisallocatesharedmemory, nf-ndis-ndismallocatesharedmemory, nf-ndis-ndismallocatesharedmemoryasyncex,
 * nf-ndis-ndismfreesharedmemory, nf-ndis-ndisgetshareddataalignment, nc-ndis-miniport_allocate_shared_mem_complete.
 */
import { allocatePages, freePages, writePhysical } from "../kernel/contiguous-memory.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { DriverFault } from "../kernel/outcome.ts";
import { call, plan, step } from "../kernel/plan.ts";
import { leaf, local } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { struct, u32, words } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { Adapter, Binding, MiniportDriver, ProtocolDriver, ScatterGatherDma } from "./objects.ts";
import { SharedMemory } from "./resource-objects.ts";
import { dmaOf, dmaOfAdapter, writeElement } from "./scatter-gather.ts";
import { adapterOf } from "./stack.ts";

const Parameters = windowsStruct("NDIS_SHARED_MEMORY_PARAMETERS");
const List = windowsStruct("SCATTER_GATHER_LIST");
const Element = windowsStruct("SCATTER_GATHER_ELEMENT");
const REVISIONS = ["NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_1", "NDIS_SIZEOF_SHARED_MEMORY_PARAMETERS_REVISION_2"] as const;
const SHARED_TAG = 0x6853_444e;
/** Bytes of a cache line. */
const CACHE_LINE = 64;

/** `slot` is the driver's, `owner` the handle that it names; undefined: there is not so much memory. */
function allocateShared(k: Kernel, bytes: number, slot: number, owner: number): SharedMemory | undefined {
  const start = isScarce(k) ? 0 : allocatePages(k, bytes, SHARED_TAG, slot);
  if (start === 0) return undefined;
  const shared = k.objects.create(SharedMemory);
  shared.slot = slot;
  shared.owner = owner;
  shared.start = start;
  shared.length = bytes;
  return shared;
}

function freeShared(k: Kernel, shared: SharedMemory): void {
  freePages(k, shared.start);
  k.objects.release(shared);
}

/** Whether it is a handle that a driver has got from NDIS for itself, an adapter or a binding. */
function isNdisHandle(k: Kernel, handle: number): boolean {
  if ([Adapter, Binding, MiniportDriver, ProtocolDriver].some((type) => k.objects.resolve(handle, type) !== undefined))
    return true;
  k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Adapter)}: a handle of a driver, adapter or binding was expected`);
  return false;
}

function allocateByParameters(k: Kernel, handle: number, parameters: number, handleVariable: number): string {
  const given = Parameters.at(k.memory, parameters);
  k.memory.writeU32(handleVariable, 0);
  // Undocumented: what is invalid. A handle that is none, a wrong header, no length, and a list that cannot hold an element.
  if (!isNdisHandle(k, handle)) return "NDIS_STATUS_INVALID_PARAMETER";
  if (!hasHeader(k, parameters, ["NDIS_OBJECT_TYPE_DEFAULT"], REVISIONS)) return "NDIS_STATUS_INVALID_PARAMETER";
  const listBytes = List.bytes + Element.bytes;
  if (given.Length === 0 || (given.SGListBuffer !== 0 && given.SGListBufferLength < listBytes))
    return "NDIS_STATUS_INVALID_PARAMETER";
  const shared = allocateShared(k, given.Length, k.driverOfThread(k.current), handle);
  if (shared === undefined) return "NDIS_STATUS_RESOURCES";
  given.VirtualAddress = shared.start;
  given.SharedMemoryHandle = k.objects.handleOf(shared);
  if (given.SGListBuffer !== 0) {
    List.at(k.memory, given.SGListBuffer).NumberOfElements = 1;
    writeElement(k, given.SGListBuffer + List.bytes, shared.start, shared.length);
  }
  k.memory.writeU32(handleVariable, k.objects.handleOf(shared));
  return "NDIS_STATUS_SUCCESS";
}

function allocateForAdapter(k: Kernel, handle: number, bytes: number, addressVariable: number, physicalVariable: number): void {
  const adapter = adapterOf(k, handle);
  // Without a DMA channel of the adapter there is nothing to share the memory with.
  const hasDma = adapter !== undefined && dmaOfAdapter(k, adapter) !== undefined;
  const shared = hasDma ? allocateShared(k, bytes, k.driverOfThread(k.current), handle) : undefined;
  k.memory.writeU32(addressVariable, shared?.start ?? 0);
  writePhysical(k, physicalVariable, shared?.start ?? 0);
}

/** The arguments must be exactly those of the allocation. */
function freeForAdapter(k: Kernel, handle: number, bytes: number, address: number, physical: number): void {
  if (adapterOf(k, handle) === undefined) return;
  const shared = k.objects.all(SharedMemory).find(({ start }) => start === address);
  if (shared !== undefined && shared.length === bytes && k.memory.readU32(physical) === address) {
    freeShared(k, shared);
    return;
  }
  const what = `${bytes} bytes of shared memory at 0x${address.toString(16)} are freed, but`;
  if (shared === undefined)
    k.bugCheck(0x7c, [0x03, handle, address, address], `${what} none begins there, or it was freed already`);
  // Undocumented: what Windows does about other arguments than those of the allocation. The run ends here.
  throw new DriverFault("dma-shared-memory-free-exact", `${what} ${shared.length} bytes were allocated there`);
}

/** Allocates for NdisMAllocateSharedMemoryAsyncEx, on a thread of its own. */
const allocateLater = plan(
  "allocate shared memory",
  struct("AllocateLater", { dma: u32, length: u32, context: u32, physical: words(2) }),
  [
    step("the memory is allocated, and the miniport is told", (k, p) => {
      const dma = ScatterGatherDma.at(k.memory, p.dma);
      const shared = allocateShared(k, p.length, dma.slot, dma.adapter === undefined ? 0 : k.objects.handleOf(dma.adapter));
      writePhysical(k, p.physical, shared?.start ?? 0);
      return call(dma.sharedMemoryComplete, "MiniportSharedMemoryAllocateComplete", [
        dma.adapter?.context ?? 0,
        shared?.start ?? 0,
        shared === undefined ? 0 : p.physical,
        p.length,
        p.context,
      ]);
    }),
  ],
);

export const sharedMemoryRoutines = [
  leaf("NdisAllocateSharedMemory", allocateByParameters),
  leaf("NdisFreeSharedMemory", (k, _handle, allocation) => {
    const shared = k.objects.resolve(allocation, SharedMemory);
    if (shared !== undefined) return freeShared(k, shared);
    k.note("bad handle", allocation, 0, `${k.objects.stateOf(allocation, SharedMemory)}: a handle of shared memory was expected`);
  }),
  leaf("NdisMAllocateSharedMemory", (k, handle, bytes, _cached, addressVariable, physicalVariable = 0) =>
    allocateForAdapter(k, handle, bytes, addressVariable, physicalVariable),
  ),
  leaf("NdisMAllocateSharedMemoryAsyncEx", (k, dmaHandle, length, _cached, context = 0) => {
    const dma = dmaOf(k, dmaHandle);
    if (dma === undefined || dma.sharedMemoryComplete === 0) return "NDIS_STATUS_FAILURE";
    k.startThread("WorkItem", { kind: "plan", plan: allocateLater, args: [dma.address, length, context] });
    return "NDIS_STATUS_PENDING";
  }),
  leaf("NdisMFreeSharedMemory", (k, handle, bytes, _cached, address, physical = 0) =>
    freeForAdapter(k, handle, bytes, address, physical),
  ),
  local("NdisGetSharedDataAlignment", () => CACHE_LINE),
];
export const sharedMemoryPlans = [allocateLater];
