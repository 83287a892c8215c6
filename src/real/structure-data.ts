/** Bytes of a structure of Windows from the values of its fields, by their paths, for what scenarios pass to drivers. */
import { type StructName, type Structs, constant, layoutOf } from "../contract/index.ts";

const BYTES = { u8: 1, u16: 2, u32: 4, i32: 4, i64: 8 } as const;
type Kind = keyof typeof BYTES;
const isNumber = (kind: string): kind is Kind => Object.hasOwn(BYTES, kind);

/** `tail` follows the structure; `bytes` is how much of the structure is there, if not all of it. */
export function structureData<N extends StructName>(
  name: N,
  fields: { readonly [K in keyof Structs[N]]?: number },
  tail: Uint8Array | readonly number[] = [],
  bytes = layoutOf(name).size,
): Uint8Array {
  const layout = layoutOf(name);
  const data = new Uint8Array(Math.max(bytes, layout.size));
  const view = new DataView(data.buffer);
  for (const [path, value] of Object.entries(fields) as [string, number][]) {
    const field = layout.fields.find((each) => each.path === path);
    if (field === undefined || !isNumber(field.kind)) throw new RangeError(`${name} has no number ${path}`);
    const size = BYTES[field.kind];
    if (size === 8) view.setBigInt64(field.offset, BigInt(value), true);
    else if (size === 4) view.setUint32(field.offset, value >>> 0, true);
    else if (size === 2) view.setUint16(field.offset, value, true);
    else view.setUint8(field.offset, value);
  }
  return Uint8Array.from([...data.subarray(0, bytes), ...tail]);
}

/** The fields of an NDIS_OBJECT_HEADER, for `structureData`. */
export const header = (type: string, revision: number, size: string) =>
  ({ Header_Type: constant(type), Header_Revision: revision, Header_Size: constant(size) }) as const;
