/**
 * Where a driver's code tells that it was executed: a byte for each basic block that nothing else tells of, and one for each way out of each
 * conditional branch.
 *
 * A block is straight code: it has one way in, and is executed as a whole unless a call in it does not return. WebAssembly's code is
 * structured, so that each block is one range of addresses. What follows a branch that was not taken, or stands in an `if`, needs no byte
 * of its own: the branch has told already. The head of a loop is not a block of its own: who comes back to it has been there.
 */
import { isOfChecks } from "./checks/names.ts";
import { ByteReader } from "./wasm-bytes.ts";
import { type Instruction, opcode, opensBlock, readInstruction } from "./wasm-instructions.ts";
import { type FunctionBody, type WasmModule, functionName } from "./wasm-module.ts";

/** A number below the room for them: the place of a byte. */
export type Point = number;

/** Offsets are those of the linked binary. */
export interface Block {
  readonly function: number;
  readonly start: number;
  end: number;
  /** It was executed when one of these is set. */
  readonly points: readonly Point[];
}

export interface Branch {
  readonly function: number;
  readonly offset: number;
  /** For each way out the points that tell of it. */
  readonly outcomes: readonly (readonly Point[])[];
}

/** What is asked before a conditional branch: which way it will take. Its points are in a row from `first` on. */
export interface Decision {
  readonly first: Point;
  /** Of a `br_table` the number of labels before the default; else an operand that is zero has the second point. */
  readonly labels: number | undefined;
}

export interface CoveragePlan {
  /** How many points there are. */
  readonly points: number;
  /** The point of each function's entry, by function index. */
  readonly entries: ReadonlyMap<number, Point>;
  /** Points to set before an instruction, by its offset. */
  readonly flags: ReadonlyMap<number, Point>;
  readonly decisions: ReadonlyMap<number, Decision>;
  readonly blocks: readonly Block[];
  readonly branches: readonly Branch[];
  /** Functions for which there was no room. */
  readonly leftOut: readonly number[];
}

/** `room` is how many points may be. */
export function planCoverage(linked: WasmModule, room: number): CoveragePlan {
  const whole = emptyPlan();
  for (const body of linked.bodies) {
    if (isOfChecks(functionName(linked, body.index))) continue;
    const part = new BodyPoints(linked, body, whole.points);
    part.read();
    if (part.next > room) {
      whole.leftOut.push(body.index);
      continue;
    }
    whole.points = part.next;
    const { own } = part;
    whole.entries.set(body.index, own.entry);
    for (const [offset, point] of own.flags) whole.flags.set(offset, point);
    for (const [offset, decision] of own.decisions) whole.decisions.set(offset, decision);
    whole.blocks.push(...own.blocks);
    whole.branches.push(...own.branches);
  }
  return whole;
}

function emptyPlan() {
  return {
    points: 0,
    entries: new Map<number, Point>(),
    flags: new Map<number, Point>(),
    decisions: new Map<number, Decision>(),
    blocks: [] as Block[],
    branches: [] as Branch[],
    leftOut: [] as number[],
  };
}

/** A block, a loop, an `if` or the function that is open. */
interface Open {
  readonly code: number;
  /** Whether it can be reached at all. */
  readonly isLive: boolean;
  /** Whether a branch leads to its end. */
  isTarget: boolean;
  /** Conditional branches that do. */
  readonly from: Branch[];
  /** Of an `if`: the point of the way to its `else`, and whether its first part runs to its end. */
  readonly otherwise: Point;
  hasElse: boolean;
  isThenOpen: boolean;
}

/** A block whose code is being read; it gets its point with its first instruction. */
interface Current {
  readonly start: number;
  /** Conditional branches that lead to it. */
  readonly from: readonly Branch[];
  points: readonly Point[] | undefined;
}

class BodyPoints {
  next: Point;
  readonly own: Pick<ReturnType<typeof emptyPlan>, "flags" | "decisions" | "blocks" | "branches"> & { readonly entry: Point };
  readonly #module: WasmModule;
  readonly #body: FunctionBody;
  readonly #open: Open[] = [];
  /** Undefined where no code comes to. */
  #current: Current | undefined;

  constructor(module: WasmModule, body: FunctionBody, first: Point) {
    this.#module = module;
    this.#body = body;
    this.next = first + 1;
    this.own = { entry: first, flags: new Map([[body.codeStart, first]]), decisions: new Map(), blocks: [], branches: [] };
  }

  read(): void {
    const { codeStart, end } = this.#body;
    this.#current = { start: codeStart, from: [], points: [this.own.entry] };
    this.#enter(opcode.block, 0);
    const reader = new ByteReader(this.#module.bytes, codeStart, end);
    const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
    while (!reader.isAtEnd) {
      readInstruction(reader, instruction);
      this.#follow(instruction);
    }
    this.#close(end);
  }

  #follow(instruction: Instruction): void {
    const { code, start, end } = instruction;
    if (code === opcode.else) this.#otherwise(start, end);
    else if (code === opcode.end) this.#leave(start, end);
    else if (this.#current === undefined) {
      if (opensBlock(code)) this.#enter(code, 0);
    } else {
      if (code !== opcode.block) this.#tell(this.#current, start);
      this.#followLive(instruction);
    }
  }

  #followLive({ code, start, end, operand }: Instruction): void {
    if (code === opcode.if) {
      const { branch, taken } = this.#decide(start);
      this.#close(end);
      this.#current = { start: end, from: [branch], points: [taken] };
      this.#enter(code, taken + 1);
    } else if (opensBlock(code)) {
      this.#enter(code, 0);
    } else if (code === opcode.brIf) {
      const { branch, taken } = this.#decide(start);
      this.#target(operand, branch);
      this.#close(end);
      this.#current = { start: end, from: [branch], points: [taken + 1] };
    } else if (code === opcode.brTable) {
      this.#choose(start);
      this.#close(end);
    } else if (code === opcode.call) {
      this.#forgetChecks(operand, this.#current?.from ?? []);
    } else if (endsCode(code)) {
      if (code === opcode.br) this.#target(operand);
      this.#close(end);
    }
  }

  #enter(code: number, otherwise: Point): void {
    const isLive = this.#current !== undefined;
    this.#open.push({ code, isLive, isTarget: false, from: [], otherwise, hasElse: false, isThenOpen: false });
  }

  #otherwise(start: number, end: number): void {
    const open = this.#open.at(-1);
    if (open === undefined) return;
    open.hasElse = true;
    open.isThenOpen = this.#current !== undefined;
    this.#close(start);
    if (open.isLive) this.#current = { start: end, from: [], points: [open.otherwise] };
  }

  /** Where two ways meet, another block begins. */
  #leave(start: number, end: number): void {
    const open = this.#open.pop();
    if (open === undefined) return;
    const isJoin = open.isTarget || (open.code === opcode.if && (open.hasElse ? open.isThenOpen : open.isLive));
    if (!isJoin) return;
    this.#close(start);
    this.#current = { start: end, from: open.from, points: undefined };
  }

  /** The current block's own point, unless something else tells of it. */
  #tell(current: Current, offset: number): void {
    if (current.points !== undefined) return;
    const point = this.next;
    this.next += 1;
    current.points = [point];
    this.own.flags.set(offset, point);
  }

  /** Gives the point of the way of an operand that is not zero, too; the other comes after it. */
  #decide(offset: number): { branch: Branch; taken: Point } {
    const first = this.next;
    this.next += 2;
    this.own.decisions.set(offset, { first, labels: undefined });
    const branch = { function: this.#body.index, offset, outcomes: [[first], [first + 1]] };
    this.own.branches.push(branch);
    return { branch, taken: first };
  }

  /** Several entries of a `br_table` that lead to one place are one way. */
  #choose(offset: number): void {
    const reader = new ByteReader(this.#module.bytes, offset + 1, this.#body.end);
    const labels = reader.unsigned();
    const first = this.next;
    const byLabel = new Map<number, Point[]>();
    for (let index = 0; index <= labels; index += 1) {
      const label = reader.unsigned();
      this.#target(label);
      byLabel.set(label, [...(byLabel.get(label) ?? []), first + index]);
    }
    this.next += labels + 1;
    this.own.decisions.set(offset, { first, labels });
    this.own.branches.push({ function: this.#body.index, offset, outcomes: [...byLabel.values()] });
  }

  #target(label: number, branch?: Branch): void {
    const open = this.#open.at(-1 - label);
    if (open === undefined || open.code === opcode.loop) return;
    open.isTarget = true;
    if (branch !== undefined) open.from.push(branch);
  }

  /** Branches that lead to a report of undefined behaviour were made by the compiler for it; they are not the driver's. */
  #forgetChecks(callee: number, from: readonly Branch[]): void {
    const imported = this.#module.imports.filter(({ kind }) => kind === "function")[callee];
    const name = imported?.name ?? functionName(this.#module, callee);
    if (!name.startsWith("__ubsan_handle_")) return;
    this.own.branches = this.own.branches.filter((branch) => !from.includes(branch));
  }

  #close(end: number): void {
    const current = this.#current;
    this.#current = undefined;
    if (current?.points === undefined) return;
    const { start, points } = current;
    this.own.blocks.push({ function: this.#body.index, start, end, points });
  }
}

function endsCode(code: number): boolean {
  return (
    code === opcode.br ||
    code === opcode.return ||
    code === opcode.unreachable ||
    code === opcode.returnCall ||
    code === opcode.returnCallIndirect
  );
}
