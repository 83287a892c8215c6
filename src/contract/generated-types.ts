/** The text of structs.generated.ts: names and shapes of the tables as TypeScript types. Run time reads the tables themselves. */
import { layoutOf } from "./layout.ts";
import type { StructName } from "./structs.generated.ts";
import { constants, structs } from "./tables.ts";

const TYPES = {
  u8: "number",
  u16: "number",
  u32: "number",
  i32: "number",
  i64: "bigint",
  bits: "number",
  bytes: undefined,
} as const;

function members(name: StructName): string {
  return layoutOf(name)
    .fields.flatMap(({ path, kind }) => {
      const type = TYPES[kind];
      return type === undefined ? [] : [`  ${path}: ${type};`];
    })
    .join("\n");
}

const union = (names: readonly string[]): string => names.map((name) => `\n  | "${name}"`).join("");

export function generatedTypes(): string {
  const named = structs().flatMap(({ name, aliases }) => [name, ...aliases].map((each) => ({ each, name })));
  const interfaces = structs().map(({ name }) => `export interface ${name} {\n${members(name as StructName)}\n}`);
  return `// Written by "npm run generate" from the tables in data/. Do not edit.

/** Scalar members as a view offers them: pointers and 32-bit words as number, 64-bit ones as bigint. Arrays and structures have a place only. */
${interfaces.join("\n")}

export interface Structs {
${named.map(({ each, name }) => `  ${each}: ${name};`).join("\n")}
}

export type StructName = keyof Structs;

export type ConstantName =${union([...new Set(constants().map(({ name }) => name))])};
`;
}
