/**
 * Pool: memory that drivers allocate, by tag.
 *
 * There is an arena per thread slot, so that the addresses one thread gets do not depend on what others do meanwhile. A block lies
 * between a header and a red zone. A freed block is cleared, and used again when many of its size have been freed, the next one in the arena each
 * time, or when its arena has no other room: so addresses hardly depend on when others free what a thread allocates, either.
 */
import { activeObjectIn } from "./active-objects.ts";
import { assert } from "./assert.ts";
import type { Kernel } from "./kernel.ts";
import { type KernelMemory, regions } from "./memory.ts";
import { DriverFault } from "./outcome.ts";
import { POISON, forgetAccesses, poison, reopen, unpoison } from "./poison.ts";
import { isScarce } from "./scarcity.ts";
import { HEADER_ADDRESS, Header, threadSlot } from "./state.ts";
import { oneOf, struct, u32, u8, type ViewOf } from "./struct.ts";
import { markUnwritten, markWritten } from "./unwritten.ts";

export const PoolBlock = struct("PoolBlock", {
  magic: u32,
  /** Kept: it lies free on a lookaside list. */
  state: oneOf("None", "Allocated", "Freed", "Kept"),
  /** Bytes that the driver asked for. */
  bytes: u32,
  /** Bytes between header and red zone. */
  capacity: u32,
  tag: u32,
  /** Slot of the driver that it is charged to, plus 1; 0: the system. */
  owner: u8,
  /** Who gave it away as its own, and who gave it back, if it was given: slots plus 1, and the routines; see given-memory.ts. */
  giver: u8,
  returner: u8,
  givenBy: u8,
  /** Address of the lookaside list that it is an entry of; 0: none. */
  lookaside: u32,
});
export type PoolBlock = ViewOf<typeof PoolBlock>;

const MAGIC = 0x504f_4f4c;
/** "Freed", as it lies in memory. */
const FREED = 2;
/** With the header, a multiple of 32: what is known of a block, a bit or a byte for each 8 of its own, then lies in words that are its alone. */
const RED_ZONE_BYTES = 32;
const RED_ZONE = 0xfd;
const ARENAS = 16;
const ARENA_WORDS = 32;
const ARENA_BYTES = (regions.pool.end - regions.pool.start) / ARENAS;
const CLASSES = [32, 64, 128, 256, 512, 1024, 2048, 4096, 16384] as const;
/** So many freed blocks of a class stay untouched before one is used again. */
const QUARANTINE = 64;

/** Of an arena: how much of it has been used, where the last search for a freed block ended; then, for each class, how many are freed. */
const wordOf = (arena: number, index: number): number =>
  ((HEADER_ADDRESS + Header.offsets.pool) >>> 2) + arena * ARENA_WORDS + index;
const ROVER = 1;
const freedWord = (arena: number, index: number): number => wordOf(arena, 2 + index);

/**
 * Address of cleared memory, or 0: there is no more. Without `owner` it is for the driver that asks, and the run may have it that there is none;
 * else it is charged to the driver in that slot, or to the system: -1.
 */
export function allocate(k: Kernel, bytes: number, tag: number, owner?: number): number {
  if (owner === undefined && isScarce(k)) return 0;
  const charged = owner ?? k.driverOfThread(k.current);
  const first = k.header.currentThread === 0 ? 0 : threadSlot(k.header.currentThread) % ARENAS;
  for (let offset = 0; offset < ARENAS; offset += 1) {
    const block = allocateIn(k, (first + offset) % ARENAS, bytes);
    if (block === undefined) continue;
    block.magic = MAGIC;
    block.state = "Allocated";
    block.bytes = bytes;
    block.tag = tag;
    block.owner = charged + 1;
    forgetGiving(block);
    const address = block.address + PoolBlock.bytes;
    k.memory.u8.fill(RED_ZONE, address + bytes, address + block.capacity + RED_ZONE_BYTES);
    poison(k.memory, block.address, PoolBlock.bytes + block.capacity + RED_ZONE_BYTES, POISON.zone);
    unpoison(k.memory, address, bytes);
    k.emit("note", "allocate", () => ({ kind: "note", what: "allocate", address, value: bytes, text: tagText(tag) }));
    return address;
  }
  return 0;
}

function allocateIn(k: Kernel, arena: number, bytes: number): PoolBlock | undefined {
  const { memory } = k;
  const index = CLASSES.findIndex((size) => bytes <= size);
  const capacity = CLASSES[index] ?? Math.ceil(bytes / 32) * 32;
  if (index >= 0 && (memory.u32[freedWord(arena, index)] ?? 0) > QUARANTINE) return nextFreed(memory, arena, index);
  const start = regions.pool.start + arena * ARENA_BYTES;
  const used = memory.u32[wordOf(arena, 0)] ?? 0;
  const needed = PoolBlock.bytes + capacity + RED_ZONE_BYTES;
  if (used + needed > ARENA_BYTES) return index < 0 ? bestFreed(memory, arena, capacity) : nextFreed(memory, arena, index);
  memory.u32[wordOf(arena, 0)] = used + needed;
  const block = PoolBlock.at(memory, start + used);
  block.capacity = capacity;
  return block;
}

/** The next freed block of the class, from where the last search in the arena ended. */
function nextFreed(memory: KernelMemory, arena: number, index: number): PoolBlock | undefined {
  const { u32 } = memory;
  if ((u32[freedWord(arena, index)] ?? 0) === 0) return undefined;
  const begin = u32[wordOf(arena, ROVER)] ?? 0;
  const used = u32[wordOf(arena, 0)] ?? 0;
  let offset = begin;
  do {
    const block = PoolBlock.at(memory, regions.pool.start + arena * ARENA_BYTES + offset);
    const next = offset + PoolBlock.bytes + block.capacity + RED_ZONE_BYTES;
    offset = next >= used ? 0 : next;
    if (block.state !== "Freed" || block.capacity !== CLASSES[index]) continue;
    u32[wordOf(arena, ROVER)] = offset;
    u32[freedWord(arena, index)] = (u32[freedWord(arena, index)] ?? 0) - 1;
    return block;
  } while (offset !== begin);
  return undefined;
}

/** The smallest freed block of the arena that is large enough, the first of several. */
function bestFreed(memory: KernelMemory, arena: number, capacity: number): PoolBlock | undefined {
  let best: PoolBlock | undefined;
  for (const block of blocksIn(memory, arena)) {
    if (block.state !== "Freed" || block.capacity < capacity || CLASSES.some((size) => size === block.capacity)) continue;
    if (best === undefined || block.capacity < best.capacity) best = block;
  }
  return best;
}

/** Gives a block back. A wrong one ends the run: Windows would stop with BAD_POOL_CALLER. */
export function free(k: Kernel, address: number): void {
  const block = blockAt(k, address);
  if (block === undefined)
    throw new DriverFault("invalid-free", `0x${address.toString(16)} is freed, but was never allocated from pool`);
  if (block.state !== "Allocated") throw new DriverFault("double-free", `the block at 0x${address.toString(16)} is freed twice`);
  checkRedZone(k, block);
  checkUnused(k, address, block);
  // Whether it is the driver's to free is for the rules.
  if (block.givenBy !== 0) reopen(k.memory, address, block.capacity);
  // Who uses the block without an order comes before or after this by chance.
  k.ordering.access(address, block.bytes, true);
  k.emit("note", "free", () => ({ kind: "note", what: "free", address, value: block.bytes, text: tagText(block.tag) }));
  const { memory } = k;
  memory.clear(address, block.capacity);
  markWritten(memory, address, block.capacity);
  poison(memory, address, block.capacity, POISON.freed);
  forgetAccesses(memory.u32, address, block.capacity);
  block.state = "Freed";
  block.lookaside = 0;
  memory.clear(address + block.capacity, RED_ZONE_BYTES);
  const arena = Math.floor((address - regions.pool.start) / ARENA_BYTES);
  const index = CLASSES.findIndex((size) => size === block.capacity);
  if (index >= 0) memory.u32[freedWord(arena, index)] = (memory.u32[freedWord(arena, index)] ?? 0) + 1;
}

/** As `allocate`, for routines that do not clear what they allocate. */
export function allocateUnwritten(k: Kernel, bytes: number, tag: number, owner?: number): number {
  const address = allocate(k, bytes, tag, owner);
  if (address !== 0) leaveUnwritten(k, address, bytes);
  return address;
}

/** The running driver gets the memory as it happens to be. */
export function leaveUnwritten(k: Kernel, address: number, bytes: number): void {
  if (k.ordering.seesStoresOf(k.driverOfThread(k.current))) markUnwritten(k.memory, address, bytes);
}

function checkUnused(k: Kernel, address: number, { bytes, tag }: PoolBlock): void {
  const active = activeObjectIn(k, address, bytes);
  if (active === undefined) return;
  const block = `the ${bytes} bytes with tag '${tagText(tag)}' at 0x${address.toString(16)}`;
  const message = `${block} are freed with ${active.what} in them, at 0x${active.at.toString(16)}`;
  throw new DriverFault("use-after-free", message, undefined, { thing: address });
}

function forgetGiving(block: PoolBlock): void {
  block.giver = 0;
  block.returner = 0;
  block.givenBy = 0;
}

function checkRedZone(k: Kernel, block: PoolBlock): void {
  const start = block.address + PoolBlock.bytes;
  const { u8 } = k.memory;
  const end = start + block.capacity + RED_ZONE_BYTES;
  for (let at = start + block.bytes; at < end; at += 1) {
    if (u8[at] === RED_ZONE) continue;
    const past = at - start - block.bytes;
    const what = `the ${block.bytes} bytes with tag '${tagText(block.tag)}' at 0x${start.toString(16)}`;
    throw new DriverFault(
      "out-of-bounds",
      `something was written ${past} bytes past the end of ${what}; found when they were freed`,
    );
  }
}

/** The block whose first byte is there; undefined: none. */
export function blockAt(k: Kernel, address: number): PoolBlock | undefined {
  if (address < regions.pool.start + PoolBlock.bytes || address >= regions.pool.end || (address & 15) !== 0) return undefined;
  const block = PoolBlock.at(k.memory, address - PoolBlock.bytes);
  return block.magic === MAGIC && block.state !== "None" ? block : undefined;
}

/** The block that the byte lies in or beside, whatever its state: the one whose header is the last before it. */
export function blockAround(k: Kernel, address: number): PoolBlock | undefined {
  for (const block of allBlocks(k)) {
    if (address >= block.address && address < block.address + PoolBlock.bytes + block.capacity + RED_ZONE_BYTES) return block;
  }
  return undefined;
}

/** All allocated blocks, by address; also those that lie on lookaside lists. */
export function allocatedBlocks(k: Kernel): PoolBlock[] {
  return [...allBlocks(k)].filter(({ state }) => state === "Allocated" || state === "Kept");
}

function* allBlocks(k: Kernel): Generator<PoolBlock> {
  for (let arena = 0; arena < ARENAS; arena += 1) yield* blocksIn(k.memory, arena);
}

function* blocksIn(memory: KernelMemory, arena: number): Generator<PoolBlock> {
  const start = regions.pool.start + arena * ARENA_BYTES;
  const used = memory.u32[wordOf(arena, 0)] ?? 0;
  for (let offset = 0; offset < used; ) {
    const block = PoolBlock.at(memory, start + offset);
    assert(block.magic === MAGIC, "a pool header is overwritten");
    yield block;
    offset += PoolBlock.bytes + block.capacity + RED_ZONE_BYTES;
  }
}

/**
 * Tells the words that say only how memory was used before, so that they make no difference but to the addresses of what is allocated later: what is
 * counted of the arenas, and the blocks that are freed. `start` and `end` are bytes.
 */
export function forFreedMemory({ memory: { u32 } }: Kernel, tell: (start: number, end: number) => void): void {
  const first = (HEADER_ADDRESS + Header.offsets.pool) >>> 2;
  tell(first * 4, (first + ARENAS * ARENA_WORDS) * 4);
  for (let arena = 0; arena < ARENAS; arena += 1) {
    const start = regions.pool.start + arena * ARENA_BYTES;
    const used = u32[wordOf(arena, 0)] ?? 0;
    for (let at = start; at < start + used; ) {
      const bytes = PoolBlock.bytes + (u32[(at + PoolBlock.offsets.capacity) >>> 2] ?? 0) + RED_ZONE_BYTES;
      if (u32[(at + PoolBlock.offsets.state) >>> 2] === FREED) tell(at, at + bytes);
      at += bytes;
    }
  }
}

/** The part of each arena that has been used. */
export function poolRanges(k: Kernel): { start: number; end: number }[] {
  return Array.from({ length: ARENAS }, (_, arena) => {
    const start = regions.pool.start + arena * ARENA_BYTES;
    return { start, end: start + (k.memory.u32[wordOf(arena, 0)] ?? 0) };
  });
}

/** A tag as its four characters, in the order in which memory shows them. */
export function tagText(tag: number): string {
  return [0, 8, 16, 24]
    .map((shift) => (tag >>> shift) & 0xff)
    .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."))
    .join("");
}
