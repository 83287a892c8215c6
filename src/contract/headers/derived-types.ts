/** Typedefs that only show as the type of some member: the table gives what they stand for. */
import type { Struct, StructField } from "../tables.ts";

const IDENTIFIER = /^[A-Za-z_]\w*$/;

function fieldsOf(fields: readonly StructField[]): readonly StructField[] {
  return fields.flatMap((field) => (field.nested === undefined ? [field] : fieldsOf(field.nested.fields)));
}

/** "void (*)(void *)" and a name -> "typedef void (*name)(void *);" */
function typedef(name: string, canonical: string): string {
  const pointer = canonical.indexOf("(*)");
  if (pointer >= 0) return `typedef ${canonical.slice(0, pointer)}(*${name})${canonical.slice(pointer + 3)};`;
  const bracket = canonical.indexOf("[");
  return bracket < 0
    ? `typedef ${canonical} ${name};`
    : `typedef ${canonical.slice(0, bracket).trim()} ${name}${canonical.slice(bracket)};`;
}

/** The typedefs that `structs` need and `isKnown` does not have; each is told to `isKnown`'s owner by `add`. */
export function derivedTypes(structs: readonly Struct[], known: Set<string>): string {
  const lines: string[] = [];
  for (const field of structs.flatMap((struct) => fieldsOf(struct.fields))) {
    const dimensions = /(\[[^\]]*\])+$/.exec(field.type)?.[0] ?? "";
    const name = field.type
      .slice(0, field.type.length - dimensions.length)
      .replace(/^volatile /, "")
      .replace(/^const /, "")
      .replace(/[\s*]+$/, "")
      .trim();
    if (!IDENTIFIER.test(name) || known.has(name) || field.canonical === undefined) continue;
    // The canonical type has the dimensions of the member behind those of the typedef.
    let canonical = field.canonical.replace(/^volatile /, "");
    if (dimensions !== "" && canonical.endsWith("]")) canonical = canonical.replace(/\s*\[[^\]]*\]$/, "");
    if (field.type.includes("*")) canonical = canonical.replace(/\s*\*+$/, "").replace(/^const /, "");
    known.add(name);
    for (const tag of canonical.matchAll(/\b(struct|union) (\w+)/g)) lines.push(`${tag[1]} ${tag[2]};`);
    lines.push(typedef(name, canonical));
  }
  return [...new Set(lines)].join("\n");
}
