/** Singly linked lists of objects: a head word, and a `next` in each object. */
import type { KernelMemory } from "./memory.ts";

interface Linked {
  readonly address: number;
  next: number;
}
interface Type<T> {
  at(memory: KernelMemory, address: number): T;
}

/** The objects of the list, first to last. The list may change while they are walked. */
export function listOf<T extends Linked>(memory: KernelMemory, type: Type<T>, head: number): T[] {
  const found: T[] = [];
  for (let address = head; address !== 0; ) {
    const object = type.at(memory, address);
    found.push(object);
    address = object.next;
  }
  return found;
}

/** The new head, with the object at the end. */
export function append<T extends Linked>(memory: KernelMemory, type: Type<T>, head: number, object: T): number {
  const last = listOf(memory, type, head).at(-1);
  object.next = 0;
  if (last === undefined) return object.address;
  last.next = object.address;
  return head;
}

/** The new head, without the object. */
export function remove<T extends Linked>(memory: KernelMemory, type: Type<T>, head: number, object: T): number {
  if (head === object.address) return object.next;
  const before = listOf(memory, type, head).find(({ next }) => next === object.address);
  if (before !== undefined) before.next = object.next;
  return head;
}
