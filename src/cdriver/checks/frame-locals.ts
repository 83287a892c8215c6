/**
 * Which local variables point, at some place of a function, to its own frame, or to the poison of its frame (what the compiler adds between
 * variables): those need no check.
 *
 * It goes by the last value that a local was set to in the order of the code. The compiler lets values share a local only where they are not
 * wanted at the same time, so that value is the one that counts.
 */
import { shadows } from "../../kernel/memory.ts";
import { type Instruction, opcode } from "../wasm-instructions.ts";
import type { WasmModule } from "../wasm-module.ts";

const I32_AND = 0x71;
const I32_OR = 0x72;
/** Instructions that may make up such a value. */
const RECENT = 6;

interface Step {
  readonly code: number;
  readonly operand: number;
}

export class FrameLocals {
  readonly #stackPointer: number | undefined;
  readonly #frames = new Set<number>();
  readonly #poison = new Set<number>();
  /** The last instructions, the latest first. */
  readonly #recent: Step[] = [];

  constructor(module: WasmModule) {
    this.#stackPointer = module.exports.get("__stack_pointer")?.index;
  }

  isSkipped(local: number): boolean {
    return this.#frames.has(local) || this.#poison.has(local);
  }

  /** Is told each instruction in order. */
  follow({ code, operand }: Instruction): void {
    if (code === opcode.localSet || code === opcode.localTee) this.#set(operand);
    this.#recent.unshift({ code, operand });
    if (this.#recent.length > RECENT) this.#recent.pop();
  }

  #set(local: number): void {
    const isFrame = this.#isFrame();
    const isPoison = !isFrame && this.#isPoison();
    this.#frames.delete(local);
    this.#poison.delete(local);
    if (isFrame) this.#frames.add(local);
    if (isPoison) this.#poison.add(local);
  }

  /** The stack pointer less a constant, perhaps aligned. */
  #isFrame(): boolean {
    const aligned = this.#recent[0]?.code === I32_AND && this.#recent[1]?.code === opcode.i32Const ? 2 : 0;
    const [subtract, constant, get, before] = this.#recent.slice(aligned);
    const pointer = get?.code === opcode.localTee ? before : get;
    const isPointer = pointer?.code === opcode.globalGet && pointer.operand === this.#stackPointer;
    return subtract?.code === opcode.i32Sub && constant?.code === opcode.i32Const && isPointer;
  }

  /** The start of the poison added, or a constant added to such a value. */
  #isPoison(): boolean {
    const [last, constant, value] = this.#recent;
    if (constant?.code !== opcode.i32Const || (last?.code !== I32_OR && last?.code !== opcode.i32Add)) return false;
    if (constant.operand === shadows.poison.start) return true;
    return value?.code === opcode.localGet && this.#poison.has(value.operand);
  }
}
