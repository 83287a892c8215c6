/** Chains of NET_BUFFER_LIST structures, linked by Next. */
import type { Kernel } from "../kernel/kernel.ts";
import { windowsStruct } from "../kernel/windows.ts";

export const NetBufferList = windowsStruct("NET_BUFFER_LIST");
const NEXT = NetBufferList.offset("Next");
const SOURCE = NetBufferList.offset("SourceHandle");
const STATUS = NetBufferList.offset("Status");

export const nextList = (k: Kernel, list: number): number => k.memory.readU32(list + NEXT);
export const sourceOf = (k: Kernel, list: number): number => k.memory.readU32(list + SOURCE);

export const statusOf = (k: Kernel, list: number): number => k.memory.readU32(list + STATUS);

/** Addresses of the lists in the chain. A chain that runs in a circle ends where it closes. */
export function listsOf(k: Kernel, first: number): number[] {
  const found: number[] = [];
  for (let list = first; list !== 0 && found.length < 0x1_0000; list = nextList(k, list)) {
    if (list === found[0]) break;
    found.push(list);
  }
  return found;
}

export function countLists(k: Kernel, first: number): number {
  let count = 0;
  for (let list = first; list !== 0 && count < 0x1_0000; list = nextList(k, list)) count += 1;
  return count;
}

/** NDIS writes who sent or indicated the lists. */
export function setSource(k: Kernel, first: number, handle: number): void {
  for (let list = first; list !== 0; list = nextList(k, list)) k.memory.writeU32(list + SOURCE, handle);
}

export function setStatus(k: Kernel, first: number, status: number): void {
  for (let list = first; list !== 0; list = nextList(k, list)) k.memory.writeU32(list + STATUS, status);
}

/** Cuts the chain after the lists at its start that have the same source; returns the rest. */
export function cutBySource(k: Kernel, first: number): number {
  const source = sourceOf(k, first);
  let list = first;
  let next = nextList(k, list);
  while (next !== 0 && sourceOf(k, next) === source) {
    list = next;
    next = nextList(k, list);
  }
  k.memory.writeU32(list + NEXT, 0);
  return next;
}
