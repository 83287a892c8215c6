/**
 * Drivers in TypeScript: handlers under Microsoft's names, plain functions or generators, over the same memory and the same library as C.
 *
 * A handler that calls a routine is a generator and writes `yield*` before the call: there the thread may wait or be switched away.
 * What the library keeps beyond a call (a handle variable, an OID request, a context) must be in memory that lives as long:
 * `d.statics` and pool, not `d.local`, as in C.
 */
import type { ConstantName, StructName, Structs } from "../contract/index.ts";
import type { KernelMemory } from "../kernel/memory.ts";
import type { kernelRoutines } from "../kernel/index.ts";
import type { ViewBase } from "../kernel/struct.ts";
import type { ndisRoutines } from "../ndis/index.ts";

/** What a generator hands to the library: a call of a routine. */
export interface DdiRequest {
  readonly routine: number;
  readonly args: readonly number[];
}

/** A call that has not been made yet: `yield*` makes it and gives the routine's result, an unsigned word. */
export interface DdiCall {
  [Symbol.iterator](): Generator<DdiRequest, number, number>;
}

export type DdiName = (typeof kernelRoutines)[number]["name"] | (typeof ndisRoutines)[number]["name"];
export type Ddis = { readonly [N in DdiName]: (...args: readonly number[]) => DdiCall };

/** What a handler may return: a word, a status by name, or nothing. */
export type HandlerResult = number | ConstantName | undefined | void;
export type Handler = (...args: number[]) => HandlerResult | Generator<DdiRequest, HandlerResult, number>;
export type Handlers = Readonly<Record<string, Handler>>;

/** A field value: a word, or a text that becomes a constant's value. */
export type FieldValues<N extends StructName> = { readonly [K in keyof Structs[N]]?: Structs[N][K] | ConstantName };

/** What a driver's factory gets: routines, memory and the addresses of its own handlers. */
export interface DriverEnvironment extends Ddis {
  readonly memory: KernelMemory;
  /** Value of a constant of the headers. */
  constant(name: ConstantName): number;
  /** The address that stands for one of the driver's handlers in a structure. */
  handler(name: string): number;
  /** So many bytes of the driver's own data, cleared, for as long as the driver is loaded. */
  statics(bytes: number): number;
  /** A structure of Windows in the driver's own data. */
  staticStruct<N extends StructName>(name: N): ViewBase & Structs[N];
  /** A cleared structure on the stack of the handler that runs now, with these fields; gone when the handler returns. */
  local<N extends StructName>(name: N, fields?: FieldValues<N>): ViewBase & Structs[N];
  /** A view of the structure at that address. */
  view<N extends StructName>(name: N, address: number): ViewBase & Structs[N];
  /** Address of a field of a structure, from the structure's address. */
  addressOf<N extends StructName>(name: N, address: number, field: string): number;
  /** A UNICODE_STRING in the driver's own data. */
  unicodeString(text: string): number;
  /** Fills an NDIS_OBJECT_HEADER. */
  header(address: number, type: ConstantName, revision: number, size: ConstantName): void;
}

export interface TypeScriptDriver {
  readonly name: string;
  /** Makes the driver anew for a run; `DriverEntry` is one of the handlers. */
  readonly create: (d: DriverEnvironment) => Handlers;
}

/** Declares a driver; a driver module exports one as its default. */
export function defineDriver(name: string, create: TypeScriptDriver["create"]): TypeScriptDriver {
  return { name, create };
}
