/**
 * Memory that begins at a page and is contiguous for devices. Physical addresses are the virtual ones, so that all memory is.
 *
 * Pages: nf-wdm-mmallocatecontiguousmemory, nf-wdm-mmfreecontiguousmemory, nf-wdm-mmallocatecontiguousmemoryspecifycache,
 * nf-wdm-mmgetphysicaladdress.
 */
import type { Kernel } from "./kernel.ts";
import { PAGE_BYTES } from "./memory.ts";
import { DriverFault } from "./outcome.ts";
import { allocate, free, leaveUnwritten } from "./pool.ts";
import { leaf, local } from "./routine.ts";
import { struct, u32 } from "./struct.ts";

/** `bytes` bytes from `start` on, in a block of pool. */
export const PageRange = struct("PageRange", { block: u32, start: u32, bytes: u32 });

const CONTIGUOUS_TAG = 0x746e_6f43;

/** Address of the first page; 0: there is not so much memory. `owner` is the slot of the driver that it is charged to. */
export function allocatePages(k: Kernel, bytes: number, tag: number, owner: number): number {
  const block = allocate(k, bytes + PAGE_BYTES - 1, tag, owner);
  if (block === 0) return 0;
  const range = k.objects.create(PageRange);
  range.block = block;
  range.start = Math.ceil(block / PAGE_BYTES) * PAGE_BYTES;
  range.bytes = bytes;
  return range.start;
}

export function freePages(k: Kernel, address: number): void {
  const range = k.objects.all(PageRange).find(({ start }) => start === address);
  if (range === undefined)
    throw new DriverFault("invalid-free", `no contiguous memory begins at 0x${address.toString(16)}, which is freed as such`);
  free(k, range.block);
  k.objects.release(range);
}

export function writePhysical(k: Kernel, variable: number, address: number): void {
  k.memory.writeU32(variable, address);
  k.memory.writeU32(variable + 4, 0);
}

/** Memory below the highest address that is acceptable, both ends of it. */
function contiguous(k: Kernel, bytes: number, lowest: number, highest: number): number {
  const address = allocatePages(k, bytes, CONTIGUOUS_TAG, k.driverOfThread(k.current));
  const isHigh = k.memory.readU32(highest + 4) === 0 && address + bytes - 1 > k.memory.readU32(highest);
  const isLow = lowest !== 0 && (k.memory.readU32(lowest + 4) !== 0 || address < k.memory.readU32(lowest));
  if (address === 0) return 0;
  leaveUnwritten(k, address, bytes);
  if (!isHigh && !isLow) return address;
  freePages(k, address);
  return 0;
}

export const contiguousMemoryRoutines = [
  leaf("MmAllocateContiguousMemory", (k, bytes, highest) => contiguous(k, bytes, 0, highest)),
  // All memory is cached the same way, and no boundary of addresses is near enough to be crossed.
  leaf("MmAllocateContiguousMemorySpecifyCache", (k, bytes, lowest, highest) => contiguous(k, bytes, lowest, highest)),
  leaf("MmFreeContiguousMemory", (k, address) => freePages(k, address)),
  leaf("MmFreeContiguousMemorySpecifyCache", (k, address) => freePages(k, address)),
  local("MmGetPhysicalAddress", (k, result, address) => writePhysical(k, result, address)),
];
