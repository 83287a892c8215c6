/** Bitmaps: RTL_BITMAP says how many bits there are and where; bit 0 is the lowest of the first word. */
import { readsBytes, writesBytes } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import { local } from "./routine.ts";
import { windowsStruct } from "./windows.ts";

const Bitmap = windowsStruct("RTL_BITMAP");
const NOT_FOUND = 0xffff_ffff;

function isSet(k: Kernel, bitmap: number, bit: number): boolean {
  const byte = k.memory.u8[Bitmap.at(k.memory, bitmap).Buffer + (bit >>> 3)] ?? 0;
  return ((byte >>> (bit & 7)) & 1) === 1;
}

/** The bytes that those bits lie in. */
function bytesOf(k: Kernel, bitmap: number, first: number, count: number): [address: number, bytes: number] {
  const { Buffer } = Bitmap.at(k.memory, bitmap);
  return [Buffer + (first >>> 3), count === 0 ? 0 : ((first + count - 1) >>> 3) - (first >>> 3) + 1];
}

/** All of them are read. */
const readsAll = (k: Kernel, bitmap: number): void =>
  readsBytes(k, ...bytesOf(k, bitmap, 0, Bitmap.at(k.memory, bitmap).SizeOfBitMap));

/** Gives `count` bits, from `first` on, that value. */
function assign(k: Kernel, bitmap: number, first: number, count: number, value: boolean): void {
  writesBytes(k, ...bytesOf(k, bitmap, first, count));
  const { Buffer } = Bitmap.at(k.memory, bitmap);
  const { u8 } = k.memory;
  for (let bit = first; bit < first + count; bit += 1) {
    const at = Buffer + (bit >>> 3);
    const mask = 1 << (bit & 7);
    u8[at] = value ? (u8[at] ?? 0) | mask : (u8[at] ?? 0) & ~mask;
  }
}

/** Whole words are written, also the bits behind the last one: the buffer is words. */
function fill(k: Kernel, bitmap: number, byte: number): void {
  const { Buffer, SizeOfBitMap } = Bitmap.at(k.memory, bitmap);
  writesBytes(k, Buffer, Math.ceil(SizeOfBitMap / 32) * 4);
  k.memory.u8.fill(byte, Buffer, Buffer + Math.ceil(SizeOfBitMap / 32) * 4);
}

function hasRun(k: Kernel, bitmap: number, first: number, count: number, value: boolean): boolean {
  for (let bit = first; bit < first + count; bit += 1) if (isSet(k, bitmap, bit) !== value) return false;
  return true;
}

/** The first place of such a run from the hint on, else from the start on. */
function findRun(k: Kernel, bitmap: number, count: number, hint: number, value: boolean): number {
  const { SizeOfBitMap } = Bitmap.at(k.memory, bitmap);
  // Undocumented: a hint behind the end. The search begins at the start.
  const start = hint < SizeOfBitMap ? hint : 0;
  for (let bit = start; bit + count <= SizeOfBitMap; bit += 1) if (hasRun(k, bitmap, bit, count, value)) return bit;
  for (let bit = 0; bit < start && bit + count <= SizeOfBitMap; bit += 1) if (hasRun(k, bitmap, bit, count, value)) return bit;
  return NOT_FOUND;
}

function countSet(k: Kernel, bitmap: number): number {
  readsAll(k, bitmap);
  const { SizeOfBitMap } = Bitmap.at(k.memory, bitmap);
  let count = 0;
  for (let bit = 0; bit < SizeOfBitMap; bit += 1) if (isSet(k, bitmap, bit)) count += 1;
  return count;
}

export const bitmapRoutines = [
  local("RtlInitializeBitMap", (k, bitmap, buffer, bits) => {
    const structure = Bitmap.at(k.memory, bitmap);
    structure.SizeOfBitMap = bits;
    structure.Buffer = buffer;
  }),
  local("RtlSetBit", (k, bitmap, bit) => assign(k, bitmap, bit, 1, true)),
  local("RtlClearBit", (k, bitmap, bit) => assign(k, bitmap, bit, 1, false)),
  local("RtlSetAllBits", (k, bitmap) => fill(k, bitmap, 0xff)),
  local("RtlClearAllBits", (k, bitmap) => fill(k, bitmap, 0)),
  local("RtlTestBit", (k, bitmap, bit) => {
    readsBytes(k, ...bytesOf(k, bitmap, bit, 1));
    return isSet(k, bitmap, bit);
  }),
  local("RtlNumberOfSetBits", countSet),
  local("RtlFindClearBitsAndSet", (k, bitmap, count, hint) => {
    readsAll(k, bitmap);
    const found = findRun(k, bitmap, count, hint, false);
    if (found !== NOT_FOUND) assign(k, bitmap, found, count, true);
    return found;
  }),
];
