/**
 * Rewrites a linked driver, before Asyncify, so that it stops at limits which are the same in every run.
 *
 * - Each round of a loop, and each entry to a function that may recurse, takes a step from `__steps_left`.
 * - A function that may recurse holds one of `__depth_left` from entry to exit.
 * - Before an access to memory it is tested whether the access is right; see checks/access-checks.ts.
 * - Wherever the C stack grows, `__stack_pointer` must not pass `__stack_limit`.
 *
 * Below zero, or past the limit, the driver traps. All four are globals that the host owns and all drivers share. Because Asyncify comes
 * after, none of this is executed again while a parked frame is rewound.
 */
import type { IsPoint } from "./access-points.ts";
import type { BodyStores, CoverageStores } from "./coverage-stores.ts";
import { InputError } from "./errors.ts";
import { AccessChecks, checkFunctions } from "./checks/access-checks.ts";
import { isOfChecks } from "./checks/names.ts";
import { Locals } from "./locals.ts";
import { functionsThatCount } from "./recursion.ts";
import { assemble, DEPTH_LEFT, newGlobalIndex, STACK_LIMIT, STACK_POINTER, STEPS_LEFT } from "./shared-globals.ts";
import { ByteReader, ByteWriter } from "./wasm-bytes.ts";
import {
  type Instruction,
  type InstructionKind,
  grows,
  kindOf,
  opcode,
  opensBlock,
  readInstruction,
} from "./wasm-instructions.ts";
import { type FunctionBody, type WasmModule, functionName, functionType, sectionId } from "./wasm-module.ts";

/** An instruction that a stack trace can show. */
export interface Mark {
  readonly kind: InstructionKind;
  /** Where it is in the linked binary, from the start of the code section: what DWARF calls its address. */
  readonly address: number;
  /** It stands for what begins there: where the line is not known, the next one's counts, else the one's before. */
  readonly isBeginning: boolean;
}

export interface Instrumented {
  readonly wasm: Uint8Array;
  /** By function index, in the order of the binary. What the instrumentation adds is marked with the place it was added for. */
  readonly marks: ReadonlyMap<number, readonly Mark[]>;
}

export interface InstrumentOptions {
  /** What is kept of the code that was executed; undefined: nothing is. */
  readonly coverage?: CoverageStores | undefined;
  /** Accesses before which a thread may be switched away; undefined: none. */
  readonly points?: IsPoint | undefined;
}

export function instrument(linked: WasmModule, driver: string, { coverage, points }: InstrumentOptions = {}): Instrumented {
  refuseUnknownState(linked, driver);
  const checks = checkFunctions(linked);
  const counting = functionsThatCount(linked);
  const marks = new Map<number, Mark[]>();
  const codeBase = linked.sections.find((section) => section.id === sectionId.code)?.start ?? 0;
  const code = new ByteWriter();
  code.unsigned(linked.bodies.length);
  for (const body of linked.bodies) {
    // What the checks themselves do is neither checked nor counted.
    const isLimited = !isOfChecks(functionName(linked, body.index));
    const locals = new Locals(linked, body);
    const rewriter = new BodyRewriter(linked, body, codeBase, {
      locals,
      isLimited,
      counts: isLimited && counting.has(body.index),
      accessChecks: isLimited && checks !== undefined ? new AccessChecks(linked, body, locals, checks, points) : undefined,
      coverage: coverage?.of(body, locals),
    });
    code.sized(rewriter.rewrite());
    marks.set(body.index, rewriter.marks);
  }
  return { wasm: assemble(linked, code.toBytes()), marks };
}

/** State that the machine cannot see: its snapshots would not be whole. */
function refuseUnknownState(linked: WasmModule, driver: string): void {
  const stackPointer = linked.exports.get("__stack_pointer")?.index;
  for (const [index, global] of linked.globals.entries()) {
    if (!global.isMutable || index === stackPointer) continue;
    throw new InputError(
      `${driver}: the linked driver has a mutable WebAssembly global (thread-local storage?); ndislab needs all state in memory.`,
    );
  }
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  for (const body of linked.bodies) {
    const reader = new ByteReader(linked.bytes, body.codeStart, body.end);
    while (!reader.isAtEnd) {
      readInstruction(reader, instruction);
      if (!grows(instruction.code)) continue;
      throw new InputError(
        `${driver}: ${functionName(linked, body.index)} grows the memory or the table; a driver's memory is of fixed size.`,
      );
    }
  }
}

/** What is added to a function. */
interface Added {
  readonly locals: Locals;
  /** Steps in loops, and the end of the stack. */
  readonly isLimited: boolean;
  /** Steps and depth at its entry. */
  readonly counts: boolean;
  readonly accessChecks: AccessChecks | undefined;
  /** Undefined: what it executes is not kept. */
  readonly coverage: BodyStores | undefined;
}

class BodyRewriter {
  readonly marks: Mark[] = [];
  readonly #module: WasmModule;
  readonly #body: FunctionBody;
  readonly #codeBase: number;
  readonly #added: Added;
  readonly #accessChecks: AccessChecks | undefined;
  readonly #out = new ByteWriter();

  constructor(module: WasmModule, body: FunctionBody, codeBase: number, added: Added) {
    this.#module = module;
    this.#body = body;
    this.#codeBase = codeBase;
    this.#added = added;
    this.#accessChecks = added.accessChecks;
  }

  rewrite(): Uint8Array {
    const { bytes } = this.#module;
    const { codeStart, end, index } = this.#body;
    const out = this.#out;
    const { coverage, locals } = this.#added;
    out.bytes(locals.declarations());
    if (this.#added.counts) {
      this.#take(STEPS_LEFT, codeStart);
      this.#take(DEPTH_LEFT, codeStart);
      // A label counts from the inside, so branches to the end of the function still end there, inside this block.
      out.u8(opcode.block);
      this.#blockType(functionType(this.#module, index) ?? ":");
    }
    const reader = new ByteReader(bytes, codeStart, end);
    const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
    let nesting = 0;
    let previous = 0;
    while (!reader.isAtEnd) {
      readInstruction(reader, instruction);
      const { code } = instruction;
      coverage?.before(out, instruction, () => this.#mark("store", instruction.start, true));
      this.#accessChecks?.before(out, instruction, (kind) => this.#mark(kind, instruction.start, false));
      this.#accessChecks?.after(instruction);
      if (opensBlock(code)) nesting += 1;
      if (code === opcode.end) nesting -= 1;
      if (nesting < 0 && this.#added.counts) {
        out.u8(opcode.end);
        this.#giveBackDepth();
      }
      if (code === opcode.return && this.#added.counts) {
        out.u8(opcode.br);
        out.unsigned(nesting);
      } else {
        this.#copy(instruction);
      }
      if (!this.#added.isLimited) continue;
      if (code === opcode.loop) this.#take(STEPS_LEFT, instruction.end);
      if (code === opcode.globalSet && this.#globalIndex(instruction.operand) === STACK_POINTER && previous !== opcode.i32Add) {
        this.#checkStack(instruction.start);
      }
      previous = code;
    }
    return out.toBytes();
  }

  #copy(instruction: Instruction): void {
    const { code, start, end, operand } = instruction;
    const kind = kindOf(code);
    if (kind !== undefined) this.#mark(kind, start, false);
    if (instruction.isVolatile === true) {
      this.#out.u8(code, 0);
      this.#out.unsigned(operand);
    } else if (code === opcode.globalGet || code === opcode.globalSet) {
      this.#out.u8(code);
      this.#out.unsigned(this.#globalIndex(operand));
    } else {
      this.#out.bytes(this.#module.bytes.subarray(start, end));
    }
  }

  #globalIndex(index: number): number {
    return newGlobalIndex(this.#module, index);
  }

  #mark(kind: InstructionKind, offset: number, isBeginning: boolean): void {
    this.marks.push({ kind, address: offset - this.#codeBase, isBeginning });
  }

  #blockType(type: string): void {
    const results = type.split(":")[1] ?? "";
    const letters: Readonly<Record<string, number>> = { "": 0x40, i: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c };
    const code = letters[results];
    if (code === undefined) throw new RangeError(`${functionName(this.#module, this.#body.index)} returns more than one value`);
    this.#out.u8(code);
  }

  /** One less; below zero the driver traps. */
  #take(global: number, place: number): void {
    const out = this.#out;
    out.u8(opcode.globalGet, global, opcode.i32Const, 1, opcode.i32Sub, opcode.globalSet, global);
    out.u8(opcode.globalGet, global, opcode.i32Const, 0, opcode.i32LtS);
    this.#trapIf(place);
  }

  #giveBackDepth(): void {
    this.#out.u8(opcode.globalGet, DEPTH_LEFT, opcode.i32Const, 1, opcode.i32Add, opcode.globalSet, DEPTH_LEFT);
  }

  #checkStack(place: number): void {
    this.#out.u8(opcode.globalGet, STACK_POINTER, opcode.globalGet, STACK_LIMIT, opcode.i32LtU);
    this.#trapIf(place);
  }

  #trapIf(place: number): void {
    this.#mark("unreachable", place, true);
    this.#out.u8(opcode.if, 0x40, opcode.unreachable, opcode.end);
  }
}
