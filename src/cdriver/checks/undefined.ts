/** Undefined behaviour that compiled code runs into, and arithmetic that has wrapped: what the compiler knows about it, in words. */
import type { KernelMemory } from "../../kernel/memory.ts";
import { readString } from "./c-strings.ts";
import { WRAPS_KEPT, WRAP_WORDS, shared, stamp, wraps } from "./shared-state.ts";

/** Arithmetic of lengths that did not fit. */
export interface Wrap {
  /** As the compiler was given it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly result: number;
  /** Such as "357913942 * 12 is 8 in 32 bits". */
  readonly text: string;
}

/** Where the compiler's word on a type is, behind the place: bits and sign, then its name in quotes. */
interface Type {
  readonly bits: number;
  readonly isSigned: boolean;
  readonly name: string;
}

const PLACE_WORDS = 3;

function typeAt({ u8, data }: KernelMemory, address: number): Type {
  const info = data.getUint16(address + 2, true);
  return { bits: 1 << (info >> 1), isSigned: (info & 1) !== 0, name: readString(u8, address + 4).replaceAll("'", "") };
}

const typeOf = (memory: KernelMemory, at: number, index = 0): Type =>
  typeAt(memory, memory.readU32(at + (PLACE_WORDS + index) * 4));

/** Which handler of checks.c was called. */
const INDEX = 1;
const SHIFT = 2;
const DIVISION = 3;

/** `value` is the index, the distance or the divisor. */
export function describeUndefined(
  memory: KernelMemory,
  at: number,
  what: number,
  value: number,
): { rule: string; message: string } {
  if (what === INDEX) {
    const { name } = typeOf(memory, at);
    return { rule: "out-of-bounds", message: `index ${value | 0} is outside of the array, which is ${name}` };
  }
  const rule = "undefined-behaviour";
  if (what === SHIFT) {
    const { bits, name } = typeOf(memory, at);
    return {
      rule,
      message: `${name} has ${bits} bits, and was shifted by ${value | 0}: what comes out depends on the processor`,
    };
  }
  if (what === DIVISION) return { rule, message: "a division has no result in its type" };
  return { rule, message: "a place was reached that the code says is never reached" };
}

/** A calculation with a sign whose result does not fit. */
export function describeOverflow(memory: KernelMemory, at: number, operation: number, left: number, right: number): string {
  const type = typeOf(memory, at);
  const operand = (word: number): bigint =>
    type.bits > 32 ? memory.data.getBigInt64(word, true) : BigInt.asIntN(type.bits, BigInt(word | 0));
  const sign = String.fromCharCode(operation);
  return `${operand(left)} ${sign} ${operand(right)} does not fit in ${type.name}, which has ${type.bits} bits and a sign`;
}

/** The thread's last calculations without a sign that wrapped, the latest first. */
export function wrapsOf(memory: KernelMemory, isOfThread: (stampOfThread: number) => boolean): Wrap[] {
  const count = memory.u32[shared.wrapCount >>> 2] ?? 0;
  const found: Wrap[] = [];
  for (let number = count - 1; number >= Math.max(0, count - WRAPS_KEPT); number -= 1) {
    const first = (wraps >>> 2) + (number % WRAPS_KEPT) * WRAP_WORDS;
    const [at = 0, operation = 0, left = 0, right = 0, when = 0] = memory.u32.subarray(first, first + WRAP_WORDS);
    if (isOfThread(stamp.thread(when))) found.push(wrapAt(memory, at, operation, left, right));
  }
  return found;
}

function wrapAt(memory: KernelMemory, at: number, operation: number, left: number, right: number): Wrap {
  const { bits } = typeOf(memory, at);
  const sign = String.fromCharCode(operation);
  const exact =
    sign === "*" ? BigInt(left) * BigInt(right) : sign === "+" ? BigInt(left) + BigInt(right) : BigInt(left) - BigInt(right);
  const result = Number(BigInt.asUintN(Math.min(bits, 32), exact));
  return {
    file: readString(memory.u8, memory.readU32(at)),
    line: memory.readU32(at + 4),
    column: memory.readU32(at + 8),
    result,
    text: `${left} ${sign} ${right} is ${result} in ${bits} bits`,
  };
}
