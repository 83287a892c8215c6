/** Lists of known data, for tests that run inside a driver. */
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { type Running, TAG } from "../verifier/support.ts";

export function* makePool(d: DriverEnvironment): Running<number> {
  const parameters = d.local("NET_BUFFER_POOL_PARAMETERS", { PoolTag: TAG });
  d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1");
  return yield* d.NdisAllocateNetBufferPool(0, parameters.address);
}

/** A NET_BUFFER of the pool over MDLs of these sizes, with the data from `offset` on; byte n of the chain is `first` + n. */
export function* makeBuffer(
  d: DriverEnvironment,
  pool: number,
  sizes: readonly number[],
  offset: number,
  length: number,
  first = 0,
): Running<number> {
  let head = 0;
  let last = 0;
  let value = first;
  for (const size of sizes) {
    const memory = yield* d.NdisAllocateMemoryWithTagPriority(0, size, TAG, 0);
    for (let index = 0; index < size; index += 1) {
      d.memory.u8[memory + index] = value;
      value += 1;
    }
    const mdl = yield* d.NdisAllocateMdl(0, memory, size);
    if (head === 0) head = mdl;
    else d.view("MDL", last).Next = mdl;
    last = mdl;
  }
  return yield* d.NdisAllocateNetBuffer(pool, head, offset, length);
}

/** Frees the NET_BUFFER with its MDLs and their memory. */
export function* freeBuffer(d: DriverEnvironment, netBuffer: number): Running<void> {
  const { MdlChain } = d.view("NET_BUFFER", netBuffer);
  yield* d.NdisFreeNetBuffer(netBuffer);
  for (let mdl = MdlChain; mdl !== 0; ) {
    const { Next, MappedSystemVa } = d.view("MDL", mdl);
    yield* d.NdisFreeMdl(mdl);
    yield* d.NdisFreeMemory(MappedSystemVa, 0, 0);
    mdl = Next;
  }
}

/** Offset, length, offset in the current MDL, number of the current MDL in the chain, number of MDLs. */
export function shapeOf(d: DriverEnvironment, netBuffer: number): number[] {
  const { DataOffset, DataLength, CurrentMdlOffset, CurrentMdl, MdlChain } = d.view("NET_BUFFER", netBuffer);
  const chain: number[] = [];
  for (let mdl = MdlChain; mdl !== 0; mdl = d.view("MDL", mdl).Next) chain.push(mdl);
  return [DataOffset, DataLength, CurrentMdlOffset, chain.indexOf(CurrentMdl), chain.length];
}

export const bytesAt = (d: DriverEnvironment, address: number, count: number): number[] => [
  ...d.memory.u8.subarray(address, address + count),
];

/** The data of the NET_BUFFER, byte by byte. */
export function dataOf(d: DriverEnvironment, netBuffer: number): number[] {
  const { CurrentMdl, CurrentMdlOffset, DataLength } = d.view("NET_BUFFER", netBuffer);
  const bytes: number[] = [];
  let skip = CurrentMdlOffset;
  for (let mdl = CurrentMdl; mdl !== 0; mdl = d.view("MDL", mdl).Next) {
    const { MappedSystemVa, ByteCount } = d.view("MDL", mdl);
    bytes.push(...bytesAt(d, MappedSystemVa + skip, ByteCount - skip));
    skip = 0;
  }
  return bytes.slice(0, DataLength);
}

export function netBuffersOf(d: DriverEnvironment, list: number): number[] {
  const found: number[] = [];
  for (let at = d.view("NET_BUFFER_LIST", list).FirstNetBuffer; at !== 0; at = d.view("NET_BUFFER", at).Next) found.push(at);
  return found;
}

interface ListPool {
  readonly ContextSize?: number;
  readonly DataSize?: number;
  readonly ProtocolId?: number;
  readonly fAllocateNetBuffer?: number;
}

export function* makeListPool(d: DriverEnvironment, fields: ListPool = {}): Running<number> {
  const parameters = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { PoolTag: TAG, ...fields });
  d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
  return yield* d.NdisAllocateNetBufferListPool(0, parameters.address);
}
