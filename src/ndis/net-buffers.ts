/**
 * Pools of NET_BUFFER_LIST and NET_BUFFER structures, and MDLs. The structures lie in pool memory of the driver that allocates them.
 *
 * Pages: nf-ndis-ndisallocatenetbufferlistpool, nf-ndis-ndisallocatenetbufferandnetbufferlist, nf-ndis-ndisfreenetbufferlist,
 * nf-ndis-ndiscopyfromnetbuffertonetbuffer.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { allocateMdl, freeMdl, readMdlBytes, Mdl } from "../kernel/mdl.ts";
import { allocate, blockAt, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { NetBufferList } from "./chains.ts";
import { BufferPool } from "./objects.ts";

export const NetBuffer = windowsStruct("NET_BUFFER");
const PoolParameters = windowsStruct("NET_BUFFER_LIST_POOL_PARAMETERS");
const BufferPoolParameters = windowsStruct("NET_BUFFER_POOL_PARAMETERS");
const CONTEXT_HEADER_BYTES = 8;
const NBL_TAG = 0x6c62_4e6e;

function createPool(
  k: Kernel,
  kind: BufferPool["kind"],
  parameters: { tag: number; contextBytes: number; dataBytes: number; allocates: boolean },
): number {
  const pool = k.objects.create(BufferPool);
  pool.kind = kind;
  pool.slot = k.driverOfThread(k.current);
  pool.contextBytes = parameters.contextBytes;
  pool.dataBytes = parameters.dataBytes;
  pool.allocatesNetBuffer = parameters.allocates;
  pool.tag = parameters.tag;
  return k.objects.handleOf(pool);
}

function releasePool(k: Kernel, handle: number): void {
  const pool = k.objects.resolve(handle, BufferPool);
  if (pool === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, BufferPool)}: a net buffer pool handle was expected`);
    return;
  }
  if (pool.outstanding > 0) k.note("pool freed with buffers", handle, pool.outstanding);
  k.objects.release(pool);
}

function allocateNetBuffer(k: Kernel, poolHandle: number, mdl: number, offset: number, bytes: number): number {
  const address = allocate(k, NetBuffer.bytes, NBL_TAG);
  if (address === 0) return 0;
  setData(k, address, mdl, offset, bytes);
  NetBuffer.at(k.memory, address).NdisPoolHandle = poolHandle;
  return address;
}

/** The data of a NET_BUFFER starts `offset` bytes into its MDL chain. */
export function setData(k: Kernel, netBuffer: number, mdl: number, offset: number, bytes: number): void {
  const structure = NetBuffer.at(k.memory, netBuffer);
  structure.MdlChain = mdl;
  structure.DataLength = bytes;
  structure.DataOffset = offset;
  let current = mdl;
  let rest = offset;
  while (current !== 0 && rest >= Mdl.at(k.memory, current).ByteCount) {
    rest -= Mdl.at(k.memory, current).ByteCount;
    current = Mdl.at(k.memory, current).Next;
  }
  structure.CurrentMdl = current;
  structure.CurrentMdlOffset = rest;
}

function allocateList(k: Kernel, poolHandle: number, contextBytes: number, backFill: number, netBuffer: number): number {
  const pool = k.objects.resolve(poolHandle, BufferPool);
  if (pool === undefined) {
    k.note(
      "bad handle",
      poolHandle,
      0,
      `${k.objects.stateOf(poolHandle, BufferPool)}: a net buffer list pool handle was expected`,
    );
    return 0;
  }
  const wanted = contextBytes === 0 ? pool.contextBytes : contextBytes;
  const total = wanted + backFill;
  const bytes = NetBufferList.bytes + (total > 0 ? CONTEXT_HEADER_BYTES + total : 0);
  const address = allocate(k, bytes, pool.tag === 0 ? NBL_TAG : pool.tag);
  if (address === 0) return 0;
  const list = NetBufferList.at(k.memory, address);
  list.NdisPoolHandle = poolHandle;
  list.FirstNetBuffer = netBuffer;
  if (total > 0) {
    // NET_BUFFER_LIST_CONTEXT: Next, Size, Offset, then the data. The offset leaves the back-fill free in front.
    list.Context = address + NetBufferList.bytes;
    k.memory.writeU16(list.Context + 4, wanted);
    k.memory.writeU16(list.Context + 6, backFill);
  }
  pool.outstanding += 1;
  return address;
}

function freeList(k: Kernel, address: number): void {
  if (address === 0 || blockAt(k, address) === undefined) {
    free(k, address);
    return;
  }
  const list = NetBufferList.at(k.memory, address);
  const pool = k.objects.resolve(list.NdisPoolHandle, BufferPool);
  if (pool !== undefined && pool.outstanding > 0) pool.outstanding -= 1;
  // A NET_BUFFER that NDIS allocated with the list goes with it.
  if (pool?.allocatesNetBuffer === true && list.FirstNetBuffer !== 0) free(k, list.FirstNetBuffer);
  k.note("list freed", address);
  free(k, address);
}

/** Copies bytes from one NET_BUFFER's data to another's; returns how many. Offsets count from the start of the data. */
function copyBetween(
  k: Kernel,
  destination: number,
  destinationOffset: number,
  bytes: number,
  source: number,
  sourceOffset: number,
): number {
  const from = dataRanges(k, source, sourceOffset, bytes);
  const to = dataRanges(k, destination, destinationOffset, bytes);
  const data = from.flatMap(({ address, length }) => Array.from(k.memory.u8.subarray(address, address + length)));
  let copied = 0;
  for (const { address, length } of to) {
    const part = data.slice(copied, copied + length);
    k.memory.u8.set(part, address);
    copied += part.length;
  }
  return copied;
}

/** Where `bytes` bytes of the NET_BUFFER's data, from `offset` on, lie. */
export function dataRanges(k: Kernel, netBuffer: number, offset: number, bytes: number): { address: number; length: number }[] {
  const { CurrentMdl, CurrentMdlOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
  return readMdlBytes(k, CurrentMdl, CurrentMdlOffset + offset, Math.min(bytes, DataLength - offset));
}

export const netBufferRoutines = [
  leaf("NdisAllocateNetBufferListPool", (k, _driver, parameters) => {
    const given = PoolParameters.at(k.memory, parameters);
    const { PoolTag: tag, ContextSize: contextBytes, DataSize: dataBytes, fAllocateNetBuffer } = given;
    return createPool(k, "NetBufferList", { tag, contextBytes, dataBytes, allocates: fAllocateNetBuffer !== 0 });
  }),
  leaf("NdisFreeNetBufferListPool", releasePool),
  leaf("NdisAllocateNetBufferPool", (k, _driver, parameters) => {
    const given = BufferPoolParameters.at(k.memory, parameters);
    return createPool(k, "NetBuffer", { tag: given.PoolTag, contextBytes: 0, dataBytes: given.DataSize, allocates: false });
  }),
  leaf("NdisFreeNetBufferPool", releasePool),
  leaf("NdisAllocateNetBufferAndNetBufferList", (k, pool, contextBytes, backFill, mdl, offset, bytes) => {
    const netBuffer = allocateNetBuffer(k, pool, mdl, offset, bytes ?? 0);
    return netBuffer === 0 ? 0 : allocateList(k, pool, contextBytes & 0xffff, backFill & 0xffff, netBuffer);
  }),
  leaf("NdisAllocateNetBufferList", (k, pool, contextBytes, backFill) =>
    allocateList(k, pool, contextBytes & 0xffff, backFill & 0xffff, 0),
  ),
  leaf("NdisFreeNetBufferList", freeList),
  leaf("NdisAllocateNetBuffer", (k, pool, mdl, offset, bytes) => allocateNetBuffer(k, pool, mdl, offset, bytes ?? 0)),
  leaf("NdisFreeNetBuffer", (k, address) => free(k, address)),
  leaf("NdisAllocateMdl", (k, _driver, address, bytes) => allocateMdl(k, address, bytes)),
  leaf("NdisFreeMdl", freeMdl),
  leaf(
    "NdisCopyFromNetBufferToNetBuffer",
    (k, destination, destinationOffset, bytes, source, sourceOffset = 0, copiedVariable = 0) => {
      const copied = copyBetween(k, destination, destinationOffset, bytes, source, sourceOffset);
      k.memory.writeU32(copiedVariable, copied);
      return copied === bytes ? "NDIS_STATUS_SUCCESS" : "NDIS_STATUS_FAILURE";
    },
  ),
];
