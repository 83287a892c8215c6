/** Memory descriptor lists. All kernel memory is resident here, so that an MDL maps to the addresses it describes. */
import { constant } from "../contract/index.ts";
import type { Kernel } from "./kernel.ts";
import { PAGE_BYTES } from "./memory.ts";
import { allocate, free } from "./pool.ts";
import { leaf } from "./routine.ts";
import { windowsStruct } from "./windows.ts";

export const Mdl = windowsStruct("MDL");
const MDL_TAG = 0x206c_644d;
const NON_PAGED = constant("MDL_SOURCE_IS_NONPAGED_POOL");

/** Address of a new MDL for the bytes, or 0. */
export function allocateMdl(k: Kernel, address: number, bytes: number): number {
  const mdl = allocate(k, Mdl.bytes, MDL_TAG);
  if (mdl === 0) return 0;
  buildMdl(k, mdl, address, bytes);
  return mdl;
}

/** Lays an MDL out in cleared memory. */
export function buildMdl(k: Kernel, mdl: number, address: number, bytes: number): void {
  const structure = Mdl.at(k.memory, mdl);
  structure.Size = Mdl.bytes;
  structure.MdlFlags = NON_PAGED;
  structure.StartVa = (address & ~(PAGE_BYTES - 1)) >>> 0;
  structure.ByteOffset = address & (PAGE_BYTES - 1);
  structure.ByteCount = bytes;
  structure.MappedSystemVa = address;
}

export function freeMdl(k: Kernel, mdl: number): void {
  free(k, mdl);
}

/** Where `bytes` bytes of the chain's data, from `offset` on, lie. */
export function readMdlBytes(k: Kernel, first: number, offset: number, bytes: number): { address: number; length: number }[] {
  const found: { address: number; length: number }[] = [];
  let skip = offset;
  let left = bytes;
  for (let mdl = first; mdl !== 0 && left > 0; mdl = Mdl.at(k.memory, mdl).Next) {
    const { ByteCount, MappedSystemVa } = Mdl.at(k.memory, mdl);
    if (skip >= ByteCount) {
      skip -= ByteCount;
      continue;
    }
    const length = Math.min(ByteCount - skip, left);
    found.push({ address: MappedSystemVa + skip, length });
    left -= length;
    skip = 0;
  }
  return found;
}

export const mdlRoutines = [
  leaf("IoAllocateMdl", (k, address, bytes) => allocateMdl(k, address, bytes)),
  leaf("IoFreeMdl", freeMdl),
  leaf("MmBuildMdlForNonPagedPool", () => {}),
  leaf("MmMapLockedPagesSpecifyCache", (k, mdl) => Mdl.at(k.memory, mdl).MappedSystemVa),
  leaf("MmUnmapLockedPages", () => {}),
];
