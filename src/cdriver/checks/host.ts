/** The host's side of a driver's checks: what an access that was not found right is, races, and globals with the zones between them. */
import { assert } from "../../kernel/assert.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { MEMORY_BYTES, regions } from "../../kernel/memory.ts";
import { DriverFault } from "../../kernel/outcome.ts";
import { POISON, poison, poisonAt, unpoison } from "../../kernel/poison.ts";
import { userBlockAt } from "../../kernel/processes.ts";
import { unwrittenAmong } from "../../kernel/unwritten.ts";
import { readString } from "./c-strings.ts";
import {
  type Access,
  type Global,
  describeAccess,
  describePlace,
  describeUnwritten,
  isEndOfFrame,
  ruleOf,
  thingOf,
} from "./denied.ts";
import { HEADER_BYTES, type PointerParameter } from "./parameters.ts";
import { shared } from "./shared-state.ts";
import { type Wrap, describeOverflow, describeUndefined, wrapsOf } from "./undefined.ts";
import { VectorClocks } from "./vector-clocks.ts";

/** Of what the compiler tells about a global: words. */
const GLOBAL_WORDS = 8;

/** Bits of how an access is made: see checks.c. */
const WRITES = 1;
const IS_VOLATILE = 2;
/** Which undefined behaviour a shift by too much is. */
const IS_SHIFT = 2;

/** An access that another one is compared with. */
export interface RacingAccess extends Access {
  readonly thread: number;
  readonly irql: number;
  readonly isVolatile: boolean;
  readonly isInterlocked: boolean;
}

/** One of bytes that are watched, with JavaScript's stack there. */
export interface WatchedAccess extends RacingAccess {
  /** Counted from 0. The note "watched access" has it as its value. */
  readonly number: number;
  readonly stack: string;
}

/** Two accesses that nothing orders; the text of the note "data race". */
export interface Race {
  readonly access: RacingAccess;
  readonly otherThread: number;
  readonly otherWrites: boolean;
  /** How many accesses had been kept: the last of them is this one, if it was. */
  readonly kept: number;
}

export class CheckHost {
  readonly clocks: VectorClocks;
  readonly #kernel: Kernel;
  readonly #stackPointer: () => number;
  readonly #globals: Global[] = [];
  /** Words, and whether both accesses wrote: of which a race has been told. */
  readonly #told = new Set<string>();
  #watched: ReadonlySet<number> = new Set();
  readonly #accesses: WatchedAccess[] = [];

  constructor(kernel: Kernel, stackPointer: () => number, judgesRaces: boolean) {
    this.#kernel = kernel;
    this.#stackPointer = stackPointer;
    this.clocks = new VectorClocks(kernel.memory, judgesRaces);
  }

  /** A function that checks.c, or code that the compiler has added, imports. */
  called(name: string, [first = 0, second = 0, third = 0, fourth = 0, fifth = 0]: readonly number[]): number {
    switch (name) {
      case "__ndislab_denied":
        this.#denied(accessOf(first, second, third));
        break;
      case "__ndislab_unwritten":
        this.#unwritten(accessOf(first, second, 0));
        break;
      case "__ndislab_race":
        this.#race(this.#racing(first, second, third), fourth >>> 0, fifth !== 0);
        break;
      case "__ndislab_watched":
        this.#seen(this.#racing(first, second, third));
        break;
      case "__ndislab_volatile":
        if ((third & WRITES) === 0) this.clocks.acquire(first >>> 0);
        else this.clocks.hand(first >>> 0);
        break;
      case "__ndislab_undefined":
        this.#undefined(first >>> 0, second, third);
        break;
      case "__ndislab_overflow":
        this.#tellUndefined(describeOverflow(this.#kernel.memory, first >>> 0, second, third, fourth));
        break;
      case "__asan_register_globals":
        this.#registerGlobals(first >>> 0, second);
        break;
      default:
        assert(false, `${name} is no function of the checks`);
    }
    return 0;
  }

  /** Looks at what the routine's parameters point to. */
  checkParameters(routine: string, pointers: readonly PointerParameter[], args: readonly number[]): void {
    for (const each of pointers) this.#checkParameter(routine, each, args[each.index] ?? 0);
  }

  /** Keeps the accesses of these words, with their stacks. */
  watch(words: readonly number[]): void {
    this.#watched = new Set(words);
    const { u32 } = this.#kernel.memory;
    u32[shared.watched >>> 2] = Math.min(...words);
    u32[shared.watchedEnd >>> 2] = Math.max(...words) + 4;
  }

  /** The accesses of the bytes by that thread, as far as their words are watched: those among the first `kept`, and those after them. */
  accessesBy(thread: number, { address, bytes }: Access, kept: number): { before: WatchedAccess[]; after: WatchedAccess[] } {
    const isOne = (each: WatchedAccess): boolean =>
      each.thread === thread && each.address < address + bytes && each.address + each.bytes > address;
    return { before: this.#accesses.slice(0, kept).filter(isOne), after: this.#accesses.slice(kept).filter(isOne) };
  }

  #checkParameter(routine: string, parameter: PointerParameter, address: number): void {
    if (address === 0 && parameter.isOptional) return;
    const { memory } = this.#kernel;
    let { bytes } = parameter;
    if (parameter.hasHeader) {
      // A driver may pass more than this version knows, and less than all of it.
      const hasSize = address < MEMORY_BYTES && poisonAt(memory, address, HEADER_BYTES) === undefined;
      bytes = hasSize ? Math.min(Math.max(memory.readU16(address + 2), HEADER_BYTES), bytes) : HEADER_BYTES;
    }
    const isNull = address < regions.nullPage.end;
    const isThere = !isNull && poisonAt(memory, address, bytes) === undefined && !this.#isDeadStack(address);
    if (isThere) return this.#checkWritten(routine, parameter, address);
    const access = { address, bytes, writes: parameter.writes };
    if (!isNull && this.#isOfOwnProcess(access)) return;
    const at = `0x${address.toString(16)}`;
    const what = isNull
      ? `${parameter.name} ${at}, which is no address`
      : `a ${parameter.type} of ${bytes} bytes at ${at}: ${describePlace(this.#kernel, access, this.#globals)}`;
    const rule = ruleOf(this.#kernel, access);
    throw new DriverFault(rule, `${routine} was called with ${what}`, undefined, thingOf(this.#kernel, access));
  }

  #checkWritten(routine: string, { name, type, needed, needsEach }: PointerParameter, address: number): void {
    const { count, first } = unwrittenAmong(this.#kernel.memory, address, needed);
    if (count === 0 || (count < needed && !needsEach)) return;
    const what = describeUnwritten(this.#kernel, { address: first, bytes: count, writes: false }, this.#globals);
    const message = `${routine} was called with a ${type} as ${name} that was not initialized: ${what}`;
    throw new DriverFault("uninitialised", message, undefined, thingOf(this.#kernel, { address, bytes: count, writes: false }));
  }

  /** The library goes by these bytes of the driver's. */
  readonly decides = (address: number, bytes: number): void => {
    if (unwrittenAmong(this.#kernel.memory, address, bytes).count > 0) this.#unwritten({ address, bytes, writes: false });
  };

  /** What cannot go well ends the run; what the processors of Windows do in their own way is told. */
  #undefined(at: number, what: number, value: number): void {
    const { rule, message } = describeUndefined(this.#kernel.memory, at, what, value);
    if (what !== IS_SHIFT) throw new DriverFault(rule, message);
    this.#tellUndefined(message);
  }

  #tellUndefined(message: string): void {
    this.#kernel.note("undefined behaviour", 0, 0, message);
  }

  /** Of the current thread, the latest first. */
  wraps(): Wrap[] {
    const { number } = this.#kernel.current;
    return wrapsOf(this.#kernel.memory, (value) => this.clocks.threadAt(value) === number);
  }

  /** Below the stack pointer of the code that runs. */
  #isDeadStack(address: number): boolean {
    const { u32 } = this.#kernel.memory;
    const isOwn = address >= (u32[shared.stackStart >>> 2] ?? 0) && address < (u32[shared.stackEnd >>> 2] ?? 0);
    return isOwn && address < this.#stackPointer();
  }

  #denied(access: Access): void {
    if (this.#isOfOwnProcess(access) || isEndOfFrame(this.#kernel, access)) return;
    const message = describeAccess(this.#kernel, access, this.#globals);
    throw new DriverFault(ruleOf(this.#kernel, access), message, undefined, thingOf(this.#kernel, access));
  }

  #unwritten(access: Access): void {
    const kernel = this.#kernel;
    const { first, count } = unwrittenAmong(kernel.memory, access.address, access.bytes);
    const message = describeUnwritten(kernel, { ...access, address: first, bytes: count }, this.#globals);
    throw new DriverFault("uninitialised", message, undefined, thingOf(kernel, access));
  }

  /** Memory of an application that was probed, in the context of its process. */
  #isOfOwnProcess({ address, bytes, writes }: Access): boolean {
    if (address < regions.user.start || address >= regions.user.end) return false;
    const block = userBlockAt(this.#kernel, address);
    if (block === undefined || address + bytes > block.start + block.bytes) return false;
    const isProbed = poisonAt(this.#kernel.memory, address, 1)?.state === POISON.probed && (block.isProbedToWrite || !writes);
    return isProbed && block.process === this.#kernel.current.process;
  }

  #racing(address: number, bytes: number, how: number): RacingAccess {
    const { number: thread, irql } = this.#kernel.current;
    const isVolatile = (how & IS_VOLATILE) !== 0;
    return { ...accessOf(address, bytes, how), thread, irql, isVolatile, isInterlocked: this.clocks.isInterlocked };
  }

  #race(access: RacingAccess, other: number, otherWrites: boolean): void {
    const key = `${access.address & ~3} ${access.writes && otherWrites}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const race: Race = { access, otherThread: this.clocks.threadOf(other), otherWrites, kept: this.#accesses.length };
    this.#kernel.note("data race", access.address, race.otherThread, JSON.stringify(race));
  }

  #seen(access: RacingAccess): void {
    let isWatched = false;
    for (let word = access.address & ~3; word < access.address + access.bytes; word += 4) isWatched ||= this.#watched.has(word);
    if (!isWatched) return;
    const number = this.#accesses.length;
    this.#accesses.push({ ...access, number, stack: new Error("here").stack ?? "" });
    this.#kernel.note("watched access", access.address, number);
  }

  /** The global variable that the byte belongs to. */
  globalAt(at: number): string | undefined {
    return this.#globals.find(({ address, bytes }) => at >= address && at < address + bytes)?.name;
  }

  #registerGlobals(first: number, count: number): void {
    const { memory } = this.#kernel;
    for (let index = 0; index < count; index += 1) {
      const word = (first >>> 2) + index * GLOBAL_WORDS;
      const [address = 0, bytes = 0, withZone = 0, name = 0] = memory.u32.subarray(word, word + 4);
      poison(memory, address, withZone, POISON.global);
      unpoison(memory, address, bytes);
      this.#globals.push({ address, bytes, withZone, name: readString(memory.u8, name) });
    }
  }
}

const accessOf = (address: number, bytes: number, how: number): Access => ({
  address: address >>> 0,
  bytes: bytes >>> 0,
  writes: (how & WRITES) !== 0,
});
