/**
 * The line table of a linked driver: `.debug_line` of DWARF 4.
 *
 * An address is an offset in the code section. Page: https://dwarfstd.org/doc/DWARF4.pdf, section 6.2.
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

export interface LineTable {
  /** Ordered by address. */
  readonly rows: readonly LineRow[];
  /** Names of the files of each unit, by the offset of its part of the section. */
  readonly files: ReadonlyMap<number, readonly string[]>;
}

export function debugSection(module: WasmModule, name: string): Uint8Array {
  const section = module.sections.find((each) => each.name === name);
  return section === undefined ? new Uint8Array() : module.bytes.subarray(section.start, section.end);
}

export function readLines(module: WasmModule): LineTable {
  const rows: LineRow[] = [];
  const files = new Map<number, readonly string[]>();
  const reader = new ByteReader(debugSection(module, ".debug_line"));
  while (!reader.isAtEnd) {
    const start = reader.at;
    const length = reader.u32();
    const end = reader.at + length;
    files.set(start, readUnit(new ByteReader(reader.bytes, reader.at, end), rows));
    reader.at = end;
  }
  return { rows: rows.sort((a, b) => a.address - b.address), files };
}

/** Where in `rows` the one that covers an address is: the last that is not after it. -1 when all are. */
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

function readUnit(reader: ByteReader, rows: LineRow[]): readonly string[] {
  const version = reader.u16();
  if (version !== 4) throw new RangeError(`the debug information is DWARF ${version}; 4 was asked for`);
  const headerLength = reader.u32();
  const program = reader.at + headerLength;
  const minimumLength = reader.u8();
  reader.skip(2);
  const lineBase = (reader.u8() << 24) >> 24;
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const operands = [0, ...Array.from({ length: opcodeBase - 1 }, () => reader.unsigned())];
  const files = readFiles(reader);
  reader.at = program;
  runProgram(reader, { minimumLength, lineBase, lineRange, opcodeBase, operands, files, rows });
  return files;
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

function readFiles(reader: ByteReader): string[] {
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

/** Paths in the tree are absolute; `..` stays where the source wrote it and is taken out here. */
function join(folder: string, name: string): string {
  const parts: string[] = [];
  for (const part of (name.startsWith("/") ? name : `${folder}/${name}`).split(/[/\\]/)) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
