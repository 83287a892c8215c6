/**
 * The states that a machine is in, one after the other: copies to go back to, and keys that are equal when the same can happen from two of them.
 *
 * A copy of everything is kept beside the memory; after some steps, what differs from it is what they changed. Only those blocks are copied and
 * counted anew. A key is a sum over all words that are not zero, so a block that changes changes the sum by the difference.
 *
 * To be used between two turns of threads, when no code of a driver is on the host's stack.
 */
import { type Block, type BlockTree, differences, noBlocks, withBlocks } from "./block-tree.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type KernelMemory, MEMORY_BYTES, regions, shadows } from "../kernel/memory.ts";
import { POISON, isClosedAtFirst, poisonRange } from "../kernel/poison.ts";
import { objectRanges } from "../kernel/objects.ts";
import { forFreedMemory, poolRanges } from "../kernel/pool.ts";
import { userRanges } from "../kernel/processes.ts";
import { deadStack } from "../kernel/snapshot.ts";
import { HEADER_ADDRESS, Header, IRQL, MAX_THREADS, Thread, stackBlock, threadAddress } from "../kernel/state.ts";
import { Timer, timersOf } from "../kernel/timer-queue.ts";
import { unwrittenRange } from "../kernel/unwritten.ts";

export const BLOCK_BYTES = 1024;
const BLOCK_WORDS = BLOCK_BYTES / 4;
/** Larger pieces are compared first: most of them are equal. */
const PIECE_BYTES = 4 * BLOCK_BYTES;

interface Range {
  readonly start: number;
  readonly end: number;
}

/** The machine's memory, and what is known of its bytes as far as it is state; blocks are numbered through them. */
const PARTS: readonly Range[] = [{ start: 0, end: MEMORY_BYTES }, shadows.poison, shadows.unwritten];
const PARTS_END = Math.max(...PARTS.map(({ end }) => end));
const BLOCKS = PARTS.reduce((sum, { start, end }) => sum + (end - start) / BLOCK_BYTES, 0);

function blockOf(address: number): number {
  let first = 0;
  for (const { start, end } of PARTS) {
    if (address >= start && address < end) return first + Math.floor((address - start) / BLOCK_BYTES);
    first += (end - start) / BLOCK_BYTES;
  }
  return first;
}

function addressOf(block: number): number {
  let first = block;
  for (const { start, end } of PARTS) {
    if (first < (end - start) / BLOCK_BYTES) return start + first * BLOCK_BYTES;
    first -= (end - start) / BLOCK_BYTES;
  }
  return 0;
}

export interface StateCopy {
  readonly tree: BlockTree;
  /** Blocks that it does not share with the copy before it. */
  readonly changed: number;
}

export class States {
  readonly #memory: KernelMemory;
  /** What the memory was when it was last looked at, block by block. */
  readonly #then = new Uint8Array(BLOCKS * BLOCK_BYTES);
  /** The memory, for comparisons of parts. */
  readonly #now: Buffer;
  /** By piece of memory, in which round it was last looked at. */
  readonly #lookedAt = new Uint32Array(PARTS_END / PIECE_BYTES);
  #round = 0;
  /** By block, its part of the sum. */
  readonly #low = new Int32Array(BLOCKS);
  readonly #high = new Int32Array(BLOCKS);
  #sum: Sum = { low: 0, high: 0 };
  #tree: BlockTree = noBlocks;
  /** What was in use then. */
  #ranges: readonly Range[] = [];
  #changed = 0;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
    this.#now = Buffer.from(memory.u8.buffer);
    for (let block = 0; block < BLOCKS; block += 1) {
      if (isClosedAtFirst(addressOf(block))) this.#then.fill(POISON.own, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES);
    }
  }

  /** Finds what the machine has changed since the last time. */
  look(k: Kernel): void {
    const now = rangesOf(k);
    this.#round += 1;
    const changed = new Map<number, Block>();
    for (const range of this.#ranges) this.#compareRange(range, changed);
    for (const range of now) this.#compareRange(range, changed);
    for (const block of k.shadowWrites ?? []) this.#compare(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES, changed);
    k.shadowWrites?.clear();
    this.#ranges = now;
    this.#changed += changed.size;
    if (changed.size > 0)
      this.#tree = withBlocks(
        this.#tree,
        [...changed].toSorted(([one], [other]) => one - other),
      );
  }

  /** A copy of the machine as it was when it was last looked at. */
  copy(): StateCopy {
    const changed = this.#changed;
    this.#changed = 0;
    return { tree: this.#tree, changed };
  }

  /** The machine, whose memory was looked at since it ran, is what it was when the copy was made. */
  restore(k: Kernel, { tree }: StateCopy): void {
    differences(this.#tree, tree, (block, content) => {
      const address = addressOf(block);
      const bytes = content ?? newBlock(address);
      this.#memory.u8.set(bytes, address);
      this.#note(block, address, bytes);
    });
    this.#tree = tree;
    this.#changed = 0;
    this.#ranges = rangesOf(k);
    for (const host of k.hosts) host.memoryChanged?.();
  }

  /** For the machine as it was when it was last looked at. */
  key(k: Kernel): string {
    const sum = { ...this.#sum };
    const { u32 } = this.#memory;
    const words: number[] = [];
    forEvidence(
      k,
      (word) => take(sum, word, u32[word] ?? 0),
      (value) => words.push(value),
    );
    const leaveOut = (start: number, end: number): void => {
      for (let word = start >>> 2; word < end >>> 2; word += 1) take(sum, word, u32[word] ?? 0);
    };
    k.objects.forGone(leaveOut);
    forFreedMemory(k, (start, end) => {
      leaveOut(start, end);
      const shadow = poisonRange({ start, end });
      if (start >= regions.pool.start)
        for (let word = shadow.start >>> 2; word < shadow.end >>> 2; word += 1)
          take(sum, word, ((u32[word] ?? 0) ^ CLOSED_WORD) >>> 0);
    });
    for (const [index, value] of words.entries()) take(sum, MEMORY_BYTES + index, ~value);
    return String.fromCharCode(sum.low & 0xffff, sum.low >>> 16, sum.high & 0xffff, sum.high >>> 16);
  }

  /** Each piece once a round. */
  #compareRange({ start, end }: Range, changed: Map<number, Block>): void {
    for (let at = start - (start % PIECE_BYTES); at < end; at += PIECE_BYTES) {
      const piece = at / PIECE_BYTES;
      if (this.#lookedAt[piece] === this.#round) continue;
      this.#lookedAt[piece] = this.#round;
      this.#compare(at, at + PIECE_BYTES, changed);
    }
  }

  #compare(start: number, end: number, changed: Map<number, Block>): void {
    if (this.#isAsThen(start, end)) return;
    for (let at = start; at < end; at += BLOCK_BYTES) {
      if (this.#isAsThen(at, at + BLOCK_BYTES)) continue;
      const block = blockOf(at);
      const content = this.#memory.u8.slice(at, at + BLOCK_BYTES);
      changed.set(block, content);
      this.#note(block, at, content);
    }
  }

  #isAsThen(start: number, end: number): boolean {
    const then = blockOf(start) * BLOCK_BYTES;
    return this.#now.compare(this.#then, then, then + end - start, start, end) === 0;
  }

  /** The block has that content now. */
  #note(block: number, address: number, content: Uint8Array): void {
    this.#then.set(content, block * BLOCK_BYTES);
    const own = sumOf(this.#memory.u32, address, isClosedAtFirst(address) ? CLOSED_WORD : 0);
    this.#sum.low = (this.#sum.low + own.low - (this.#low[block] ?? 0)) | 0;
    this.#sum.high = (this.#sum.high + own.high - (this.#high[block] ?? 0)) | 0;
    this.#low[block] = own.low;
    this.#high[block] = own.high;
  }
}

interface Sum {
  low: number;
  high: number;
}

/** What a word adds to the sum: nothing when it is zero. */
function add(sum: Sum, index: number, word: number): void {
  let low = Math.imul(word ^ Math.imul(index, 0x9e37_79b1), 0x85eb_ca6b);
  low = Math.imul(low ^ (low >>> 15), 0xc2b2_ae35);
  let high = Math.imul(word + Math.imul(index, 0x27d4_eb2f), 0x1656_67b1);
  high = Math.imul(high ^ (high >>> 13), 0x9e37_79b1);
  sum.low = (sum.low + (low ^ (low >>> 13))) | 0;
  sum.high = (sum.high + (high ^ (high >>> 16))) | 0;
}

function take(sum: Sum, index: number, word: number): void {
  if (word === 0) return;
  const part = { low: 0, high: 0 };
  add(part, index, word);
  sum.low = (sum.low - part.low) | 0;
  sum.high = (sum.high - part.high) | 0;
}

/** `base` is what each word is in a new memory: what is left as it was counts nothing, wherever it is. */
function sumOf(u32: Uint32Array, address: number, base: number): Sum {
  const sum = { low: 0, high: 0 };
  const first = address >>> 2;
  for (let index = first; index < first + BLOCK_WORDS; index += 1) {
    const word = ((u32[index] ?? 0) ^ base) >>> 0;
    if (word !== 0) add(sum, index, word);
  }
  return sum;
}

/** Header fields that say nothing about what can happen. */
const UNCOUNTED = ["currentThread", "nextThread", "isAtPoint", "result", "threadsCreated", "callsMade", "stepsLeft"] as const;

/**
 * Tells the words that say nothing about what can happen, and in their place what does: times count from now, and of the numbers of threads it counts
 * which of two DPCs is the older one.
 */
function forEvidence(k: Kernel, leaveOut: (word: number) => void, put: (value: number) => void): void {
  const { clock } = k.header;
  const time = (address: number): void => {
    leaveOut(address >>> 2);
    leaveOut((address >>> 2) + 1);
  };
  for (const field of UNCOUNTED) leaveOut((HEADER_ADDRESS + Header.offsets[field]) >>> 2);
  time(HEADER_ADDRESS + Header.offsets.clock);
  const dpcs: Thread[] = [];
  for (const thread of k.threads) {
    if (thread.state !== "Live") continue;
    leaveOut((thread.address + Thread.offsets.number) >>> 2);
    if (thread.kind === "Dpc") dpcs.push(thread);
    if (thread.irql < IRQL.DISPATCH) leaveOut((thread.address + Thread.offsets.processor) >>> 2);
    if (thread.deadline === 0) continue;
    time(thread.address + Thread.offsets.deadline);
    put(thread.address);
    put(Math.max(thread.deadline - clock, 0));
  }
  for (const { address } of dpcs.toSorted((one, other) => one.number - other.number)) put(address);
  for (const timer of timersOf(k)) {
    time(timer.address + Timer.offsets.due);
    put(timer.address);
    put(Math.max(timer.due - clock, 0));
  }
}

/**
 * What is in use. The part of a thread's block between its unwind buffers and its C stack is left out: it is all zero; and the rules' shadow state,
 * of which it is known where it was written. What is known of the system's own memory never changes.
 */
function rangesOf(k: Kernel): Range[] {
  const ofDrivers: Range[] = [...k.hosts.dataRanges(), ...poolRanges(k), ...userRanges(k)];
  for (const thread of k.threads) {
    if (thread.state !== "Live") continue;
    const block = stackBlock(thread.address);
    const dead = deadStack(k, thread);
    ofDrivers.push({ start: block.start, end: dead.start }, { start: dead.end, end: block.end });
  }
  const used = ofDrivers.filter(({ start, end }) => end > start);
  const known = [...used.map(poisonRange), ...used.map(unwrittenRange)];
  return [{ start: HEADER_ADDRESS, end: threadAddress(MAX_THREADS) }, ...objectRanges(k), ...used, ...known];
}

/** So that equal situations are equal bytes: what a thread that does not run has left below its stack pointer is cleared. */
export function clearDeadStack(k: Kernel, thread: Thread): void {
  const { start, end } = deadStack(k, thread);
  k.memory.clear(start, end - start);
}

const CLOSED_WORD = Math.imul(POISON.own, 0x0101_0101) >>> 0;
const EMPTY = new Uint8Array(BLOCK_BYTES);
const CLOSED = new Uint8Array(BLOCK_BYTES).fill(POISON.own);

const newBlock = (address: number): Uint8Array => (isClosedAtFirst(address) ? CLOSED : EMPTY);
