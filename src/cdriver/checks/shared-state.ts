/** What drivers' checks (checks.c) and the host share, behind the machine's memory. Addresses in bytes. */
import { MEMORY_BYTES, regions, shadows } from "../../kernel/memory.ts";
import { FILL } from "../../kernel/unwritten.ts";

const base = shadows.clocks.start;

/** Words that the host writes when another thread runs, or the current one releases something. */
export const shared = {
  /** Twice, so that two words can be compared at once. */
  epoch: base,
  epochAgain: base + 4,
  /** Thread and clock of the current thread, as a stamp without bytes. */
  stamp: base + 16,
  /** Address of its vector clock. */
  ordered: base + 20,
  stackStart: base + 24,
  stackEnd: base + 28,
  /** Clocks up to this one are of earlier runs. */
  clockBase: base + 32,
  run: base + 36,
  /** Threads that have a vector clock in this run. */
  threads: base + 40,
  /** A thread accessed another one's stack. */
  foreign: base + 44,
  /** Accesses of the bytes from here are told one by one. */
  watched: base + 48,
  watchedEnd: base + 52,
  checksRaces: base + 56,
  /** How often arithmetic without a sign has wrapped in this run. */
  wrapCount: base + 60,
  /** The clock and the epoch that were given last. */
  lastClock: base + 64,
  lastEpoch: base + 68,
} as const;

/** Threads that vector clocks tell apart; a thread after so many gets the number of one that has ended. */
export const CLOCK_THREADS = 128;
/** A vector clock for each: a word per thread. */
export const vectorClocks = base + 0x1000;
/** The last of them: where (address of what the compiler knows), operation, operands, stamp. */
export const wraps = base + 0x1_4000;
export const WRAPS_KEPT = 64;
export const WRAP_WORDS = 5;
const readers = base + 0x2_0000;
const splits = base + 0xa_8000;

/** Stamps: see checks.c. */
export const stamp = {
  thread: (value: number): number => (value >>> 4) & 127,
  clock: (value: number): number => value >>> 11,
  of: (thread: number, clock: number): number => ((clock << 11) | (thread << 4)) >>> 0,
  clocks: 1 << 21,
} as const;

/** An epoch as the checks compare it. Those in whose bytes a misaligned access could take one word for another are left out: see checks.c. */
export const EPOCH_SHIFT = 10;
export const EPOCHS = 1 << (32 - EPOCH_SHIFT);
export function isUsable(epoch: number): boolean {
  const word = (epoch << EPOCH_SHIFT) >>> 0;
  return ((word >>> 16) & 15) !== 0 && ((word >>> 24) & 15) !== 0;
}

/** The addresses, for the compiler. */
export function sharedDefines(slot: number): string[] {
  const addresses: Readonly<Record<string, number>> = {
    SLOT: slot,
    MACHINE_BYTES: MEMORY_BYTES,
    GRANTED: shadows.granted.start,
    ACCESSES: shadows.accesses.start,
    POISON: shadows.poison.start,
    POISON_END: shadows.poison.end,
    UNWRITTEN: shadows.unwritten.start,
    FILL,
    CLOCKS: shadows.clocks.start,
    STACKS_START: regions.stacks.start,
    STACKS_END: regions.stacks.end,
    WRAPS_START: wraps,
    WRAPS_KEPT,
    READERS_START: readers,
    SPLITS_START: splits,
  };
  return Object.entries(addresses).map(([name, value]) => `-D${name}=${value}u`);
}
