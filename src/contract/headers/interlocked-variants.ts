/**
 * ndislab/interlocked-variants.h: the memory orderings of interlocked operations (Acquire, Release, NoFence), all of them the one import, and
 * the plain loads and stores that only promise an ordering.
 */

const OPERATIONS: readonly (readonly [operation: string, sizes: readonly string[]])[] = [
  ["Increment", ["", "16", "64"]],
  ["Decrement", ["", "16", "64"]],
  ["Exchange", ["", "8", "16", "64", "Pointer"]],
  ["ExchangeAdd", ["", "64"]],
  ["Add", ["", "64"]],
  ["CompareExchange", ["", "16", "64", "Pointer"]],
  ["And", ["", "8", "64"]],
  ["Or", ["", "8", "64"]],
  ["Xor", ["", "8", "64"]],
];
const ORDERINGS = ["Acquire", "Release", "NoFence"];

/** Spelled `InterlockedIncrementAcquire64` but `InterlockedExchangePointerNoFence`. */
function variant(operation: string, size: string, ordering: string): string {
  return size === "Pointer" ? `Interlocked${operation}Pointer${ordering}` : `Interlocked${operation}${ordering}${size}`;
}

const ACCESS: readonly (readonly [infix: string, type: string, suffix?: string])[] = [
  ["", "LONG"],
  ["", "LONG64", "64"],
  ["", "SHORT", "16"],
  ["", "CHAR", "8"],
  ["ULong", "ULONG"],
  ["ULong64", "ULONG64"],
  ["ULongPtr", "ULONG_PTR"],
  ["UShort", "USHORT"],
  ["UChar", "UCHAR"],
  ["Boolean", "BOOLEAN"],
];

export function interlockedVariants(): string {
  const renamed = OPERATIONS.flatMap(([operation, sizes]) =>
    sizes.flatMap((size) =>
      ORDERINGS.map((ordering) => `#define ${variant(operation, size, ordering)} Interlocked${operation}${size}`),
    ),
  );
  const accesses = ACCESS.flatMap(([infix, type, suffix = ""]) => [
    ...["Acquire", "NoFence", "Raw"].map(
      (ordering) => `NDISLAB_INLINE ${type} Read${infix}${ordering}${suffix}(const volatile ${type} *Source) { return *Source; }`,
    ),
    ...["Release", "NoFence", "Raw"].map(
      (ordering) =>
        `NDISLAB_INLINE void Write${infix}${ordering}${suffix}(volatile ${type} *Target, ${type} Value) { *Target = Value; }`,
    ),
  ]);
  return [
    "/* Memory orderings: there is one memory and one running thread, so they are all the same. */",
    "#pragma once",
    ...renamed,
    ...accesses,
    "",
  ].join("\n");
}
