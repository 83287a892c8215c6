/** Interlocked operations on words of the caller. Each is one step; C drivers reach them as imports, so that there is a scheduling point. */
import type { Kernel } from "./kernel.ts";
import { leaf } from "./routine.ts";

/** Writes the new value; gives the old one. */
function exchange(k: Kernel, address: number, next: (old: number) => number): number {
  const old = k.memory.readU32(address);
  k.memory.writeU32(address, next(old) >>> 0);
  return old;
}

const compareExchange = (k: Kernel, address: number, value: number, comparand: number): number =>
  exchange(k, address, (old) => (old === comparand ? value : old));

/** The names under which the same operation is declared. */
function named<const N extends string>(names: readonly N[], body: Parameters<typeof leaf>[1]) {
  return names.map((name) => leaf(name, body));
}

export const interlockedRoutines = [
  ...named(["InterlockedIncrement", "NdisInterlockedIncrement"], (k, address) => exchange(k, address, (old) => old + 1) + 1),
  ...named(["InterlockedDecrement", "NdisInterlockedDecrement"], (k, address) => exchange(k, address, (old) => old - 1) - 1),
  ...named(["InterlockedExchange", "InterlockedExchangePointer"], (k, address, value) => exchange(k, address, () => value)),
  ...named(["InterlockedExchangeAdd"], (k, address, value) => exchange(k, address, (old) => old + value)),
  ...named(["InterlockedCompareExchange", "InterlockedCompareExchangePointer"], compareExchange),
  ...named(["InterlockedAnd"], (k, address, value) => exchange(k, address, (old) => old & value)),
  ...named(["InterlockedOr"], (k, address, value) => exchange(k, address, (old) => old | value)),
  ...named(["InterlockedXor"], (k, address, value) => exchange(k, address, (old) => old ^ value)),
];
