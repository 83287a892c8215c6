/**
 * What nobody has written since it was allocated: a bit for each byte of the machine, 8 of them in a byte of the shadow.
 *
 * Such memory is also filled with a byte that says so. A driver's stores clear the bits; what the library writes may leave them, and is known by
 * its bytes: of an aligned word, those that are marked are unwritten only if all of them are still what it was filled with.
 */
import { shadows } from "./memory.ts";

/** As an address it is of no memory, as a handle of no object, and as a status of a failure. */
export const FILL = 0xcb;

interface Bytes {
  readonly u8: Uint8Array;
}

const shadowOf = (address: number): number => shadows.unwritten.start + (address >>> 3);

/** Where it stands what is unwritten. */
export const unwrittenRange = ({
  start,
  end,
}: {
  readonly start: number;
  readonly end: number;
}): { start: number; end: number } => ({ start: shadowOf(start), end: shadowOf(end + 7) });

/** Memory from an allocator that does not clear. `start` is at 8 bytes. */
export function markUnwritten({ u8 }: Bytes, start: number, bytes: number): void {
  u8.fill(FILL, start, start + bytes);
  const end = shadowOf(start + bytes);
  u8.fill(0xff, shadowOf(start), end);
  if (bytes % 8 !== 0) u8[end] = (1 << (bytes % 8)) - 1;
}

/** The bytes were written, whatever they are. */
export function markWritten({ u8 }: Bytes, start: number, bytes: number): void {
  const end = start + bytes;
  for (let at = start; at < end; ) {
    const shadow = shadowOf(at);
    if ((at & 7) === 0 && at + 8 <= end) {
      const last = shadowOf(end);
      u8.fill(0, shadow, last);
      at = (last - shadows.unwritten.start) << 3;
      continue;
    }
    u8[shadow] = (u8[shadow] ?? 0) & ~(1 << (at & 7));
    at += 1;
  }
}

/** How many of the bytes are unwritten, and the first of them. */
export function unwrittenAmong(
  memory: Bytes,
  address: number,
  bytes: number,
): { readonly count: number; readonly first: number } {
  let count = 0;
  let first = address;
  for (let at = address; at < address + bytes; at += 1) {
    if (!isUnwritten(memory, at)) continue;
    if (count === 0) first = at;
    count += 1;
  }
  return { count, first };
}

function isUnwritten({ u8 }: Bytes, address: number): boolean {
  const marks = u8[shadowOf(address)] ?? 0;
  if (((marks >>> (address & 7)) & 1) === 0) return false;
  for (let at = address & -4; at <= (address | 3); at += 1) {
    if (((marks >>> (at & 7)) & 1) !== 0 && u8[at] !== FILL) return false;
  }
  return true;
}
