/** Where the variables of a function's frame lie, from the stores with which the compiler describes a frame that has zones, and takes leave of it. */
import type { WasmModule } from "../wasm-module.ts";
import { DESCRIPTION_OFFSET, FRAME_LEFT, textInData, variablesIn } from "./frame-description.ts";

interface Range {
  readonly begins: boolean;
  readonly offset: number;
  readonly bytes: number;
}

const GRANULE = 8;

export class FrameVariables {
  readonly #module: WasmModule;
  /** By the local that points to the frame. */
  readonly #ranges = new Map<number, Omit<Range, "begins">>();

  constructor(module: WasmModule) {
    this.#module = module;
  }

  /** What begins or ends with the store of a constant to the frame; the zones between variables are part of it. */
  at(local: number, offset: number, stored: number): Range | undefined {
    if (offset === DESCRIPTION_OFFSET) {
      const variables = variablesIn(textInData(this.#module, stored));
      const [first] = variables;
      const last = variables.at(-1);
      if (first === undefined || last === undefined) return undefined;
      const end = Math.ceil((last.offset + last.bytes) / GRANULE) * GRANULE;
      const range = { offset: first.offset, bytes: end - first.offset };
      this.#ranges.set(local, range);
      return { ...range, begins: true };
    }
    const range = this.#ranges.get(local);
    return offset === 0 && stored === FRAME_LEFT && range !== undefined ? { ...range, begins: false } : undefined;
  }
}
