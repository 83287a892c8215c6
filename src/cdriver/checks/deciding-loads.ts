/**
 * Which loads of a function decide something, and which of their bytes: the value goes, on every way from there, into a condition, an address, the
 * choice of a function that is called, or a parameter by which a routine of the library goes. Bits that are masked off do not count.
 *
 * Followed is code in which one instruction leads to the next, with its local variables: behind a condition it depends on others whether a value
 * counts. What is only stored, returned, or passed to another function of the driver decides nothing here.
 */
import { isOfChecks } from "./names.ts";
import { decidingParameters } from "./parameters.ts";
import { arity } from "../operand-stack.ts";
import { ByteReader } from "../wasm-bytes.ts";
import { type Instruction, kindOf, opcode, opensBlock, readInstruction } from "../wasm-instructions.ts";
import { type FunctionBody, type WasmModule, functionName, functionType } from "../wasm-module.ts";

/** A load that a value was made of. */
interface Origin {
  /** Where it is in the binary. */
  readonly load: number;
  /** Which bits of what was loaded matter. */
  readonly bits: bigint;
  /** Bit n of the value is bit n + shift of what was loaded; undefined: not one by one. */
  readonly shift: number | undefined;
}

interface Value {
  readonly origins: readonly Origin[];
  /** The result of a comparison. */
  readonly isTruth: boolean;
  readonly constant: bigint | undefined;
}

const nothing: Value = { origins: [], isTruth: false, constant: undefined };

const select = [0x1b, 0x1c] as const;
const FIRST_COMPARISON = opcode.i32Eqz;
const LAST_COMPARISON = 0x66;
const AND = [opcode.i32And, opcode.i64And] as const;
const OR = [opcode.i32Or, 0x84] as const;
const SHIFT_LEFT = [opcode.i32Shl, 0x86] as const;
const SHIFT_RIGHT = [0x76, 0x88] as const;
/** Of what is left of the value: bits. */
const NARROWS: Readonly<Record<number, number>> = { 0xa7: 32, 0xc0: 8, 0xc1: 16, 0xc2: 8, 0xc3: 16, 0xc4: 32 };
/** Bits of what a load takes from memory, by its opcode from 0x28 on; with a sign that fills the rest of the value. */
const LOADED = [32, 64, 32, 64, 8, 8, 16, 16, 8, 8, 16, 16, 32, 32] as const;
const FILLS_WITH_SIGN: ReadonlySet<number> = new Set([0x2c, 0x2e, 0x30, 0x32, 0x34]);
/** Functions that go by an address and a size, not by what they store. */
const COPIES: Readonly<Record<string, readonly number[]>> = {
  __asan_memcpy: [0, 1, 2],
  __asan_memmove: [0, 1, 2],
  __asan_memset: [0, 2],
};

/** A report takes fewer. */
const REPORT_INSTRUCTIONS = 16;

const bits = (count: number): bigint => (1n << BigInt(count)) - 1n;
const isOf = (codes: readonly number[], code: number): boolean => codes.includes(code);

/** By where the load is: a bit for each byte that decides. */
export function decidingLoads(module: WasmModule, body: FunctionBody): ReadonlyMap<number, number> {
  const flow = new Flow(module);
  const reader = new ByteReader(module.bytes, body.codeStart, body.end);
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  while (!reader.isAtEnd) {
    readInstruction(reader, instruction);
    if (instruction.code === opcode.brIf && skipsReport(module, instruction.end, body.end)) flow.passReport();
    else flow.follow(instruction);
  }
  return flow.deciding;
}

/** Whether what a branch skips is only the report of an overflow or the like: a condition of the checks, not of the driver. */
function skipsReport(module: WasmModule, start: number, end: number): boolean {
  const reader = new ByteReader(module.bytes, start, end);
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  let calls = 0;
  for (let left = REPORT_INSTRUCTIONS; left > 0 && !reader.isAtEnd; left -= 1) {
    readInstruction(reader, instruction);
    const { code, operand } = instruction;
    if (code === opcode.end) return calls > 0;
    if (code === opcode.call && isOfChecks(functionName(module, operand))) calls += 1;
    else if (code === opcode.call || opensBlock(code) || code === opcode.localSet || code === opcode.localTee) return false;
  }
  return false;
}

/** The driver's constants are of up to 64 bits, in LEB128. */
function constantAt(bytes: Uint8Array, { start, end }: Instruction): bigint {
  let value = 0n;
  for (let at = start + 1; at < end; at += 1) value |= BigInt((bytes[at] ?? 0) & 0x7f) << BigInt((at - start - 1) * 7);
  return BigInt.asIntN((end - start - 1) * 7, value);
}

class Flow {
  readonly deciding = new Map<number, number>();
  readonly #module: WasmModule;
  readonly #locals = new Map<number, Value>();
  #stack: Value[] = [];

  constructor(module: WasmModule) {
    this.#module = module;
  }

  follow(instruction: Instruction): void {
    const { code, operand, start } = instruction;
    const kind = kindOf(code);
    if (code === opcode.localGet) this.#stack.push(this.#locals.get(operand) ?? nothing);
    else if (code === opcode.localSet) this.#locals.set(operand, this.#pop());
    else if (code === opcode.localTee) this.#locals.set(operand, this.#stack.at(-1) ?? nothing);
    else if (code === opcode.i32Const || code === opcode.i64Const)
      this.#stack.push({ ...nothing, constant: constantAt(this.#module.bytes, instruction) });
    else if (code === opcode.call) this.#call(operand);
    else if (kind === "load") this.#load(code, start);
    else if (kind === "store") {
      this.#pop();
      this.#decide(this.#pop());
    } else if (kind === "bulk") for (let left = 3; left > 0; left -= 1) this.#decide(this.#pop());
    else if (kind === "call_indirect") {
      this.#decide(this.#pop());
      this.#drop(this.#module.types[operand] ?? ":");
    } else if (isOf(select, code)) {
      this.#decide(this.#pop());
      this.#replace(2, nothing);
    } else if (opensBlock(code) || this.#leads(code)) this.#go(code);
    else this.#calculate(code);
  }

  passReport(): void {
    this.#pop();
  }

  /** Instructions after which it is another one's turn than the next, at least sometimes. */
  #leads(code: number): boolean {
    return (
      code === opcode.else || code === opcode.end || (code >= opcode.br && code <= opcode.return) || code === opcode.unreachable
    );
  }

  #go(code: number): void {
    if (code === opcode.if || code === opcode.brIf || code === opcode.brTable) this.#decide(this.#pop());
    // A block, or the first round of a loop, begins in any case, and what comes after its end follows on what it ends with.
    if (code === opcode.block || code === opcode.loop) return;
    if (code === opcode.end) {
      // How many operands the block leaves is not known; what it left of ours comes from others as well.
      this.#stack = [];
      return;
    }
    this.#locals.clear();
    this.#stack = code === opcode.brIf ? this.#stack.map(() => nothing) : [];
  }

  #call(index: number): void {
    const parameters = (functionType(this.#module, index) ?? ":").split(":")[0] ?? "";
    const first = this.#stack.length - parameters.length;
    for (const position of this.#decidingParameters(index)) this.#decide(this.#stack[first + position] ?? nothing);
    this.#drop(functionType(this.#module, index) ?? ":");
  }

  /** Of a routine of the library those that it goes by. */
  #decidingParameters(index: number): readonly number[] {
    const name = functionName(this.#module, index);
    return COPIES[name] ?? (index < this.#module.importedFunctions ? decidingParameters(name) : []);
  }

  #drop(type: string): void {
    const [parameters = "", results = ""] = type.split(":");
    for (const _ of parameters) this.#pop();
    for (const _ of results) this.#stack.push(nothing);
  }

  #load(code: number, at: number): void {
    this.#decide(this.#pop());
    const loaded = bits(LOADED[code - opcode.i32Load] ?? 64);
    const shift = FILLS_WITH_SIGN.has(code) ? undefined : 0;
    this.#stack.push({ ...nothing, origins: [{ load: at, bits: loaded, shift }] });
  }

  #calculate(code: number): void {
    const [taken, put] = arity(code);
    if (taken === 2 && put === 1) {
      const right = this.#pop();
      const left = this.#pop();
      this.#stack.push(ofTwo(code, left, right));
    } else if (taken === 1 && put === 1) {
      this.#stack.push(ofOne(code, this.#pop()));
    } else {
      for (let left = taken; left > 0; left -= 1) this.#pop();
      for (let left = put; left > 0; left -= 1) this.#stack.push(nothing);
    }
  }

  #decide({ origins }: Value): void {
    for (const { load, bits: all } of origins) {
      let bytes = 0;
      for (let byte = 0; byte < 8; byte += 1) if (((all >> BigInt(byte * 8)) & 0xffn) !== 0n) bytes |= 1 << byte;
      this.deciding.set(load, (this.deciding.get(load) ?? 0) | bytes);
    }
  }

  #pop(): Value {
    return this.#stack.pop() ?? nothing;
  }

  #replace(count: number, value: Value): void {
    for (let left = count; left > 0; left -= 1) this.#pop();
    this.#stack.push(value);
  }
}

const withBits = (value: Value, kept: (shift: number) => bigint): Value => ({
  ...nothing,
  origins: value.origins.map((each) => (each.shift === undefined ? each : { ...each, bits: each.bits & kept(each.shift) })),
});

const placed = (mask: bigint, shift: number): bigint => (shift < 0 ? mask >> BigInt(-shift) : mask << BigInt(shift));

function ofOne(code: number, value: Value): Value {
  const narrow = NARROWS[code];
  if (narrow !== undefined) return { ...withBits(value, (shift) => placed(bits(narrow), shift)), isTruth: value.isTruth };
  if (code === opcode.i32Eqz || code === opcode.i64Eqz) return { ...mixed(value), isTruth: true };
  return { ...value, constant: undefined };
}

function ofTwo(code: number, left: Value, right: Value): Value {
  if (code >= FIRST_COMPARISON && code <= LAST_COMPARISON) return { ...mixed(left, right), isTruth: true };
  const wide = code > 0x7b ? 64 : 32;
  const { constant } = right;
  if (isOf(AND, code) || isOf(OR, code)) {
    if (constant !== undefined) {
      const mask = BigInt.asUintN(wide, constant);
      const counts = isOf(AND, code) ? mask : bits(wide) & ~mask;
      return { ...withBits(left, (shift) => placed(counts, shift)), isTruth: left.isTruth };
    }
    // Of two conditions, one may decide alone, and which one is asked first is not to be seen.
    if (left.isTruth || right.isTruth) return { ...nothing, isTruth: true };
    return { ...nothing, origins: [...left.origins, ...right.origins] };
  }
  if (constant !== undefined && (isOf(SHIFT_LEFT, code) || isOf(SHIFT_RIGHT, code))) {
    const by = (Number(constant) & (wide - 1)) * (isOf(SHIFT_LEFT, code) ? -1 : 1);
    const origins = left.origins.map((each) => (each.shift === undefined ? each : { ...each, shift: each.shift + by }));
    return withBits({ ...left, origins }, (shift) => placed(bits(wide), shift));
  }
  return mixed(left, right);
}

/** Each bit of the result depends on all of theirs. */
const mixed = (...values: readonly Value[]): Value => ({
  ...nothing,
  origins: values.flatMap(({ origins }) => origins).map((each) => ({ ...each, shift: undefined })),
});
