/** Constants as C: macros with a cast where Windows has one, enumerations with every value spelled out. */
import type { Constant } from "../tables.ts";
import { type Guarded, guarded } from "./guards.ts";

const CASTS: { readonly [group: string]: string } = { NTSTATUS: "NTSTATUS", NDIS_STATUS: "NDIS_STATUS" };

const hex = (value: number): string => `0x${(value >>> 0).toString(16).toUpperCase().padStart(8, "0")}`;

/** A C expression with the value and, as far as it matters, the type of the constant. */
export function constantValue({ group, value, bytes, signed }: Constant): string {
  const cast = CASTS[group];
  if (cast !== undefined) return `((${cast})${hex(Number(value))}L)`;
  if (bytes === 8) return signed === true ? `${value}LL` : `${value}ULL`;
  if (bytes < 4) return `((${bytes === 1 ? "UCHAR" : "USHORT"})${value})`;
  const number = Number(value);
  if (number < 0) return `(${number})`;
  return signed === true || number < 0x80000000 ? hex(number) : `${hex(number)}U`;
}

export function macros(constants: readonly Constant[]): string {
  const lines = constants
    .filter((constant) => constant.enum === undefined && constant.configuration !== true)
    .map(
      (constant): Guarded => ({
        text: `#ifndef ${constant.name}\n#define ${constant.name} ${constantValue(constant)}\n#endif`,
        version: constant.minNdis,
      }),
    );
  return guarded(lines);
}

/** One enumeration for each name; its members keep their order, and a later member may need a later NDIS. */
export function enumerations(constants: readonly Constant[]): string {
  const members = new Map<string, Constant[]>();
  for (const constant of constants) {
    if (constant.enum === undefined) continue;
    const list = members.get(constant.enum) ?? [];
    list.push(constant);
    members.set(constant.enum, list);
  }
  return [...members]
    .map(([name, list]) => {
      const lines = list.map(
        (constant): Guarded => ({ text: `  ${constant.name} = ${Number(constant.value)},`, version: constant.minNdis }),
      );
      // The first member needs no guard: an enumeration must not be empty for a driver of an old version.
      const first = lines[0];
      const body = first === undefined ? "" : guarded([{ text: first.text, version: null }, ...lines.slice(1)]);
      return `typedef enum _${name} {\n${body}\n} ${name}, *P${name};`;
    })
    .join("\n");
}
