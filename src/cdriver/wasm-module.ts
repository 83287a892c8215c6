/** The parts of a WebAssembly binary that this folder needs: types, imports, functions, globals, exports, table entries, names. */
import { ByteReader } from "./wasm-bytes.ts";

export const sectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
} as const;

export interface Section {
  readonly id: number;
  /** Of a custom section. */
  readonly name: string;
  /** Of the section's id. */
  readonly sectionStart: number;
  /** Of the contents; a custom section's begin after its name. */
  readonly start: number;
  readonly end: number;
}

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: "function" | "table" | "memory" | "global";
  /** Of a function: its type index. */
  readonly type: number;
}

export interface WasmGlobal {
  readonly isMutable: boolean;
  /** When it is set to an `i32.const`. */
  readonly value: number | undefined;
  readonly start: number;
  readonly end: number;
}

/** A function that the module defines. Offsets are from the start of the binary. */
export interface FunctionBody {
  readonly index: number;
  readonly start: number;
  readonly codeStart: number;
  readonly end: number;
}

export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly sections: readonly Section[];
  /** Function types as text, one letter a value: `i` for i32, `j` for i64, `f` and `d` for floats: `"ii:i"`. */
  readonly types: readonly string[];
  readonly imports: readonly WasmImport[];
  /** Type index of every function, imported ones first. */
  readonly functionTypes: readonly number[];
  readonly importedFunctions: number;
  readonly globals: readonly WasmGlobal[];
  readonly exports: ReadonlyMap<string, { readonly kind: number; readonly index: number }>;
  /** Function index by table index. */
  readonly table: ReadonlyMap<number, number>;
  readonly bodies: readonly FunctionBody[];
  readonly names: ReadonlyMap<number, string>;
}

const IMPORT_KINDS = ["function", "table", "memory", "global"] as const;
const VALUE_LETTERS: Readonly<Record<number, string>> = { 0x7f: "i", 0x7e: "j", 0x7d: "f", 0x7c: "d" };

export function readSections(bytes: Uint8Array): Section[] {
  const reader = new ByteReader(bytes, 8);
  const sections: Section[] = [];
  while (!reader.isAtEnd) {
    const sectionStart = reader.at;
    const id = reader.u8();
    const length = reader.unsigned();
    const end = reader.at + length;
    const name = id === sectionId.custom ? reader.name() : "";
    sections.push({ id, name, sectionStart, start: reader.at, end });
    reader.at = end;
  }
  return sections;
}

export function readModule(bytes: Uint8Array): WasmModule {
  const sections = readSections(bytes);
  const inSection = <T>(id: number, read: (reader: ByteReader) => T): T[] => {
    const section = sections.find((each) => each.id === id);
    if (section === undefined) return [];
    const reader = new ByteReader(bytes, section.start, section.end);
    return Array.from({ length: reader.unsigned() }, () => read(reader));
  };
  const types = inSection(sectionId.type, readType);
  const imports = inSection(sectionId.import, readImport);
  const importedTypes = imports.filter((each) => each.kind === "function").map((each) => each.type);
  const functionTypes = [...importedTypes, ...inSection(sectionId.function, (reader) => reader.unsigned())];
  let nextBody = importedTypes.length;
  return {
    bytes,
    sections,
    types,
    imports,
    functionTypes,
    importedFunctions: importedTypes.length,
    globals: inSection(sectionId.global, readGlobal),
    exports: new Map(
      inSection(sectionId.export, (reader) => [reader.name(), { kind: reader.u8(), index: reader.unsigned() }] as const),
    ),
    table: new Map(inSection(sectionId.element, readElements).flat()),
    bodies: inSection(sectionId.code, (reader) => {
      const body = readBody(reader, nextBody);
      nextBody += 1;
      return body;
    }),
    names: readNames(bytes, sections),
  };
}

/** `"ii:i"` of a function, or of the function at a place of the table. */
export function functionType(module: WasmModule, functionIndex: number): string | undefined {
  const type = module.functionTypes[functionIndex];
  return type === undefined ? undefined : module.types[type];
}

export function functionName(module: WasmModule, functionIndex: number): string {
  return module.names.get(functionIndex) ?? `function ${functionIndex}`;
}

function readType(reader: ByteReader): string {
  reader.u8();
  const values = () => Array.from({ length: reader.unsigned() }, () => VALUE_LETTERS[reader.u8()] ?? "?").join("");
  return `${values()}:${values()}`;
}

function readImport(reader: ByteReader): WasmImport {
  const module = reader.name();
  const name = reader.name();
  const kind = IMPORT_KINDS[reader.u8()];
  let type = 0;
  if (kind === "function") {
    type = reader.unsigned();
  } else if (kind === "global") {
    reader.skip(2);
  } else if (kind === "table" || kind === "memory") {
    if (kind === "table") reader.u8();
    const hasMaximum = (reader.unsigned() & 1) !== 0;
    reader.unsigned();
    if (hasMaximum) reader.unsigned();
  } else {
    throw new RangeError(`the import ${name} is of a kind that is not supported`);
  }
  return { module, name, kind, type };
}

function readGlobal(reader: ByteReader): WasmGlobal {
  const start = reader.at;
  reader.u8();
  const isMutable = reader.u8() === 1;
  return { isMutable, value: readConstant(reader), start, end: reader.at };
}

/** The value of a constant expression, when it is one `i32.const`. */
function readConstant(reader: ByteReader): number | undefined {
  const code = reader.u8();
  const value = code === 0x43 || code === 0x44 ? reader.skip(code === 0x43 ? 4 : 8) : reader.signed();
  if (reader.u8() !== 0x0b) throw new RangeError("a constant expression has more than one instruction");
  return code === 0x41 ? (value as number) : undefined;
}

function readElements(reader: ByteReader): [number, number][] {
  const flags = reader.unsigned();
  if (flags !== 0 && flags !== 2) throw new RangeError(`an element segment is of a kind that is not supported: ${flags}`);
  if (flags === 2) reader.unsigned();
  const base = readConstant(reader) ?? 0;
  if (flags === 2) reader.u8();
  return Array.from({ length: reader.unsigned() }, (_, position) => [base + position, reader.unsigned()]);
}

function readBody(reader: ByteReader, index: number): FunctionBody {
  const length = reader.unsigned();
  const start = reader.at;
  const end = start + length;
  for (let groups = reader.unsigned(); groups > 0; groups -= 1) {
    reader.unsigned();
    reader.u8();
  }
  const codeStart = reader.at;
  reader.at = end;
  return { index, start, codeStart, end };
}

function readNames(bytes: Uint8Array, sections: readonly Section[]): Map<number, string> {
  const names = new Map<number, string>();
  const section = sections.find((each) => each.id === sectionId.custom && each.name === "name");
  if (section === undefined) return names;
  const reader = new ByteReader(bytes, section.start, section.end);
  while (!reader.isAtEnd) {
    const id = reader.u8();
    const length = reader.unsigned();
    const end = reader.at + length;
    if (id === 1) {
      for (let count = reader.unsigned(); count > 0; count -= 1) names.set(reader.unsigned(), reader.name());
    }
    reader.at = end;
  }
  return names;
}
