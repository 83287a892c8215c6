/**
 * Interlocked operations on 8, 16, 32 and 64 bits of the caller. Each is one step; C drivers reach them as imports, so that there is a scheduling
 * point.
 */
import type { Kernel } from "./kernel.ts";
import { type LeafRoutine, leaf } from "./routine.ts";

interface Width {
  read(k: Kernel, address: number): number;
  write(k: Kernel, address: number, value: number): void;
}
/** Reading extends the sign, as C expects of a result of that type. */
const WIDTHS: Readonly<Record<8 | 16 | 32, Width>> = {
  8: {
    read: (k, address) => k.memory.data.getInt8(address),
    write: (k, address, value) => k.memory.data.setInt8(address, value),
  },
  16: {
    read: (k, address) => k.memory.data.getInt16(address, true),
    write: (k, address, value) => k.memory.data.setInt16(address, value, true),
  },
  32: { read: (k, address) => k.memory.readU32(address), write: (k, address, value) => k.memory.writeU32(address, value >>> 0) },
};

/**
 * Undocumented: the pages for drivers only want a pointer aligned, for better performance; those for applications (nf-winnt-interlockedincrement)
 * demand it of each word, and ARM64 does. So it is told, and then done.
 */
function changesAtOnce(k: Kernel, address: number, bytes: number, isSet = false): void {
  if (address % bytes !== 0) {
    const what = `an interlocked operation changes ${bytes} bytes at 0x${address.toString(16)}, which is not aligned to ${bytes}`;
    k.note("undefined behaviour", address, bytes, `${what}: on ARM64 that is a fault, elsewhere unpredictable`);
  }
  k.ordering.interlocked(address, bytes);
  // What is only set may have been anything before.
  if (!isSet) k.ordering.decides(address, bytes);
}

type Next = (old: number, value: number, comparand: number) => number;

/** The operation under each of the names that it is declared with; what it answers is the old value, or the new one. */
function operation<const N extends string>(
  names: readonly N[],
  bits: 8 | 16 | 32,
  answer: "old" | "new",
  next: Next,
): LeafRoutine<N>[] {
  const { read, write } = WIDTHS[bits];
  const body = (k: Kernel, address: number, value = 0, comparand = 0): number => {
    changesAtOnce(k, address, bits / 8, next === exchange);
    const old = read(k, address);
    write(k, address, next(old, value, comparand));
    return answer === "old" ? old : read(k, address);
  };
  return names.map((name) => leaf(name, body));
}

const increment: Next = (old) => old + 1;
const decrement: Next = (old) => old - 1;
const exchange: Next = (_old, value) => value;
const add: Next = (old, value) => old + value;
const and: Next = (old, value) => old & value;
const or: Next = (old, value) => old | value;
const xor: Next = (old, value) => old ^ value;
const compareExchange: Next = (old, value, comparand) => (old === comparand ? value : old);
/** A 16-bit argument may arrive with any bits above. */
const compareExchange16: Next = (old, value, comparand) => (old === (comparand << 16) >> 16 ? value : old);

type WideNext = (old: bigint, value: bigint, comparand: bigint) => bigint;

/** The same on 64 bits: the answer goes through a pointer that comes first, and each operand is two words. */
function wide<const N extends string>(name: N, answer: "old" | "new", next: WideNext): LeafRoutine<`${N}_split`> {
  return leaf(`${name}_split`, (k, result, address, low = 0, high = 0, comparandLow = 0, comparandHigh = 0) => {
    const { data } = k.memory;
    changesAtOnce(k, address, 8, next === exchange64);
    const old = data.getBigInt64(address, true);
    data.setBigInt64(address, next(old, joined(low, high), joined(comparandLow, comparandHigh)), true);
    data.setBigInt64(result, answer === "old" ? old : data.getBigInt64(address, true), true);
  });
}

const exchange64: WideNext = (_old, value) => value;
const joined = (low: number, high: number): bigint => BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));

/** Sets or clears a bit, which may lie in a later word; the answer is what it was. */
function bit<const N extends string>(name: N, change: (word: number, mask: number) => number): LeafRoutine<N> {
  return leaf(name, (k, base, index) => {
    const address = base + ((index | 0) >> 5) * 4;
    const mask = 1 << (index & 31);
    changesAtOnce(k, address, 4);
    const old = k.memory.readU32(address);
    k.memory.writeU32(address, change(old, mask) >>> 0);
    return (old & mask) !== 0;
  });
}

export const interlockedRoutines = [
  ...operation(["InterlockedIncrement", "NdisInterlockedIncrement"], 32, "new", increment),
  ...operation(["InterlockedDecrement", "NdisInterlockedDecrement"], 32, "new", decrement),
  ...operation(["InterlockedExchange", "InterlockedExchangePointer"], 32, "old", exchange),
  ...operation(["InterlockedExchangeAdd"], 32, "old", add),
  ...operation(["InterlockedAdd"], 32, "new", add),
  ...operation(["InterlockedCompareExchange", "InterlockedCompareExchangePointer"], 32, "old", compareExchange),
  ...operation(["InterlockedAnd"], 32, "old", and),
  ...operation(["InterlockedOr"], 32, "old", or),
  ...operation(["InterlockedXor"], 32, "old", xor),

  ...operation(["InterlockedIncrement16"], 16, "new", increment),
  ...operation(["InterlockedDecrement16"], 16, "new", decrement),
  ...operation(["InterlockedExchange16"], 16, "old", exchange),
  ...operation(["InterlockedCompareExchange16"], 16, "old", compareExchange16),

  ...operation(["InterlockedExchange8"], 8, "old", exchange),
  ...operation(["InterlockedAnd8"], 8, "old", and),
  ...operation(["InterlockedOr8"], 8, "old", or),
  ...operation(["InterlockedXor8"], 8, "old", xor),

  wide("InterlockedIncrement64", "new", (old) => old + 1n),
  wide("InterlockedDecrement64", "new", (old) => old - 1n),
  wide("InterlockedExchange64", "old", exchange64),
  wide("InterlockedExchangeAdd64", "old", (old, value) => old + value),
  wide("InterlockedAdd64", "new", (old, value) => old + value),
  wide("InterlockedCompareExchange64", "old", (old, value, comparand) => (old === comparand ? value : old)),
  wide("InterlockedAnd64", "old", (old, value) => old & value),
  wide("InterlockedOr64", "old", (old, value) => old | value),
  wide("InterlockedXor64", "old", (old, value) => old ^ value),

  bit("InterlockedBitTestAndSet", (word, mask) => word | mask),
  bit("InterlockedBitTestAndReset", (word, mask) => word & ~mask),
];
