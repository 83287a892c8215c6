/** Counted UTF-16 and ANSI strings in memory: `USHORT Length, MaximumLength; PWSTR Buffer`, lengths in bytes. */
import type { Kernel } from "./kernel.ts";
import type { KernelMemory } from "./memory.ts";
import { local } from "./routine.ts";

/** Text of a UNICODE_STRING; empty for a null pointer. */
export function readUnicodeString(memory: KernelMemory, address: number): string {
  if (address === 0) return "";
  return readUtf16(memory, memory.readU32(address + 4), memory.readU16(address) >>> 1);
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

/** `RtlInitUnicodeString`: the string is the zero-terminated source, which is not copied. */
export function initUnicodeString(k: Kernel, destination: number, source: number): void {
  const bytes = source === 0 ? 0 : utf16Length(k.memory, source) * 2;
  setCountedString(k.memory, destination, source, bytes, source === 0 ? 0 : bytes + 2);
}

const fold = (text: string, ignoreCase: number): string => ((ignoreCase & 0xff) === 0 ? text : text.toUpperCase());

export const stringRoutines = [
  local("RtlInitUnicodeString", initUnicodeString),
  local("NdisInitUnicodeString", initUnicodeString),
  local("RtlInitAnsiString", (k, destination, source) => {
    const bytes = source === 0 ? 0 : readAnsi(k.memory, source).length;
    setCountedString(k.memory, destination, source, bytes, source === 0 ? 0 : bytes + 1);
  }),
  local("RtlCopyUnicodeString", (k, destination, source) => {
    const { memory } = k;
    const bytes = source === 0 ? 0 : Math.min(memory.readU16(source), memory.readU16(destination + 2));
    if (bytes > 0) memory.copy(memory.readU32(destination + 4), memory.readU32(source + 4), bytes);
    memory.writeU16(destination, bytes);
  }),
  local(
    "RtlEqualUnicodeString",
    (k, a, b, ignoreCase) =>
      fold(readUnicodeString(k.memory, a), ignoreCase) === fold(readUnicodeString(k.memory, b), ignoreCase),
  ),
  local("RtlCompareUnicodeString", (k, a, b, ignoreCase) => {
    const first = fold(readUnicodeString(k.memory, a), ignoreCase);
    const second = fold(readUnicodeString(k.memory, b), ignoreCase);
    if (first === second) return 0;
    return first < second ? -1 : 1;
  }),
  local("RtlCompareMemory", (k, a, b, bytes) => {
    let equal = 0;
    while (equal < bytes && k.memory.u8[a + equal] === k.memory.u8[b + equal]) equal += 1;
    return equal;
  }),
];
