/** Which accesses to memory are scheduling points: those of the lines on which threads were seen to race. */
import { lastNotAfter, readLines } from "./dwarf.ts";
import { type WasmModule, sectionId } from "./wasm-module.ts";

/** Whether the instruction that starts there in the linked binary is of one of the lines. */
export type IsPoint = (start: number) => boolean;

/** `lines` are names of files without folders, with numbers: "adapter.c:120". Files of the same name are taken for one. */
export function accessPoints(linked: WasmModule, lines: readonly string[]): IsPoint {
  const wanted = new Set(lines);
  const { rows } = readLines(linked);
  const codeBase = linked.sections.find(({ id }) => id === sectionId.code)?.start ?? 0;
  return (start) => {
    const row = rows[lastNotAfter(rows, start - codeBase)];
    return row !== undefined && wanted.has(lineName(row.file, row.line));
  };
}

export const lineName = (file: string, line: number): string =>
  `${file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1)}:${line}`;
