/**
 * Before each load and store of a driver, the test whether it was found right in this epoch: one comparison with a word behind the machine's
 * memory. Only when it was not, a function is called that looks closer (checks.c).
 *
 * What a function does with its own frame at fixed offsets is not asked about, nor an access that was just asked about.
 */
import { shadows } from "../../kernel/memory.ts";
import type { IsPoint } from "../access-points.ts";
import { OperandStack } from "../operand-stack.ts";
import { type Locals, valueType } from "../locals.ts";
import type { ByteWriter } from "../wasm-bytes.ts";
import { type Instruction, type InstructionKind, kindOf, opcode, opensBlock } from "../wasm-instructions.ts";
import type { FunctionBody, WasmModule } from "../wasm-module.ts";
import { decidingLoads } from "./deciding-loads.ts";
import type { Checks } from "./flags.ts";
import { FrameLocals } from "./frame-locals.ts";
import { FrameVariables } from "./frame-variables.ts";
import { shared } from "./shared-state.ts";

/** Functions of checks.c; the linker keeps them because they are exported. */
const ACCESS_FUNCTIONS = [
  "__ndislab_check_load",
  "__ndislab_check_store",
  "__ndislab_check_volatile_load",
  "__ndislab_check_volatile_store",
  "__ndislab_check_copy",
  "__ndislab_check_fill",
  "__ndislab_check_read",
  "__ndislab_check_write",
  "__ndislab_access_point",
] as const;
/** A driver that has these too is told of what nobody has written. */
const FRAME_FUNCTIONS = ["__ndislab_frame_begins", "__ndislab_frame_ends"] as const;

type AccessFunctions = Readonly<Record<(typeof ACCESS_FUNCTIONS)[number], number>>;
type FrameFunctions = Readonly<Record<(typeof FRAME_FUNCTIONS)[number], number>>;
export type CheckFunctions = AccessFunctions & Partial<FrameFunctions>;

export const checkExports = ({ unwritten }: Checks): readonly string[] => [
  ...ACCESS_FUNCTIONS,
  ...(unwritten ? FRAME_FUNCTIONS : []),
];

/** The indexes of the check functions; undefined: the driver was linked without. */
export function checkFunctions(module: WasmModule): CheckFunctions | undefined {
  const indexes = [...ACCESS_FUNCTIONS, ...FRAME_FUNCTIONS].map((name) => [name, module.exports.get(name)?.index] as const);
  const found = Object.fromEntries(indexes.filter(([, index]) => index !== undefined));
  return ACCESS_FUNCTIONS.every((name) => name in found) ? (found as CheckFunctions) : undefined;
}

/** What the last of them imports: there a thread may be switched away. */
export const POINT = "__ndislab_point";

/** Variables that are added: the address, values of each type, one more for copies. */
const { i32, i64, f32, f64 } = valueType;
const ADDED_LOCALS = [i32, i32, i64, f32, f64, i32] as const;
const ADDRESS = 0;
const I32 = 1;
const I64 = 2;
const F32 = 3;
const F64 = 4;
const SECOND = 5;

/** What of a granted word must agree with the epoch: see `grant` in checks.c. */
const EPOCH_BITS = -0x400;
const READ_MASK = EPOCH_BITS | 0x0f;
const WRITE_MASK = EPOCH_BITS | 0x1ef;

type MarkNew = (kind: InstructionKind) => void;

/** Adds to one function. Its methods are called for each instruction in order. */
export class AccessChecks {
  readonly #functions: CheckFunctions;
  readonly #firstLocal: number;
  readonly #frame: FrameLocals;
  readonly #stack: OperandStack;
  readonly #deciding: ReadonlyMap<number, number>;
  readonly #variables: FrameVariables;
  /** Accesses that were asked about since their local was set, and nothing was called; for loads, with the bytes that decided. */
  readonly #known = new Map<string, number>();

  readonly #isPoint: IsPoint | undefined;

  constructor(module: WasmModule, body: FunctionBody, locals: Locals, functions: CheckFunctions, isPoint?: IsPoint) {
    this.#isPoint = isPoint;
    this.#deciding = functions.__ndislab_frame_begins === undefined ? new Map() : decidingLoads(module, body);
    this.#variables = new FrameVariables(module);
    this.#functions = functions;
    this.#firstLocal = locals.add(...ADDED_LOCALS);
    this.#frame = new FrameLocals(module);
    this.#stack = new OperandStack(module);
  }

  /** Writes what comes before the instruction. `mark` is told of the instructions added. */
  before(out: ByteWriter, instruction: Instruction, mark: MarkNew): void {
    const kind = kindOf(instruction.code);
    if (this.#isPoint !== undefined && (kind === "load" || kind === "store" || kind === "bulk"))
      this.#point(out, instruction, mark);
    if (kind === "load" || kind === "store") this.#beforeAccess(out, instruction, kind, mark);
    else if (kind === "bulk") this.#beforeBulk(out, instruction.code, mark);
  }

  #point(out: ByteWriter, { start }: Instruction, mark: MarkNew): void {
    if (this.#isPoint?.(start) !== true) return;
    out.u8(opcode.call);
    out.unsigned(this.#functions.__ndislab_access_point);
    mark("call");
    // Somebody else may have been there since an access was asked about.
    this.#known.clear();
  }

  after(instruction: Instruction): void {
    const { code, operand } = instruction;
    this.#stack.follow(instruction);
    this.#frame.follow(instruction);
    if (code === opcode.localSet || code === opcode.localTee) {
      for (const each of this.#known.keys()) if (each.startsWith(`${operand} `)) this.#known.delete(each);
    }
    const mayCome = code === opcode.loop || code === opcode.else || code === opcode.end || opensBlock(code);
    if ((mayCome && code !== opcode.block) || code === opcode.call || code === opcode.callIndirect) this.#known.clear();
  }

  #beforeAccess(out: ByteWriter, instruction: Instruction, kind: "load" | "store", mark: MarkNew): void {
    const { code, operand: offset, isVolatile = false } = instruction;
    const address = this.#stack.below(kind === "load" ? 0 : 1);
    const local = address !== undefined && "local" in address ? address.local : undefined;
    const bytes = widthOf(code);
    if (local !== undefined) {
      if (kind === "store") this.#beforeFrame(out, local, offset, mark);
      if (this.#frame.isSkipped(local, offset)) return;
      const key = `${local} ${offset} ${bytes}`;
      if (isVolatile) return this.#ask(out, local, instruction, kind, mark);
      const deciding = this.#deciding.get(instruction.start) ?? 0;
      if (this.#known.has(`${key} store`) || (kind === "load" && this.#isKnown(`${key} load`, deciding))) return;
      this.#known.set(`${key} ${kind}`, deciding);
      this.#ask(out, local, instruction, kind, mark);
    } else if (kind === "load") {
      this.#set(out, opcode.localTee, this.#firstLocal + ADDRESS);
      this.#ask(out, this.#firstLocal + ADDRESS, instruction, kind, mark);
    } else {
      const value = this.#firstLocal + storedType(code);
      this.#set(out, opcode.localSet, value);
      this.#set(out, opcode.localTee, this.#firstLocal + ADDRESS);
      this.#ask(out, this.#firstLocal + ADDRESS, instruction, kind, mark);
      this.#set(out, opcode.localGet, value);
    }
  }

  #isKnown(key: string, deciding: number): boolean {
    const known = this.#known.get(key);
    return known !== undefined && (deciding & ~known) === 0;
  }

  /** What the compiler adds where a frame with zones begins, or ends: its variables are unwritten, or gone. */
  #beforeFrame(out: ByteWriter, local: number, offset: number, mark: MarkNew): void {
    const value = this.#stack.below(0);
    if (value === undefined || !("constant" in value) || !this.#frame.isZoned(local)) return;
    const range = this.#variables.at(local, offset, value.constant);
    const told = this.#functions[range?.begins === true ? "__ndislab_frame_begins" : "__ndislab_frame_ends"];
    if (range === undefined || told === undefined) return;
    this.#set(out, opcode.localGet, local);
    this.#addConstant(out, range.offset);
    this.#constant(out, range.bytes);
    out.u8(opcode.call);
    out.unsigned(told);
    mark("call");
  }

  #beforeBulk(out: ByteWriter, code: number, mark: MarkNew): void {
    const [target, source, size] = [ADDRESS, SECOND, I32].map((each) => this.#firstLocal + each) as [number, number, number];
    const isCopy = code === opcode.memoryCopy;
    for (const local of [size, source, target]) this.#set(out, opcode.localSet, local);
    for (const local of isCopy ? [target, source, size] : [target, size]) this.#set(out, opcode.localGet, local);
    out.u8(opcode.call);
    out.unsigned(this.#functions[isCopy ? "__ndislab_check_copy" : "__ndislab_check_fill"]);
    mark("call");
    for (const local of [target, source, size]) this.#set(out, opcode.localGet, local);
  }

  #set(out: ByteWriter, code: number, local: number): void {
    out.u8(code);
    out.unsigned(local);
  }

  #ask(out: ByteWriter, local: number, instruction: Instruction, kind: "load" | "store", mark: MarkNew): void {
    const { code, operand: offset, isVolatile } = instruction;
    const bytes = widthOf(code);
    if (bytes === 8) this.#compareTwo(out, local, offset, kind, mark);
    else if (bytes === 4) this.#compareOne(out, local, offset, kind, mark);
    else this.#compareBytes(out, local, offset, bytes, kind, mark);
    const check = isVolatile === true ? (`__ndislab_check_volatile_${kind}` as const) : (`__ndislab_check_${kind}` as const);
    out.u8(opcode.if, 0x40);
    this.#set(out, opcode.localGet, local);
    if (offset !== 0) this.#addConstant(out, offset);
    this.#constant(out, bytes);
    if (kind === "load") this.#constant(out, this.#deciding.get(instruction.start) ?? 0);
    out.u8(opcode.call);
    out.unsigned(this.#functions[check]);
    mark("call");
    out.u8(opcode.end);
  }

  /** The word's grant, compared with what an access of all its bytes needs. */
  #compareOne(out: ByteWriter, local: number, offset: number, kind: "load" | "store", mark: MarkNew): void {
    this.#set(out, opcode.localGet, local);
    this.#load(out, opcode.i32Load, shadows.granted.start + offset, mark);
    this.#epoch(out, mark);
    out.u8(opcode.i32Xor);
    this.#constant(out, kind === "load" ? READ_MASK : WRITE_MASK);
    out.u8(opcode.i32And);
  }

  #compareTwo(out: ByteWriter, local: number, offset: number, kind: "load" | "store", mark: MarkNew): void {
    this.#set(out, opcode.localGet, local);
    this.#load(out, opcode.i64Load, shadows.granted.start + offset, mark);
    this.#constant(out, shared.epoch);
    this.#load(out, opcode.i64Load, 0, mark);
    out.u8(opcode.i64Xor, opcode.i64Const);
    const mask = BigInt.asUintN(32, BigInt(kind === "load" ? READ_MASK : WRITE_MASK));
    signed64(out, BigInt.asIntN(64, (mask << 32n) | mask));
    out.u8(opcode.i64And, opcode.i64Eqz, opcode.i32Eqz);
  }

  /** The bits of one or two bytes of the word. */
  #compareBytes(out: ByteWriter, local: number, offset: number, bytes: number, kind: "load" | "store", mark: MarkNew): void {
    const address = offset === 0 ? local : this.#firstLocal + SECOND;
    this.#set(out, opcode.localGet, local);
    if (offset !== 0) {
      this.#addConstant(out, offset);
      this.#set(out, opcode.localTee, address);
    }
    this.#constant(out, -4);
    out.u8(opcode.i32And);
    this.#load(out, opcode.i32Load, shadows.granted.start, mark);
    this.#epoch(out, mark);
    out.u8(opcode.i32Xor);
    const first = bytes === 1 ? 1 : 3;
    this.#constant(out, kind === "load" ? first : first << 5);
    this.#set(out, opcode.localGet, address);
    out.u8(opcode.i32Const, 3, opcode.i32And, opcode.i32Shl);
    this.#constant(out, EPOCH_BITS);
    out.u8(opcode.i32Or, opcode.i32And);
  }

  #epoch(out: ByteWriter, mark: MarkNew): void {
    this.#constant(out, shared.epoch);
    this.#load(out, opcode.i32Load, 0, mark);
  }

  #load(out: ByteWriter, code: number, offset: number, mark: MarkNew): void {
    out.u8(code, 0);
    out.unsigned(offset);
    mark("load");
  }

  #constant(out: ByteWriter, value: number): void {
    out.u8(opcode.i32Const);
    out.signed(value);
  }

  #addConstant(out: ByteWriter, offset: number): void {
    this.#constant(out, offset | 0);
    out.u8(opcode.i32Add);
  }
}

/** LEB128 of a 64-bit constant. */
function signed64(out: ByteWriter, value: bigint): void {
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = (rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0);
    out.u8(isLast ? byte : byte | 0x80);
    if (isLast) return;
  }
}

/** Bytes that a load or a store accesses, by its opcode from 0x28 on. */
const WIDTHS = [4, 8, 4, 8, 1, 1, 2, 2, 1, 1, 2, 2, 4, 4, 4, 8, 4, 8, 1, 2, 1, 2, 4] as const;
const widthOf = (code: number): number => WIDTHS[code - opcode.i32Load] ?? 4;

function storedType(code: number): number {
  if (code === 0x36 || code === 0x3a || code === 0x3b) return I32;
  if (code === 0x38) return F32;
  return code === 0x39 ? F64 : I64;
}
