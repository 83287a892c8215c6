/** Chains of NET_BUFFER_LIST structures, linked by Next. */
import { chainOf } from "../kernel/driver-chains.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { windowsStruct } from "../kernel/windows.ts";

export const NetBufferList = windowsStruct("NET_BUFFER_LIST");
const NEXT = NetBufferList.offset("Next");
const SOURCE = NetBufferList.offset("SourceHandle");
const STATUS = NetBufferList.offset("Status");

export const nextList = (k: Kernel, list: number): number => k.memory.readU32(list + NEXT);
export const sourceOf = (k: Kernel, list: number): number => k.memory.readU32(list + SOURCE);

export const statusOf = (k: Kernel, list: number): number => k.memory.readU32(list + STATUS);

/** Addresses of the lists in the chain. Most chains are of one, and everything on the data path asks for them. */
export function listsOf(k: Kernel, first: number): number[] {
  if (first === 0) return [];
  if (nextList(k, first) === 0) return [first];
  return chainOf("NET_BUFFER_LIST structures", first, (list) => nextList(k, list));
}

export const countLists = (k: Kernel, first: number): number => listsOf(k, first).length;

/** NDIS writes who sent or indicated the lists. */
export function setSource(k: Kernel, first: number, handle: number): void {
  for (const list of listsOf(k, first)) k.memory.writeU32(list + SOURCE, handle);
}

export function setStatus(k: Kernel, first: number, status: number): void {
  for (const list of listsOf(k, first)) k.memory.writeU32(list + STATUS, status);
}

/** Cuts the chain after the lists at its start that have the same source; returns the rest. */
export function cutBySource(k: Kernel, first: number): number {
  const source = sourceOf(k, first);
  let last = first;
  for (const list of listsOf(k, first)) {
    if (sourceOf(k, list) !== source) break;
    last = list;
  }
  const next = nextList(k, last);
  k.memory.writeU32(last + NEXT, 0);
  return next;
}
