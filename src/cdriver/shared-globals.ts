/** Puts a driver's binary together again with the globals that all drivers share as imports. */
import { ByteReader, ByteWriter } from "./wasm-bytes.ts";
import { type WasmModule, sectionId } from "./wasm-module.ts";

/** The globals that an instrumented driver imports from `env`, all mutable and i32, in the order of their indexes. */
export const SHARED_GLOBALS = ["__stack_pointer", "__stack_limit", "__steps_left", "__depth_left"] as const;
export const STACK_POINTER = 0;
export const STACK_LIMIT = 1;
export const STEPS_LEFT = 2;
export const DEPTH_LEFT = 3;

/** The stack pointer becomes an import, with three others, before the globals that the driver keeps. */
export function newGlobalIndex(module: WasmModule, index: number): number {
  const stackPointer = module.exports.get("__stack_pointer")?.index;
  if (index === stackPointer) return STACK_POINTER;
  const isAfter = stackPointer !== undefined && index > stackPointer;
  return index + SHARED_GLOBALS.length - (isAfter ? 1 : 0);
}

/** The new binary: imports and globals changed, the code replaced, debug information left out. */
export function assemble(module: WasmModule, code: Uint8Array): Uint8Array {
  const out = new ByteWriter();
  out.bytes(module.bytes.subarray(0, 8));
  const section = (id: number, contents: Uint8Array) => {
    out.u8(id);
    out.sized(contents);
  };
  for (const { id, name, start, end } of module.sections) {
    const contents = module.bytes.subarray(start, end);
    if (id === sectionId.import) section(id, importsOf(contents));
    else if (id === sectionId.global) section(id, globalsOf(module));
    else if (id === sectionId.export) section(id, exportsOf(module));
    else if (id === sectionId.code) section(id, code);
    else if (id !== sectionId.custom) section(id, contents);
    else if (name === "name") section(id, customSection(name, functionNamesOf(contents)));
    else if (name === "target_features") section(id, customSection(name, contents));
  }
  return out.toBytes();
}

function customSection(name: string, contents: Uint8Array): Uint8Array {
  const out = new ByteWriter();
  out.name(name);
  out.bytes(contents);
  return out.toBytes();
}

function importsOf(contents: Uint8Array): Uint8Array {
  const reader = new ByteReader(contents);
  const out = new ByteWriter();
  out.unsigned(reader.unsigned() + SHARED_GLOBALS.length);
  out.bytes(contents.subarray(reader.at));
  for (const name of SHARED_GLOBALS) {
    out.name("env");
    out.name(name);
    out.u8(3, 0x7f, 1);
  }
  return out.toBytes();
}

function globalsOf(module: WasmModule): Uint8Array {
  const stackPointer = module.exports.get("__stack_pointer")?.index;
  const kept = module.globals.filter((_, index) => index !== stackPointer);
  const out = new ByteWriter();
  out.unsigned(kept.length);
  for (const { start, end } of kept) out.bytes(module.bytes.subarray(start, end));
  return out.toBytes();
}

/** Functions only: the host owns the globals. */
function exportsOf(module: WasmModule): Uint8Array {
  const functions = [...module.exports].filter(([, { kind }]) => kind === 0);
  const out = new ByteWriter();
  out.unsigned(functions.length);
  for (const [name, { index }] of functions) {
    out.name(name);
    out.u8(0);
    out.unsigned(index);
  }
  return out.toBytes();
}

/** The part of a name section that is about functions. */
function functionNamesOf(contents: Uint8Array): Uint8Array {
  const reader = new ByteReader(contents);
  while (!reader.isAtEnd) {
    const start = reader.at;
    const id = reader.u8();
    const length = reader.unsigned();
    reader.skip(length);
    if (id === 1) return contents.subarray(start, reader.at);
  }
  return new Uint8Array();
}
