/** The local variables of a function, and those that are added to it. */
import { ByteReader, ByteWriter } from "./wasm-bytes.ts";
import { type FunctionBody, type WasmModule, functionType } from "./wasm-module.ts";

/** Value types as they are declared. */
export const valueType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
type ValueType = (typeof valueType)[keyof typeof valueType];

export class Locals {
  readonly #groups: number;
  readonly #declared: Uint8Array;
  readonly #added: ValueType[] = [];
  /** Parameters and declared variables. */
  readonly #own: number;

  constructor(module: WasmModule, body: FunctionBody) {
    const [parameters = ""] = (functionType(module, body.index) ?? ":").split(":");
    const reader = new ByteReader(module.bytes, body.start, body.codeStart);
    this.#groups = reader.unsigned();
    this.#declared = module.bytes.subarray(reader.at, body.codeStart);
    let own = parameters.length;
    for (let group = 0; group < this.#groups; group += 1) {
      own += reader.unsigned();
      reader.u8();
    }
    this.#own = own;
  }

  /** Index of the first one. */
  add(...types: readonly ValueType[]): number {
    const first = this.#own + this.#added.length;
    this.#added.push(...types);
    return first;
  }

  /** What stands before the function's code. */
  declarations(): Uint8Array {
    const out = new ByteWriter();
    out.unsigned(this.#groups + this.#added.length);
    out.bytes(this.#declared);
    for (const type of this.#added) out.u8(1, type);
    return out.toBytes();
  }
}
