/** Counted strings that are made from others: appended, converted, in upper case, from and to numbers and GUIDs. */
import { readsCounted, readsString, writesBytes } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import type { KernelMemory } from "./memory.ts";
import { allocate, free } from "./pool.ts";
import { leaf, local } from "./routine.ts";
import { readCountedAnsi, readGiven, readUtf16, setCountedString, upcase, utf16Length } from "./strings.ts";

const STRING_TAG = 0x7274_5352;
const LONGEST = 0xffff;

/** Undocumented: the system's locale. It is a western one, with code page 1252: Latin-1, but for these from 0x80 on. */
const FROM_0X80 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";
const CODE_PAGE = Array.from({ length: 256 }, (_, byte) => FROM_0X80[byte - 0x80] ?? String.fromCharCode(byte)).join("");

const toUnicode = (ansi: string): string => Array.from(ansi, (byte) => CODE_PAGE.charAt(byte.charCodeAt(0))).join("");

/** Characters that the code page lacks become question marks. */
function toAnsi(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length }, (_, index) => {
    const byte = CODE_PAGE.indexOf(text.charAt(index));
    return byte < 0 ? "?".charCodeAt(0) : byte;
  });
}

interface Destination {
  /** Address of the counted string. */
  readonly string: number;
  /** Whether its buffer is to be allocated. */
  readonly allocates: boolean;
}

/**
 * The buffer for a result of `bytes` bytes with `zero` more for a terminating zero; a status: there is none.
 *
 * Undocumented: which status. A buffer that is too small is an overflow.
 */
function bufferFor(k: Kernel, { string, allocates }: Destination, bytes: number, zero: number): number | string {
  const { memory } = k;
  if (bytes + zero > LONGEST) return "STATUS_INVALID_PARAMETER_2";
  if (!allocates && memory.readU16(string + 2) < bytes + zero) return "STATUS_BUFFER_OVERFLOW";
  const buffer = allocates ? allocate(k, bytes + zero, STRING_TAG) : memory.readU32(string + 4);
  if (buffer === 0) return "STATUS_NO_MEMORY";
  writesBytes(k, buffer, bytes + zero);
  setCountedString(memory, string, buffer, bytes, allocates ? bytes + zero : memory.readU16(string + 2));
  return buffer;
}

function putUnicode(k: Kernel, destination: Destination, text: string, zero: number): string {
  const buffer = bufferFor(k, destination, text.length * 2, zero);
  if (typeof buffer === "string") return buffer;
  putCharacters(k.memory, buffer, text);
  if (zero > 0) k.memory.writeU16(buffer + text.length * 2, 0);
  return "STATUS_SUCCESS";
}

function putCharacters(memory: KernelMemory, address: number, text: string): void {
  for (let index = 0; index < text.length; index += 1) memory.writeU16(address + index * 2, text.charCodeAt(index));
}

function unicodeToAnsi(k: Kernel, destination: number, source: number, allocates: number): string {
  const bytes = toAnsi(readGiven(k, source));
  const buffer = bufferFor(k, { string: destination, allocates: (allocates & 0xff) !== 0 }, bytes.length, 1);
  if (typeof buffer === "string") return buffer;
  k.memory.u8.set(bytes, buffer);
  k.memory.u8[buffer + bytes.length] = 0;
  return "STATUS_SUCCESS";
}

/** Appends the text, and a terminating zero if there is room for it; otherwise nothing is changed. */
function append(k: Kernel, destination: number, text: string): string {
  const { memory } = k;
  const used = memory.readU16(destination);
  const room = memory.readU16(destination + 2);
  const bytes = text.length * 2;
  if (used + bytes > room) return "STATUS_BUFFER_TOO_SMALL";
  const buffer = memory.readU32(destination + 4);
  const zero = used + bytes + 2 <= room ? 2 : 0;
  writesBytes(k, buffer + used, bytes + zero);
  putCharacters(memory, buffer + used, text);
  if (zero > 0) memory.writeU16(buffer + used + bytes, 0);
  memory.writeU16(destination, used + bytes);
  return "STATUS_SUCCESS";
}

/** Undocumented: the string is empty afterwards, so that a second call frees nothing. */
function freeString(k: Kernel, string: number): void {
  const buffer = k.memory.readU32(string + 4);
  if (buffer !== 0) free(k, buffer);
  k.memory.clear(string, 8);
}

const BASES: Readonly<Record<number, RegExp>> = { 2: /^[01]*/, 8: /^[0-7]*/, 10: /^[0-9]*/, 16: /^[0-9a-fA-F]*/ };
const PREFIXES: Readonly<Record<string, number>> = { "0x": 16, "0o": 8, "0b": 2 };

function toInteger(k: Kernel, string: number, base: number, valueVariable: number): string {
  const text = readGiven(k, string);
  if (text === "") return "STATUS_INVALID_PARAMETER";
  const [, sign = "", rest = ""] = /^\s*([-+]?)([\s\S]*)$/.exec(text) ?? [];
  const prefixed = base === 0 ? PREFIXES[rest.slice(0, 2)] : undefined;
  const radix = base === 0 ? (prefixed ?? 10) : base;
  const allowed = BASES[radix];
  // Undocumented: another base. It is refused.
  if (allowed === undefined) return "STATUS_INVALID_PARAMETER";
  const [digits = ""] = allowed.exec(prefixed === undefined ? rest : rest.slice(2)) ?? [];
  let value = 0;
  // Undocumented: a number that is too large. Its low 32 bits are kept.
  for (const digit of digits) value = (value * radix + Number.parseInt(digit, radix)) % 0x1_0000_0000;
  k.memory.writeU32(valueVariable, sign === "-" ? -value >>> 0 : value);
  return "STATUS_SUCCESS";
}

function fromInteger(k: Kernel, value: number, base: number, string: number): string {
  const radix = base === 0 ? 10 : base;
  if (BASES[radix] === undefined) return "STATUS_INVALID_PARAMETER";
  // Undocumented: hexadecimal digits are capitals.
  const text = value.toString(radix).toUpperCase();
  const room = k.memory.readU16(string + 2);
  if (text.length * 2 > room) return "STATUS_BUFFER_OVERFLOW";
  return putUnicode(k, { string, allocates: false }, text, text.length * 2 + 2 <= room ? 2 : 0);
}

const GUID_TEXT = /^\{([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\}$/i;

function guidFromString(k: Kernel, string: number, guid: number): string {
  const parts = GUID_TEXT.exec(readGiven(k, string));
  if (parts === null) return "STATUS_INVALID_PARAMETER";
  const [, first = "", second = "", third = "", fourth = "", fifth = ""] = parts;
  k.memory.writeU32(guid, Number.parseInt(first, 16));
  k.memory.writeU16(guid + 4, Number.parseInt(second, 16));
  k.memory.writeU16(guid + 6, Number.parseInt(third, 16));
  k.memory.u8.set(Buffer.from(fourth + fifth, "hex"), guid + 8);
  return "STATUS_SUCCESS";
}

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");

/** A GUID as text in braces. */
export function guidText(memory: KernelMemory, guid: number): string {
  const bytes = Array.from(memory.u8.subarray(guid + 8, guid + 16), (byte) => hex(byte, 2)).join("");
  const first = hex(memory.readU32(guid), 8);
  const [second, third] = [hex(memory.readU16(guid + 4), 4), hex(memory.readU16(guid + 6), 4)];
  return `{${first}-${second}-${third}-${bytes.slice(0, 4)}-${bytes.slice(4)}}`;
}

export const stringConversionRoutines = [
  local("RtlAppendUnicodeStringToString", (k, destination, source) => append(k, destination, readGiven(k, source))),
  local("RtlAppendUnicodeToString", (k, destination, source) => {
    if (source !== 0) readsString(k, source, 2);
    return append(k, destination, source === 0 ? "" : readUtf16(k.memory, source, utf16Length(k.memory, source)));
  }),
  local("RtlUpcaseUnicodeChar", (k, character) => upcase(String.fromCharCode(character & 0xffff)).charCodeAt(0)),
  leaf("RtlUpcaseUnicodeString", (k, destination, source, allocates) =>
    putUnicode(k, { string: destination, allocates: (allocates & 0xff) !== 0 }, upcase(readGiven(k, source)), 0),
  ),
  leaf("RtlUnicodeStringToAnsiString", unicodeToAnsi),
  leaf("RtlAnsiStringToUnicodeString", (k, destination, source, allocates) => {
    readsCounted(k, source);
    const text = toUnicode(readCountedAnsi(k.memory, source));
    return putUnicode(k, { string: destination, allocates: (allocates & 0xff) !== 0 }, text, 2);
  }),
  leaf("RtlFreeUnicodeString", freeString),
  leaf("RtlFreeAnsiString", freeString),
  local("RtlUnicodeStringToInteger", toInteger),
  local("RtlIntegerToUnicodeString", fromInteger),
  local("RtlGUIDFromString", guidFromString),
  leaf("RtlStringFromGUID", (k, guid, string) => putUnicode(k, { string, allocates: true }, guidText(k.memory, guid), 2)),
];
