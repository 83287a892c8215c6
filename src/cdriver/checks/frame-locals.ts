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

/** What the compiler writes at the start of a frame with zones. */
const DESCRIPTION_BYTES = 16;
/** Instructions that may make up such a value. */
const RECENT = 6;

interface Step {
  readonly code: number;
  readonly operand: number;
}

export class FrameLocals {
  readonly #stackPointer: number | undefined;
  /** The stack pointer itself. */
  readonly #pointers = new Set<number>();
  /** Frames whose variables all lie at fixed offsets; those with zones between their variables; the poison of these. */
  readonly #frames = new Set<number>();
  readonly #zoned = new Set<number>();
  readonly #poison = new Set<number>();
  /** The last instructions, the latest first. */
  readonly #recent: Step[] = [];

  constructor(module: WasmModule) {
    this.#stackPointer = module.exports.get("__stack_pointer")?.index;
  }

  isSkipped(local: number, offset: number): boolean {
    if (this.#zoned.has(local)) return offset < DESCRIPTION_BYTES;
    return this.#frames.has(local) || this.#poison.has(local);
  }

  /** Whether it points to a frame with zones between its variables. */
  isZoned(local: number): boolean {
    return this.#zoned.has(local);
  }

  /** Is told each instruction in order. */
  follow({ code, operand }: Instruction): void {
    if (code === opcode.localSet || code === opcode.localTee) this.#set(operand);
    this.#recent.unshift({ code, operand });
    if (this.#recent.length > RECENT) this.#recent.pop();
  }

  #set(local: number): void {
    const kinds = [this.#pointers, this.#frames, this.#zoned, this.#poison];
    const kind = kinds.find((each) => this.#isCopyOf(each)) ?? this.#kind();
    for (const each of kinds) each.delete(local);
    kind?.add(local);
  }

  #isCopyOf(locals: ReadonlySet<number>): boolean {
    const [get] = this.#recent;
    return (get?.code === opcode.localGet || get?.code === opcode.localTee) && locals.has(get.operand);
  }

  #kind(): Set<number> | undefined {
    if (this.#isPointer(this.#recent[0])) return this.#pointers;
    if (this.#isFrame(0)) return this.#frames;
    const [align, to] = this.#recent;
    if (align?.code === opcode.i32And && to?.code === opcode.i32Const && this.#isFrame(2)) return this.#zoned;
    return this.#isPoison() ? this.#poison : undefined;
  }

  /** The stack pointer less a constant, so many instructions ago. */
  #isFrame(ago: number): boolean {
    const [subtract, constant, pointer] = this.#recent.slice(ago);
    return subtract?.code === opcode.i32Sub && constant?.code === opcode.i32Const && this.#isPointer(pointer);
  }

  #isPointer(step: Step | undefined): boolean {
    if (step?.code === opcode.globalGet) return step.operand === this.#stackPointer;
    return (step?.code === opcode.localGet || step?.code === opcode.localTee) && this.#pointers.has(step.operand);
  }

  /** The start of the poison added, or a constant added to such a value. */
  #isPoison(): boolean {
    const [last, constant, value] = this.#recent;
    if (constant?.code !== opcode.i32Const || (last?.code !== opcode.i32Or && last?.code !== opcode.i32Add)) return false;
    if (constant.operand === shadows.poison.start) return true;
    return value?.code === opcode.localGet && this.#poison.has(value.operand);
  }
}
