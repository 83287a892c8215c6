/**
 * Why memory may not be accessed: a byte for each 8 bytes of the machine. 0: all of them may be; 1 to 7: so many from the first one on. What the
 * compiler writes for the variables of frames and for globals is AddressSanitizer's.
 */
import { MEMORY_BYTES, regions, shadows } from "./memory.ts";

export const POISON = {
  /** With the slot of a driver added: it gave the memory away, and others have it. */
  given: 0x90,
  /** The same, and the driver may still read it. */
  lent: 0xa0,
  /** Memory of applications that no driver has probed or locked. */
  user: 0xe5,
  /** Memory of applications that was probed: for their context alone. */
  probed: 0xe6,
  leftOfFrame: 0xf1,
  insideFrame: 0xf2,
  rightOfFrame: 0xf3,
  outOfScope: 0xf8,
  global: 0xf9,
  /** Behind a block of pool, or before it. */
  zone: 0xfa,
  /** It lies free on a lookaside list. */
  kept: 0xfc,
  freed: 0xfd,
  /** The system's own, or nobody's. */
  own: 0xfe,
  leftOfAlloca: 0xca,
  rightOfAlloca: 0xcb,
} as const;

const GRANULE = 8;

interface Bytes {
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
}

const poisonOf = (address: number): number => shadows.poison.start + (address >>> 3);

/** Where it stands whether that may be accessed. */
export const poisonRange = ({
  start,
  end,
}: {
  readonly start: number;
  readonly end: number;
}): { start: number; end: number } => ({
  start: poisonOf(start),
  end: poisonOf(end + GRANULE - 1),
});

/** Nothing of that may be accessed from now on; both ends are at 8 bytes. */
export function poison({ u8, u32 }: Bytes, start: number, bytes: number, state: number): void {
  u8.fill(state, poisonOf(start), poisonOf(start + bytes));
  revoke(u32, start, bytes);
}

/** These bytes may be accessed, and none between the last one and the next 8. `start` is at 8 bytes. */
export function unpoison({ u8 }: Bytes, start: number, bytes: number): void {
  const end = poisonOf(start + bytes);
  u8.fill(0, poisonOf(start), end);
  const rest = bytes % GRANULE;
  if (rest !== 0) u8[end] = rest;
}

/** The driver in that slot gave these bytes away. Only whole granules are marked, and of those only what it could access. */
export function give({ u8, u32 }: Bytes, start: number, bytes: number, state: number): void {
  const end = (start + bytes) >>> 3;
  for (let granule = (start + GRANULE - 1) >>> 3; granule < end; granule += 1) {
    const at = shadows.poison.start + granule;
    if (u8[at] === 0 || isGiven(u8[at] ?? 0)) u8[at] = state;
  }
  revoke(u32, start & -4, bytes + 3);
}

/** What that driver gave away of these bytes is its own again; without one, what anybody did. */
export function reopen({ u8 }: Bytes, start: number, bytes: number, driver?: number): void {
  const end = poisonOf(start + bytes + GRANULE - 1);
  for (let at = poisonOf(start); at < end; at += 1) {
    const state = u8[at] ?? 0;
    if (state !== 0 && isGiven(state) && (driver === undefined || (state & 15) === driver)) u8[at] = 0;
  }
}

/** What was granted of it is not any more; who accesses it is asked again. */
export function revoke(u32: Uint32Array, start: number, bytes: number): void {
  u32.fill(0, (shadows.granted.start + start) >>> 2, (shadows.granted.start + start + bytes + 3) >>> 2);
}

/** Nobody has accessed it yet. */
export function forgetAccesses(u32: Uint32Array, start: number, bytes: number): void {
  u32.fill(0, (shadows.accesses.start + start * 2) >>> 2, (shadows.accesses.start + (start + bytes) * 2 + 7) >>> 2);
}

/** What a driver gave away, whichever it was: others may access it. */
export const isGiven = (state: number): boolean => (state & 0xf0) === POISON.given || (state & 0xf0) === POISON.lent;

/** Why the first byte of these that may not be accessed may not; undefined: all may. `driver` is the slot of who gave away what counts. */
export function poisonAt(
  { u8 }: Bytes,
  address: number,
  bytes: number,
  driver?: number,
): { address: number; state: number } | undefined {
  for (let at = address; at < address + bytes; at = (at | 7) + 1) {
    if (at >= MEMORY_BYTES) return { address: at, state: POISON.own };
    const state = u8[poisonOf(at)] ?? 0;
    if (state === 0 || (isGiven(state) && (state & 15) !== driver)) continue;
    const last = Math.min(address + bytes - 1, at | 7);
    if (state >= GRANULE) return { address: at, state };
    if ((last & 7) >= state) return { address: Math.max(at, (at & ~7) + state), state };
  }
  return undefined;
}

/** Whether at that address, behind the machine, a new machine has it that nothing may be accessed. */
export function isClosedAtFirst(address: number): boolean {
  const isOfStacks = address >= poisonOf(regions.stacks.start) && address < poisonOf(regions.stacks.end);
  return address >= shadows.poison.start && address < shadows.poison.end && !isOfStacks;
}

/** As it is in a new machine: all is the system's own but the stacks. */
export function resetPoison({ u8 }: Bytes): void {
  u8.fill(POISON.own, shadows.poison.start, shadows.poison.end);
  u8.fill(0, poisonOf(regions.stacks.start), poisonOf(regions.stacks.end));
}
