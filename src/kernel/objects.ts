/**
 * Objects of the kernel and of NDIS, and the handles that drivers get for them.
 *
 * There is an arena per thread slot, so that the addresses of what one thread makes do not depend on what others do meanwhile; only when it has no
 * other room is an object's memory used again, by one of the same type. A handle is the address made invalid (high bit set, so that a driver that
 * dereferences it traps) with the object's generation, so that a stale handle is recognised.
 */
import { assert } from "./assert.ts";
import type { Kernel } from "./kernel.ts";
import { regions } from "./memory.ts";
import { RunFailed } from "./outcome.ts";
import { HEADER_ADDRESS, Header, threadSlot } from "./state.ts";
import { oneOf, struct, u32, type ViewBase, words } from "./struct.ts";

/** Before each object. */
const ObjectHeader = struct("ObjectHeader", {
  type: u32,
  state: oneOf("Free", "Live"),
  generation: u32,
  /** Neighbours in the list of live objects of its type, oldest first. */
  previousLive: u32,
  nextLive: u32,
  spare: words(3),
});

export interface ObjectType {
  readonly name: string;
  readonly bytes: number;
  at(memory: ViewBase["memory"], address: number): ViewBase;
}

/** In the type word of every object header, so that an address inside an object is not taken for one. */
const OBJECT_MAGIC = 0x4f42_0000;
const HANDLE_BIT = 0x8000_0000;
const ADDRESS_MASK = 0x00ff_ffff;
const GENERATIONS = 0x7f;

const ARENAS = 16;
const ARENA_BYTES = (regions.objects.end - regions.objects.start) / ARENAS;

/** Word index of how much of an arena has been used; then where the last search in it ended, both in bytes. */
const arenaWord = (arena: number): number => (HEADER_ADDRESS + Header.offsets.objectArenas + arena * 8) >>> 2;

/** The part of each arena that has been used. */
export function objectRanges(k: Kernel): { start: number; end: number }[] {
  return Array.from({ length: ARENAS }, (_, arena) => {
    const start = regions.objects.start + arena * ARENA_BYTES;
    return { start, end: start + (k.memory.u32[arenaWord(arena)] ?? 0) };
  }).filter(({ start, end }) => end > start);
}

/** Word index of the head of a type's list of live objects; the tail follows. */
const liveList = (index: number): number => (HEADER_ADDRESS + Header.offsets.liveObjects + index * 8) >>> 2;

export type HandleState = "valid" | "stale" | "of another type" | "not a handle";

export class Objects {
  readonly #kernel: Kernel;
  readonly #types: readonly ObjectType[];
  readonly #index: ReadonlyMap<string, number>;

  constructor(kernel: Kernel, types: readonly ObjectType[]) {
    this.#kernel = kernel;
    this.#types = types;
    this.#index = new Map(types.map(({ name }, index) => [name, index]));
    assert(types.length <= 64, "more object types than free lists");
  }

  /** A cleared object of that type. */
  create<T extends ObjectType>(type: T): ReturnType<T["at"]> {
    const { memory } = this.#kernel;
    const index = this.#typeIndex(type);
    const address = this.#room(index);
    if (address === undefined) throw new RunFailed(`no room for another ${type.name} object`);
    const head = this.#header(address);
    head.type = OBJECT_MAGIC + index + 1;
    head.state = "Live";
    this.#linkLive(index, address);
    this.#kernel.note("object made", address, 0, type.name);
    return type.at(memory, address) as ReturnType<T["at"]>;
  }

  /** The object is gone: its handles are stale from now on. */
  release(object: ViewBase): void {
    const { memory } = this.#kernel;
    const head = this.#header(object.address);
    assert(head.state === "Live", "an object is released twice");
    const index = head.type - OBJECT_MAGIC - 1;
    const type = this.#types[index];
    assert(type !== undefined, "an object has no type");
    this.#kernel.note("object gone", object.address, 0, type.name);
    this.#unlinkLive(index, head);
    head.state = "Free";
    head.generation = (head.generation + 1) % GENERATIONS;
    memory.clear(object.address, type.bytes);
  }

  /** Address for an object of the type with that index. */
  #room(index: number): number | undefined {
    const { currentThread } = this.#kernel.header;
    const first = currentThread === 0 ? 0 : threadSlot(currentThread) % ARENAS;
    for (let offset = 0; offset < ARENAS; offset += 1) {
      const arena = (first + offset) % ARENAS;
      const found = this.#unused(arena, index) ?? this.#freed(arena, index);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #unused(arena: number, index: number): number | undefined {
    const { u32 } = this.#kernel.memory;
    const word = arenaWord(arena);
    const used = u32[word] ?? 0;
    const bytes = this.#bytesOf(index);
    if (used + bytes > ARENA_BYTES) return undefined;
    u32[word] = used + bytes;
    return regions.objects.start + arena * ARENA_BYTES + used + ObjectHeader.bytes;
  }

  /** The next object of the type that is gone, from where the last search ended. */
  #freed(arena: number, index: number): number | undefined {
    const { u32 } = this.#kernel.memory;
    const word = arenaWord(arena);
    const base = regions.objects.start + arena * ARENA_BYTES + ObjectHeader.bytes;
    const [used, begin] = [u32[word] ?? 0, u32[word + 1] ?? 0];
    let at = begin;
    do {
      const head = this.#header(base + at);
      const next = at + this.#bytesOf(head.type - OBJECT_MAGIC - 1);
      const isFound = head.state === "Free" && head.type === OBJECT_MAGIC + index + 1;
      const found = base + at;
      at = next >= used ? 0 : next;
      if (!isFound) continue;
      u32[word + 1] = at;
      return found;
    } while (at !== begin);
    return undefined;
  }

  #bytesOf(index: number): number {
    return ObjectHeader.bytes + Math.ceil((this.#types[index]?.bytes ?? 0) / 16) * 16;
  }

  /** The handle that drivers get for the object. */
  handleOf(object: ViewBase): number {
    return (HANDLE_BIT | (this.#header(object.address).generation << 24) | object.address) >>> 0;
  }

  /** The live object of that type behind the handle. */
  resolve<T extends ObjectType>(handle: number, type: T): ReturnType<T["at"]> | undefined {
    const address = handle & ADDRESS_MASK;
    if (!this.#isObject(handle)) return undefined;
    const head = this.#header(address);
    if (head.state !== "Live" || head.type !== OBJECT_MAGIC + this.#typeIndex(type) + 1) return undefined;
    if (head.generation !== ((handle >>> 24) & GENERATIONS)) return undefined;
    return type.at(this.#kernel.memory, address) as ReturnType<T["at"]>;
  }

  /** Why `resolve` gives nothing. */
  stateOf(handle: number, type: ObjectType): HandleState {
    if (!this.#isObject(handle)) return "not a handle";
    const head = this.#header(handle & ADDRESS_MASK);
    if (head.type <= OBJECT_MAGIC || head.type > OBJECT_MAGIC + this.#types.length) return "not a handle";
    if (head.type !== OBJECT_MAGIC + this.#typeIndex(type) + 1) return "of another type";
    return head.state === "Live" && head.generation === ((handle >>> 24) & GENERATIONS) ? "valid" : "stale";
  }

  /** All live objects of that type, oldest first. */
  all<T extends ObjectType>(type: T): ReturnType<T["at"]>[] {
    const { memory } = this.#kernel;
    const found: ReturnType<T["at"]>[] = [];
    let address = memory.u32[liveList(this.#typeIndex(type))] ?? 0;
    while (address !== 0) {
      found.push(type.at(memory, address) as ReturnType<T["at"]>);
      address = this.#header(address).nextLive;
    }
    return found;
  }

  #linkLive(index: number, address: number): void {
    const { u32 } = this.#kernel.memory;
    const list = liveList(index);
    const last = u32[list + 1] ?? 0;
    const head = this.#header(address);
    head.previousLive = last;
    head.nextLive = 0;
    if (last === 0) u32[list] = address;
    else this.#header(last).nextLive = address;
    u32[list + 1] = address;
  }

  #unlinkLive(index: number, head: ReturnType<typeof ObjectHeader.at>): void {
    const { u32 } = this.#kernel.memory;
    const list = liveList(index);
    const { previousLive, nextLive } = head;
    if (previousLive === 0) u32[list] = nextLive;
    else this.#header(previousLive).nextLive = nextLive;
    if (nextLive === 0) u32[list + 1] = previousLive;
    else this.#header(nextLive).previousLive = previousLive;
    head.previousLive = 0;
    head.nextLive = 0;
  }

  #isObject(handle: number): boolean {
    const address = handle & ADDRESS_MASK;
    return (
      handle >= HANDLE_BIT &&
      (address & 15) === 0 &&
      address >= regions.objects.start + ObjectHeader.bytes &&
      address < regions.objects.end
    );
  }

  #header(address: number) {
    return ObjectHeader.at(this.#kernel.memory, address - ObjectHeader.bytes);
  }

  #typeIndex(type: ObjectType): number {
    const index = this.#index.get(type.name);
    assert(index !== undefined, `object type ${type.name} is not listed`);
    return index;
  }
}
