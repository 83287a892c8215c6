/** Adds to a driver's code what sets the bytes of coverage-points.ts. None of it can trap, and none changes what the driver does. */
import type { CoveragePlan, Decision } from "./coverage-points.ts";
import { type Locals, valueType } from "./locals.ts";
import type { ByteWriter } from "./wasm-bytes.ts";
import { type Instruction, opcode } from "./wasm-instructions.ts";
import type { FunctionBody } from "./wasm-module.ts";

export class CoverageStores {
  readonly #plan: CoveragePlan;
  readonly #base: number;

  /** `base` is the address of the first byte. */
  constructor({ plan, base }: { readonly plan: CoveragePlan; readonly base: number }) {
    this.#plan = plan;
    this.#base = base;
  }

  /** Undefined for a function that is not counted. */
  of(body: FunctionBody, locals: Locals): BodyStores | undefined {
    if (!this.#plan.entries.has(body.index)) return undefined;
    return new BodyStores(this.#plan, this.#base, locals.add(valueType.i32));
  }
}
export type { BodyStores };

class BodyStores {
  readonly #plan: CoveragePlan;
  readonly #base: number;
  /** A variable of its own. */
  readonly #local: number;

  constructor(plan: CoveragePlan, base: number, local: number) {
    this.#plan = plan;
    this.#base = base;
    this.#local = local;
  }

  /** Writes what comes before the instruction; `mark` is told of each store. */
  before(out: ByteWriter, { start }: Instruction, mark: () => void): void {
    const flag = this.#plan.flags.get(start);
    if (flag !== undefined) {
      out.u8(opcode.i32Const, 0);
      this.#set(out, flag, mark);
    }
    const decision = this.#plan.decisions.get(start);
    if (decision !== undefined) this.#tell(out, decision, mark);
  }

  /** The operand of the branch stays where it is. */
  #tell(out: ByteWriter, { first, labels }: Decision, mark: () => void): void {
    this.#withLocal(out, opcode.localTee);
    if (labels === undefined) {
      out.u8(opcode.i32Eqz);
    } else {
      out.u8(opcode.i32Const);
      out.signed(labels);
      this.#withLocal(out, opcode.localGet);
      out.u8(opcode.i32Const);
      out.signed(labels);
      out.u8(opcode.i32LtU, opcode.select);
    }
    this.#set(out, first, mark);
    this.#withLocal(out, opcode.localGet);
  }

  /** How far from `first` is on the stack. */
  #set(out: ByteWriter, first: number, mark: () => void): void {
    out.u8(opcode.i32Const, 1, opcode.i32Store8, 0);
    out.unsigned(this.#base + first);
    mark();
  }

  #withLocal(out: ByteWriter, code: number): void {
    out.u8(code);
    out.unsigned(this.#local);
  }
}
