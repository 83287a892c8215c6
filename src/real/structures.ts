/** Structures of NDIS as the data of OID requests: laid out as the contract has them, by the names of their fields. */
import { constant, layoutOf } from "../contract/index.ts";
import type { StructName } from "../contract/structs.generated.ts";
import { assert, must } from "../kernel/assert.ts";

/** A number, the name of a constant, or the bytes of an array; nested members are joined with `_`. */
export type Fields = Readonly<Record<string, number | string | readonly number[]>>;

const STORE = {
  u8: (view: DataView, offset: number, value: number): void => view.setUint8(offset, value),
  u16: (view: DataView, offset: number, value: number): void => view.setUint16(offset, value, true),
  u32: (view: DataView, offset: number, value: number): void => view.setUint32(offset, value, true),
  i32: (view: DataView, offset: number, value: number): void => view.setInt32(offset, value, true),
  i64: (view: DataView, offset: number, value: number): void => view.setBigInt64(offset, BigInt(value), true),
} as const;

/** The bytes of such a structure; what is not given is zero. */
export function structure(name: StructName, given: Fields): Uint8Array {
  const { size, fields } = layoutOf(name);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [path, value] of Object.entries(given)) {
    const { offset, kind, size: room } = must(
      fields.find((field) => field.path === path),
      `${name} has no field ${path}`,
    );
    if (typeof value === "object") {
      assert(value.length <= room, `${name} has ${room} bytes for ${path}`);
      bytes.set(value, offset);
      continue;
    }
    assert(kind !== "bytes" && kind !== "bits", `${path} of ${name} is no number`);
    STORE[kind](view, offset, typeof value === "string" ? constant(value) : value);
  }
  return bytes;
}

/** One with an NDIS_OBJECT_HEADER; its size is that of the revision, as drivers compare it. */
export const withHeader = (name: StructName, type: string, revision: number, size: string, given: Fields): Uint8Array =>
  structure(name, { Header_Type: type, Header_Revision: revision, Header_Size: size, ...given });
