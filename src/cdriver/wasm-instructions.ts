/** Walks the instructions of a function body: enough of the instruction set to know where each begins and what it is. */
import type { ByteReader } from "./wasm-bytes.ts";

export const opcode = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  returnCall: 0x12,
  returnCallIndirect: 0x13,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Store8: 0x3a,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i64Eqz: 0x50,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i64And: 0x83,
  i64Xor: 0x85,
  memoryCopy: 0xfc0a,
} as const;

const VOID_BLOCK = 0x40;
const TABLE_GROW = 0xfc0f;

/** What an instruction can do that a stack trace shows: call or trap. (Floating-point to integer does not trap as clang compiles it.) */
export type InstructionKind = "call" | "call_indirect" | "load" | "store" | "unreachable" | "divide" | "bulk";

export interface Instruction {
  /** Offset of the opcode. */
  start: number;
  /** Offset after the immediates. */
  end: number;
  /** Prefixed opcodes are `prefix << 8 | number`. */
  code: number;
  /** The function of a call, the global of a `global.get`, the type of a `call_indirect`, the value of an `i32.const`, the offset of a load or store, a local; else 0. */
  operand: number;
  /** An access of a volatile object: it was an atomic one, and `code` is the plain one of the same bytes. */
  isVolatile?: boolean;
}

/** Atomic loads and stores, which is what volatile ones are compiled to, from the second byte 0x10 on: the plain ones of the same bytes. */
const PLAIN = [0x28, 0x29, 0x2d, 0x2f, 0x31, 0x33, 0x35, 0x36, 0x37, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e] as const;
const FIRST_ATOMIC = 0x10;

/** Reads one instruction into `into`. */
export function readInstruction(reader: ByteReader, into: Instruction): void {
  into.start = reader.at;
  into.code = reader.u8();
  into.operand = 0;
  into.isVolatile = false;
  skipImmediates(reader, into);
  into.end = reader.at;
}

function skipImmediates(reader: ByteReader, into: Instruction): void {
  const { code } = into;
  if (code === opcode.block || code === opcode.loop || code === opcode.if) {
    if (reader.bytes[reader.at] === VOID_BLOCK) reader.skip(1);
    else reader.signed();
  } else if (
    code === opcode.br ||
    code === opcode.brIf ||
    code === opcode.call ||
    code === opcode.returnCall ||
    (code >= 0x20 && code <= 0x26)
  ) {
    into.operand = reader.unsigned();
  } else if (code === opcode.brTable) {
    for (let labels = reader.unsigned() + 1; labels > 0; labels -= 1) reader.unsigned();
  } else if (code === opcode.callIndirect || code === opcode.returnCallIndirect) {
    into.operand = reader.unsigned();
    reader.unsigned();
  } else if (code === 0x1c) {
    for (let types = reader.unsigned(); types > 0; types -= 1) reader.u8();
  } else if (code >= 0x28 && code <= 0x3e) {
    reader.unsigned();
    into.operand = reader.unsigned();
  } else if (code === 0x3f || code === opcode.memoryGrow || code === 0xd0 || code === 0xd2) {
    reader.unsigned();
  } else if (code === opcode.i32Const) {
    into.operand = reader.signed();
  } else if (code === 0x42) {
    reader.signed();
  } else if (code === 0x43) {
    reader.skip(4);
  } else if (code === 0x44) {
    reader.skip(8);
  } else if (code === 0xfe) {
    const number = reader.unsigned();
    const plain = PLAIN[number - FIRST_ATOMIC];
    if (plain === undefined) throw unsupported(code, into.start);
    into.code = plain;
    into.isVolatile = true;
    reader.unsigned();
    into.operand = reader.unsigned();
  } else if (code === 0xfc) {
    const number = reader.unsigned();
    into.code = (code << 8) | number;
    if (number === 8 || number === 10 || number === 12 || number === 14) {
      reader.unsigned();
      reader.unsigned();
    } else if (number >= 8) {
      reader.unsigned();
    }
  } else if (!isPlain(code)) {
    throw unsupported(code, into.start);
  }
}

const unsupported = (code: number, at: number): RangeError =>
  new RangeError(`the binary has an instruction that is not supported: 0x${code.toString(16)} at ${at}`);

function isPlain(code: number): boolean {
  return (
    code === 0x00 ||
    code === 0x01 ||
    code === 0x05 ||
    code === 0x0b ||
    code === 0x0f ||
    code === 0x1a ||
    code === 0x1b ||
    code === 0xd1 ||
    (code >= 0x45 && code <= 0xc4)
  );
}

export function kindOf(code: number): InstructionKind | undefined {
  if (code === opcode.call) return "call";
  if (code === opcode.callIndirect) return "call_indirect";
  if (code >= 0x28 && code <= 0x35) return "load";
  if (code >= 0x36 && code <= 0x3e) return "store";
  if (code === opcode.unreachable) return "unreachable";
  if ((code >= 0x6d && code <= 0x70) || (code >= 0x7f && code <= 0x82)) return "divide";
  if (code === 0xfc0a || code === 0xfc0b) return "bulk";
  return undefined;
}

export function opensBlock(code: number): boolean {
  return code === opcode.block || code === opcode.loop || code === opcode.if;
}

/** Whether the instruction changes the size of memory or of a table. */
export function grows(code: number): boolean {
  return code === opcode.memoryGrow || code === TABLE_GROW;
}
