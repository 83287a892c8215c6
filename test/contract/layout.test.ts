import { describe, expect, test } from "vitest";
import { type Struct, type StructField, compileFlags, constants, layoutOf, structs } from "../../src/contract/index.ts";
import type { StructName } from "../../src/contract/index.ts";
import { NEWEST, clang, complaints } from "./clang.ts";

/** C expressions for the members of a structure: anonymous ones are transparent, bit-fields have no address. */
function memberExpressions(
  fields: readonly StructField[],
  prefix = "",
): readonly (readonly [expression: string, offset: number])[] {
  return fields.flatMap((field) => {
    const own = field.name === null ? prefix : `${prefix}${field.name}`;
    const inner =
      field.nested === undefined ? [] : memberExpressions(field.nested.fields, field.name === null ? prefix : `${own}.`);
    return field.name === null || field.bits !== undefined ? inner : [[own, field.offset] as const, ...inner];
  });
}

const tag = (struct: Struct): string => `${struct.kind} ${struct.tag ?? `_${struct.name}`}`;

describe("The layout of structures", () => {
  test("the wasm32 compiler sees the offsets, the sizes and the alignment of the table", async () => {
    const assertions = structs().flatMap((struct) => [
      `_Static_assert(sizeof(${tag(struct)}) == ${struct.size}, "size of ${struct.name}");`,
      `_Static_assert(_Alignof(${tag(struct)}) == ${struct.align}, "alignment of ${struct.name}");`,
      ...memberExpressions(struct.fields).map(
        ([member, offset]) =>
          `_Static_assert(__builtin_offsetof(${tag(struct)}, ${member}) == ${offset}, "${struct.name}.${member}");`,
      ),
    ]);
    expect(assertions.length).toBeGreaterThan(3000);
    expect(await complaints(`#include <ndis.h>\n${assertions.join("\n")}`, NEWEST)).toBe("");
  });

  test("the Microsoft ABI of 32-bit Windows has the same layout, bit-fields included", async () => {
    const uses = structs().map((struct, index) => `int use${index} = sizeof(${tag(struct)});`);
    const target = compileFlags.filter((flag) => !/^(--target|-mbulk-memory|-mms-bitfields|-fshort-wchar)/.test(flag));
    const { isAccepted, output } = await clang(
      `#include <ndis.h>\n${uses.join("\n")}`,
      [...NEWEST, "-fsyntax-only", "-Xclang", "-fdump-record-layouts"],
      ["--target=i686-pc-windows-msvc", ...target],
    );
    expect(isAccepted).toBe(true);
    const dumped = readRecordLayouts(output);
    const differences = structs().flatMap((struct) => {
      const record = dumped.get(tag(struct));
      if (record === undefined) return [`${struct.name} is missing`];
      const missing = layoutOf(struct.name as StructName)
        .fields.map(({ path, offset, kind, bitOffset = 0, bitCount = 0 }) =>
          kind === "bits" ? `${path} bits ${bitOffset}+${bitCount}` : `${path} at ${offset}`,
        )
        .filter((member) => !record.members.has(member));
      return [
        ...(record.size === struct.size ? [] : [`${struct.name} has ${record.size} bytes`]),
        ...missing.map((each) => `${struct.name}: ${each}`),
      ];
    });
    expect(differences).toEqual([]);
  });
});

describe("Constants", () => {
  test("the compiler sees the values of the table", async () => {
    // What NDIS_SUPPORT_60_COMPATIBLE_API is worth depends on an old version being asked for.
    const all = constants().filter(({ name }) => name !== "NDIS_SUPPORT_60_COMPATIBLE_API");
    const assertions = all.map(({ name, value, bytes }) =>
      bytes === 8
        ? `_Static_assert((unsigned long long)(${name}) == ${value}ULL, "${name}");`
        : `_Static_assert((unsigned)(${name}) == ${Number(value) >>> 0}U, "${name}");`,
    );
    expect(assertions.length).toBeGreaterThan(4500);
    expect(await complaints(`#include <ndis.h>\n${assertions.join("\n")}`, NEWEST)).toBe("");
  });
});

interface DumpedRecord {
  readonly size: number;
  /** "Header_Type at 0", "Flags bits 32+3". */
  readonly members: ReadonlySet<string>;
}

/** Reads what clang prints for -fdump-record-layouts: one line for each member, indented by its depth. */
function readRecordLayouts(output: string): ReadonlyMap<string, DumpedRecord> {
  const records = new Map<string, DumpedRecord>();
  for (const block of output.split("*** Dumping AST Record Layout").slice(1)) {
    const [, heading, ...lines] = block.split("\n");
    const name = heading?.split("|")[1]?.trim() ?? "";
    const members = new Set<string>();
    const names: (string | undefined)[] = [];
    let size = 0;
    for (const line of lines) {
      size = Number(/\[sizeof=(\d+)/.exec(line)?.[1] ?? size);
      const member = /^\s*(\d+)(?::(\d+)-(\d+))? \|( +)(.*)$/.exec(line);
      if (member === null) continue;
      const [, offset = "", from, to, indent = "", text = ""] = member;
      const depth = (indent.length - 3) / 2;
      names.length = depth;
      // An anonymous member ends with a space where a name would be.
      names.push(text.endsWith(" ") ? undefined : text.split(" ").at(-1));
      const path = names.filter((each) => each !== undefined).join("_");
      const start = Number(offset) * 8 + Number(from ?? 0);
      members.add(from === undefined ? `${path} at ${offset}` : `${path} bits ${start}+${Number(to) - Number(from) + 1}`);
    }
    records.set(name, { size, members });
  }
  return records;
}
