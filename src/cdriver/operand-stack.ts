/**
 * Follows where operands come from, through straight code: which local variable or constant an address is. What comes out of a block, a
 * call or a calculation is unknown.
 */
import { type Instruction, kindOf, opcode, opensBlock } from "./wasm-instructions.ts";
import { type WasmModule, functionType } from "./wasm-module.ts";

export type Operand = { readonly local: number } | { readonly constant: number } | undefined;

export class OperandStack {
  readonly #module: WasmModule;
  #operands: Operand[] = [];

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** The operand that many places below the top. */
  below(places: number): Operand {
    return this.#operands.at(-1 - places);
  }

  /** Takes the instruction's operands and puts its result. */
  follow({ code, operand }: Instruction): void {
    if (opensBlock(code) || code === opcode.else || code === opcode.end || endsCode(code)) {
      this.#operands = [];
    } else if (code === opcode.localGet) {
      this.#operands.push({ local: operand });
    } else if (code === opcode.i32Const) {
      this.#operands.push({ constant: operand });
    } else if (code === opcode.localSet || code === opcode.localTee) {
      this.#set(operand);
      if (code === opcode.localTee) this.#replace(1, { local: operand });
      else this.#drop(1);
    } else if (code === opcode.call) {
      this.#call(functionType(this.#module, operand) ?? ":", 0);
    } else if (code === opcode.callIndirect) {
      this.#call(this.#module.types[operand] ?? ":", 1);
    } else {
      const [taken, put] = arity(code);
      this.#drop(taken);
      for (let count = put; count > 0; count -= 1) this.#operands.push(undefined);
    }
  }

  #call(type: string, more: number): void {
    const [parameters = "", results = ""] = type.split(":");
    this.#drop(parameters.length + more);
    for (const _ of results) this.#operands.push(undefined);
  }

  /** What was taken from the local before does not tell of it any more. */
  #set(local: number): void {
    this.#operands = this.#operands.map((each) =>
      each !== undefined && "local" in each && each.local === local ? undefined : each,
    );
  }

  #replace(count: number, operand: Operand): void {
    this.#drop(count);
    this.#operands.push(operand);
  }

  #drop(count: number): void {
    this.#operands.length = Math.max(0, this.#operands.length - count);
  }
}

function endsCode(code: number): boolean {
  return code === opcode.unreachable || code === opcode.br || code === opcode.return || code === 0x0e;
}

/** How many operands an instruction without immediates for them takes, and how many it puts. */
export function arity(code: number): readonly [number, number] {
  const kind = kindOf(code);
  if (kind === "load") return [1, 1];
  if (kind === "store") return [2, 0];
  if (kind === "bulk") return [3, 0];
  if (code === 0x0d || code === 0x1a || code === opcode.globalSet) return [1, 0];
  if (code === 0x1b || code === 0x1c) return [3, 1];
  if (code === opcode.globalGet || code === 0x3f || (code >= 0x41 && code <= 0x44)) return [0, 1];
  if (code === 0x01) return [0, 0];
  return isUnary(code) ? [1, 1] : [2, 1];
}

function isUnary(code: number): boolean {
  return (
    code === 0x45 ||
    code === 0x50 ||
    (code >= 0x67 && code <= 0x69) ||
    (code >= 0x79 && code <= 0x7b) ||
    (code >= 0x8b && code <= 0x91) ||
    (code >= 0x99 && code <= 0x9f) ||
    (code >= 0xa7 && code <= 0xc4) ||
    (code >= 0xfc00 && code <= 0xfc07)
  );
}
