/**
 * Calls that the compiler replaced by the body of the function: `DW_TAG_inlined_subroutine` of DWARF 4.
 *
 * Page: https://dwarfstd.org/doc/DWARF4.pdf, sections 3.3.8.2 and 7.5.
 */
import { debugSection } from "./dwarf.ts";
import { ByteReader } from "./wasm-bytes.ts";
import type { WasmModule } from "./wasm-module.ts";

export interface InlinedCall {
  /** Addresses of the code that came from it; end exclusive. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Where the call is written. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const INLINED = 0x1d;
const UNIT = 0x11;
const ATTRIBUTE = {
  stmtList: 0x10,
  lowPc: 0x11,
  highPc: 0x12,
  ranges: 0x55,
  callColumn: 0x57,
  callFile: 0x58,
  callLine: 0x59,
} as const;
const FORM_ADDRESS = 0x01;

interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly (readonly [attribute: number, form: number])[];
}

/** An outer call comes before those within it. */
export function readInlinedCalls(module: WasmModule, lineFiles: ReadonlyMap<number, readonly string[]>): InlinedCall[] {
  const calls: InlinedCall[] = [];
  const reader = new ByteReader(debugSection(module, ".debug_info"));
  const abbreviations = debugSection(module, ".debug_abbrev");
  const ranges = debugSection(module, ".debug_ranges");
  while (!reader.isAtEnd) {
    const length = reader.u32();
    const end = reader.at + length;
    reader.skip(2);
    const table = readAbbreviations(new ByteReader(abbreviations, reader.u32()));
    reader.skip(1);
    readUnit(new ByteReader(reader.bytes, reader.at, end), table, ranges, lineFiles, calls);
    reader.at = end;
  }
  return calls;
}

function readUnit(
  reader: ByteReader,
  table: ReadonlyMap<number, Abbreviation>,
  ranges: Uint8Array,
  lineFiles: ReadonlyMap<number, readonly string[]>,
  calls: InlinedCall[],
): void {
  let files: readonly string[] = [];
  let base = 0;
  while (!reader.isAtEnd) {
    const abbreviation = table.get(reader.unsigned());
    if (abbreviation === undefined) continue;
    const isWanted = abbreviation.tag === INLINED || abbreviation.tag === UNIT;
    const values = new Map<number, number>();
    let isHighAnAddress = false;
    for (const [attribute, form] of abbreviation.attributes) {
      const value = readForm(reader, form);
      if (!isWanted) continue;
      values.set(attribute, value);
      if (attribute === ATTRIBUTE.highPc) isHighAnAddress = form === FORM_ADDRESS;
    }
    const low = values.get(ATTRIBUTE.lowPc) ?? 0;
    if (abbreviation.tag === UNIT) {
      files = lineFiles.get(values.get(ATTRIBUTE.stmtList) ?? 0) ?? [];
      base = low;
    } else if (abbreviation.tag === INLINED) {
      const high = values.get(ATTRIBUTE.highPc) ?? 0;
      const list = values.get(ATTRIBUTE.ranges);
      calls.push({
        ranges:
          list === undefined ? [[low, isHighAnAddress ? high : low + high]] : readRanges(new ByteReader(ranges, list), base),
        file: files[values.get(ATTRIBUTE.callFile) ?? 0] ?? "",
        line: values.get(ATTRIBUTE.callLine) ?? 0,
        column: values.get(ATTRIBUTE.callColumn) ?? 0,
      });
    }
  }
}

function readRanges(reader: ByteReader, unitBase: number): [number, number][] {
  const found: [number, number][] = [];
  let base = unitBase;
  for (;;) {
    const low = reader.u32();
    const high = reader.u32();
    if (low === 0 && high === 0) return found;
    if (low === 0xffff_ffff) base = high;
    else found.push([base + low, base + high]);
  }
}

function readAbbreviations(reader: ByteReader): Map<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  for (let code = reader.unsigned(); code !== 0; code = reader.unsigned()) {
    const tag = reader.unsigned();
    const hasChildren = reader.u8() !== 0;
    const attributes: [number, number][] = [];
    for (;;) {
      const attribute = reader.unsigned();
      const form = reader.unsigned();
      if (attribute === 0 && form === 0) break;
      attributes.push([attribute, form]);
    }
    table.set(code, { tag, hasChildren, attributes });
  }
  return table;
}

/** Reads a value of 32 bits; what is longer is passed over. */
function readForm(reader: ByteReader, form: number): number {
  switch (form) {
    case 0x01: // an address
    case 0x06: // data4
    case 0x0e: // a string in .debug_str
    case 0x13: // ref4
    case 0x17: // an offset in another section
      return reader.u32();
    case 0x03: // block2
      return skip(reader, reader.u16());
    case 0x04: // block4
      return skip(reader, reader.u32());
    case 0x05: // data2
    case 0x12: // ref2
      return reader.u16();
    case 0x07: // data8
    case 0x14: // ref8
    case 0x20: // the signature of a type
      return skip(reader, 8);
    case 0x08:
      return Number(reader.cString() === "");
    case 0x09: // block
    case 0x18: // an expression
      return skip(reader, reader.unsigned());
    case 0x0a: // block1
      return skip(reader, reader.u8());
    case 0x0b: // data1
    case 0x0c: // a flag
    case 0x11: // ref1
      return reader.u8();
    case 0x0d:
      return reader.signed();
    case 0x0f: // udata
    case 0x15: // a reference
      return reader.unsigned();
    case 0x19: // a flag that is set by being there
      return 1;
    default:
      throw new RangeError(`the debug information has a form that is not supported: 0x${form.toString(16)}`);
  }
}

function skip(reader: ByteReader, bytes: number): number {
  reader.skip(bytes);
  return 0;
}
