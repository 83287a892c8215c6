/**
 * Typed views of kernel memory: a view is an address and accessors, nothing is copied.
 *
 * `struct("Port", { number: u32, state: oneOf("Allocated", "Activated") })` declares a structure of ours; `windowsStruct` in
 * windows.ts makes the same kind of view of a structure of Windows, at the offsets of the contract table.
 */
import type { KernelMemory } from "./memory.ts";

/**
 * How one field is stored. `get` and `set` are the source text of accessors: `address` is the field's address in bytes, `value` what is
 * assigned, and `extra` whatever the field brings along. `bytes` and `align` in bytes.
 */
export interface Field<T> {
  readonly bytes: number;
  readonly align: number;
  readonly get: string;
  readonly set: string;
  readonly extra?: unknown;
  /** Type only. */
  readonly type?: T;
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
  get: "return this.memory.u32[address >>> 2];",
  set: "this.memory.u32[address >>> 2] = value;",
};

/** A byte: for what there is much of. */
export const u8: Field<number> = {
  bytes: 1,
  align: 1,
  get: "return this.memory.u8[address];",
  set: "this.memory.u8[address] = value;",
};

/** A double: exact for whole numbers up to 2^53. Used for times in 100-nanosecond units. */
export const f64: Field<number> = {
  bytes: 8,
  align: 8,
  get: "return this.memory.f64[address >>> 3];",
  set: "this.memory.f64[address >>> 3] = value;",
};

export const boolean: Field<boolean> = {
  bytes: 4,
  align: 4,
  get: "return this.memory.u32[address >>> 2] !== 0;",
  set: "this.memory.u32[address >>> 2] = value ? 1 : 0;",
};

/** One of the named values; the first is the value of cleared memory. */
export function oneOf<const Names extends readonly string[]>(...names: Names): Field<Names[number]> {
  // Switches on constants, which the engine turns into comparisons of a word: a search in a list costs five times as much.
  const toName = names.map((name, index) => `case ${index}: return ${JSON.stringify(name)};`).join(" ");
  const toNumber = names.map((name, index) => `case ${JSON.stringify(name)}: number = ${index}; break;`).join(" ");
  return {
    bytes: 4,
    align: 4,
    get: `switch (this.memory.u32[address >>> 2]) { ${toName} }`,
    set: `let number = 0; switch (value) { ${toNumber} } this.memory.u32[address >>> 2] = number;`,
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
    get: "const target = this.memory.u32[address >>> 2]; return target === 0 ? undefined : extra().at(this.memory, target);",
    set: "this.memory.u32[address >>> 2] = value === undefined ? 0 : value.address;",
    extra: to,
  };
}

/** Room for `count` 32-bit words; reading gives the address of the first. */
export function words(count: number): Field<number> {
  return { bytes: count * 4, align: 4, get: "return address;", set: "throw new TypeError('an array is written word by word');" };
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

type ViewClass = new (memory: KernelMemory, address: number) => ViewBase;

/**
 * A class with an accessor pair for each field. The accessors are compiled from text: as closures over a shared function they would share
 * what the engine learns about types, and every field access would be a slow one (measured: 10 times).
 */
export function viewClass(fields: readonly (readonly [name: string, field: Field<unknown>, offset: number])[]): ViewClass {
  const accessors = fields.map(([name, { get, set }, offset], index) => {
    const place = `const address = this.address + ${offset}; const extra = extras[${index}];`;
    const key = JSON.stringify(name);
    return `get [${key}]() { ${place} ${get} } set [${key}](value) { ${place} ${set} }`;
  });
  const source = `return class { constructor(memory, address) { this.memory = memory; this.address = address; } ${accessors.join("\n")} };`;
  // oxlint-disable-next-line no-new-func, typescript/no-implied-eval
  const make = new Function("extras", source) as (extras: readonly unknown[]) => ViewClass;
  return make(fields.map(([, { extra }]) => extra));
}
