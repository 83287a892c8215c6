/** A structure of the headers: its fields with their offsets as a 32-bit driver sees them, and its revisions. */
import type { Struct, StructField } from "../contract-tables.ts";
import { type Knowledge, shortList } from "./knowledge.ts";
import { type PageStyle, columns, heading, pages, row, rowOf, section } from "./page.ts";
import { notes } from "./rule-page.ts";

export function structurePage(structure: Struct, knowledge: Knowledge, style: PageStyle): string[] {
  const { name, kind, file, size, aliases, pointerTypes, minNdis, header, fields, docPath } = structure;
  const takenBy = knowledge.ddis.filter(({ params }) =>
    params.some(({ type }) => isOfType(type, [name, ...aliases], pointerTypes)),
  );
  const revisions = (header?.revisions ?? []).map((each) => {
    const since = each.minNdis === null ? "" : `, since NDIS ${each.minNdis}`;
    return [
      each.constant,
      `${each.sizeConstant ?? "no size constant"}${each.size === null ? "" : ` = ${each.size}`}${since}`,
    ] as const;
  });
  return [
    ...heading(name, `${kind === "union" ? "union" : "structure"}, ${file}`, style),
    ...row("size", `${size} bytes with pointers of 32 bits`, style),
    ...rowOf("also called", [...aliases, ...pointerTypes], style),
    ...row("since", minNdis === null ? undefined : `NDIS ${minNdis}`, style),
    ...row("header type", header?.objectType ?? undefined, style),
    ...rowOf("taken by", shortList(takenBy, knowledge), style),
    ...pages([docPath ?? null], style),
    ...section("Fields, with their offsets", fieldLines(fields)),
    ...section("Revisions of the header", columns(revisions, style)),
    ...section("Where the documentation is wrong or silent", notes([name], style)),
  ];
}

/** "PNDIS_PORT", "const NDIS_PORT *": a parameter that is, or points to, the structure. */
function isOfType(type: string | null, names: readonly string[], pointerTypes: readonly string[]): boolean {
  const words = type?.match(/\w+/g) ?? [];
  return words.some((word) => names.includes(word) || pointerTypes.includes(word));
}

function fieldLines(fields: readonly StructField[], depth = 0): string[] {
  return fields.flatMap((field) => {
    const { offset, bits, nested } = field;
    const width = bits === undefined ? "" : ` : ${bits}`;
    const line = `  ${String(offset).padStart(6)}  ${"  ".repeat(depth)}${declaration(field)}${width}`;
    return nested === undefined ? [line] : [line, ...fieldLines(nested.fields, depth + 1)];
  });
}

/** As C declares it: the table writes "PVOID[4]" and "NET_BUFFER *" as types. */
function declaration({ name, type, count, nested }: StructField): string {
  if (nested !== undefined) return `${nested.kind} ${name ?? ""}`.trim() + (count === undefined ? "" : `[${count}]`);
  const [, base = type, array = ""] = /^([^[]*)(\[.*\])$/.exec(type) ?? [];
  return `${base}${base.endsWith("*") ? "" : " "}${name ?? ""}${array}`;
}
