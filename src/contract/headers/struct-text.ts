/** Structures as C. A member that came with a later revision is guarded by the NDIS version of that revision. */
import type { Struct, StructField } from "../tables.ts";
import { type Alignment, type StructsByName, alignmentOf } from "./alignment.ts";
import { guarded, minorOf, needsGuard, supportMacro } from "./guards.ts";

export const tagOf = (struct: Struct): string => struct.tag ?? `_${struct.name}`;

/** "UCHAR[2][16]" and a name -> "UCHAR name[2][16]". */
export function declaration(type: string, name: string): string {
  const bracket = type.indexOf("[");
  return bracket < 0 ? `${type} ${name}` : `${type.slice(0, bracket).trim()} ${name}${type.slice(bracket)}`;
}

const isInline = (field: StructField): boolean => /^(struct|union)\b/.test(field.type) && field.nested !== undefined;

/**
 * The version from which a member exists: that of the first revision whose size reaches over it. Of a nested structure or union only the
 * start counts, since a later revision may have added to its end.
 */
export function memberVersion(struct: Struct, field: StructField): string | null {
  const revisions = struct.header?.revisions ?? [];
  const reaches = isInline(field) ? field.offset + 1 : field.offset + field.size;
  const first = revisions.find(({ size }) => size !== null && reaches <= size);
  if (first === undefined || first === revisions[0]) return null;
  const version = first.minNdis;
  if (!needsGuard(version)) return null;
  return struct.minNdis !== null && minorOf(version) <= minorOf(struct.minNdis) ? null : version;
}

function members(struct: Struct, fields: readonly StructField[], indent: string, alignment: Alignment): string {
  return guarded(
    fields.map((field) => ({ text: member(struct, field, indent, alignment), version: memberVersion(struct, field) })),
  );
}

function member(struct: Struct, field: StructField, indent: string, alignment: Alignment): string {
  const bytes = alignment.members.get(field);
  const aligned = bytes === undefined ? "" : `DECLSPEC_ALIGN(${bytes}) `;
  if (field.nested !== undefined && isInline(field)) {
    const inner = members(struct, field.nested.fields, `${indent}  `, alignment);
    return `${indent}${field.type} {\n${inner}\n${indent}}${field.name === null ? "" : ` ${field.name}`};`;
  }
  const bits = field.bits === undefined ? "" : ` : ${field.bits}`;
  return `${indent}${aligned}${declaration(field.type, field.name ?? "")}${bits};`;
}

function body(struct: Struct, byName: StructsByName): string {
  const alignment = alignmentOf(struct, byName);
  const whole = alignment.whole === undefined ? "" : `DECLSPEC_ALIGN(${alignment.whole}) `;
  const text = `${struct.kind} ${whole}${tagOf(struct)} {\n${members(struct, struct.fields, "  ", alignment)}\n};`;
  return alignment.pack === undefined ? text : `#pragma pack(push, ${alignment.pack})\n${text}\n#pragma pack(pop)`;
}

/** Structures by every name that a member's type may have. */
function named(structs: readonly Struct[]): StructsByName {
  return new Map(
    structs.flatMap((struct) => [struct.name, ...struct.aliases, tagOf(struct)].map((name) => [name, struct] as const)),
  );
}

/** Names of types that a structure contains by value. */
function contained(fields: readonly StructField[]): string[] {
  return fields.flatMap((field) => {
    if (field.nested !== undefined && isInline(field)) return contained(field.nested.fields);
    const base = field.type.replace(/\[.*/, "").trim();
    // A typedef may hide the structure: its canonical type names the tag.
    const canonical = field.canonical?.replace(/\[.*/, "").trim();
    return base.includes("*") || canonical?.includes("*") === true
      ? []
      : [base, ...(canonical === undefined ? [] : [canonical.replace(/^(struct|union) /, "")])];
  });
}

/** The structures ordered so that each stands after those that it contains. */
export function inOrder(structs: readonly Struct[]): readonly Struct[] {
  const byName = named(structs);
  const ordered = new Set<Struct>();
  const visit = (struct: Struct): void => {
    if (ordered.has(struct)) return;
    for (const name of contained(struct.fields)) {
      const inner = byName.get(name);
      if (inner !== undefined && inner !== struct) visit(inner);
    }
    ordered.add(struct);
  };
  structs.forEach(visit);
  return [...ordered];
}

/** A structure is declared no later than those that contain it. */
function effectiveVersions(structs: readonly Struct[]): ReadonlyMap<Struct, string | null> {
  const versions = new Map(structs.map((struct) => [struct, struct.minNdis]));
  const byName = named(structs);
  // Containers stand last, so one pass from the end reaches everything.
  for (const struct of structs.toReversed()) {
    const own = versions.get(struct) ?? null;
    for (const name of contained(struct.fields)) {
      const inner = byName.get(name);
      const innerVersion = inner === undefined ? null : versions.get(inner);
      if (inner === undefined || !needsGuard(innerVersion)) continue;
      if (!needsGuard(own) || minorOf(own) < minorOf(innerVersion)) versions.set(inner, own);
    }
  }
  return versions;
}

/** Names for everything, so that pointers need no order. */
export function forwardDeclarations(structs: readonly Struct[]): string {
  return structs
    .map((struct) => {
      const names = [struct.name, ...struct.aliases];
      // PCUNICODE_STRING points to a constant UNICODE_STRING.
      const toConstant = struct.pointerTypes.filter((name) => name.startsWith("PC") && names.includes(name.slice(2)));
      const pointers = struct.pointerTypes.filter((name) => !toConstant.includes(name));
      const type = `${struct.kind} ${tagOf(struct)}`;
      const line = `typedef ${type} ${[...names, ...pointers.map((name) => `*${name}`)].join(", ")};`;
      return toConstant.length === 0
        ? line
        : `${line}\ntypedef const ${type} ${toConstant.map((name) => `*${name}`).join(", ")};`;
    })
    .join("\n");
}

/** `all` are the structures that may be contained. */
export function structBodies(ordered: readonly Struct[], all: readonly Struct[]): string {
  const byName = named(all);
  const versions = effectiveVersions(ordered);
  return ordered
    .map((struct) => {
      const version = versions.get(struct);
      return needsGuard(version) ? `#if ${supportMacro(version)}\n${body(struct, byName)}\n#endif` : body(struct, byName);
    })
    .join("\n");
}

/** What must stand before hand-written types that contain these structures. */
export function closureOf(ordered: readonly Struct[], names: readonly string[]): readonly Struct[] {
  const byName = named(ordered);
  const wanted = new Set<Struct>();
  const want = (name: string): void => {
    const struct = byName.get(name);
    if (struct === undefined || wanted.has(struct)) return;
    wanted.add(struct);
    contained(struct.fields).forEach(want);
  };
  names.forEach(want);
  return ordered.filter((struct) => wanted.has(struct));
}
