/** Counted UTF-16 and ANSI strings in memory: `USHORT Length, MaximumLength; PWSTR Buffer`, lengths in bytes. */
import { decidesBy, readsBytes, readsCounted, readsString, writesCounted } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import type { KernelMemory } from "./memory.ts";
import { local } from "./routine.ts";

/** Text of a UNICODE_STRING; empty for a null pointer. */
export function readUnicodeString(memory: KernelMemory, address: number): string {
  if (address === 0) return "";
  return readUtf16(memory, memory.readU32(address + 4), memory.readU16(address) >>> 1);
}

/** The text of a driver's UNICODE_STRING. */
export function readGiven(k: Kernel, string: number): string {
  readsCounted(k, string);
  return readUnicodeString(k.memory, string);
}

export function readUtf16(memory: KernelMemory, address: number, characters: number): string {
  let text = "";
  for (let index = 0; index < characters; index += 1) text += String.fromCharCode(memory.readU16(address + index * 2));
  return text;
}

/** Characters before the terminating zero, at most `limit`. */
export function utf16Length(memory: KernelMemory, address: number, limit = 0x7fff): number {
  let count = 0;
  while (count < limit && memory.readU16(address + count * 2) !== 0) count += 1;
  return count;
}

export function readAnsi(memory: KernelMemory, address: number, limit = 4096): string {
  let text = "";
  for (let index = 0; index < limit && memory.u8[address + index] !== 0; index += 1) {
    text += String.fromCharCode(memory.u8[address + index] ?? 0);
  }
  return text;
}

/** Writes the text with a terminating zero; returns the bytes without it. */
export function writeUtf16(memory: KernelMemory, address: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) memory.writeU16(address + index * 2, text.charCodeAt(index));
  memory.writeU16(address + text.length * 2, 0);
  return text.length * 2;
}

/** Sets the three fields of a counted string. */
export function setCountedString(memory: KernelMemory, address: number, buffer: number, bytes: number, maximum: number): void {
  memory.writeU16(address, bytes);
  memory.writeU16(address + 2, maximum);
  memory.writeU32(address + 4, buffer);
}

/** The longest a counted string can say it is, in bytes; its terminating zero comes on top. */
const LONGEST_ANSI = 0xfffe;
const LONGEST_UNICODE = 0xfffc;

/** The string is the zero-terminated source, which is not copied; a source that is too long is cut. */
export function initUnicodeString(k: Kernel, destination: number, source: number): void {
  if (source !== 0) readsString(k, source, 2, LONGEST_UNICODE / 2);
  const bytes = source === 0 ? 0 : utf16Length(k.memory, source, LONGEST_UNICODE / 2) * 2;
  setCountedString(k.memory, destination, source, bytes, source === 0 ? 0 : bytes + 2);
}

function initString(k: Kernel, destination: number, source: number): void {
  let bytes = 0;
  if (source !== 0) readsString(k, source, 1, LONGEST_ANSI);
  if (source !== 0) while (bytes < LONGEST_ANSI && k.memory.u8[source + bytes] !== 0) bytes += 1;
  setCountedString(k.memory, destination, source, bytes, source === 0 ? 0 : bytes + 1);
}

/** Text of an ANSI_STRING, one character for each byte. */
export function readCountedAnsi(memory: KernelMemory, address: number): string {
  const buffer = memory.readU32(address + 4);
  return Array.from(memory.u8.subarray(buffer, buffer + memory.readU16(address)), (byte) => String.fromCharCode(byte)).join("");
}

/** Each character in upper case that has one of its own: the length stays. */
export function upcase(text: string): string {
  return Array.from({ length: text.length }, (_, index) => {
    const upper = text.charAt(index).toUpperCase();
    return upper.length === 1 ? upper : text.charAt(index);
  }).join("");
}

const fold = (text: string, ignoreCase: number): string => ((ignoreCase & 0xff) === 0 ? text : upcase(text));

type Read = typeof readUnicodeString;

/** The text of a driver's string, by which it is compared. */
function compared(k: Kernel, read: Read, string: number, ignoreCase: number): string {
  readsCounted(k, string);
  if (string !== 0) decidesBy(k, k.memory.readU32(string + 4), k.memory.readU16(string));
  return fold(read(k.memory, string), ignoreCase);
}

const equal = (read: Read) => (k: Kernel, a: number, b: number, ignoreCase: number) =>
  compared(k, read, a, ignoreCase) === compared(k, read, b, ignoreCase);

const compare = (read: Read) => (k: Kernel, a: number, b: number, ignoreCase: number) => {
  const first = compared(k, read, a, ignoreCase);
  const second = compared(k, read, b, ignoreCase);
  if (first === second) return 0;
  return first < second ? -1 : 1;
};

export const stringRoutines = [
  local("RtlInitUnicodeString", initUnicodeString),
  local("NdisInitUnicodeString", initUnicodeString),
  local("RtlInitAnsiString", initString),
  local("RtlInitString", initString),
  local("RtlCopyUnicodeString", (k, destination, source) => {
    const { memory } = k;
    const bytes = source === 0 ? 0 : Math.min(memory.readU16(source), memory.readU16(destination + 2));
    if (bytes > 0) readsBytes(k, memory.readU32(source + 4), bytes);
    writesCounted(k, destination, bytes);
    if (bytes > 0) memory.copy(memory.readU32(destination + 4), memory.readU32(source + 4), bytes);
    memory.writeU16(destination, bytes);
  }),
  local("RtlEqualUnicodeString", equal(readUnicodeString)),
  local("RtlEqualString", equal(readCountedAnsi)),
  local("RtlCompareUnicodeString", compare(readUnicodeString)),
  local("RtlCompareString", compare(readCountedAnsi)),
  local("RtlPrefixUnicodeString", (k, prefix, whole, ignoreCase) =>
    compared(k, readUnicodeString, whole, ignoreCase).startsWith(compared(k, readUnicodeString, prefix, ignoreCase)),
  ),
  local("RtlCompareMemory", (k, a, b, bytes) => {
    readsBytes(k, a, bytes);
    readsBytes(k, b, bytes);
    let same = 0;
    while (same < bytes && k.memory.u8[a + same] === k.memory.u8[b + same]) same += 1;
    // What is behind the first difference does not matter.
    for (const each of [a, b]) decidesBy(k, each, Math.min(same + 1, bytes));
    return same;
  }),
];
