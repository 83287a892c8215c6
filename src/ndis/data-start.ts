/**
 * The start of a NET_BUFFER's data: it retreats into unused data space to make room for a header, or into a new MDL in front, and advances again.
 *
 * Pages: nf-nblapi-ndisretreatnetbufferdatastart, nf-nblapi-ndisadvancenetbufferdatastart, nf-nblapi-ndisretreatnetbufferlistdatastart,
 * nf-nblapi-ndisadvancenetbufferlistdatastart, nf-nblapi-ndisadjustnetbuffercurrentmdl, nf-nblapi-ndisgetdatabuffer.
 */
import { constant } from "../contract/index.ts";
import { readsBytes, writesBytes } from "../kernel/driver-buffers.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Mdl, buildMdl } from "../kernel/mdl.ts";
import { call, done, goTo, plan, run, step } from "../kernel/plan.ts";
import { allocate, blockAt, free } from "../kernel/pool.ts";
import { local, planned } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { NetBuffer, dataRanges, netBuffersOf, setData } from "./net-buffers.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { NDIS_STATUS_SUCCESS } from "./stack.ts";

/** Marks an MDL that a retreat put in front. */
const IN_FRONT = constant("MDL_NETWORK_HEADER");
/** Of the blocks, MDL and data together, that NDIS itself allocates for a retreat. */
const SPACE_TAG = 0x7053_4e44;

/** An MDL with so many bytes behind it, in one block that is charged to the driver that asked for it; 0: no memory. */
function allocateSpace(k: Kernel, bytes: number): number {
  const mdl = allocate(k, Mdl.bytes + bytes, SPACE_TAG);
  if (mdl !== 0) buildMdl(k, mdl, mdl + Mdl.bytes, bytes);
  return mdl;
}

const isOfNdis = (k: Kernel, mdl: number): boolean => blockAt(k, mdl)?.tag === SPACE_TAG;

/** Puts the MDL in front of the chain, so that the data starts `delta` bytes earlier, as near to the old data as it can. False: too small. */
function putInFront(k: Kernel, netBuffer: number, mdl: number, delta: number): boolean {
  const structure = NetBuffer.at(k.memory, netBuffer);
  const front = Mdl.at(k.memory, mdl);
  // What is left in the MDLs behind lies between the new space and the data: it is used first.
  const offset = front.ByteCount + structure.DataOffset - delta;
  if (offset < 0) return false;
  front.Next = structure.MdlChain;
  front.MdlFlags |= IN_FRONT;
  setData(k, netBuffer, mdl, offset, structure.DataLength + delta);
  return true;
}

/** Retreats into unused data space; false: there is too little of it. */
function retreatInside(k: Kernel, netBuffer: number, delta: number): boolean {
  const { MdlChain, DataOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
  if (DataOffset < delta) return false;
  setData(k, netBuffer, MdlChain, DataOffset - delta, DataLength + delta);
  return true;
}

/** Retreats without the help of a driver's handler; false: no memory. */
export function retreatNow(k: Kernel, netBuffer: number, delta: number, backFill: number): boolean {
  if (retreatInside(k, netBuffer, delta)) return true;
  const mdl = allocateSpace(k, delta + backFill);
  return mdl !== 0 && putInFront(k, netBuffer, mdl, delta);
}

/** Advances, and frees the space that NDIS allocated for a retreat. */
export function advanceNow(k: Kernel, netBuffer: number, delta: number): void {
  moveForward(k, netBuffer, delta);
  for (let mdl = unusedInFront(k, netBuffer); mdl !== 0 && isOfNdis(k, mdl); mdl = unusedInFront(k, netBuffer)) {
    takeFromFront(k, netBuffer);
    free(k, mdl);
  }
}

function moveForward(k: Kernel, netBuffer: number, wanted: number): void {
  const { MdlChain, DataOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
  // Undocumented: what happens when more is released than there is. All of it is.
  const delta = Math.min(wanted, DataLength);
  setData(k, netBuffer, MdlChain, DataOffset + delta, DataLength - delta);
}

/** The first MDL, if it was put in front by a retreat and none of it is used; 0: it is not. */
function unusedInFront(k: Kernel, netBuffer: number): number {
  const { MdlChain, DataOffset } = NetBuffer.at(k.memory, netBuffer);
  if (MdlChain === 0) return 0;
  const front = Mdl.at(k.memory, MdlChain);
  return (front.MdlFlags & IN_FRONT) === 0 || front.ByteCount > DataOffset ? 0 : MdlChain;
}

function takeFromFront(k: Kernel, netBuffer: number): void {
  const { MdlChain, DataOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
  const front = Mdl.at(k.memory, MdlChain);
  setData(k, netBuffer, front.Next, DataOffset - front.ByteCount, DataLength);
  front.Next = 0;
}

const Retreat = struct("Retreat", { netBuffer: u32, delta: u32, backFill: u32, allocateMdl: u32, size: u32 });

const retreat = plan("NdisRetreatNetBufferDataStart", Retreat, [
  step("unused data space is used, or an MDL is allocated", (k, p) => {
    if (retreatInside(k, p.netBuffer, p.delta)) return done(NDIS_STATUS_SUCCESS);
    const bytes = p.delta + p.backFill;
    if (p.allocateMdl === 0) {
      const hasRetreated = retreatNow(k, p.netBuffer, p.delta, p.backFill);
      return done(hasRetreated ? NDIS_STATUS_SUCCESS : constant("NDIS_STATUS_RESOURCES"));
    }
    p.size = allocate(k, 4, NDIS_TAG, -1);
    k.memory.writeU32(p.size, bytes);
    return call(p.allocateMdl, "NetAllocateMdl", [p.size]);
  }),
  step("the driver has allocated an MDL", (k, p, mdl) => {
    free(k, p.size);
    if (mdl === 0) return done(constant("NDIS_STATUS_RESOURCES"));
    // Undocumented: what becomes of an MDL that is smaller than was asked for and does not do. It stays the driver's.
    return done(putInFront(k, p.netBuffer, mdl, p.delta) ? NDIS_STATUS_SUCCESS : constant("NDIS_STATUS_FAILURE"));
  }),
]);

const Advance = struct("Advance", { netBuffer: u32, delta: u32, freeMdl: u32, freeMdlHandler: u32 });

const advance = plan("NdisAdvanceNetBufferDataStart", Advance, [
  step("the data starts later", (k, p) => {
    moveForward(k, p.netBuffer, p.delta);
  }),
  step("MDLs that came in front and are unused now are freed", (k, p) => {
    const mdl = (p.freeMdl & 0xff) === 0 ? 0 : unusedInFront(k, p.netBuffer);
    if (mdl === 0) return done();
    // An MDL that the driver allocated goes back through its handler. Undocumented: without one it stays in the chain.
    const isOwn = isOfNdis(k, mdl);
    if (!isOwn && p.freeMdlHandler === 0) return done();
    takeFromFront(k, p.netBuffer);
    if (!isOwn) return call(p.freeMdlHandler, "NetFreeMdl", [mdl]);
    free(k, mdl);
    return undefined;
  }),
  step("is there another?", () => goTo("MDLs that came in front and are unused now are freed")),
]);

const ListRetreat = struct("ListRetreat", {
  list: u32,
  delta: u32,
  backFill: u32,
  allocateMdl: u32,
  freeMdl: u32,
  netBuffer: u32,
  failed: u32,
  status: u32,
});

function nextNetBuffer(k: Kernel, list: number, after: number): number {
  const all = netBuffersOf(k, list);
  return all[after === 0 ? 0 : all.indexOf(after) + 1] ?? 0;
}

const retreatList = plan("NdisRetreatNetBufferListDataStart", ListRetreat, [
  step("the next one retreats", (k, p) => {
    p.netBuffer = nextNetBuffer(k, p.list, p.netBuffer);
    return p.netBuffer === 0 ? done(NDIS_STATUS_SUCCESS) : run(retreat, [p.netBuffer, p.delta, p.backFill, p.allocateMdl]);
  }),
  step("has it retreated?", (_k, p, status) => {
    p.status = status;
    if (status === NDIS_STATUS_SUCCESS) return goTo("the next one retreats");
    p.failed = p.netBuffer;
    p.netBuffer = 0;
    return undefined;
  }),
  // Either all NET_BUFFER structures of a list retreat or none: those before the one that failed advance again.
  step("the next one advances again", (k, p) => {
    p.netBuffer = nextNetBuffer(k, p.list, p.netBuffer);
    return p.netBuffer === p.failed ? done(p.status) : run(advance, [p.netBuffer, p.delta, 1, p.freeMdl]);
  }),
  step("has it advanced?", () => goTo("the next one advances again")),
]);

const ListAdvance = struct("ListAdvance", { list: u32, delta: u32, freeMdl: u32, freeMdlHandler: u32, netBuffer: u32 });

const advanceList = plan("NdisAdvanceNetBufferListDataStart", ListAdvance, [
  step("the next one advances", (k, p) => {
    p.netBuffer = nextNetBuffer(k, p.list, p.netBuffer);
    return p.netBuffer === 0 ? done() : run(advance, [p.netBuffer, p.delta, p.freeMdl, p.freeMdlHandler]);
  }),
  step("has it advanced?", () => goTo("the next one advances")),
]);

function getDataBuffer(k: Kernel, netBuffer: number, bytes: number, storage: number, multiple = 1, offset = 0): number {
  if (NetBuffer.at(k.memory, netBuffer).DataLength < bytes) return 0;
  const ranges = dataRanges(k, netBuffer, 0, bytes);
  const [first] = ranges;
  const isAligned = multiple <= 1 || ((first?.address ?? 0) - offset) % multiple === 0;
  if (first !== undefined && first.length >= bytes && isAligned) return first.address;
  // Undocumented: whose memory it is that NDIS may allocate for the alignment's sake, and who frees it. Data that is contiguous but not
  // aligned is copied to the caller's storage, as data that is not contiguous is.
  if (storage === 0) return 0;
  let copied = 0;
  for (const { address, length } of ranges) {
    readsBytes(k, address, length);
    writesBytes(k, storage + copied, length);
    k.memory.copy(storage + copied, address, length);
    copied += length;
  }
  return copied < bytes ? 0 : storage;
}

export const dataStartRoutines = [
  planned("NdisRetreatNetBufferDataStart", retreat),
  planned("NdisAdvanceNetBufferDataStart", advance),
  planned("NdisRetreatNetBufferListDataStart", retreatList),
  planned("NdisAdvanceNetBufferListDataStart", advanceList),
  local("NdisAdjustNetBufferCurrentMdl", (k, netBuffer) => {
    const { MdlChain, DataOffset, DataLength } = NetBuffer.at(k.memory, netBuffer);
    setData(k, netBuffer, MdlChain, DataOffset, DataLength);
  }),
  local("NdisGetDataBuffer", (k, netBuffer, bytes, storage, multiple, offset) =>
    getDataBuffer(k, netBuffer, bytes, storage, multiple, offset),
  ),
];
