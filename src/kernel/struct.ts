/**
 * Typed views of kernel memory: a view is an address and accessors, nothing is copied.
 *
 * `struct("Port", { number: u32, state: oneOf("Allocated", "Activated") })` declares a structure of ours; `windowsStruct` in
 * windows.ts makes the same kind of view of a structure of Windows, at the offsets of the contract table.
 */
import { assert } from "./assert.ts";
import type { KernelMemory } from "./memory.ts";

/** How one field is stored. `bytes` and `align` in bytes. */
export interface Field<T> {
  readonly bytes: number;
  readonly align: number;
  read(memory: KernelMemory, address: number): T;
  write(memory: KernelMemory, address: number, value: T): void;
}

export interface ViewBase {
  readonly memory: KernelMemory;
  readonly address: number;
}

export type FieldTypes = { readonly [name: string]: Field<never> | Field<unknown> };
type ValueOf<F> = F extends Field<infer T> ? T : never;
export type Fields<F extends FieldTypes> = { -readonly [K in keyof F]: ValueOf<F[K]> };
export type ViewOf<S> = S extends Struct<infer F> ? ViewBase & Fields<F> : never;

export interface Struct<F extends FieldTypes> {
  readonly name: string;
  /** Size in bytes, a multiple of 8. */
  readonly bytes: number;
  readonly offsets: { readonly [K in keyof F]: number };
  at(memory: KernelMemory, address: number): ViewBase & Fields<F>;
}

export const u32: Field<number> = {
  bytes: 4,
  align: 4,
  read: (memory, address) => memory.u32[address >>> 2] ?? 0,
  write: (memory, address, value) => {
    memory.u32[address >>> 2] = value;
  },
};

/** A double: exact for whole numbers up to 2^53. Used for times in 100-nanosecond units. */
export const f64: Field<number> = {
  bytes: 8,
  align: 8,
  read: (memory, address) => memory.f64[address >>> 3] ?? 0,
  write: (memory, address, value) => {
    memory.f64[address >>> 3] = value;
  },
};

export const boolean: Field<boolean> = {
  bytes: 4,
  align: 4,
  read: (memory, address) => memory.u32[address >>> 2] !== 0,
  write: (memory, address, value) => {
    memory.u32[address >>> 2] = value ? 1 : 0;
  },
};

/** One of the named values; the first is the value of cleared memory. */
export function oneOf<const Names extends readonly string[]>(...names: Names): Field<Names[number]> {
  const numbers = new Map(names.map((name, index) => [name, index]));
  return {
    bytes: 4,
    align: 4,
    read: (memory, address) => names[memory.u32[address >>> 2] ?? 0] ?? names[0] ?? "",
    write: (memory, address, value) => {
      memory.u32[address >>> 2] = numbers.get(value) ?? 0;
    },
  };
}

interface Viewable<V> {
  at(memory: KernelMemory, address: number): V;
}

/** The address of another structure; null is `undefined`. */
export function pointer<V extends ViewBase>(to: () => Viewable<V>): Field<V | undefined> {
  return {
    bytes: 4,
    align: 4,
    read: (memory, address) => {
      const target = memory.u32[address >>> 2] ?? 0;
      return target === 0 ? undefined : to().at(memory, target);
    },
    write: (memory, address, value) => {
      memory.u32[address >>> 2] = value === undefined ? 0 : value.address;
    },
  };
}

/** A structure inside the structure. Reading gives a view; the field itself is not assigned. */
export function inline<V extends ViewBase>(type: Viewable<V> & { readonly bytes: number }): Field<V> {
  return {
    bytes: type.bytes,
    align: 8,
    read: (memory, address) => type.at(memory, address),
    write: () => assert(false, "an inline structure is written field by field"),
  };
}

/** Room for `count` 32-bit words; reading gives the address of the first. */
export function words(count: number): Field<number> {
  return {
    bytes: count * 4,
    align: 4,
    read: (_memory, address) => address,
    write: () => assert(false, "an array is written word by word"),
  };
}

/** Lays the fields out in order, each at its natural alignment, and makes a class of accessors over them. */
export function struct<const F extends FieldTypes>(name: string, fields: F): Struct<F> {
  const offsets: Record<string, number> = {};
  const placed: [string, Field<unknown>, number][] = [];
  let end = 0;
  for (const [fieldName, field] of Object.entries(fields) as [string, Field<unknown>][]) {
    const offset = Math.ceil(end / field.align) * field.align;
    offsets[fieldName] = offset;
    placed.push([fieldName, field, offset]);
    end = offset + field.bytes;
  }
  const view = viewClass(placed);
  return {
    name,
    bytes: Math.ceil(end / 8) * 8,
    offsets: offsets as { readonly [K in keyof F]: number },
    at: (memory, address) => new view(memory, address) as unknown as ViewBase & Fields<F>,
  };
}

/** A class with one accessor pair per field, so that the engine sees one hidden class per structure. */
export function viewClass(
  fields: readonly (readonly [name: string, field: Field<unknown>, offset: number])[],
): new (
  memory: KernelMemory,
  address: number,
) => ViewBase {
  class View implements ViewBase {
    readonly memory: KernelMemory;
    readonly address: number;
    constructor(memory: KernelMemory, address: number) {
      this.memory = memory;
      this.address = address;
    }
  }
  for (const [name, { read, write }, offset] of fields) {
    Object.defineProperty(View.prototype, name, {
      get(this: View) {
        return read(this.memory, this.address + offset);
      },
      set(this: View, value: unknown) {
        write(this.memory, this.address + offset, value);
      },
    });
  }
  return View;
}
