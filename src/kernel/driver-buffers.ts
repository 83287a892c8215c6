/**
 * What a routine is about to read and write of its caller's memory where no parameter's type tells how much that is: strings, counted strings and
 * buffers. It is checked as if the driver did it; what may not be accessed ends the run at the call.
 */
import type { Kernel } from "./kernel.ts";
import { poisonAt } from "./poison.ts";
import { markWritten } from "./unwritten.ts";

export function readsBytes(k: Kernel, address: number, bytes: number): void {
  if (bytes > 0) k.ordering.access(address, bytes, false);
}

/** What the routine does or answers depends on these bytes, which it has read. */
export function decidesBy(k: Kernel, address: number, bytes: number): void {
  if (bytes > 0) k.ordering.decides(address, bytes);
}

/** All of them. */
export function writesBytes(k: Kernel, address: number, bytes: number): void {
  mayWriteBytes(k, address, bytes);
  markWritten(k.memory, address, bytes);
}

/** At most so many: what comes to be written is known by its content. */
export function mayWriteBytes(k: Kernel, address: number, bytes: number): void {
  if (bytes > 0) k.ordering.access(address, bytes, true);
}

/** A string up to its terminating zero, or up to so many characters, of 1 byte or 2 each. */
export function readsString(k: Kernel, address: number, width: 1 | 2, most = 0x7fff_ffff): void {
  const { memory } = k;
  const isZero = (at: number): boolean => (width === 1 ? memory.u8[at] === 0 : memory.readU16(at) === 0);
  let count = 0;
  // Where there is no memory is no zero either: it ends with the first bytes that may not be read.
  while (count < most && memory.isAddress(address + count * width, width) && !isZero(address + count * width)) count += 1;
  readsBytes(k, address, Math.min(count + 1, most) * width);
}

/** Lengths and buffer. */
const COUNTED_BYTES = 8;
const LENGTH_BYTES = 2;

/** A counted string and its text, as long as it is; null is no string. */
export function readsCounted(k: Kernel, string: number): void {
  if (string === 0) return;
  readsBytes(k, string, COUNTED_BYTES);
  decidesBy(k, string, LENGTH_BYTES);
  readsBytes(k, k.memory.readU32(string + 4), k.memory.readU16(string));
}

/** As many bytes of the buffer of a counted string, from `offset` on. */
export function writesCounted(k: Kernel, string: number, bytes: number, offset = 0): void {
  writesBytes(k, k.memory.readU32(string + 4) + offset, bytes);
}

/** What others will access for the driver has to be the driver's to give away: that is no access yet. */
export function givesBytes(k: Kernel, address: number, bytes: number): void {
  if (bytes > 0 && poisonAt(k.memory, address, bytes) !== undefined) readsBytes(k, address, bytes);
}
