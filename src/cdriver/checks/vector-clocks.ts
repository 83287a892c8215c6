/**
 * The clocks by which drivers' accesses are ordered: one vector per thread, in memory that the checks read, and one per object that a thread has
 * released. They are evidence about one run from its start; no snapshot has them.
 */
import type { KernelMemory } from "../../kernel/memory.ts";
import { shadows } from "../../kernel/memory.ts";
import { type Ordering, endedWorkItems } from "../../kernel/ordering.ts";
import { forgetAccesses } from "../../kernel/poison.ts";
import { type Thread, stackBlock, FRAMES_BYTES } from "../../kernel/state.ts";
import { CLOCK_THREADS, EPOCHS, EPOCH_SHIFT, isUsable, shared, stamp, vectorClocks } from "./shared-state.ts";

/** Clocks that may be given in one run, at most: one that needs more starts anew in the middle, and has races there that it does not see. */
const CLOCKS_LEFT = 1 << 16;

/** The object that the state of the library as a whole is. */
const LIBRARY = -1;

/** Checks of any number of bytes, as if a driver accessed them. */
export interface DriverChecks {
  readonly read: (address: number, bytes: number) => void;
  readonly write: (address: number, bytes: number) => void;
  /** Undefined: of this driver's memory nobody keeps what was written. */
  readonly decide: ((address: number, bytes: number) => void) | undefined;
}

export class VectorClocks implements Ordering {
  /** By slot: for what the library does in the place of a driver that has checks. */
  readonly driverChecks = new Map<number, DriverChecks>();
  /** Whether a driver's code is what has called. */
  isInCode = false;
  /** Whether what is stored now is stored by an interlocked operation. */
  isInterlocked = false;
  readonly #u32: Uint32Array;
  /** Whether threads are told apart; otherwise an epoch lasts as long as the memory is. */
  readonly #judges: boolean;
  readonly #released = new Map<number, Uint32Array>();
  /** Numbers of the vectors, by thread number. */
  readonly #vectors = new Map<number, number>();
  readonly #threadOf: number[] = [];
  #next = 0;
  #current: Thread | undefined;
  #vector: Uint32Array | undefined;
  #own = 0;
  /** Whether the current thread may have accessed memory since it was last released to the library. */
  #hasRun = false;

  constructor(memory: KernelMemory, judges: boolean) {
    this.#u32 = memory.u32;
    this.#judges = judges;
    this.#startRun();
  }

  /** What was granted is not any more. */
  newEpoch(): void {
    const u32 = this.#u32;
    let epoch = u32[shared.lastEpoch >>> 2] ?? 0;
    do epoch += 1;
    while (!isUsable(epoch) && epoch < EPOCHS);
    if (epoch >= EPOCHS) {
      u32.fill(0, shadows.granted.start >>> 2, shadows.granted.end >>> 2);
      epoch = 1;
      while (!isUsable(epoch)) epoch += 1;
    }
    u32[shared.lastEpoch >>> 2] = epoch;
    const word = (epoch << EPOCH_SHIFT) >>> 0;
    u32[shared.epoch >>> 2] = word;
    u32[shared.epochAgain >>> 2] = word;
  }

  /** The number of the thread that a stamp names. */
  threadOf(value: number): number {
    return this.threadAt(stamp.thread(value));
  }

  /** The number of the thread that has that vector. */
  threadAt(vector: number): number {
    return this.#threadOf[vector] ?? 0;
  }

  runs(thread: Thread): void {
    if (this.#current?.number === thread.number) return;
    const { start, end } = stackBlock(thread.address);
    this.#setStack(start + FRAMES_BYTES, end);
    if (!this.#judges) {
      this.#current = thread;
      return;
    }
    const number = this.#numberOf(thread);
    this.#current = thread;
    this.#own = number;
    this.#vector = this.#vectorAt(number);
    this.#hasRun = true;
    const isNew = (this.#vector[number] ?? 0) <= (this.#u32[shared.clockBase >>> 2] ?? 0);
    this.#write(shared.ordered, vectorClocks + number * CLOCK_THREADS * 4);
    if (isNew) this.#tick();
    this.#restamp();
    if (isNew && thread.subject !== 0) this.acquire(thread.subject);
  }

  starts(thread: Thread): void {
    if (!this.#judges) return;
    const vector = this.#vectorAt(this.#numberOf(thread));
    if (this.#vector === undefined) return;
    join(vector, this.#vector, this.#count);
    this.#tick();
    this.#restamp();
  }

  ends(thread: Thread): void {
    if (!this.#judges) return;
    if (thread.kind === "WorkItem") this.release(endedWorkItems);
    else this.publish();
    const number = this.#vectors.get(thread.number);
    if (number === undefined) return;
    this.#vectors.delete(thread.number);
    this.rests();
    if (this.#u32[shared.foreign >>> 2] === 0) return;
    const { start, end } = stackBlock(thread.address);
    forgetAccesses(this.#u32, start, end - start);
  }

  rests(): void {
    this.#current = undefined;
    this.#vector = undefined;
  }

  release(object: number): void {
    if (this.#vector === undefined) return;
    this.#releaseTo(object, this.#vector);
    this.#tick();
    this.#restamp();
  }

  /** As `release`, for what is released again and again: what the thread does until its next clock counts as done before. */
  hand(object: number): void {
    if (this.#vector !== undefined) this.#releaseTo(object, this.#vector);
  }

  acquire(object: number): void {
    const released = this.#released.get(object);
    if (released !== undefined && this.#vector !== undefined) join(this.#vector, released, this.#count);
  }

  forward(from: number, to: number): void {
    const released = this.#released.get(from);
    if (released !== undefined) this.#releaseTo(to, released);
  }

  interlocked(address: number, bytes: number): void {
    if (this.#vector === undefined) return;
    this.acquire(address);
    this.isInterlocked = true;
    this.access(address, bytes, true);
    this.isInterlocked = false;
    this.release(address);
  }

  access(address: number, bytes: number, writes: boolean): void {
    const checks = this.#checksNow();
    if (checks === undefined) return;
    const [start = 0, end = 0] = this.#u32.subarray(shared.stackStart >>> 2, (shared.stackEnd >>> 2) + 1);
    // Of a thread that has parked, the frames are all there: the stack pointer is another one's.
    if (!this.isInCode) this.#setStack(0, 0);
    if (writes) checks.write(address, bytes);
    else checks.read(address, bytes);
    this.#setStack(start, end);
  }

  decides(address: number, bytes: number): void {
    this.#checksNow()?.decide?.(address, bytes);
  }

  seesStoresOf(driver: number): boolean {
    return this.driverChecks.get(driver)?.decide !== undefined;
  }

  #setStack(start: number, end: number): void {
    this.#write(shared.stackStart, start);
    this.#write(shared.stackEnd, end);
  }

  #checksNow(): DriverChecks | undefined {
    return this.#current === undefined ? undefined : this.driverChecks.get(this.#current.driverNow - 1);
  }

  publish(): void {
    if (!this.#hasRun || this.#vector === undefined) return;
    this.release(LIBRARY);
    this.#hasRun = false;
  }

  observe(): void {
    this.acquire(LIBRARY);
  }

  /** Code of the current thread goes on. */
  resumes(): void {
    this.#hasRun = true;
  }

  get #count(): number {
    return Math.min(this.#next, CLOCK_THREADS);
  }

  #startRun(): void {
    const u32 = this.#u32;
    if ((u32[shared.lastClock >>> 2] ?? 0) + CLOCKS_LEFT > stamp.clocks) this.#forgetAll();
    const base = u32[shared.lastClock >>> 2] ?? 0;
    this.#write(shared.clockBase, base);
    this.#write(shared.run, (u32[shared.run >>> 2] ?? 0) + 1);
    this.#write(shared.threads, 0);
    this.#write(shared.foreign, 0);
    this.#write(shared.watched, 0);
    this.#write(shared.watchedEnd, 0);
    this.#write(shared.wrapCount, 0);
    this.#write(shared.checksRaces, this.#judges ? 1 : 0);
    this.#setStack(0, 0);
    this.newEpoch();
  }

  /** Clocks begin again: no access that is known is of any use. */
  #forgetAll(): void {
    this.#u32.fill(0, shadows.accesses.start >>> 2, shadows.accesses.end >>> 2);
    this.#write(shared.lastClock, 0);
  }

  #write(address: number, value: number): void {
    this.#u32[address >>> 2] = value;
  }

  #vectorAt(number: number): Uint32Array {
    const first = (vectorClocks >>> 2) + number * CLOCK_THREADS;
    return this.#u32.subarray(first, first + CLOCK_THREADS);
  }

  /** The thread's vector; a new one for a new thread, after that of the one that had it before. */
  #numberOf(thread: Thread): number {
    const known = this.#vectors.get(thread.number);
    if (known !== undefined) return known;
    const inUse = new Set(this.#vectors.values());
    let number = this.#next % CLOCK_THREADS;
    while (inUse.has(number)) {
      this.#next += 1;
      number = this.#next % CLOCK_THREADS;
    }
    this.#next += 1;
    this.#vectors.set(thread.number, number);
    this.#threadOf[number] = thread.number;
    this.#write(shared.threads, this.#count);
    this.#vectorAt(number).fill(this.#u32[shared.clockBase >>> 2] ?? 0);
    return number;
  }

  #releaseTo(object: number, vector: Uint32Array): void {
    let released = this.#released.get(object);
    if (released === undefined) {
      released = new Uint32Array(CLOCK_THREADS);
      this.#released.set(object, released);
    }
    join(released, vector, this.#count);
  }

  /** What the current thread does from now on comes after what it has released. */
  #tick(): void {
    const { lastClock } = shared;
    let clock = (this.#u32[lastClock >>> 2] ?? 0) + 1;
    if (clock >= stamp.clocks) {
      this.#forgetAll();
      clock = 1;
    }
    this.#write(lastClock, clock);
    if (this.#vector !== undefined) this.#vector[this.#own] = clock;
  }

  #restamp(): void {
    this.#write(shared.stamp, stamp.of(this.#own, this.#vector?.[this.#own] ?? 0));
    this.newEpoch();
  }
}

function join(into: Uint32Array, other: Uint32Array, count: number): void {
  for (let index = 0; index < count; index += 1) {
    const clock = other[index] ?? 0;
    if (clock > (into[index] ?? 0)) into[index] = clock;
  }
}
