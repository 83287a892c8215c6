/** What is kept beside the code of a built driver, as JSON: everything that DWARF and the linker knew and the run will ask for. */
import type { CoveragePlan } from "./coverage-points.ts";
import { type CoverageInfo, type LineWithin, describeCoverage } from "./line-coverage.ts";
import { type LineRow, lastNotAfter, readLines } from "./dwarf.ts";
import { type InlinedCall, readInlinedCalls } from "./dwarf-inlines.ts";
import { HEADER_FOLDER } from "./source-tree.ts";
import { ByteReader } from "./wasm-bytes.ts";
import type { SourceMapEntry } from "./source-map.ts";
import { type Instruction, opcode, readInstruction } from "./wasm-instructions.ts";
import { type FunctionBody, type WasmModule, functionName, functionType, readModule, sectionId } from "./wasm-module.ts";

export interface FunctionInfo {
  readonly index: number;
  readonly name: string;
  readonly type: string;
  /** Offsets in the final binary. */
  readonly start: number;
  readonly end: number;
  /** Index into `files`, and the line where the function begins. */
  readonly file: number;
  readonly line: number;
}

/** From and to (offsets in the final binary), file, line, column, 1 when the line is the instruction's own. */
export type Place = readonly [start: number, end: number, file: number, line: number, column: number, isExact: 0 | 1];

export interface ImageInfo {
  readonly name: string;
  readonly dataBase: number;
  readonly dataSize: number;
  readonly tableBase: number;
  /** Function index of each entry of the table; -1 for none. */
  readonly table: readonly number[];
  readonly imports: readonly { readonly name: string; readonly type: string }[];
  readonly importSites: readonly {
    readonly name: string;
    readonly function: string;
    readonly file: number;
    readonly line: number;
  }[];
  readonly functions: readonly FunctionInfo[];
  /** Paths in the tree. */
  readonly files: readonly string[];
  /** By start. */
  readonly places: () => readonly Place[];
  /** Left out: it was built without. */
  readonly coverage?: CoverageInfo;
}

export function functionsOf(info: ImageInfo): ReadonlyMap<number, FunctionInfo> {
  return new Map(info.functions.map((each) => [each.index, each]));
}

/** Lines of the linked driver, for offsets of the final one. */
export function describeImage(
  linked: WasmModule,
  final: Uint8Array,
  addresses: readonly SourceMapEntry[],
  slot: { readonly name: string; readonly dataBase: number; readonly dataSize: number; readonly tableBase: number },
  coverage?: { readonly plan: CoveragePlan; readonly base: number },
): ImageInfo {
  const lines = new Lines(linked);
  const finalBodies = new Map(readModule(final).bodies.map((body) => [body.index, body]));
  const functions = linked.bodies.flatMap((body): FunctionInfo[] => {
    const now = finalBodies.get(body.index);
    if (now === undefined) return [];
    const { file, line } = lines.startOf(body);
    const type = functionType(linked, body.index) ?? "?";
    return [{ index: body.index, name: functionName(linked, body.index), type, start: now.start, end: now.end, file, line }];
  });
  const places = placesOf(addresses, lines);
  const tableEnd = Math.max(slot.tableBase, ...[...linked.table.keys()].map((index) => index + 1));
  return {
    ...slot,
    table: Array.from({ length: tableEnd - slot.tableBase }, (_, place) => linked.table.get(slot.tableBase + place) ?? -1),
    imports: linked.imports
      .filter((each) => each.kind === "function")
      .map((each) => ({ name: each.name, type: linked.types[each.type] ?? "?" })),
    importSites: importSites(linked, lines),
    functions,
    places: () => places,
    ...(coverage === undefined ? {} : { coverage: describeCoverage(linked, coverage.plan, coverage.base, lines) }),
    files: lines.files,
  };
}

function placesOf(addresses: readonly SourceMapEntry[], lines: Lines): Place[] {
  const places: Place[] = [];
  for (const [position, { offset, address, column }] of addresses.entries()) {
    if (address === undefined) continue;
    const found = lines.at(address, column > 0);
    if (found === undefined) continue;
    const end = addresses[position + 1]?.offset ?? offset + 1;
    places.push([offset, end, found.file, found.line, found.column, found.isExact ? 1 : 0]);
  }
  return places;
}

/** Calls of imports, and uses of their addresses. */
function importSites(linked: WasmModule, lines: Lines) {
  const names = linked.imports.filter((each) => each.kind === "function").map((each) => each.name);
  const sites: { name: string; function: string; file: number; line: number }[] = [];
  const addressTaken = new Map([...linked.table].filter(([, index]) => index < linked.importedFunctions));
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  for (const body of linked.bodies) {
    const reader = new ByteReader(linked.bytes, body.codeStart, body.end);
    while (!reader.isAtEnd) {
      readInstruction(reader, instruction);
      const { code, operand } = instruction;
      const index = code === opcode.call ? operand : code === opcode.i32Const ? addressTaken.get(operand) : undefined;
      const name = index === undefined ? undefined : names[index];
      if (name === undefined) continue;
      const found = lines.at(instruction.start - lines.codeBase);
      sites.push({ name, function: functionName(linked, body.index), file: found?.file ?? 0, line: found?.line ?? 0 });
    }
  }
  return sites;
}

const isLibrary = (name: string): boolean => name.startsWith(`${HEADER_FOLDER}/`);

class Lines {
  readonly files: string[] = [];
  readonly codeBase: number;
  readonly #rows: readonly LineRow[];
  readonly #inlined: readonly InlinedCall[];
  readonly #bodies: readonly { readonly address: number; readonly end: number }[];
  readonly #fileIndexes = new Map<string, number>();

  constructor(linked: WasmModule) {
    this.codeBase = linked.sections.find((section) => section.id === sectionId.code)?.start ?? 0;
    const { rows, files } = readLines(linked);
    this.#rows = rows;
    this.#inlined = readInlinedCalls(linked, files);
    this.#bodies = linked.bodies.map((body) => ({ address: body.start - this.codeBase, end: body.end - this.codeBase }));
  }

  /** The line of an instruction; where the compiler gave it none, that of the nearest one before it in the function, else after it. */
  at(address: number, isBeginning = false): { file: number; line: number; column: number; isExact: boolean } | undefined {
    const body = this.#bodies[lastNotAfter(this.#bodies, address)];
    if (body === undefined) return undefined;
    const position = lastNotAfter(this.#rows, address);
    for (const step of isBeginning ? [1, -1] : [-1, 1]) {
      for (let index = position; ; index += step) {
        const row = this.#rows[index];
        if (row === undefined || row.address < body.address || row.address >= body.end) break;
        if (row.line !== 0) return { ...this.#inDriver(row, address), isExact: index === position };
      }
    }
    return undefined;
  }

  /** Code of a header of the library that was put into the driver's function is at the place that called it. */
  #inDriver({ file, line, column }: LineRow, address: number): { file: number; line: number; column: number } {
    if (!isLibrary(file)) return { file: this.#fileIndex(file), line, column };
    const calls = this.#inlined.filter(
      (call) => call.ranges.some(([low, high]) => low <= address && address < high) && !isLibrary(call.file),
    );
    const innermost = calls.at(-1) ?? { file, line, column };
    return { file: this.#fileIndex(innermost.file), line: innermost.line, column: innermost.column };
  }

  /** The lines of a range of a function's code, by the rows for it. */
  within(start: number, end: number): LineWithin[] {
    const found: LineWithin[] = [];
    const body = this.#bodies[lastNotAfter(this.#bodies, start)];
    for (let index = Math.max(lastNotAfter(this.#rows, start), 0); ; index += 1) {
      const row = this.#rows[index];
      if (row === undefined || row.address >= end) return found;
      if (row.line === 0 || body === undefined || row.address < body.address) continue;
      // Of several rows at one address the last one counts.
      if (this.#rows[index + 1]?.address === row.address) continue;
      const { file, line, column } = this.#inDriver(row, Math.max(row.address, start));
      if (line !== 0) found.push({ file, line, column, isOwn: !isLibrary(row.file) });
    }
  }

  startOf(body: FunctionBody): { file: number; line: number } {
    return this.at(body.codeStart - this.codeBase, true) ?? { file: this.#fileIndex(""), line: 0 };
  }

  #fileIndex(name: string): number {
    let index = this.#fileIndexes.get(name);
    if (index === undefined) {
      index = this.files.push(name) - 1;
      this.#fileIndexes.set(name, index);
    }
    return index;
  }
}
