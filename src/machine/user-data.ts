/** Data that an application passes to a driver: bytes, numbers, texts, and pointers to more of it in the application's own memory. */
import type { Kernel } from "../kernel/kernel.ts";
import { RunFailed } from "../kernel/outcome.ts";
import { Process, allocateUser } from "../kernel/processes.ts";
import { namedHandle } from "./named-handles.ts";

export type DataPart =
  /** One byte. */
  | number
  | Uint8Array
  | { readonly u16: number }
  | { readonly u32: number }
  | { readonly u64: number | bigint }
  /** UTF-16, without a terminating zero unless the text has one. */
  | { readonly text: string }
  /** One byte per character. */
  | { readonly ansi: string }
  | { readonly zeros: number }
  /** Zeros up to a multiple of that many bytes from the start of the data. */
  | { readonly align: number }
  /** The address of that data, which lies in the application's memory for as long as the request. */
  | { readonly pointerTo: Data }
  /** Size of that data, as a 16-bit number. */
  | { readonly sizeOf: Data }
  /** The handle of that name. */
  | { readonly handle: string };
export type Data = Uint8Array | readonly DataPart[];

/** Where the data lies in memory. */
export interface Placed {
  readonly address: number;
  readonly bytes: number;
}

/** Memory of the process, which is freed with its `owner`; misaligned, it begins at an odd address. */
export function allocateBuffer(k: Kernel, process: Process, bytes: number, owner: number, isMisaligned = false): number {
  return isMisaligned ? allocateUser(k, process, bytes + 1, owner) + 1 : allocateUser(k, process, bytes, owner);
}

/** Puts the data into memory of the process; `owner` is what the memory is freed with. */
export function placeData(k: Kernel, process: Process, data: Data, owner: number, isMisaligned = false): Placed {
  return place(k, data, (bytes) => allocateBuffer(k, process, bytes, owner, isMisaligned));
}

/** `allocate` gives memory for so many bytes, for the data itself and for whatever it points to. */
export function place(k: Kernel, data: Data, allocate: (bytes: number) => number): Placed {
  const bytes = encode(k, data, allocate);
  if (bytes.length === 0) return { address: 0, bytes: 0 };
  const address = allocate(bytes.length);
  k.memory.u8.set(bytes, address);
  return { address, bytes: bytes.length };
}

function encode(k: Kernel, data: Data, allocate: (bytes: number) => number): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const bytes: number[] = [];
  for (const part of data) bytes.push(...encodePart(k, part, bytes.length, allocate));
  return Uint8Array.from(bytes);
}

function encodePart(k: Kernel, part: DataPart, offset: number, allocate: (bytes: number) => number): Iterable<number> {
  if (typeof part === "number") return [part & 0xff];
  if (part instanceof Uint8Array) return part;
  if ("u16" in part) return littleEndian(BigInt(part.u16), 2);
  if ("u32" in part) return littleEndian(BigInt(part.u32), 4);
  if ("u64" in part) return littleEndian(BigInt(part.u64), 8);
  if ("text" in part) return Array.from(part.text).flatMap((character) => littleEndian(BigInt(character.charCodeAt(0)), 2));
  if ("ansi" in part) return Array.from(part.ansi, (character) => character.charCodeAt(0));
  if ("zeros" in part) return new Uint8Array(part.zeros);
  if ("align" in part) return new Uint8Array((part.align - (offset % part.align)) % part.align);
  if ("pointerTo" in part) return littleEndian(BigInt(place(k, part.pointerTo, allocate).address), 4);
  if ("sizeOf" in part) return littleEndian(BigInt(encode(k, part.sizeOf, allocate).length), 2);
  const handle = namedHandle(k, part.handle);
  if (handle === undefined) throw new RunFailed(`the scenario passes the handle '${part.handle}', which is not open`);
  return littleEndian(BigInt(handle.handle), 4);
}

function littleEndian(value: bigint, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Number((BigInt.asUintN(bytes * 8, value) >> BigInt(index * 8)) & 0xffn));
}
