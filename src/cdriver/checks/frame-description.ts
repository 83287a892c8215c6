/** What the compiler writes at the start of a frame that has zones between its variables, and the text behind it that describes them. */
import { ByteReader } from "../wasm-bytes.ts";
import { type WasmModule, sectionId } from "../wasm-module.ts";
import { opcode } from "../wasm-instructions.ts";

export const FRAME_MAGIC = 0x41b5_8ab3;
/** In its place when the function has returned. */
export const FRAME_LEFT = 0x45e0_360e;
/** Where the address of the text stands. */
export const DESCRIPTION_OFFSET = 4;

export interface Variable {
  /** From the start of the frame. */
  readonly offset: number;
  readonly bytes: number;
  readonly name: string;
}

/** `count`, then for each: offset, bytes, length of the name, the name as `name:line`. */
export function variablesIn(text: string): Variable[] {
  const found: Variable[] = [];
  let rest = text.replace(/^\d+ /, "");
  for (;;) {
    const [all = "", offset = "", bytes = "", length = ""] = /^(\d+) (\d+) (\d+) /.exec(rest) ?? [];
    if (all === "") return found;
    const name = rest.slice(all.length, all.length + Number(length));
    found.push({ offset: Number(offset), bytes: Number(bytes), name: name.replace(/:\d+$/, "") });
    rest = rest.slice(all.length + Number(length)).trimStart();
  }
}

const ACTIVE = 0;

/** The text in the data that the module begins with; empty: there is none. */
export function textInData({ bytes, sections }: WasmModule, address: number): string {
  const section = sections.find(({ id }) => id === sectionId.data);
  if (section === undefined) return "";
  const reader = new ByteReader(bytes, section.start, section.end);
  for (let left = reader.unsigned(); left > 0; left -= 1) {
    if (reader.unsigned() !== ACTIVE || reader.u8() !== opcode.i32Const) return "";
    const start = reader.signed();
    reader.skip(1);
    const length = reader.unsigned();
    if (address >= start && address < start + length) {
      reader.skip(address - start);
      const end = bytes.indexOf(0, reader.at);
      return reader.text(end - reader.at);
    }
    reader.skip(length);
  }
  return "";
}
