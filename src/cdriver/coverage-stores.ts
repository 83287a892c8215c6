/** Adds to a driver's code what sets the bytes of coverage-points.ts. None of it can trap, and none changes what the driver does. */
import type { CoveragePlan, Decision } from "./coverage-points.ts";
import { ByteReader, ByteWriter } from "./wasm-bytes.ts";
import { type Instruction, opcode } from "./wasm-instructions.ts";
import { type FunctionBody, type WasmModule, functionType } from "./wasm-module.ts";

const I32 = 0x7f;

export class CoverageStores {
  readonly #module: WasmModule;
  readonly #plan: CoveragePlan;
  readonly #base: number;

  /** `base` is the address of the first byte. */
  constructor(module: WasmModule, { plan, base }: { readonly plan: CoveragePlan; readonly base: number }) {
    this.#module = module;
    this.#plan = plan;
    this.#base = base;
  }

  /** Undefined for a function that is not counted. */
  of(body: FunctionBody): BodyStores | undefined {
    if (!this.#plan.entries.has(body.index)) return undefined;
    const [parameters = ""] = (functionType(this.#module, body.index) ?? ":").split(":");
    return new BodyStores(this.#plan, this.#base, parameters.length);
  }
}
export type { BodyStores };

class BodyStores {
  readonly #plan: CoveragePlan;
  readonly #base: number;
  readonly #parameters: number;
  /** A variable of its own. */
  #local = 0;

  constructor(plan: CoveragePlan, base: number, parameters: number) {
    this.#plan = plan;
    this.#base = base;
    this.#parameters = parameters;
  }

  /** The declarations of locals with one more. */
  declareLocal(declarations: Uint8Array): Uint8Array {
    const reader = new ByteReader(declarations);
    const groups = reader.unsigned();
    const start = reader.at;
    this.#local = this.#parameters;
    for (let group = 0; group < groups; group += 1) {
      this.#local += reader.unsigned();
      reader.u8();
    }
    const out = new ByteWriter();
    out.unsigned(groups + 1);
    out.bytes(declarations.subarray(start));
    out.u8(1, I32);
    return out.toBytes();
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
