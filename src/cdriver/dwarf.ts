/**
 * The line table of a linked driver: DWARF 4 and 5, `.debug_line`.
 *
 * An address is an offset in the code section. Page: https://dwarfstd.org/doc/DWARF5.pdf, section 6.2.
 */
import { ByteReader } from "./wasm-bytes.ts";
import type { WasmModule } from "./wasm-module.ts";

export interface LineRow {
  readonly address: number;
  readonly file: string;
  /** 0 where the compiler knows none. */
  readonly line: number;
  readonly column: number;
}

interface Strings {
  readonly line: Uint8Array;
  readonly info: Uint8Array;
}

const FORM = {
  string: 0x08,
  block: 0x09,
  data1: 0x0b,
  data2: 0x05,
  udata: 0x0f,
  data16: 0x1e,
  strp: 0x0e,
  lineStrp: 0x1f,
} as const;
const CONTENT_PATH = 1;
const CONTENT_FOLDER = 2;

/** All rows, ordered by address. */
export function readLines(module: WasmModule): LineRow[] {
  const part = (name: string) => {
    const section = module.sections.find((each) => each.name === name);
    return section === undefined ? new Uint8Array() : module.bytes.subarray(section.start, section.end);
  };
  const strings = { line: part(".debug_line_str"), info: part(".debug_str") };
  const rows: LineRow[] = [];
  const reader = new ByteReader(part(".debug_line"));
  while (!reader.isAtEnd) {
    const length = reader.u32();
    const end = reader.at + length;
    readUnit(new ByteReader(reader.bytes, reader.at, end), strings, rows);
    reader.at = end;
  }
  return rows.sort((a, b) => a.address - b.address);
}

/** The row that covers an address: the last that is not after it. */
export function rowAt(rows: readonly LineRow[], address: number): LineRow | undefined {
  return rows[lastNotAfter(rows, address)];
}

export function lastNotAfter(rows: readonly { readonly address: number }[], address: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle]?.address ?? 0) <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function readUnit(reader: ByteReader, strings: Strings, rows: LineRow[]): void {
  const version = reader.u16();
  if (version >= 5) reader.skip(2);
  const headerLength = reader.u32();
  const program = reader.at + headerLength;
  const minimumLength = reader.u8();
  if (version >= 4) reader.skip(1);
  reader.skip(1);
  const lineBase = (reader.u8() << 24) >> 24;
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const operands = [0, ...Array.from({ length: opcodeBase - 1 }, () => reader.unsigned())];
  const files = version >= 5 ? readFiles5(reader, strings) : readFiles4(reader);
  reader.at = program;
  runProgram(reader, { minimumLength, lineBase, lineRange, opcodeBase, operands, files, rows });
}

interface Program {
  readonly minimumLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operands: readonly number[];
  readonly files: readonly string[];
  readonly rows: LineRow[];
}

function runProgram(reader: ByteReader, program: Program): void {
  const { minimumLength, lineBase, lineRange, opcodeBase, operands, files } = program;
  let state = { address: 0, file: 1, line: 1, column: 0 };
  let sequence: LineRow[] = [];
  const emit = () =>
    sequence.push({ address: state.address, file: files[state.file] ?? "", line: state.line, column: state.column });
  const advance = (opcode: number) => {
    state.address += Math.floor((opcode - opcodeBase) / lineRange) * minimumLength;
  };
  while (!reader.isAtEnd) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      advance(opcode);
      state.line += lineBase + ((opcode - opcodeBase) % lineRange);
      emit();
    } else if (opcode === 0) {
      const end = reader.unsigned() + reader.at;
      const extended = reader.u8();
      if (extended === 1) {
        // What the linker left out keeps its rows, at the address 0 or at one that no code has.
        if ((sequence[0]?.address ?? 0) > 0 && (sequence[0]?.address ?? 0) < 0xffff_fffe) program.rows.push(...sequence);
        sequence = [];
        state = { address: 0, file: 1, line: 1, column: 0 };
      } else if (extended === 2) {
        state.address = reader.u32();
      }
      reader.at = end;
    } else if (opcode === 1) emit();
    else if (opcode === 2) state.address += reader.unsigned() * minimumLength;
    else if (opcode === 3) state.line += reader.signed();
    else if (opcode === 4) state.file = reader.unsigned();
    else if (opcode === 5) state.column = reader.unsigned();
    else if (opcode === 8) advance(255);
    else if (opcode === 9) state.address += reader.u16();
    else for (let count = operands[opcode] ?? 0; count > 0; count -= 1) reader.unsigned();
  }
}

function readFiles4(reader: ByteReader): string[] {
  const folders = [""];
  for (let name = reader.cString(); name !== ""; name = reader.cString()) folders.push(name);
  const files = [""];
  for (let name = reader.cString(); name !== ""; name = reader.cString()) {
    files.push(join(folders[reader.unsigned()] ?? "", name));
    reader.unsigned();
    reader.unsigned();
  }
  return files;
}

function readFiles5(reader: ByteReader, strings: Strings): string[] {
  const folders = readEntries(reader, strings).map((entry) => entry.path);
  return readEntries(reader, strings).map(({ path, folder }) => join(folders[folder] ?? "", path));
}

function readEntries(reader: ByteReader, strings: Strings): { path: string; folder: number }[] {
  const formats = Array.from({ length: reader.u8() }, () => [reader.unsigned(), reader.unsigned()] as const);
  return Array.from({ length: reader.unsigned() }, () => {
    const entry = { path: "", folder: 0 };
    for (const [content, form] of formats) {
      const value = readForm(reader, form, strings);
      if (content === CONTENT_PATH) entry.path = String(value);
      if (content === CONTENT_FOLDER) entry.folder = Number(value);
    }
    return entry;
  });
}

function readForm(reader: ByteReader, form: number, strings: Strings): string | number {
  switch (form) {
    case FORM.string:
      return reader.cString();
    case FORM.lineStrp:
      return new ByteReader(strings.line, reader.u32()).cString();
    case FORM.strp:
      return new ByteReader(strings.info, reader.u32()).cString();
    case FORM.data1:
      return reader.u8();
    case FORM.data2:
      return reader.u16();
    case FORM.udata:
      return reader.unsigned();
    case FORM.data16:
      reader.skip(16);
      return 0;
    case FORM.block:
      reader.skip(reader.unsigned());
      return 0;
    default:
      throw new RangeError(`the debug information has a form that is not supported: 0x${form.toString(16)}`);
  }
}

/** Paths in the tree are absolute; `..` stays where the source wrote it and is taken out here. */
function join(folder: string, name: string): string {
  const parts: string[] = [];
  for (const part of (name.startsWith("/") ? name : `${folder}/${name}`).split(/[/\\]/)) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
