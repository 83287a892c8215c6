/**
 * Where the table's offsets are not what a compiler would choose by itself, the header has to say so: with an alignment on a member or the
 * structure, or with packing.
 */
import type { Struct, StructField } from "../tables.ts";

export interface Alignment {
  /** For #pragma pack. */
  readonly pack: number | undefined;
  /** Members that lie further on than their type asks for. */
  readonly members: ReadonlyMap<StructField, number>;
  /** The whole structure is aligned more than its members. */
  readonly whole: number | undefined;
}

const roundUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

/** The size of one element; UCHAR[2][16] has 32. */
function elementSize(field: StructField): number {
  if (field.count === undefined) return field.size;
  const elements = [...field.type.matchAll(/\[(\d+)\]/g)].reduce((product, [, length]) => product * Number(length), 1);
  return Math.max(1, field.size / (elements > 1 ? elements : field.count));
}

/** The types of the table by every name, so that contained structures are known. */
export type StructsByName = ReadonlyMap<string, Struct>;

export function alignmentOf(struct: Struct, byName: StructsByName): Alignment {
  const members = new Map<StructField, number>();
  let pack: number | undefined;

  const natural = (field: StructField): number => {
    if (field.nested !== undefined) return Math.max(1, ...field.nested.fields.map(natural));
    const type = field.type.replace(/\[.*/, "").trim();
    const canonical = field.canonical?.replace(/\[.*/, "").trim() ?? "";
    const contained = byName.get(type) ?? byName.get(canonical.replace(/^(struct|union) /, ""));
    if (contained !== undefined && !type.includes("*") && !canonical.includes("*")) return contained.align;
    // Structures that the table does not have hold nothing larger than a word.
    if (/^(struct|union) [^*]*$/.test(canonical)) return Math.min(4, struct.align);
    if (field.size <= 0) return 1;
    return Math.min(8, elementSize(field));
  };
  const place = (fields: readonly StructField[], kind: "struct" | "union", start: number): void => {
    let cursor: number | undefined = start;
    for (const field of fields) {
      const alignment = Math.min(natural(field), pack ?? 8);
      if (field.bits === undefined && kind === "struct" && cursor !== undefined) {
        const expected = roundUp(cursor, alignment);
        if (field.offset > expected) members.set(field, struct.align);
        if (field.offset < expected) pack = 4;
      }
      if (field.bits === undefined && field.offset % alignment !== 0) pack = 4;
      if (field.nested !== undefined) place(field.nested.fields, field.nested.kind, field.offset);
      // Where a run of bit-fields ends depends on their types: what follows is taken as it comes.
      cursor = field.bits === undefined ? field.offset + Math.max(field.size, 0) : undefined;
    }
  };
  place(struct.fields, struct.kind, 0);
  const own = Math.max(1, ...struct.fields.map(natural), ...members.values());
  if (own > struct.align) pack = 4;
  return { pack, members: pack === undefined ? members : new Map(), whole: own < struct.align ? struct.align : undefined };
}
