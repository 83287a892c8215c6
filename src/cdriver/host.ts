/**
 * Runs C drivers: one WebAssembly instance per driver, all over one memory, one table, one C stack pointer and one Asyncify state,
 * so that C may call C of another driver through a plain function pointer.
 *
 * A call into C runs on JavaScript's stack until it returns or something below it has to wait. Then Asyncify unwinds it: its C frames
 * go to the thread's unwind buffer, and later a rewind brings them back. Nothing here outlives that but the instances.
 */
import { CONSTRUCTORS } from "./build.ts";
import { CheckHost } from "./checks/host.ts";
import { isOfChecks } from "./checks/names.ts";
import type { PointerParameter } from "./checks/parameters.ts";
import { importOf } from "./driver-imports.ts";
import { type Import, type Instances, type LoadedDriver, discardInstances, instancesFor } from "./instances.ts";
import { CALL_DEPTH, takesWords, trapFault, wrongPrototype } from "./traps.ts";
import { applyWords } from "../kernel/apply.ts";
import { assert } from "../kernel/assert.ts";
import type { CodeHost } from "../kernel/code-hosts.ts";
import { ACCESS_POINT } from "../kernel/access-point.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { TABLE_ENTRIES, imageSlots } from "../kernel/memory.ts";
import { BugCheck, DriverFault, RunFailed } from "../kernel/outcome.ts";
import { unpoison } from "../kernel/poison.ts";
import { type Frame, type Thread, stackBlock, FRAMES_BYTES } from "../kernel/state.ts";

const NORMAL = 0;
const UNWINDING = 1;
const REWINDING = 2;
/** The least room between the unwind buffers and the C stack's limit, in bytes. */
const UNWIND_RESERVE = 16 * 1024;
export class CHost implements CodeHost {
  readonly kernel: Kernel;
  readonly checks: CheckHost;
  readonly #instances: Instances<CHost>;
  readonly #pointIndex: number;
  readonly #images = new Map<number, { driver: LoadedDriver; places: ReadonlyMap<string, number> }>();
  /** Per place in the table, 1 + the number of arguments with which its type has been found right. */
  readonly #checked = new Uint8Array(TABLE_ENTRIES);
  /** Set while the call that a rewind leads to has not been reached. */
  #isRewinding = false;
  /** Set from the start of an unwind until the C function has returned to the host. */
  #isUnwinding = false;
  /** The stack pointer as it was just read, or -1; the thread that the stack limit is set for. */
  #knownStackPointer = -1;
  #limitOf = 0;

  /**
   * Loads the drivers into their slots; their data is written to memory. `judgesRaces`: whether accesses of different threads are compared, which
   * only a run from its start can do.
   */
  constructor(kernel: Kernel, drivers: readonly LoadedDriver[], judgesRaces = true) {
    this.kernel = kernel;
    this.#instances = instancesFor(kernel.memory, drivers, this);
    const { stackPointer, stackLimit, depthLeft, asyncifyState } = this.#instances;
    stackPointer.value = 0;
    stackLimit.value = 0;
    depthLeft.value = CALL_DEPTH;
    asyncifyState.value = NORMAL;
    this.#pointIndex = kernel.routineIndex(ACCESS_POINT) ?? -1;
    this.checks = new CheckHost(kernel, () => stackPointer.value, judgesRaces);
    kernel.hosts.add(this);
    for (const driver of drivers) this.#load(driver);
  }

  #load(driver: LoadedDriver): void {
    const { slot, image } = driver;
    const exports = this.#instances.exportsOf(driver, (name, count) => importOf(this.#instances, name, count));
    unpoison(this.kernel.memory, image.dataBase, image.dataSize);
    const {
      [CONSTRUCTORS]: construct,
      __ndislab_check_read: read,
      __ndislab_check_write: write,
      __ndislab_frame_begins: frameBegins,
    } = exports as Partial<Record<string, Import>>;
    construct?.();
    if (read !== undefined && write !== undefined) {
      this.checks.clocks.driverChecks.set(slot, { read, write, decide: frameBegins && this.checks.decides });
      this.kernel.ordering = this.checks.clocks;
    }
    this.#images.set(slot, { driver, places: this.#placeExports(slot, exports) });
  }

  /** The driver's data is as it was linked. */
  reload(slot: number): void {
    const loaded = this.#images.get(slot);
    if (loaded === undefined) return;
    const { image } = loaded.driver;
    this.kernel.memory.clear(image.dataBase, image.dataSize);
    this.#load(loaded.driver);
  }

  globalAt(address: number): string | undefined {
    return this.checks.globalAt(address);
  }

  dataRanges(): { start: number; end: number }[] {
    return [...this.#images.values()].map(({ driver: { image } }) => ({
      start: image.dataBase,
      end: image.dataBase + image.dataSize,
    }));
  }

  #functionAt(target: number): ((...args: number[]) => number | undefined) | undefined {
    const known = this.#instances.functions[target];
    if (known !== undefined) return known;
    const found = this.#instances.table.get(target) ?? undefined;
    if (found !== undefined) this.#instances.functions[target] = found;
    return found;
  }

  /** Memory was written as a whole (a new run, a restored snapshot): what the host keeps in globals is read again. */
  memoryChanged(): void {
    this.#instances.stepsLeft.value = this.kernel.header.stepsLeft;
    this.checks.clocks.newEpoch();
  }

  /**
   * Exported functions get places at the end of the slot's part of the table, in the order of their names: DriverEntry, and what a
   * scenario calls. Those that have a place of their own keep it.
   */
  #placeExports(slot: number, exports: Readonly<Record<string, unknown>>): ReadonlyMap<string, number> {
    const places = new Map<string, number>();
    let place = imageSlots.tableBase(slot + 1) - 1;
    for (const name of Object.keys(exports).toSorted()) {
      if (typeof exports[name] !== "function" || name.startsWith("asyncify_") || isOfChecks(name)) continue;
      this.#instances.table.set(place, exports[name]);
      places.set(name, place);
      place -= 1;
    }
    return places;
  }

  /** Where an exported function is in the table. */
  addressOf(slot: number, name: string): number | undefined {
    return this.#images.get(slot)?.places.get(name);
  }

  owns(target: number): boolean {
    return target > 0 && target < TABLE_ENTRIES;
  }

  driverOf(target: number): number {
    return Math.floor((target - 1) / imageSlots.tableEntries);
  }

  nameOf(target: number): string {
    const loaded = this.#images.get(this.driverOf(target));
    const exported = [...(loaded?.places ?? [])].find(([, place]) => place === target)?.[0];
    return exported ?? loaded?.driver.image.functionName(target) ?? `function ${target}`;
  }

  typeOf(target: number): string | undefined {
    return this.#images.get(this.driverOf(target))?.driver.image.functionType(target);
  }

  stackPointer(_thread: Thread, caller: Frame): number {
    if (caller.step === 1) return caller.sp;
    const now = this.#instances.stackPointer.value;
    this.#knownStackPointer = now;
    return now;
  }

  /** What wasm globals hold of the machine's state goes to memory: between two steps of the run loop all of it is there. */
  saveToMemory(): void {
    this.kernel.header.stepsLeft = this.#instances.stepsLeft.value;
  }

  enter(thread: Thread, frame: Frame): boolean {
    const target = frame.code;
    const code = this.#functionAt(target);
    if (code === undefined)
      throw new DriverFault("trap", `${this.kernel.handlerName(frame)} was called at ${target}, where no function is`);
    const args = this.kernel.arguments(frame);
    this.#checkType(target, frame, args);
    const depthBefore = this.#instances.depthLeft.value;
    // Reads and writes of a wasm global from here cost more than the rest of an entry together: only those that change something are made.
    if (frame.sp !== this.#knownStackPointer) this.#instances.stackPointer.value = frame.sp;
    this.#knownStackPointer = -1;
    if (this.#limitOf !== thread.address) {
      this.#instances.stackLimit.value = stackBlock(thread.address).start + FRAMES_BYTES + UNWIND_RESERVE;
      this.#limitOf = thread.address;
    }
    if (frame.step === 1) {
      this.#instances.depthLeft.value -= frame.saved;
      frame.saved = 0;
      frame.step = 0;
      this.#isRewinding = true;
      this.#instances.asyncifyState.value = REWINDING;
      this.#instances.asyncifyData.value = frame.bufferStart;
    }
    const { clocks } = this.checks;
    const wasInCode = clocks.isInCode;
    clocks.resumes();
    clocks.isInCode = true;
    let result: number | undefined;
    try {
      result = applyWords(code, args);
    } catch (error) {
      throw this.#fault(error, target);
    }
    clocks.isInCode = wasInCode;
    if (this.#isUnwinding) {
      this.#isUnwinding = false;
      this.#instances.asyncifyState.value = NORMAL;
      frame.saved = depthBefore - this.#instances.depthLeft.value;
      this.#instances.depthLeft.value = depthBefore;
      frame.step = 1;
      frame.sp = this.#instances.stackPointer.value;
      frame.bufferEnd = this.kernel.memory.u32[frame.bufferStart >>> 2] ?? 0;
      if (frame.bufferEnd > frame.sp)
        throw new DriverFault("trap", `the C stack of thread ${thread.number} overflowed in ${this.nameOf(target)}`);
      return false;
    }
    assert(!this.#isRewinding, "a C function returned while rewinding");
    this.kernel.pop(thread, frame, result === undefined ? 0 : result >>> 0);
    return true;
  }

  /** The innermost C frame is resumed: its unwind buffer is not needed. */
  #endRewind(): number {
    const kernel = this.kernel;
    const thread = kernel.current;
    const frame = kernel.frame(thread, thread.depth - 1);
    this.#isRewinding = false;
    this.#instances.asyncifyState.value = NORMAL;
    kernel.memory.clear(frame.bufferStart, frame.bufferEnd - frame.bufferStart);
    frame.bufferStart = 0;
    frame.bufferEnd = 0;
    return frame.result;
  }

  /** The call that C just made waits: unwind the C frames of this activation into the thread's buffer. */
  #startUnwind(): void {
    const kernel = this.kernel;
    const { memory } = kernel;
    const thread = kernel.current;
    const { start, end } = stackBlock(thread.address);
    let bufferStart = start + FRAMES_BYTES;
    let owner: Frame | undefined;
    for (let index = 0; index < thread.depth; index += 1) {
      const frame = kernel.frame(thread, index);
      bufferStart = Math.max(bufferStart, frame.bufferEnd);
      if (frame.kind === "Code" && frame.step === 0 && this.owns(frame.code)) owner = frame;
    }
    assert(owner !== undefined, "an unwind without a C frame");
    // The last one found is the innermost that runs: it unwinds first, and those outside it follow, each at its own import.
    owner.bufferStart = bufferStart;
    memory.u32[bufferStart >>> 2] = bufferStart + 8;
    memory.u32[(bufferStart >>> 2) + 1] = end;
    this.#instances.asyncifyData.value = bufferStart;
    this.#instances.asyncifyState.value = UNWINDING;
    this.#isUnwinding = true;
  }

  /** C calls the routine; `pointers` are its parameters that lead to memory of the caller. */
  call(name: string, index: number, pointers: readonly PointerParameter[], args: number[]): number {
    if (this.#isRewinding) return this.#endRewind();
    this.checks.checkParameters(name, pointers, args);
    const answer = this.kernel.invoke(index, args);
    if (answer === undefined) {
      this.#startUnwind();
      return 0;
    }
    this.checks.clocks.resumes();
    return answer;
  }

  /** C is about to access memory that others access, too. */
  point(): number {
    if (this.#isRewinding) return this.#endRewind();
    const answer = this.kernel.invoke(this.#pointIndex, []);
    if (answer === undefined) this.#startUnwind();
    else this.checks.clocks.resumes();
    return 0;
  }

  #checkType(target: number, frame: Frame, args: readonly number[]): void {
    if (this.#checked[target] === args.length + 1) return;
    const type = this.typeOf(target);
    if (type === undefined) return;
    if (!takesWords(type, args.length))
      throw wrongPrototype(this.nameOf(target), this.kernel.handlerName(frame), args.length, type, target);
    this.#checked[target] = args.length + 1;
  }

  #fault(error: unknown, target: number): unknown {
    discardInstances(this.kernel.memory);
    if (error instanceof BugCheck || error instanceof DriverFault || error instanceof RunFailed) return error;
    return trapFault(error, this.nameOf(target), {
      stepsLeft: this.#instances.stepsLeft.value,
      depthLeft: this.#instances.depthLeft.value,
      stackLeft: this.#instances.stackPointer.value - this.#instances.stackLimit.value,
    });
  }
}
