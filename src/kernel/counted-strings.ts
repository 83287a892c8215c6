/** Counted UTF-16 strings that the system keeps: one block of pool each, header and text together. */
import type { Kernel } from "./kernel.ts";
import type { KernelMemory } from "./memory.ts";
import { allocate } from "./pool.ts";
import { readGiven, setCountedString, writeUtf16 } from "./strings.ts";

const HEADER_BYTES = 8;

/** Bytes of the text with its header before it and a zero behind it. */
export const countedStringBytes = (text: string): number => HEADER_BYTES + text.length * 2 + 2;

/** Writes header and text at the address. */
export function writeCountedString(memory: KernelMemory, address: number, text: string): void {
  const bytes = writeUtf16(memory, address + HEADER_BYTES, text);
  setCountedString(memory, address, address + HEADER_BYTES, bytes, bytes + 2);
}

/** A string of the system's, charged to no driver, which goes by `free`; 0: there is no memory for it. */
export function keepText(k: Kernel, text: string, tag: number): number {
  const address = allocate(k, countedStringBytes(text), tag, -1);
  if (address !== 0) writeCountedString(k.memory, address, text);
  return address;
}

/** The system's own copy of a driver's string; 0: there is no memory for it. */
export const keepString = (k: Kernel, source: number, tag: number): number => keepText(k, readGiven(k, source), tag);
