/**
 * Pools of NET_BUFFER_LIST and NET_BUFFER structures, and MDLs. The structures lie in pool memory of the driver that allocates them.
 *
 * Pages: nf-ndis-ndisallocatenetbufferlistpool, nf-ndis-ndisallocatenetbufferandnetbufferlist, nf-ndis-ndisfreenetbufferlist,
 * nf-ndis-ndiscopyfromnetbuffertonetbuffer.
 */
import { chainOf, circleWatch } from "../kernel/driver-chains.ts";
import { constant } from "../contract/index.ts";
import { readsBytes, writesBytes } from "../kernel/driver-buffers.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Mdl, allocateMdl, buildMdl, freeMdl, readMdlBytes } from "../kernel/mdl.ts";
import { POISON, poison, unpoison } from "../kernel/poison.ts";
import { allocate, blockAt, free } from "../kernel/pool.ts";
import { leaf, local } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { NetBufferList } from "./chains.ts";
import { BufferPool } from "./objects.ts";

export const NetBuffer = windowsStruct("NET_BUFFER");
export const ListContext = windowsStruct("NET_BUFFER_LIST_CONTEXT");
const ListPoolParameters = windowsStruct("NET_BUFFER_LIST_POOL_PARAMETERS");
const BufferPoolParameters = windowsStruct("NET_BUFFER_POOL_PARAMETERS");
/** Where a list says whose protocol it is of: the lowest byte of that slot of its information. */
export const PROTOCOL_ID = NetBufferList.offset("NetBufferListInfo") + constant("NetBufferListProtocolId") * 4;
const CONTEXT_ZONE_BYTES = 8;
const NBL_TAG = 0x6c62_4e6e;

type PoolParameters = Pick<
  BufferPool,
  "kind" | "owner" | "contextBytes" | "dataBytes" | "allocatesNetBuffer" | "tag" | "protocolId"
>;

function createPool(k: Kernel, parameters: PoolParameters): number {
  if (isScarce(k)) return 0;
  const pool = k.objects.create(BufferPool);
  Object.assign(pool, parameters);
  pool.slot = k.driverOfThread(k.current);
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

/** A NET_BUFFER of that pool; behind it, in the same block, an MDL with so many bytes of data. */
export function allocateNetBuffer(k: Kernel, poolHandle: number, data: DataPlace, dataBytes = 0): number {
  const address = allocate(k, NetBuffer.bytes + (dataBytes > 0 ? Mdl.bytes + dataBytes : 0), NBL_TAG);
  if (address === 0) return 0;
  layOutNetBuffer(k, address, poolHandle, data, dataBytes);
  return address;
}

/** Where the data of a NET_BUFFER is. */
export interface DataPlace {
  readonly mdl: number;
  readonly offset: number;
  readonly bytes: number;
}
const NO_DATA: DataPlace = { mdl: 0, offset: 0, bytes: 0 };

/** Undocumented: the pool of a NET_BUFFER that is allocated with its list. It is the pool of the list. */
function layOutNetBuffer(k: Kernel, address: number, poolHandle: number, data: DataPlace, dataBytes: number): void {
  NetBuffer.at(k.memory, address).NdisPoolHandle = poolHandle;
  if (dataBytes === 0) {
    setData(k, address, data.mdl, data.offset, data.bytes);
    return;
  }
  const mdl = address + NetBuffer.bytes;
  buildMdl(k, mdl, mdl + Mdl.bytes, dataBytes);
  // Undocumented: how much of the data that NDIS allocates is in use at first. None: all of it is space behind the data's start.
  setData(k, address, mdl, 0, 0);
}

const FIRST_NET_BUFFER = NetBufferList.offset("FirstNetBuffer");
const NEXT_NET_BUFFER = NetBuffer.offset("Next");

export function netBuffersOf(k: Kernel, list: number): number[] {
  const { memory } = k;
  const first = memory.readU32(list + FIRST_NET_BUFFER);
  if (first === 0) return [];
  if (memory.readU32(first + NEXT_NET_BUFFER) === 0) return [first];
  return chainOf("NET_BUFFER structures", first, (at) => memory.readU32(at + NEXT_NET_BUFFER));
}

/** The data of a NET_BUFFER starts `offset` bytes into its MDL chain. */
export function setData(k: Kernel, netBuffer: number, mdl: number, offset: number, bytes: number): void {
  const structure = NetBuffer.at(k.memory, netBuffer);
  structure.MdlChain = mdl;
  structure.DataLength = bytes;
  structure.DataOffset = offset;
  let current = mdl;
  let rest = offset;
  const watch = circleWatch("MDLs", mdl);
  while (current !== 0 && rest >= Mdl.at(k.memory, current).ByteCount) {
    watch(current);
    rest -= Mdl.at(k.memory, current).ByteCount;
    current = Mdl.at(k.memory, current).Next;
  }
  structure.CurrentMdl = current;
  structure.CurrentMdlOffset = rest;
}

const BAD_POOL = "a net buffer list pool handle was expected";

/** A list of the pool; without a context or a NET_BUFFER, whatever the pool's parameters say. */
export function allocateBareList(k: Kernel, poolHandle: number): number {
  return allocateList(k, poolHandle, { contextBytes: 0, backFill: 0, isBare: true });
}

/**
 * The list, its first context and its NET_BUFFER, MDL and data are one block, so that what NDIS allocated together is freed together. A first
 * NET_BUFFER is there when the pool allocates them.
 */
function allocateList(
  k: Kernel,
  poolHandle: number,
  { contextBytes, backFill, isBare = false }: { contextBytes: number; backFill: number; isBare?: boolean },
  data: DataPlace = NO_DATA,
): number {
  const pool = k.objects.resolve(poolHandle, BufferPool);
  if (pool === undefined) {
    k.note("bad handle", poolHandle, 0, `${k.objects.stateOf(poolHandle, BufferPool)}: ${BAD_POOL}`);
    return 0;
  }
  const wanted = contextBytes === 0 && !isBare ? pool.contextBytes : contextBytes;
  const total = wanted + backFill;
  const contextTotal = total > 0 ? Math.ceil((ListContext.bytes + total) / 8) * 8 + CONTEXT_ZONE_BYTES : 0;
  const hasNetBuffer = pool.allocatesNetBuffer && !isBare;
  const netBufferTotal = hasNetBuffer ? NetBuffer.bytes + (pool.dataBytes > 0 ? Mdl.bytes + pool.dataBytes : 0) : 0;
  const address = allocate(k, NetBufferList.bytes + contextTotal + netBufferTotal, pool.tag === 0 ? NBL_TAG : pool.tag);
  if (address === 0) return 0;
  const list = NetBufferList.at(k.memory, address);
  list.NdisPoolHandle = poolHandle;
  k.memory.u8[address + PROTOCOL_ID] = pool.protocolId;
  if (total > 0) {
    list.Context = address + NetBufferList.bytes;
    const context = ListContext.at(k.memory, list.Context);
    context.Size = total;
    context.Offset = backFill;
    closeBehind(k, list.Context, ListContext.bytes + total, contextTotal);
  }
  if (hasNetBuffer) {
    list.FirstNetBuffer = address + NetBufferList.bytes + contextTotal;
    layOutNetBuffer(k, list.FirstNetBuffer, poolHandle, data, pool.dataBytes);
  }
  pool.outstanding += 1;
  return address;
}

/** What lies behind the context of a list, in the same block, is for nobody. */
function closeBehind(k: Kernel, context: number, bytes: number, withZone: number): void {
  poison(k.memory, context, withZone, POISON.zone);
  unpoison(k.memory, context, bytes);
}

export function freeList(k: Kernel, address: number): void {
  const block = blockAt(k, address);
  if (block?.state !== "Allocated") {
    free(k, address);
    return;
  }
  const pool = k.objects.resolve(NetBufferList.at(k.memory, address).NdisPoolHandle, BufferPool);
  if (pool !== undefined && pool.outstanding > 0) pool.outstanding -= 1;
  k.note("list freed", address);
  unpoison(k.memory, address, block.bytes);
  free(k, address);
}

/**
 * Copies from one NET_BUFFER's data to another's; returns how many bytes. Offsets count from the start of the data. The source ends with its
 * data, the destination with its MDLs: its own length is for the caller to set.
 */
function copyBetween(
  k: Kernel,
  destination: number,
  destinationOffset: number,
  bytes: number,
  source: number,
  sourceOffset: number,
): number {
  // Taken out whole before any is written: the two may share memory.
  const data = concatenated(
    dataRanges(k, source, sourceOffset, bytes).map(({ address, length }) => {
      readsBytes(k, address, length);
      return k.memory.u8.slice(address, address + length);
    }),
  );
  const { CurrentMdl, CurrentMdlOffset } = NetBuffer.at(k.memory, destination);
  let copied = 0;
  for (const { address, length } of readMdlBytes(k, CurrentMdl, CurrentMdlOffset + destinationOffset, data.length)) {
    writesBytes(k, address, length);
    k.memory.u8.set(data.subarray(copied, copied + length), address);
    copied += length;
  }
  return copied;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const [first = new Uint8Array()] = parts;
  if (parts.length <= 1) return first;
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

/** Where `bytes` bytes of the NET_BUFFER's data, from `offset` on, lie. */
export function dataRanges(k: Kernel, netBuffer: number, offset: number, bytes: number): { address: number; length: number }[] {
  const { CurrentMdl, CurrentMdlOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
  if (offset >= DataLength) return [];
  return readMdlBytes(k, CurrentMdl, CurrentMdlOffset + offset, Math.min(bytes, DataLength - offset));
}

export const netBufferRoutines = [
  leaf("NdisAllocateNetBufferListPool", (k, owner, parameters) => {
    const given = ListPoolParameters.at(k.memory, parameters);
    return createPool(k, {
      kind: "NetBufferList",
      owner,
      contextBytes: given.ContextSize,
      dataBytes: given.DataSize,
      allocatesNetBuffer: given.fAllocateNetBuffer !== 0,
      tag: given.PoolTag,
      protocolId: given.ProtocolId & 0xff,
    });
  }),
  leaf("NdisFreeNetBufferListPool", releasePool),
  leaf("NdisAllocateNetBufferPool", (k, owner, parameters) => {
    const { PoolTag: tag, DataSize: dataBytes } = BufferPoolParameters.at(k.memory, parameters);
    return createPool(k, { kind: "NetBuffer", owner, contextBytes: 0, dataBytes, allocatesNetBuffer: false, tag, protocolId: 0 });
  }),
  leaf("NdisFreeNetBufferPool", releasePool),
  leaf("NdisAllocateNetBufferAndNetBufferList", (k, poolHandle, contextBytes, backFill, mdl, offset, bytes = 0) => {
    const pool = k.objects.resolve(poolHandle, BufferPool);
    // Undocumented: what a pool gives that has no NET_BUFFER structures, or has data of its own for them. Nothing.
    if (pool !== undefined && (!pool.allocatesNetBuffer || pool.dataBytes > 0)) return 0;
    const context = { contextBytes: contextBytes & 0xffff, backFill: backFill & 0xffff };
    return allocateList(k, poolHandle, context, { mdl, offset, bytes });
  }),
  leaf("NdisAllocateNetBufferList", (k, pool, contextBytes, backFill) =>
    allocateList(k, pool, { contextBytes: contextBytes & 0xffff, backFill: backFill & 0xffff }),
  ),
  leaf("NdisFreeNetBufferList", freeList),
  leaf("NdisAllocateNetBuffer", (k, pool, mdl, offset, bytes = 0) => allocateNetBuffer(k, pool, { mdl, offset, bytes })),
  leaf("NdisAllocateNetBufferMdlAndData", (k, pool) =>
    allocateNetBuffer(k, pool, NO_DATA, k.objects.resolve(pool, BufferPool)?.dataBytes),
  ),
  leaf("NdisFreeNetBuffer", (k, address) => free(k, address)),
  local("NdisGetPoolFromNetBuffer", (k, netBuffer) => NetBuffer.at(k.memory, netBuffer).NdisPoolHandle),
  local("NdisGetPoolFromNetBufferList", (k, list) => NetBufferList.at(k.memory, list).NdisPoolHandle),
  leaf("NdisAllocateMdl", (k, _driver, address, bytes) => allocateMdl(k, address, bytes)),
  leaf("NdisFreeMdl", freeMdl),
  leaf(
    "NdisCopyFromNetBufferToNetBuffer",
    (k, destination, destinationOffset, bytes, source, sourceOffset = 0, copiedVariable = 0) => {
      // Copying less than was asked for is no failure: the number says so.
      k.memory.writeU32(copiedVariable, copyBetween(k, destination, destinationOffset, bytes, source, sourceOffset));
      return "NDIS_STATUS_SUCCESS";
    },
  ),
];
