/**
 * From the points of coverage-points.ts to the lines, branches and functions of the driver's sources that they tell of.
 *
 * A line is executable when code was made for it, and was executed when a block with code of it was. Code that comes from the library's
 * headers belongs to the line that uses it, and its branches are nobody's.
 */
import type { CoveragePlan, Point } from "./coverage-points.ts";
import { DRIVER_FOLDER } from "./source-tree.ts";
import { ByteReader } from "./wasm-bytes.ts";
import { type Instruction, opcode, readInstruction } from "./wasm-instructions.ts";
import type { WasmModule } from "./wasm-module.ts";

/** What is kept with the image. Files are indexes into its list, functions those of the binary. */
export interface CoverageInfo {
  /** Address of the first point's byte. */
  readonly base: number;
  readonly points: number;
  readonly functions: readonly {
    readonly index: number;
    readonly entry: Point;
    /** Functions of the driver that call it by its name. */
    readonly callers: readonly number[];
  }[];
  readonly lines: readonly {
    readonly file: number;
    readonly line: number;
    readonly function: number;
    readonly points: readonly Point[];
  }[];
  readonly branches: readonly {
    readonly file: number;
    readonly line: number;
    readonly function: number;
    readonly outcomes: readonly (readonly Point[])[];
  }[];
  /** Functions that there was no room to count. */
  readonly leftOut: number;
}

export interface LineWithin {
  readonly file: number;
  readonly line: number;
  readonly column: number;
  /** The code is not of a header of the library. */
  readonly isOwn: boolean;
}

/** What is asked of the line table. */
interface LineSource {
  readonly codeBase: number;
  readonly files: readonly string[];
  within(start: number, end: number): LineWithin[];
}

export function describeCoverage(linked: WasmModule, plan: CoveragePlan, base: number, lines: LineSource): CoverageInfo {
  const isDrivers = (file: number): boolean => lines.files[file]?.startsWith(`${DRIVER_FOLDER}/`) === true;
  const callers = callersOf(linked);
  return {
    base,
    points: plan.points,
    functions: [...plan.entries].map(([index, entry]) => ({ index, entry, callers: [...(callers.get(index) ?? [])] })),
    lines: linesOf(plan, lines).filter(({ file }) => isDrivers(file)),
    branches: branchesOf(plan, lines).filter(({ file }) => isDrivers(file)),
    leftOut: plan.leftOut.length,
  };
}

function linesOf({ blocks }: CoveragePlan, lines: LineSource) {
  const found = new Map<string, { file: number; line: number; function: number; points: Set<Point> }>();
  for (const { function: index, start, end, points } of blocks) {
    for (const { file, line } of lines.within(start - lines.codeBase, end - lines.codeBase)) {
      const key = `${file}:${line}`;
      const known = found.get(key) ?? { file, line, function: index, points: new Set() };
      found.set(key, known);
      for (const point of points) known.points.add(point);
    }
  }
  return [...found.values()]
    .map(({ points, ...rest }) => ({ ...rest, points: [...points] }))
    .toSorted((a, b) => a.file - b.file || a.line - b.line);
}

/** A function of a header that was compiled several times has its branches once: those of the same place are told apart by their order. */
function branchesOf({ branches }: CoveragePlan, lines: LineSource) {
  const found = new Map<string, { file: number; line: number; function: number; outcomes: Point[][] }>();
  const times = new Map<string, number>();
  for (const { function: index, offset, outcomes } of branches) {
    const address = offset - lines.codeBase;
    const at = lines.within(address, address + 1).at(-1);
    if (at === undefined || !at.isOwn) continue;
    const place = `${at.file}:${at.line}:${at.column}`;
    const before = times.get(`${index} ${place}`) ?? 0;
    times.set(`${index} ${place}`, before + 1);
    const key = `${place}:${before}:${outcomes.length}`;
    const known = found.get(key) ?? { file: at.file, line: at.line, function: index, outcomes: outcomes.map((): Point[] => []) };
    found.set(key, known);
    for (const [way, points] of outcomes.entries()) known.outcomes[way]?.push(...points);
  }
  return [...found.values()];
}

/** By function index, who calls it by its name. */
function callersOf(linked: WasmModule): ReadonlyMap<number, ReadonlySet<number>> {
  const callers = new Map<number, Set<number>>();
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  for (const body of linked.bodies) {
    const reader = new ByteReader(linked.bytes, body.codeStart, body.end);
    while (!reader.isAtEnd) {
      readInstruction(reader, instruction);
      const { code, operand } = instruction;
      if (code !== opcode.call && code !== opcode.returnCall) continue;
      callers.set(operand, (callers.get(operand) ?? new Set()).add(body.index));
    }
  }
  return callers;
}
