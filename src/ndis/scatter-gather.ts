/**
 * Scatter/gather DMA: lists of the physical addresses of a NET_BUFFER's data. Physical addresses are the virtual ones, so that each MDL is
 * one element.
 *
 * Pages: nf-ndis-ndismregisterscattergatherdma, nf-ndis-ndismallocatenetbuffersglist, nf-ndis-ndismfreenetbuffersglist,
 * nf-ndis-ndismderegisterscattergatherdma, nc-ndis-miniport_process_sg_list.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { readMdlBytes } from "../kernel/mdl.ts";
import { PAGE_BYTES } from "../kernel/memory.ts";
import { DriverFault } from "../kernel/outcome.ts";
import { call, done, plan, step } from "../kernel/plan.ts";
import { allocate, blockAt, free } from "../kernel/pool.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { raiseToDispatch } from "../kernel/spin-locks.ts";
import { IRQL } from "../kernel/state.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { NetBuffer } from "./net-buffers.ts";
import { type Adapter, ScatterGatherDma } from "./objects.ts";
import { NDIS_STATUS_SUCCESS, adapterOf } from "./stack.ts";

const Description = windowsStruct("NDIS_SG_DMA_DESCRIPTION");
const List = windowsStruct("SCATTER_GATHER_LIST");
const Element = windowsStruct("SCATTER_GATHER_ELEMENT");
const REVISIONS = ["NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_1", "NDIS_SIZEOF_SG_DMA_DESCRIPTION_REVISION_2"] as const;
const BUS_MASTER = constant("NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER");
const SG_TAG = 0x6c67_534e;

export function dmaOf(k: Kernel, handle: number): ScatterGatherDma | undefined {
  const dma = k.objects.resolve(handle, ScatterGatherDma);
  if (dma === undefined)
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, ScatterGatherDma)}: a miniport DMA handle was expected`);
  return dma;
}

/** The channel that was registered for the adapter. */
export function dmaOfAdapter(k: Kernel, adapter: Adapter): ScatterGatherDma | undefined {
  return k.objects.all(ScatterGatherDma).find((dma) => dma.adapter?.address === adapter.address);
}

export function writeElement(k: Kernel, address: number, start: number, length: number): void {
  const element = Element.at(k.memory, address);
  k.memory.writeU32(address, start);
  k.memory.writeU32(address + 4, 0);
  element.Length = length;
  element.Reserved = 0;
}

const listBytes = (elements: number): number => List.bytes + elements * Element.bytes;

function register(k: Kernel, adapterHandle: number, description: number, handleVariable: number): string {
  const adapter = adapterOf(k, adapterHandle);
  if (adapter === undefined) return "NDIS_STATUS_RESOURCES";
  if (!hasHeader(k, description, ["NDIS_OBJECT_TYPE_SG_DMA_DESCRIPTION"], REVISIONS)) return "NDIS_STATUS_BAD_VERSION";
  if ((adapter.attributeFlags & BUS_MASTER) === 0) return "NDIS_STATUS_NOT_SUPPORTED";
  if (isScarce(k)) return "NDIS_STATUS_RESOURCES";
  const given = Description.at(k.memory, description);
  const dma = k.objects.create(ScatterGatherDma);
  dma.slot = k.driverOfThread(k.current);
  dma.adapter = adapter;
  dma.processList = given.ProcessSGListHandler;
  dma.sharedMemoryComplete = given.SharedMemAllocateCompleteHandler;
  // A transfer may begin and end inside a page.
  given.ScatterGatherListSize = listBytes(Math.ceil(given.MaximumPhysicalMapping / PAGE_BYTES) + 1);
  k.memory.writeU32(handleVariable, k.objects.handleOf(dma));
  return "NDIS_STATUS_SUCCESS";
}

/** Builds the list in the driver's buffer, if it is large enough, else in one of NDIS's; 0: there is no memory. */
function build(k: Kernel, dma: ScatterGatherDma, netBuffer: number, buffer: number, bufferBytes: number): number {
  const { CurrentMdl, CurrentMdlOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
  // The list begins where the current MDL does; the data begins CurrentMdlOffset bytes later.
  const pieces = readMdlBytes(k, CurrentMdl, 0, CurrentMdlOffset + DataLength);
  const bytes = listBytes(pieces.length);
  const address = buffer !== 0 && bufferBytes >= bytes ? buffer : allocate(k, bytes, SG_TAG, -1);
  if (address === 0) return 0;
  const list = List.at(k.memory, address);
  list.NumberOfElements = pieces.length;
  list.Reserved = k.objects.handleOf(dma);
  for (const [index, { address: start, length }] of pieces.entries()) writeElement(k, address + listBytes(index), start, length);
  dma.outstanding += 1;
  k.note("scatter/gather list built", address, netBuffer);
  return address;
}

const allocateList = plan(
  "NdisMAllocateNetBufferSGList",
  struct("AllocateList", { dma: u32, netBuffer: u32, context: u32, flags: u32, buffer: u32, bufferBytes: u32, irql: u32 }),
  [
    step("the list is built, and the miniport gets it at once or later", (k, p) => {
      const dma = dmaOf(k, p.dma);
      const list = dma === undefined ? 0 : build(k, dma, p.netBuffer, p.buffer, p.bufferBytes);
      if (dma === undefined || list === 0) return done(constant("NDIS_STATUS_RESOURCES"));
      const args = [0, 0, list, p.context] as const;
      if (k.choose(2, "NdisMAllocateNetBufferSGList: MiniportProcessSGList is called later") === 1) {
        const start = { kind: "code", target: dma.processList, handler: "MiniportProcessSGList", args } as const;
        k.startThread("Dpc", start, { irql: IRQL.DISPATCH, processor: k.current.processor });
        return done(NDIS_STATUS_SUCCESS);
      }
      p.irql = raiseToDispatch(k);
      return call(dma.processList, "MiniportProcessSGList", args);
    }),
    step("the miniport has the list", (k, p) => {
      k.scheduler.setIrql(p.irql);
      return done(NDIS_STATUS_SUCCESS);
    }),
  ],
);

function freeList(k: Kernel, handle: number, address: number): void {
  const dma = dmaOf(k, handle);
  if (dma === undefined) return;
  const list = List.at(k.memory, address);
  if (!k.memory.isAddress(address, List.bytes) || list.Reserved !== handle) {
    throw new DriverFault(
      "invalid-free",
      `0x${address.toString(16)} is no scatter/gather list of that DMA channel, or was freed`,
    );
  }
  dma.outstanding -= 1;
  list.Reserved = 0;
  if (blockAt(k, address)?.tag === SG_TAG) free(k, address);
}

export const scatterGatherRoutines = [
  leaf("NdisMRegisterScatterGatherDma", register),
  leaf("NdisMDeregisterScatterGatherDma", (k, handle) => {
    const dma = dmaOf(k, handle);
    if (dma === undefined) return;
    if (dma.outstanding > 0) k.note("DMA channel released with lists", handle, dma.outstanding);
    k.objects.release(dma);
  }),
  planned("NdisMAllocateNetBufferSGList", allocateList),
  leaf("NdisMFreeNetBufferSGList", freeList),
];
