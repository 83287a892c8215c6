/**
 * Runs TypeScript drivers. A generator that waits is kept here, by its frame, until its thread goes on: such a run is not copied but replayed
 * from its start. Everything else of a TypeScript driver is in kernel memory.
 */
import { constant } from "../contract/index.ts";
import { must } from "../kernel/assert.ts";
import type { CodeHost } from "../kernel/code-hosts.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { TABLE_ENTRIES, imageSlots } from "../kernel/memory.ts";
import { DriverFault, RunFailed } from "../kernel/outcome.ts";
import type { Frame, Thread } from "../kernel/state.ts";
import type { DdiRequest, HandlerResult, Handlers, TypeScriptDriver } from "./driver.ts";
import { createEnvironment } from "./environment.ts";

/** Function addresses of TypeScript drivers follow those of the table. */
const FIRST_ADDRESS = 0x8000;
const HANDLERS_PER_DRIVER = 1024;

interface LoadedDriver {
  readonly driver: TypeScriptDriver;
  readonly handlers: Handlers;
  readonly names: readonly string[];
}

type Running = Generator<DdiRequest, HandlerResult, number>;

export class TypeScriptHost implements CodeHost {
  readonly #kernel: Kernel;
  readonly #keepsPlaces: boolean;
  readonly #drivers = new Map<number, LoadedDriver>();
  /** Generators of parked frames, by frame address. */
  readonly #parked = new Map<number, Running>();
  /** Calls that were made and not yet handed over with `yield*`, with the place of each. */
  readonly #open = new Set<{ readonly name: string; readonly at: Error | undefined }>();
  readonly #calledRoutines = new Set<string>();
  /** Made at the call that is being carried out, if places are kept; its stack is made into text only when somebody asks. */
  #callAt: Error | undefined;

  /** `keepsPlaces`: remember where each call was made, which costs more than the call. */
  constructor(kernel: Kernel, keepsPlaces: boolean) {
    this.#kernel = kernel;
    this.#keepsPlaces = keepsPlaces;
    kernel.hosts.add(this);
  }

  load(driver: TypeScriptDriver, slot: number): void {
    const addresses = new Map<string, number>();
    const environment = createEnvironment(this.#kernel, slot, {
      handler: (name) => {
        const address = addresses.get(name);
        if (address === undefined) throw new RunFailed(`driver ${driver.name} has no handler ${name}`);
        return address;
      },
      called: (name) => this.#called(name),
    });
    const handlers = driver.create(environment);
    const names = Object.keys(handlers).toSorted();
    for (const [index, name] of names.entries()) addresses.set(name, FIRST_ADDRESS + slot * HANDLERS_PER_DRIVER + index);
    if (!addresses.has("DriverEntry")) throw new RunFailed(`driver ${driver.name} has no DriverEntry`);
    this.#drivers.set(slot, { driver, handlers, names });
  }

  reload(slot: number): void {
    const loaded = this.#drivers.get(slot);
    if (loaded === undefined) return;
    this.#kernel.memory.clear(imageSlots.dataBase(slot), imageSlots.dataBase(slot + 1) - imageSlots.dataBase(slot));
    this.load(loaded.driver, slot);
  }

  /** Names of the handlers of the driver in that slot. */
  handlersOf(slot: number): readonly string[] {
    return this.#drivers.get(slot)?.names ?? [];
  }

  /** Names of the routines that its drivers have called so far. */
  get calledRoutines(): ReadonlySet<string> {
    return this.#calledRoutines;
  }

  addressOf(slot: number, name: string): number | undefined {
    const index = this.#drivers.get(slot)?.names.indexOf(name) ?? -1;
    return index < 0 ? undefined : FIRST_ADDRESS + slot * HANDLERS_PER_DRIVER + index;
  }

  /** JavaScript stack at the driver's call that is being carried out. */
  get callStack(): string | undefined {
    return this.#callAt?.stack;
  }

  /** Whether a handler is waiting: such a machine cannot be copied. */
  get hasParked(): boolean {
    return this.#parked.size > 0;
  }

  owns(target: number): boolean {
    return target >= Math.max(FIRST_ADDRESS, TABLE_ENTRIES) && target < FIRST_ADDRESS + imageSlots.count * HANDLERS_PER_DRIVER;
  }

  driverOf(target: number): number {
    return Math.floor((target - FIRST_ADDRESS) / HANDLERS_PER_DRIVER);
  }

  nameOf(target: number): string {
    return (
      this.#drivers.get(this.driverOf(target))?.names[(target - FIRST_ADDRESS) % HANDLERS_PER_DRIVER] ??
      `handler 0x${target.toString(16)}`
    );
  }

  /** A handler's local structures lie on the thread's stack, below its frame's stack pointer. */
  stackPointer(_thread: Thread, caller: Frame): number {
    return caller.sp;
  }

  forget(frame: Frame): void {
    this.#parked.delete(frame.address);
  }

  dataRanges(): { start: number; end: number }[] {
    return [...this.#drivers.keys()].map((slot) => ({ start: imageSlots.dataBase(slot), end: imageSlots.dataBase(slot + 1) }));
  }

  enter(thread: Thread, frame: Frame): boolean {
    const kernel = this.#kernel;
    const target = frame.code;
    const loaded = must(this.#drivers.get(this.driverOf(target)), "a TypeScript driver is not loaded");
    const name = this.nameOf(target);
    const topOfStack = frame.step === 0 ? frame.sp : frame.saved;
    let running = this.#parked.get(frame.address);
    let input = frame.result;
    if (running === undefined) {
      frame.saved = frame.sp;
      const handler = must(loaded.handlers[name], `driver ${loaded.driver.name} has no handler ${name}`);
      const started = this.#guard(loaded, name, () => handler(...kernel.arguments(frame)));
      if (!isRunning(started)) return this.#finish(thread, frame, loaded, name, started, topOfStack);
      running = started;
      input = 0;
    }
    this.#parked.delete(frame.address);
    frame.step = 0;
    for (;;) {
      const current = running;
      const { done, value } = this.#guard(loaded, name, () => current.next(input));
      if (done === true) return this.#finish(thread, frame, loaded, name, value as HandlerResult, frame.saved);
      const { routine, args } = value as DdiRequest;
      const answer = kernel.invoke(routine, args);
      if (answer === undefined) {
        frame.step = 1;
        this.#parked.set(frame.address, running);
        return false;
      }
      input = answer;
    }
  }

  #finish(thread: Thread, frame: Frame, loaded: LoadedDriver, name: string, result: HandlerResult, topOfStack: number): boolean {
    const forgotten = [...this.#open][0];
    if (forgotten !== undefined) {
      throw new RunFailed(
        `driver ${loaded.driver.name}: ${name} called ${forgotten.name} without yield*, so that it never happened`,
      );
    }
    this.#kernel.memory.clear(frame.sp, topOfStack - frame.sp);
    this.#kernel.pop(thread, frame, typeof result === "string" ? constant(result) >>> 0 : (result ?? 0) >>> 0);
    return true;
  }

  /** The driver made a call; it counts as made when `yield*` hands it over. */
  #called(name: string): () => void {
    this.#calledRoutines.add(name);
    const at = this.#keepsPlaces ? new Error(name) : undefined;
    const call = { name, at };
    this.#open.add(call);
    return () => {
      this.#open.delete(call);
      this.#callAt = at;
    };
  }

  #guard<T>(loaded: LoadedDriver, name: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      if (error instanceof RunFailed || error instanceof DriverFault) throw error;
      this.#callAt = error instanceof Error ? error : undefined;
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new DriverFault("trap", `${name} of driver ${loaded.driver.name} threw ${text}`, error);
    }
  }
}

function isRunning(value: unknown): value is Running {
  return typeof value === "object" && value !== null && "next" in value;
}
