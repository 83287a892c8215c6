/** The host's side of a driver's checks: what an access that was not found right is, and globals with the zones between them. */
import type { Kernel } from "../../kernel/kernel.ts";
import { DriverFault } from "../../kernel/outcome.ts";
import { POISON, poison, unpoison } from "../../kernel/poison.ts";
import { readString } from "./c-strings.ts";
import { type Global, describeAccess, ruleOf } from "./denied.ts";

/** Of what the compiler tells about a global: words. */
const GLOBAL_WORDS = 8;

export class CheckHost {
  readonly #kernel: Kernel;
  readonly #globals: Global[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** What the functions of checks.c import; undefined: it is none of these. */
  importOf(name: string): ((...args: number[]) => void) | undefined {
    switch (name) {
      case "__ndislab_denied":
        return (address = 0, bytes = 0, writes = 0) => this.#denied(address >>> 0, bytes >>> 0, writes !== 0);
      case "__ndislab_race":
      case "__ndislab_watched":
        return () => {};
      case "__asan_register_globals":
        return (first = 0, count = 0) => this.#registerGlobals(first >>> 0, count);
      default:
        return undefined;
    }
  }

  #denied(address: number, bytes: number, writes: boolean): void {
    const access = { address, bytes, writes };
    throw new DriverFault(ruleOf(this.#kernel, access), describeAccess(this.#kernel, access, this.#globals));
  }

  #registerGlobals(first: number, count: number): void {
    const { memory } = this.#kernel;
    for (let index = 0; index < count; index += 1) {
      const word = (first >>> 2) + index * GLOBAL_WORDS;
      const [address = 0, bytes = 0, withZone = 0, name = 0] = memory.u32.subarray(word, word + 4);
      poison(memory, address, withZone, POISON.global);
      unpoison(memory, address, bytes);
      this.#globals.push({ address, bytes, withZone, name: readString(memory.u8, name) });
    }
  }
}
