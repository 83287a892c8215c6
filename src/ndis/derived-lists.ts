/**
 * Lists that are derived from other lists: clones, fragments and reassembled ones. Their structures are new, their data is that of the original.
 * Parent pointer and child count are the driver's to keep.
 *
 * Pages: nf-nblapi-ndisallocateclonenetbufferlist, nf-nblapi-ndisallocatefragmentnetbufferlist,
 * nf-nblapi-ndisallocatereassemblednetbufferlist, derived-net-buffer-list-structures.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Mdl, allocateMdl, freeMdl, mdlsOf } from "../kernel/mdl.ts";
import { free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { NetBufferList } from "./chains.ts";
import { advanceNow, retreatNow } from "./data-start.ts";
import {
  type DataPlace,
  NetBuffer,
  allocateBareList,
  allocateNetBuffer,
  dataRanges,
  freeList,
  netBuffersOf,
} from "./net-buffers.ts";
import { BufferPool } from "./objects.ts";

const USE_ORIGINAL_MDLS = constant("NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS");
const PARTIAL = constant("MDL_PARTIAL");
type Ranges = ReturnType<typeof dataRanges>;

/** NDIS's own pool, for callers that name none. */
function poolOrOwn(k: Kernel, handle: number): number {
  if (handle !== 0) return handle;
  const own = k.objects.all(BufferPool).find(({ isOfNdis }) => isOfNdis) ?? k.objects.create(BufferPool);
  own.isOfNdis = true;
  own.slot = -1;
  return k.objects.handleOf(own);
}

function freeChain(k: Kernel, first: number): void {
  for (const mdl of mdlsOf(k, first)) freeMdl(k, mdl);
}

/** New MDLs over those bytes; 0: no memory. */
function describe(k: Kernel, ranges: Ranges): number {
  let first = 0;
  let last = 0;
  for (const { address, length } of ranges) {
    const mdl = allocateMdl(k, address, length);
    if (mdl === 0) {
      freeChain(k, first);
      return 0;
    }
    Mdl.at(k.memory, mdl).MdlFlags |= PARTIAL;
    if (first === 0) first = mdl;
    else Mdl.at(k.memory, last).Next = mdl;
    last = mdl;
  }
  return first;
}

/** How the NET_BUFFER structures of a derived list are made, and taken apart. */
interface Kind {
  readonly ownsMdls: boolean;
  /** Used data space in front of the data. */
  readonly delta: number;
  readonly backFill: number;
}

/** Gives a list its next NET_BUFFER; false: no memory. */
function appendNetBuffer(k: Kernel, list: number, pool: number, data: DataPlace, kind: Kind): boolean {
  const netBuffer = allocateNetBuffer(k, poolOrOwn(k, pool), data);
  if (netBuffer === 0) {
    if (kind.ownsMdls) freeChain(k, data.mdl);
    return false;
  }
  const last = netBuffersOf(k, list).at(-1);
  if (last === undefined) NetBufferList.at(k.memory, list).FirstNetBuffer = netBuffer;
  else NetBuffer.at(k.memory, last).Next = netBuffer;
  return kind.delta === 0 || retreatNow(k, netBuffer, kind.delta, kind.backFill);
}

function freeDerived(k: Kernel, list: number, { ownsMdls, delta }: Omit<Kind, "backFill">): void {
  for (const netBuffer of netBuffersOf(k, list)) {
    advanceNow(k, netBuffer, delta);
    if (ownsMdls) freeChain(k, NetBuffer.at(k.memory, netBuffer).MdlChain);
    free(k, netBuffer);
  }
  freeList(k, list);
}

/** A list with a NET_BUFFER for each of the pieces; 0: no memory, and nothing is left of it. */
function derive(
  k: Kernel,
  listPool: number,
  bufferPool: number,
  pieces: readonly Ranges[],
  delta: number,
  backFill: number,
): number {
  const list = allocateBareList(k, poolOrOwn(k, listPool));
  if (list === 0) return 0;
  const kind: Kind = { ownsMdls: true, delta, backFill };
  for (const piece of pieces) {
    const mdl = describe(k, piece);
    const bytes = piece.reduce((sum, { length }) => sum + length, 0);
    if ((mdl !== 0 || bytes === 0) && appendNetBuffer(k, list, bufferPool, { mdl, offset: 0, bytes }, kind)) continue;
    freeDerived(k, list, kind);
    return 0;
  }
  return list;
}

function allocateClone(k: Kernel, original: number, listPool: number, bufferPool: number, flags: number): number {
  if ((flags & USE_ORIGINAL_MDLS) === 0) {
    const pieces = netBuffersOf(k, original).map((each) => dataRanges(k, each, 0, NetBuffer.at(k.memory, each).DataLength));
    return derive(k, listPool, bufferPool, pieces, 0, 0);
  }
  return cloneOver(k, allocateBareList(k, poolOrOwn(k, listPool)), bufferPool, netBuffersOf(k, original));
}

/** Gives the new list a NET_BUFFER over the MDLs of each of these. */
function cloneOver(k: Kernel, list: number, bufferPool: number, sources: readonly number[]): number {
  if (list === 0) return 0;
  const kind: Kind = { ownsMdls: false, delta: 0, backFill: 0 };
  for (const source of sources) {
    // From the start of the used data space on: the MDLs before it are left out.
    const { CurrentMdl: mdl, CurrentMdlOffset: offset, DataLength: bytes } = NetBuffer.at(k.memory, source);
    if (appendNetBuffer(k, list, bufferPool, { mdl, offset, bytes }, kind)) continue;
    freeDerived(k, list, kind);
    return 0;
  }
  return list;
}

/** A list of NDIS's own with structures over the data of these NET_BUFFER structures; 0: no memory. */
export function allocateLoopback(k: Kernel, sources: readonly number[]): number {
  return cloneOver(k, allocateBareList(k, poolOrOwn(k, 0)), 0, sources);
}

export const freeLoopback = (k: Kernel, list: number): void => freeDerived(k, list, { ownsMdls: false, delta: 0 });

/** The data of a NET_BUFFER after the offset, in pieces of at most so many bytes. */
function piecesOf(k: Kernel, netBuffer: number, offset: number, maximum: number): Ranges[] {
  const { DataLength } = NetBuffer.at(k.memory, netBuffer);
  const pieces: Ranges[] = [];
  for (let at = offset; at < DataLength; at += maximum) pieces.push(dataRanges(k, netBuffer, at, maximum));
  return pieces;
}

function allocateFragment(
  k: Kernel,
  original: number,
  listPool: number,
  bufferPool: number,
  offset: number,
  maximum = 0,
  delta = 0,
  backFill = 0,
): number {
  // Undocumented: fragments of no length. There are none.
  if (maximum === 0) return 0;
  const pieces = netBuffersOf(k, original).flatMap((each) => piecesOf(k, each, offset, maximum));
  return derive(k, listPool, bufferPool, pieces, delta, backFill);
}

function allocateReassembled(k: Kernel, fragments: number, pool: number, offset: number, delta: number, backFill = 0): number {
  const whole = netBuffersOf(k, fragments).flatMap((each) =>
    dataRanges(k, each, offset, NetBuffer.at(k.memory, each).DataLength - offset),
  );
  return derive(k, pool, 0, [whole], delta, backFill);
}

export const derivedListRoutines = [
  leaf("NdisAllocateCloneNetBufferList", allocateClone),
  leaf("NdisFreeCloneNetBufferList", (k, list, flags) =>
    freeDerived(k, list, { ownsMdls: (flags & USE_ORIGINAL_MDLS) === 0, delta: 0 }),
  ),
  leaf("NdisAllocateFragmentNetBufferList", allocateFragment),
  leaf("NdisFreeFragmentNetBufferList", (k, list, delta) => freeDerived(k, list, { ownsMdls: true, delta })),
  leaf("NdisAllocateReassembledNetBufferList", allocateReassembled),
  leaf("NdisFreeReassembledNetBufferList", (k, list, delta) => freeDerived(k, list, { ownsMdls: true, delta })),
];
