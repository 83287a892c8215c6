/**
 * Runs C drivers: one WebAssembly instance per driver, all over one memory, one table, one C stack pointer and one Asyncify state,
 * so that C may call C of another driver through a plain function pointer.
 *
 * A call into C runs on JavaScript's stack until it returns or something below it has to wait. Then Asyncify unwinds it: its C frames
 * go to the thread's unwind buffer, and later a rewind brings them back. Nothing here outlives that but the instances.
 */
import { ddi } from "../contract/index.ts";
import { CONSTRUCTORS } from "./build.ts";
import { CheckHost } from "./checks/host.ts";
import { isOfChecks } from "./checks/names.ts";
import type { DriverImage } from "./image.ts";
import { refuseOlder } from "./older-versions.ts";
import { applyWords, takingWords } from "../kernel/apply.ts";
import { assert } from "../kernel/assert.ts";
import type { CodeHost, Kernel } from "../kernel/kernel.ts";
import { TABLE_ENTRIES, imageSlots } from "../kernel/memory.ts";
import { BugCheck, DriverFault, RunFailed } from "../kernel/outcome.ts";
import { unpoison } from "../kernel/poison.ts";
import { type Frame, type Thread, stackBlock, FRAMES_BYTES } from "../kernel/state.ts";

const NORMAL = 0;
const UNWINDING = 1;
const REWINDING = 2;
/** The least room between the unwind buffers and the C stack's limit, in bytes. */
const UNWIND_RESERVE = 16 * 1024;
/** Calls between functions of drivers that may be open at once. */
const CALL_DEPTH = 2000;

type Import = (...args: number[]) => number;

export class CHost implements CodeHost {
  readonly #kernel: Kernel;
  readonly checks: CheckHost;
  readonly #table = new WebAssembly.Table({ initial: TABLE_ENTRIES, maximum: TABLE_ENTRIES, element: "anyfunc" });
  readonly #stackPointer = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  readonly #stackLimit = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  readonly #stepsLeft = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  readonly #depthLeft = new WebAssembly.Global({ value: "i32", mutable: true }, CALL_DEPTH);
  readonly #asyncifyState = new WebAssembly.Global({ value: "i32", mutable: true }, NORMAL);
  readonly #asyncifyData = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
  readonly #images = new Map<number, { image: DriverImage; module: WebAssembly.Module; places: ReadonlyMap<string, number> }>();
  /** What was read from the table, by place: the table does not change once the drivers are loaded. */
  readonly #functions: ((...args: number[]) => number | undefined)[] = [];
  /** Per place in the table, 1 + the number of arguments with which its type has been found right. */
  readonly #checked = new Uint8Array(TABLE_ENTRIES);
  /** Set while the call that a rewind leads to has not been reached. */
  #isRewinding = false;
  /** Set from the start of an unwind until the C function has returned to the host. */
  #isUnwinding = false;
  /** The stack pointer as it was just read, or -1; the thread that the stack limit is set for. */
  #knownStackPointer = -1;
  #limitOf = 0;

  /** `judgesRaces`: whether accesses of different threads are compared, which only a run from its start can do. */
  constructor(kernel: Kernel, judgesRaces = true) {
    this.#kernel = kernel;
    this.checks = new CheckHost(kernel, judgesRaces);
    kernel.ordering = this.checks.clocks;
    kernel.hosts.push(this);
  }

  /** Instantiates the driver in its slot; its data is written to memory. `module` lets the caller compile once for many machines. */
  load(slot: number, image: DriverImage, module: WebAssembly.Module): void {
    const env: Record<string, unknown> = {
      memory: this.#kernel.memory.wasm,
      __indirect_function_table: this.#table,
      __stack_pointer: this.#stackPointer,
      __stack_limit: this.#stackLimit,
      __steps_left: this.#stepsLeft,
      __depth_left: this.#depthLeft,
      __asyncify_state: this.#asyncifyState,
      __asyncify_data: this.#asyncifyData,
    };
    for (const { name, type } of image.imports) env[name] = this.#importOf(name, type.split(":")[0]?.length ?? 0);
    const instance = new WebAssembly.Instance(module, { env });
    unpoison(this.#kernel.memory, image.dataBase, image.dataSize);
    const construct = instance.exports[CONSTRUCTORS];
    if (typeof construct === "function") construct();
    const { __ndislab_check_read: read, __ndislab_check_fill: write } = instance.exports as Partial<Record<string, Import>>;
    if (read !== undefined && write !== undefined) this.checks.clocks.driverChecks.set(slot, { read, write });
    this.#images.set(slot, { image, module, places: this.#placeExports(slot, instance.exports) });
  }

  /** A new instance in the place of the old one, whose data is gone. */
  reload(slot: number): void {
    const loaded = this.#images.get(slot);
    if (loaded === undefined) return;
    const { image, module } = loaded;
    this.#kernel.memory.clear(image.dataBase, image.dataSize);
    this.#functions.length = 0;
    this.load(slot, image, module);
  }

  globalAt(address: number): string | undefined {
    return this.checks.globalAt(address);
  }

  dataRanges(): { start: number; end: number }[] {
    return [...this.#images.values()].map(({ image }) => ({ start: image.dataBase, end: image.dataBase + image.dataSize }));
  }

  #functionAt(target: number): ((...args: number[]) => number | undefined) | undefined {
    const known = this.#functions[target];
    if (known !== undefined) return known;
    const found = this.#table.get(target) ?? undefined;
    if (found !== undefined) this.#functions[target] = found;
    return found;
  }

  /** Memory was written as a whole (a new run, a restored snapshot): what the host keeps in globals is read again. */
  memoryChanged(): void {
    this.#stepsLeft.value = this.#kernel.header.stepsLeft;
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
      this.#table.set(place, exports[name]);
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
    return exported ?? loaded?.image.functionName(target) ?? `function ${target}`;
  }

  typeOf(target: number): string | undefined {
    return this.#images.get(this.driverOf(target))?.image.functionType(target);
  }

  stackPointer(_thread: Thread, caller: Frame): number {
    if (caller.step === 1) return caller.sp;
    const now = this.#stackPointer.value;
    this.#knownStackPointer = now;
    return now;
  }

  /** What wasm globals hold of the machine's state goes to memory: between two steps of the run loop all of it is there. */
  saveToMemory(): void {
    this.#kernel.header.stepsLeft = this.#stepsLeft.value;
  }

  enter(thread: Thread, frame: Frame): boolean {
    const target = frame.code;
    const code = this.#functionAt(target);
    if (code === undefined)
      throw new DriverFault("trap", `${this.#kernel.handlerName(frame)} was called at ${target}, where no function is`);
    const args = this.#kernel.arguments(frame);
    this.#checkType(target, frame, args);
    const depthBefore = this.#depthLeft.value;
    // Reads and writes of a wasm global from here cost more than the rest of an entry together: only those that change something are made.
    if (frame.sp !== this.#knownStackPointer) this.#stackPointer.value = frame.sp;
    this.#knownStackPointer = -1;
    if (this.#limitOf !== thread.address) {
      this.#stackLimit.value = stackBlock(thread.address).start + FRAMES_BYTES + UNWIND_RESERVE;
      this.#limitOf = thread.address;
    }
    if (frame.step === 1) {
      this.#depthLeft.value -= frame.saved;
      frame.saved = 0;
      frame.step = 0;
      this.#isRewinding = true;
      this.#asyncifyState.value = REWINDING;
      this.#asyncifyData.value = frame.bufferStart;
    }
    this.checks.clocks.resumes();
    let result: number | undefined;
    try {
      result = applyWords(code, args);
    } catch (error) {
      throw this.#fault(error, target);
    }
    if (this.#isUnwinding) {
      this.#isUnwinding = false;
      this.#asyncifyState.value = NORMAL;
      frame.saved = depthBefore - this.#depthLeft.value;
      this.#depthLeft.value = depthBefore;
      frame.step = 1;
      frame.sp = this.#stackPointer.value;
      frame.bufferEnd = this.#kernel.memory.u32[frame.bufferStart >>> 2] ?? 0;
      if (frame.bufferEnd > frame.sp)
        throw new DriverFault("trap", `the C stack of thread ${thread.number} overflowed in ${this.nameOf(target)}`);
      return false;
    }
    assert(!this.#isRewinding, "a C function returned while rewinding");
    this.#kernel.pop(thread, frame, result === undefined ? 0 : result >>> 0);
    return true;
  }

  /** The innermost C frame is resumed: its unwind buffer is not needed any more. */
  #endRewind(): number {
    const kernel = this.#kernel;
    const thread = kernel.current;
    const frame = kernel.frame(thread, thread.depth - 1);
    this.#isRewinding = false;
    this.#asyncifyState.value = NORMAL;
    kernel.memory.clear(frame.bufferStart, frame.bufferEnd - frame.bufferStart);
    frame.bufferStart = 0;
    frame.bufferEnd = 0;
    return frame.result;
  }

  /** The call that C just made waits: unwind the C frames of this activation into the thread's buffer. */
  #startUnwind(): void {
    const kernel = this.#kernel;
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
    this.#asyncifyData.value = bufferStart;
    this.#asyncifyState.value = UNWINDING;
    this.#isUnwinding = true;
  }

  #importOf(name: string, parameterCount: number): Import {
    const index = this.#kernel.routineIndex(name);
    const check = this.checks.importOf(name);
    if (check !== undefined) return check as Import;
    if (index === undefined) {
      return () => {
        refuseOlder(name);
        const isKnown = ddi(name) !== undefined;
        throw new RunFailed(
          isKnown
            ? `${name} was called, which ndislab does not have`
            : `${name} was called, which no header declares and no source of the driver defines: is the name right?`,
        );
      };
    }
    const checkParameters = this.checks.parametersOf(name);
    const { clocks } = this.checks;
    return takingWords(parameterCount, (args) => {
      if (this.#isRewinding) return this.#endRewind();
      checkParameters?.(args);
      const answer = this.#kernel.invoke(index, args);
      if (answer === undefined) {
        this.#startUnwind();
        return 0;
      }
      clocks.resumes();
      return answer;
    });
  }

  #checkType(target: number, frame: Frame, args: readonly number[]): void {
    if (this.#checked[target] === args.length + 1) return;
    const type = this.typeOf(target);
    if (type === undefined) return;
    const parameters = type.split(":")[0] ?? "";
    if (parameters.length === args.length && /^i*$/.test(parameters)) {
      this.#checked[target] = args.length + 1;
      return;
    }
    throw new DriverFault(
      "trap",
      `${this.nameOf(target)} was called as ${this.#kernel.handlerName(frame)} with ${args.length} arguments, but its C type is ${type}`,
    );
  }

  #fault(error: unknown, target: number): unknown {
    if (error instanceof BugCheck || error instanceof DriverFault || error instanceof RunFailed) return error;
    if (error instanceof RangeError) {
      return new DriverFault("trap", `the call depth in ${this.nameOf(target)} passed what the host can hold`, error);
    }
    if (!(error instanceof WebAssembly.RuntimeError)) return error;
    if (this.#stepsLeft.value < 0) {
      return new DriverFault(
        "step-budget",
        `${this.nameOf(target)} ran without end: the step budget of the run is used up`,
        error,
      );
    }
    if (this.#depthLeft.value < 0) {
      return new DriverFault(
        "trap",
        `the C stack overflowed: more than ${CALL_DEPTH} calls deep below ${this.nameOf(target)}`,
        error,
      );
    }
    if (this.#stackPointer.value < this.#stackLimit.value) {
      return new DriverFault("trap", `the C stack overflowed below ${this.nameOf(target)}`, error);
    }
    return new DriverFault("trap", `${this.nameOf(target)} trapped: ${error.message}`, error);
  }
}
