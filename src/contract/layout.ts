/** Layouts of the structures of NDIS and the kernel, as 32-bit Windows and wasm32 lay them out. */
import type { StructName } from "./structs.generated.ts";
import { type Struct, type StructField, structs } from "./tables.ts";

export type FieldKind = "u8" | "u16" | "u32" | "i32" | "i64" | "bytes" | "bits";

export interface LayoutField {
  /** Names of nested members joined with `_`; anonymous members leave no trace. */
  readonly path: string;
  /** In bytes from the start of the structure. For "bits" the byte in which the first bit lies. */
  readonly offset: number;
  readonly size: number;
  /** "bytes": an array or a structure, of which only the place is known. */
  readonly kind: FieldKind;
  /** In bits from the start of the structure; only for "bits". */
  readonly bitOffset?: number;
  readonly bitCount?: number;
  /** Elements of an array. */
  readonly count?: number;
  /** As C spells it. */
  readonly type: string;
}

export interface Layout {
  readonly size: number;
  readonly align: number;
  readonly fields: readonly LayoutField[];
}

const SIGNED = /^(volatile )?(long|int|enum \w+)$/;
const SIGNED_TYPES = new Set(["LONG", "INT", "NTSTATUS", "NDIS_STATUS", "INT32"]);
const STRUCTURE = /^(const |volatile )*(struct|union) \w+$/;

type ByName = ReadonlyMap<string, Struct>;

function kindOf({ type, canonical, size, count }: StructField): FieldKind {
  const isStructure = canonical !== undefined && STRUCTURE.test(canonical);
  if (count !== undefined || type.endsWith("]") || isStructure) return "bytes";
  if (size === 1) return "u8";
  if (size === 2) return "u16";
  if (size === 4) return SIGNED_TYPES.has(type) || (canonical !== undefined && SIGNED.test(canonical)) ? "i32" : "u32";
  return size === 8 ? "i64" : "bytes";
}

/** Members with those of contained structures; `base` is where the structure that the table lists them for begins. */
function flatten(fields: readonly StructField[], prefix: string, base: number, byName: ByName): readonly LayoutField[] {
  return fields.flatMap((field): readonly LayoutField[] => {
    const path = field.name === null ? prefix : prefix === "" ? field.name : `${prefix}_${field.name}`;
    const { type, bits, bitOffset } = field;
    const offset = base + field.offset;
    const contained = field.nested === undefined ? byName.get(type) : undefined;
    if (field.nested !== undefined || contained !== undefined) {
      const inner =
        contained === undefined
          ? flatten(field.nested?.fields ?? [], path, base, byName)
          : flatten(contained.fields, path, offset, byName);
      return field.name === null ? inner : [{ path, offset, size: field.size, kind: "bytes", type }, ...inner];
    }
    if (bits !== undefined) {
      const firstBit = base * 8 + (bitOffset ?? field.offset * 8);
      return [{ path, offset, size: field.size, kind: "bits", bitOffset: firstBit, bitCount: bits, type }];
    }
    // A flexible array has no size of its own.
    const size = Math.max(field.size, 0);
    const kind = kindOf(field);
    return [
      field.count === undefined ? { path, offset, size, kind, type } : { path, offset, size, kind, type, count: field.count },
    ];
  });
}

function layout(struct: Struct, byName: ByName): Layout {
  const seen = new Set<string>();
  // Members of different anonymous parts may share a name (a union of views): the first one stands for all.
  const fields = flatten(struct.fields, "", 0, byName).filter(({ path }) => !seen.has(path) && seen.add(path));
  return { size: struct.size, align: struct.align, fields };
}

let named: ByName | undefined;
const layouts = new Map<string, Layout>();

export function layoutOf(name: StructName): Layout {
  const known = layouts.get(name);
  if (known !== undefined) return known;
  named ??= new Map(structs().flatMap((struct) => [struct.name, ...struct.aliases].map((each) => [each, struct] as const)));
  const struct = named.get(name);
  if (struct === undefined) throw new Error(`No structure ${name} in the contract tables.`);
  const made = layout(struct, named);
  layouts.set(name, made);
  return made;
}
