/**
 * Before a load or a store whose address may be near 0, code that asks. Nothing of a machine lies in the first 64 KiB, so an address there
 * comes from a null pointer: of the field of a structure, or with a negative offset taken (`CONTAINING_RECORD` of null is not that).
 *
 * Calculating with a null pointer, as home-made `offsetof` macros do, is no access and is not asked about.
 */
import { OperandStack } from "./operand-stack.ts";
import { ByteReader, type ByteWriter } from "./wasm-bytes.ts";
import { type Instruction, kindOf, opcode, opensBlock, readInstruction } from "./wasm-instructions.ts";
import { type FunctionBody, type WasmModule, functionType } from "./wasm-module.ts";

/** Called with the address before a driver accesses the null page; must not return. */
export const NULL_ACCESS = "__ubsan_handle_null_access";
/** A function that makes the linker import it. */
export const NULL_ACCESS_SOURCE = `void ${NULL_ACCESS}(unsigned); void __ndislab_null_access(void) { ${NULL_ACCESS}(0); }\n`;
export const NULL_ACCESS_EXPORT = "__ndislab_null_access";

const NULL_PAGE_BYTES = 0x1_0000;
/** Types of the variables that are added: the address, values of each type, two more for copies. */
const ADDED_LOCALS = [0x7f, 0x7f, 0x7e, 0x7d, 0x7c, 0x7f] as const;
const ADDRESS = 0;
const I32 = 1;
const I64 = 2;
const F32 = 3;
const F64 = 4;
const SECOND = 5;

/** Adds to one function. Its methods are called for each instruction in order. */
export class NullChecks {
  readonly #handler: number;
  readonly #firstLocal: number;
  readonly #frames: ReadonlySet<number>;
  readonly #stack: OperandStack;
  /** Locals that were asked about since they were set. */
  readonly #known = new Set<number>();

  constructor(module: WasmModule, body: FunctionBody, handler: number) {
    this.#handler = handler;
    this.#firstLocal = localsOf(module, body);
    this.#frames = framePointers(module, body);
    this.#stack = new OperandStack(module);
  }

  /** The declarations of locals, with those that the checks need. */
  declareLocals(out: ByteWriter, declarations: Uint8Array): void {
    const reader = new ByteReader(declarations);
    out.unsigned(reader.unsigned() + ADDED_LOCALS.length);
    out.bytes(declarations.subarray(reader.at));
    for (const type of ADDED_LOCALS) out.u8(1, type);
  }

  /** Writes what comes before the instruction. `mark` is told of the instructions added. */
  before(out: ByteWriter, instruction: Instruction, mark: (kind: "call" | "unreachable") => void): void {
    const kind = kindOf(instruction.code);
    if (kind === "load" || kind === "store") this.#beforeAccess(out, instruction, kind, mark);
    else if (kind === "bulk") this.#beforeBulk(out, instruction.code, mark);
  }

  after(instruction: Instruction): void {
    const { code, operand } = instruction;
    this.#stack.follow(instruction);
    if (code === opcode.localSet || code === opcode.localTee) this.#known.delete(operand);
    if (code === opcode.loop || code === opcode.else || code === opcode.end) this.#known.clear();
    if (opensBlock(code) && code !== opcode.block) this.#known.clear();
  }

  #beforeAccess(
    out: ByteWriter,
    { code, operand: offset }: Instruction,
    kind: "load" | "store",
    mark: (kind: "call" | "unreachable") => void,
  ) {
    // Data of the driver itself: its address is in the offset.
    if (offset >= NULL_PAGE_BYTES) return;
    const address = this.#stack.below(kind === "load" ? 0 : 1);
    if (address !== undefined && "constant" in address && address.constant >>> 0 >= NULL_PAGE_BYTES) return;
    const local = address !== undefined && "local" in address ? address.local : undefined;
    if (local !== undefined) {
      if (this.#frames.has(local) || this.#known.has(local)) return;
      this.#known.add(local);
      this.#ask(out, local, offset, mark);
    } else if (kind === "load") {
      out.u8(opcode.localTee);
      out.unsigned(this.#firstLocal + ADDRESS);
      this.#ask(out, this.#firstLocal + ADDRESS, offset, mark);
    } else {
      const value = this.#firstLocal + storedType(code);
      this.#set(out, opcode.localSet, value);
      this.#set(out, opcode.localTee, this.#firstLocal + ADDRESS);
      this.#ask(out, this.#firstLocal + ADDRESS, offset, mark);
      this.#set(out, opcode.localGet, value);
    }
  }

  /** `memory.copy` and `memory.fill` of no bytes may be of any address. */
  #beforeBulk(out: ByteWriter, code: number, mark: (kind: "call" | "unreachable") => void): void {
    const [target, source, size] = [ADDRESS, SECOND, I32].map((each) => this.#firstLocal + each) as [number, number, number];
    for (const local of [size, source, target]) this.#set(out, opcode.localSet, local);
    const isCopy = code === 0xfc0a;
    this.#set(out, opcode.localGet, size);
    out.u8(opcode.if, 0x40);
    this.#ask(out, target, 0, mark);
    if (isCopy) this.#ask(out, source, 0, mark);
    out.u8(opcode.end);
    for (const local of [target, source, size]) this.#set(out, opcode.localGet, local);
  }

  #set(out: ByteWriter, code: number, local: number): void {
    out.u8(code);
    out.unsigned(local);
  }

  #ask(out: ByteWriter, local: number, offset: number, mark: (kind: "call" | "unreachable") => void): void {
    this.#set(out, opcode.localGet, local);
    out.u8(opcode.i32Const, 0x80, 0x80, 0x04, opcode.i32LtU, opcode.if, 0x40);
    this.#set(out, opcode.localGet, local);
    out.u8(opcode.i32Const);
    out.signed(offset);
    out.u8(opcode.i32Add, opcode.call);
    out.unsigned(this.#handler);
    mark("call");
    out.u8(opcode.unreachable, opcode.end);
    mark("unreachable");
  }
}

function storedType(code: number): number {
  if (code === 0x36 || code === 0x3a || code === 0x3b) return I32;
  if (code === 0x38) return F32;
  return code === 0x39 ? F64 : I64;
}

function localsOf(module: WasmModule, body: FunctionBody): number {
  const [parameters = ""] = (functionType(module, body.index) ?? ":").split(":");
  const reader = new ByteReader(module.bytes, body.start, body.codeStart);
  let count = parameters.length;
  for (let groups = reader.unsigned(); groups > 0; groups -= 1) {
    count += reader.unsigned();
    reader.u8();
  }
  return count;
}

/** Locals that are set once, to the stack pointer less a constant: the function's own frame. */
function framePointers(module: WasmModule, body: FunctionBody): Set<number> {
  const stackPointer = module.exports.get("__stack_pointer")?.index;
  const frames = new Set<number>();
  const seen = new Set<number>();
  const reader = new ByteReader(module.bytes, body.codeStart, body.end);
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  let recent: { code: number; operand: number }[] = [];
  while (!reader.isAtEnd) {
    readInstruction(reader, instruction);
    const { code, operand } = instruction;
    if (code === opcode.localSet || code === opcode.localTee) {
      const [get, constant, subtract] = recent;
      const isFrame =
        get?.code === opcode.globalGet &&
        get.operand === stackPointer &&
        constant?.code === opcode.i32Const &&
        subtract?.code === opcode.i32Sub;
      if (isFrame && !seen.has(operand)) frames.add(operand);
      else frames.delete(operand);
      seen.add(operand);
    }
    recent = [...recent.slice(-2), { code, operand }];
  }
  return frames;
}
