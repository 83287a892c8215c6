/** Memory descriptor lists. All memory is resident and mapped here, so that an MDL maps to the addresses that it describes. */
import { chainOf, circleWatch } from "./driver-chains.ts";
import { constant } from "../contract/index.ts";
import { givesBytes } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import { PAGE_BYTES } from "./memory.ts";
import { allocate, free } from "./pool.ts";
import { windowsStruct } from "./windows.ts";

export const Mdl = windowsStruct("MDL");
export type MdlView = ReturnType<typeof Mdl.at>;
export const MDL_FLAG = {
  mapped: constant("MDL_MAPPED_TO_SYSTEM_VA"),
  locked: constant("MDL_PAGES_LOCKED"),
  nonPaged: constant("MDL_SOURCE_IS_NONPAGED_POOL"),
  partial: constant("MDL_PARTIAL"),
  partialMapped: constant("MDL_PARTIAL_HAS_BEEN_MAPPED"),
  parentMapped: constant("MDL_PARENT_MAPPED_SYSTEM_VA"),
  write: constant("MDL_WRITE_OPERATION"),
} as const;
const MDL_TAG = 0x206c_644d;
const PAGE_SHIFT = 12;

const pagesOf = (address: number, bytes: number): number => Math.ceil(((address % PAGE_BYTES) + bytes) / PAGE_BYTES);

/** Bytes of an MDL for that memory: the structure, and a page number for each page. */
export const mdlBytes = (address: number, bytes: number): number => Mdl.bytes + pagesOf(address, bytes) * 4;

/** Where the described memory lies. */
export const startOf = ({ StartVa, ByteOffset }: MdlView): number => StartVa + ByteOffset;

/** As far as the MDL has room for them: one that is laid out in front of its data has none. */
export function writePageNumbers(k: Kernel, mdl: MdlView): void {
  const room = (mdl.Size - Mdl.bytes) / 4;
  const pages = Math.min(pagesOf(mdl.ByteOffset, mdl.ByteCount), room);
  for (let page = 0; page < pages; page += 1)
    k.memory.writeU32(mdl.address + Mdl.bytes + page * 4, (mdl.StartVa >>> PAGE_SHIFT) + page);
}

export function describe(mdl: MdlView, address: number, bytes: number): void {
  mdl.StartVa = (address & ~(PAGE_BYTES - 1)) >>> 0;
  mdl.ByteOffset = address & (PAGE_BYTES - 1);
  mdl.ByteCount = bytes;
}

/** A new MDL that names the memory and nothing more; 0: there is no room for it. */
export function allocateBareMdl(k: Kernel, address: number, bytes: number): number {
  const size = mdlBytes(address, bytes);
  const mdl = allocate(k, size, MDL_TAG);
  if (mdl === 0) return 0;
  const structure = Mdl.at(k.memory, mdl);
  structure.Size = size;
  describe(structure, address, bytes);
  return mdl;
}

/** The MDL describes nonpaged memory, which is mapped where it is. */
export function buildForNonPaged(k: Kernel, mdl: number): void {
  const structure = Mdl.at(k.memory, mdl);
  structure.MdlFlags |= MDL_FLAG.nonPaged;
  structure.MappedSystemVa = startOf(structure);
  writePageNumbers(k, structure);
}

/** Lays an MDL of nonpaged memory out in cleared memory, without page numbers. */
export function buildMdl(k: Kernel, mdl: number, address: number, bytes: number): void {
  const structure = Mdl.at(k.memory, mdl);
  structure.Size = Mdl.bytes;
  describe(structure, address, bytes);
  buildForNonPaged(k, mdl);
}

/** Address of a new MDL for bytes of nonpaged memory, or 0. */
export function allocateMdl(k: Kernel, address: number, bytes: number): number {
  givesBytes(k, address, bytes);
  const mdl = allocateBareMdl(k, address, bytes);
  if (mdl !== 0) buildForNonPaged(k, mdl);
  return mdl;
}

export function freeMdl(k: Kernel, mdl: number): void {
  free(k, mdl);
}

export const mdlsOf = (k: Kernel, first: number): number[] => chainOf("MDLs", first, (mdl) => Mdl.at(k.memory, mdl).Next);

/** Where `bytes` bytes of the chain's data, from `offset` on, lie. */
export function readMdlBytes(k: Kernel, first: number, offset: number, bytes: number): { address: number; length: number }[] {
  const found: { address: number; length: number }[] = [];
  let skip = offset;
  let left = bytes;
  // What lies behind the last of the bytes is not looked at.
  const watch = circleWatch("MDLs", first);
  for (let mdl = first; mdl !== 0 && left > 0; mdl = Mdl.at(k.memory, mdl).Next) {
    watch(mdl);
    const structure = Mdl.at(k.memory, mdl);
    const { ByteCount, MappedSystemVa } = structure;
    if (skip >= ByteCount) {
      skip -= ByteCount;
      continue;
    }
    const length = Math.min(ByteCount - skip, left);
    found.push({ address: (MappedSystemVa === 0 ? startOf(structure) : MappedSystemVa) + skip, length });
    left -= length;
    skip = 0;
  }
  return found;
}
