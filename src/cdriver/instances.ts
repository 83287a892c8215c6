/**
 * WebAssembly instances of drivers, and what they share: table, C stack pointer, limits, Asyncify's state. Nothing of a machine is in them, so
 * runs that follow each other in one memory, with the same drivers, use the same instances; each run begins with the drivers' data as linked.
 *
 * After an exception went through a driver's frames its instances are in the middle of something, and no other run gets them.
 */
import type { KernelMemory } from "../kernel/memory.ts";
import { TABLE_ENTRIES } from "../kernel/memory.ts";
import type { DriverImage } from "./image.ts";

/** What is run: `module` is compiled from the image. */
export interface LoadedDriver {
  readonly slot: number;
  readonly image: DriverImage;
  readonly module: WebAssembly.Module;
}

export type Import = (...args: number[]) => number;
/** A driver's function. */
export type Code = (...args: number[]) => number | undefined;

interface Instantiated {
  readonly exports: Readonly<Record<string, unknown>>;
  /** The driver's data as it was when the instance was new. */
  readonly data: Uint8Array;
}

const word = (): WebAssembly.Global => new WebAssembly.Global({ value: "i32", mutable: true }, 0);

export class Instances<Host> {
  readonly table = new WebAssembly.Table({ initial: TABLE_ENTRIES, maximum: TABLE_ENTRIES, element: "anyfunc" });
  readonly stackPointer = word();
  readonly stackLimit = word();
  readonly stepsLeft = word();
  readonly depthLeft = word();
  readonly asyncifyState = word();
  readonly asyncifyData = word();
  /** What was read from the table, by place: it does not change once the drivers are loaded. */
  readonly functions: (Code | undefined)[] = [];
  /** Whom the imports call: the host of the run that is under way. */
  host: Host;
  readonly #memory: KernelMemory;
  readonly #drivers: readonly LoadedDriver[];
  readonly #loaded = new Map<number, Instantiated>();

  constructor(memory: KernelMemory, drivers: readonly LoadedDriver[], host: Host) {
    this.#memory = memory;
    this.#drivers = drivers;
    this.host = host;
  }

  areOf(drivers: readonly LoadedDriver[]): boolean {
    return (
      drivers.length === this.#drivers.length &&
      drivers.every(({ slot, module }, index) => this.#drivers[index]?.slot === slot && this.#drivers[index]?.module === module)
    );
  }

  /** The exports of the driver's instance; its data is in memory. */
  exportsOf(
    { slot, image, module }: LoadedDriver,
    importOf: (name: string, parameterCount: number) => Import,
  ): Readonly<Record<string, unknown>> {
    const { u8 } = this.#memory;
    const known = this.#loaded.get(slot);
    if (known !== undefined) {
      u8.set(known.data, image.dataBase);
      return known.exports;
    }
    const env: Record<string, unknown> = {
      memory: this.#memory.wasm,
      __indirect_function_table: this.table,
      __stack_pointer: this.stackPointer,
      __stack_limit: this.stackLimit,
      __steps_left: this.stepsLeft,
      __depth_left: this.depthLeft,
      __asyncify_state: this.asyncifyState,
      __asyncify_data: this.asyncifyData,
    };
    for (const { name, type } of image.imports) env[name] = importOf(name, type.split(":")[0]?.length ?? 0);
    const { exports } = new WebAssembly.Instance(module, { env });
    this.#loaded.set(slot, { exports, data: u8.slice(image.dataBase, image.dataBase + image.dataSize) });
    return exports;
  }
}

const kept = new WeakMap<KernelMemory, Instances<unknown>>();

/** Those of the last run in this memory, if it had the same drivers; else new ones. */
export function instancesFor<Host>(memory: KernelMemory, drivers: readonly LoadedDriver[], host: Host): Instances<Host> {
  const last = kept.get(memory);
  if (last?.areOf(drivers) === true) {
    last.host = host;
    return last as Instances<Host>;
  }
  const made = new Instances<Host>(memory, drivers, host);
  kept.set(memory, made as Instances<unknown>);
  return made;
}

/** No other run gets the instances. */
export function discardInstances(memory: KernelMemory): void {
  kept.delete(memory);
}
