/** Views of Windows's own structures, at the offsets of the contract table. Nested members are joined with `_`; 64-bit ones are bigint. */
import { type StructName, type Structs, constant, layoutOf } from "../contract/index.ts";
import { must } from "./assert.ts";
import type { Kernel } from "./kernel.ts";
import type { KernelMemory } from "./memory.ts";
import { type Field, type ViewBase, viewClass } from "./struct.ts";

export interface WindowsStruct<N extends StructName> {
  readonly name: N;
  /** Size in bytes, as `sizeof` gives it. */
  readonly bytes: number;
  /** Offset of a field, by its path; arrays and nested structures have one too. */
  offset(path: string): number;
  at(memory: KernelMemory, address: number): ViewBase & Structs[N];
}

type Kind = ReturnType<typeof layoutOf>["fields"][number]["kind"];

/** Accessors that allow any alignment: drivers' structures lie where drivers put them. */
const kinds: Partial<Record<Kind, Pick<Field<unknown>, "get" | "set">>> = {
  u8: { get: "return this.memory.u8[address];", set: "this.memory.u8[address] = value;" },
  u16: { get: "return this.memory.data.getUint16(address, true);", set: "this.memory.data.setUint16(address, value, true);" },
  u32: { get: "return this.memory.data.getUint32(address, true);", set: "this.memory.data.setUint32(address, value, true);" },
  i32: { get: "return this.memory.data.getInt32(address, true);", set: "this.memory.data.setInt32(address, value, true);" },
  i64: {
    get: "return this.memory.data.getBigInt64(address, true);",
    set: "this.memory.data.setBigInt64(address, BigInt(value), true);",
  },
};

/** Made once each: a class of accessors is compiled from text, and TypeScript drivers ask for views by name all the time. */
const made = new Map<StructName, WindowsStruct<StructName>>();

export function windowsStruct<N extends StructName>(name: N): WindowsStruct<N> {
  const known = made.get(name) ?? makeStruct(name);
  made.set(name, known);
  return known as WindowsStruct<N>;
}

function makeStruct<N extends StructName>(name: N): WindowsStruct<N> {
  const { size, fields } = layoutOf(name);
  const accessible = fields.flatMap(({ path, offset, kind }) => {
    const accessors = kinds[kind];
    return accessors === undefined ? [] : [[path, { bytes: 0, align: 1, ...accessors }, offset] as const];
  });
  const view = viewClass(accessible);
  const offsets = new Map(fields.map(({ path, offset }) => [path, offset]));
  return {
    name,
    bytes: size,
    offset: (path) => must(offsets.get(path), `${name} has no field ${path}`),
    at: (memory, address) => new view(memory, address) as ViewBase & Structs[N],
  };
}

/** Writes an NDIS_OBJECT_HEADER: type byte, revision byte, size word. */
export function writeHeader(k: Kernel, address: number, type: string, revision: number, size: string): void {
  k.memory.u8[address] = constant(type);
  k.memory.u8[address + 1] = revision;
  k.memory.writeU16(address + 2, constant(size));
}

/**
 * Whether the header has one of the types, a known revision and at least that revision's size. `sizes` are the size constants of revisions 1,
 * 2, ...; a driver may pass `sizeof`, which is often more.
 */
export function hasHeader(k: Kernel, address: number, types: readonly string[], sizes: readonly string[]): boolean {
  const revision = k.memory.u8[address + 1] ?? 0;
  const wanted = sizes[Math.min(revision, sizes.length) - 1];
  return (
    wanted !== undefined &&
    types.some((type) => constant(type) === k.memory.u8[address]) &&
    k.memory.readU16(address + 2) >= constant(wanted)
  );
}
