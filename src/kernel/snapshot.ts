/**
 * Snapshots and fingerprints of a machine. A machine is its memory, so a snapshot is its pages; pages that did not change since an
 * earlier snapshot are shared with it. Only pages that can be in use are looked at; `auditRanges` looks at all of them.
 *
 * Taken between two steps of the run loop, when no driver code is on the host's stack.
 */
import type { Kernel } from "./kernel.ts";
import { MEMORY_BYTES, PAGE_BYTES, regions, shadows } from "./memory.ts";
import { POISON, isClosedAtFirst, poisonRange } from "./poison.ts";
import { objectRanges } from "./objects.ts";
import { poolRanges } from "./pool.ts";
import { userRanges } from "./processes.ts";
import { FRAMES_BYTES, HEADER_ADDRESS, Header, Thread, stackBlock } from "./state.ts";
import { unwrittenRange } from "./unwritten.ts";

export interface Snapshot {
  /** By page number; a page that is not there is as in a new machine. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pagesChanged: number;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** What can be in use: kernel, objects, images, stacks of live threads, used pool, used user memory, shadow state. */
export function usedRanges(k: Kernel): Range[] {
  const stacks = k.threads.filter(({ state }) => state === "Live").map(({ address }) => stackBlock(address));
  const ranges = [
    regions.kernel,
    ...objectRanges(k),
    ...k.hosts.dataRanges(),
    ...stacks,
    ...poolRanges(k),
    ...userRanges(k),
    ...k.shadowRanges(),
  ];
  return [...ranges, ...ranges.map(poisonRange), ...ranges.map(unwrittenRange)];
}

/** All memory that the machine has used is as in a new one. Far less than all memory, so that runs may follow each other quickly. */
export function clearUsed(k: Kernel): void {
  for (const { start, end } of [...usedRanges(k), shadows.coverage]) k.memory.clear(start, end - start);
}

export const auditRanges: readonly Range[] = [{ start: 0, end: MEMORY_BYTES }];

/** Copies the pages in use; those equal to `previous` are shared with it. */
export function takeSnapshot(k: Kernel, previous?: Snapshot, ranges: readonly Range[] = usedRanges(k)): Snapshot {
  const pages = new Map<number, Uint8Array>();
  let pagesChanged = 0;
  for (const page of pagesOf(ranges)) {
    const bytes = k.memory.u8.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    const old = previous?.pages.get(page);
    if (old !== undefined && isEqual(bytes, old)) {
      pages.set(page, old);
      continue;
    }
    if (isEqual(bytes, newPage(page))) {
      if (old !== undefined) pagesChanged += 1;
      continue;
    }
    pages.set(page, bytes.slice());
    pagesChanged += 1;
  }
  return { pages, pagesChanged };
}

/** Makes the machine what it was; returns how many pages were written. The machine may be another one with the same drivers. */
export function restoreSnapshot(k: Kernel, snapshot: Snapshot, ranges: readonly Range[] = usedRanges(k)): number {
  let written = 0;
  const { u8 } = k.memory;
  for (const page of new Set([...pagesOf(ranges), ...snapshot.pages.keys()])) {
    const now = u8.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    const then = snapshot.pages.get(page) ?? newPage(page);
    if (isEqual(now, then)) continue;
    now.set(then);
    written += 1;
  }
  for (const host of k.hosts) host.memoryChanged?.();
  return written;
}

/** A hash of what a future verdict can depend on: counters and the absolute clock are left out, times count from now, dead stack is zero. */
export function fingerprint(k: Kernel): string {
  let low = 0x811c_9dc5;
  let high = 0x9e37_79b1;
  const scratch = new Uint32Array(PAGE_BYTES / 4);
  for (const page of pagesOf(usedRanges(k))) {
    scratch.set(k.memory.u32.subarray((page * PAGE_BYTES) >>> 2, ((page + 1) * PAGE_BYTES) >>> 2));
    maskEvidence(k, page, scratch);
    for (let index = 0; index < scratch.length; index += 1) {
      const word = scratch[index] ?? 0;
      if (word === 0) continue;
      low = Math.imul(low ^ word ^ Math.imul(page * 1024 + index, 0x85eb_ca6b), 0x0100_0193) ^ (low >>> 13);
      high = Math.imul(high + word + page * 1024 + index, 0x9e37_79b1) ^ (high >>> 15);
    }
  }
  return (high >>> 0).toString(16).padStart(8, "0") + (low >>> 0).toString(16).padStart(8, "0");
}

function maskEvidence(k: Kernel, page: number, words: Uint32Array): void {
  const base = page * PAGE_BYTES;
  const set = (address: number, bytes: number, value = 0) => {
    if (address < base || address + bytes > base + PAGE_BYTES) return;
    words.fill(0, (address - base) >>> 2, (address - base + bytes) >>> 2);
    if (value !== 0) new DataView(words.buffer).setFloat64(address - base, value, true);
  };
  set(HEADER_ADDRESS + Header.offsets.clock, 8);
  set(HEADER_ADDRESS + Header.offsets.threadsCreated, 4);
  set(HEADER_ADDRESS + Header.offsets.callsMade, 4);
  set(HEADER_ADDRESS + Header.offsets.stepsLeft, 4);
  for (const thread of k.threads) {
    if (thread.state !== "Live") continue;
    set(thread.address + Thread.offsets.number, 4);
    if (thread.deadline !== 0) set(thread.address + Thread.offsets.deadline, 8, thread.deadline - k.header.clock);
    const { start, end } = deadStack(k, thread);
    const from = Math.max(start, base);
    const to = Math.min(end, base + PAGE_BYTES);
    if (from < to) words.fill(0, (from - base) >>> 2, (to - base) >>> 2);
  }
}

/** Between the last unwind buffer and the lowest C stack pointer of a thread that does not run. */
export function deadStack(k: Kernel, thread: Thread): Range {
  const block = stackBlock(thread.address);
  let start = block.start + FRAMES_BYTES;
  let { end } = block;
  for (let index = 0; index < thread.depth; index += 1) {
    const frame = k.frame(thread, index);
    start = Math.max(start, frame.bufferEnd);
    if (frame.kind === "Code" && frame.sp !== 0) end = Math.min(end, frame.sp);
  }
  return { start, end };
}

function* pagesOf(ranges: readonly Range[]): Generator<number> {
  let last = -1;
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    for (let page = Math.max(Math.floor(start / PAGE_BYTES), last + 1); page * PAGE_BYTES < end; page += 1) {
      yield page;
      last = page;
    }
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const ZERO = new Uint8Array(PAGE_BYTES);
const CLOSED = new Uint8Array(PAGE_BYTES).fill(POISON.own);

/** What is in that page of a new machine. */
const newPage = (page: number): Uint8Array => (isClosedAtFirst(page * PAGE_BYTES) ? CLOSED : ZERO);
