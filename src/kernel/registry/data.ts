/** The data of registry values, as JavaScript has them. */
import { constant } from "../../contract/index.ts";

/** A number is a REG_DWORD, a bigint a REG_QWORD, a text a REG_SZ, a list of texts a REG_MULTI_SZ, bytes are a REG_BINARY. */
export type RegistryData = number | bigint | string | readonly string[] | Uint8Array;

export const REG = {
  NONE: constant("REG_NONE"),
  SZ: constant("REG_SZ"),
  EXPAND_SZ: constant("REG_EXPAND_SZ"),
  BINARY: constant("REG_BINARY"),
  DWORD: constant("REG_DWORD"),
  MULTI_SZ: constant("REG_MULTI_SZ"),
  QWORD: constant("REG_QWORD"),
} as const;

/** UTF-16 without a terminating zero. */
export const utf16 = (text: string): Uint8Array =>
  Uint8Array.from({ length: text.length * 2 }, (_, index) => (text.charCodeAt(index >>> 1) >>> ((index & 1) * 8)) & 0xff);

/** The text of UTF-16 bytes, up to the first zero. */
export function textOf(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at + 1 < bytes.length; at += 2) text += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  return text.replace(/\0[\s\S]*$/, "");
}

/** 32-bit words, then bytes. */
export function record(words: readonly number[], ...tails: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4 + tails.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
  let at = words.length * 4;
  for (const tail of tails) {
    bytes.set(tail, at);
    at += tail.length;
  }
  return bytes;
}

/** Type and bytes of a value. */
export function encode(data: RegistryData): { type: number; bytes: Uint8Array } {
  if (typeof data === "number") return { type: REG.DWORD, bytes: record([data >>> 0]) };
  if (typeof data === "bigint") {
    const value = BigInt.asUintN(64, data);
    return { type: REG.QWORD, bytes: record([Number(value & 0xffff_ffffn), Number(value >> 32n)]) };
  }
  if (typeof data === "string") return { type: REG.SZ, bytes: utf16(`${data}\0`) };
  if (data instanceof Uint8Array) return { type: REG.BINARY, bytes: data };
  return { type: REG.MULTI_SZ, bytes: utf16(`${data.map((text) => `${text}\0`).join("")}\0`) };
}
