/**
 * Objects of the kernel and of NDIS, and the handles that drivers get for them.
 *
 * An object's memory is used again first-in-first-out by objects of the same type. A handle is the address made invalid (high bit
 * set, so that a driver that dereferences it traps) with the object's generation, so that a stale handle is recognised.
 */
import { assert } from "./assert.ts";
import type { Kernel } from "./kernel.ts";
import { regions } from "./memory.ts";
import { RunFailed } from "./outcome.ts";
import { HEADER_ADDRESS, Header } from "./state.ts";
import { oneOf, struct, u32, type ViewBase, words } from "./struct.ts";

/** Before each object. */
const ObjectHeader = struct("ObjectHeader", {
  type: u32,
  state: oneOf("Free", "Live"),
  generation: u32,
  /** Next in the free list of its type. */
  nextFree: u32,
  /** Neighbours in the list of live objects of its type, oldest first. */
  previousLive: u32,
  nextLive: u32,
  spare: words(2),
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
    const { memory, header } = this.#kernel;
    const index = this.#typeIndex(type);
    const list = (HEADER_ADDRESS + Header.offsets.freeObjects + index * 8) >>> 2;
    let address = memory.u32[list] ?? 0;
    if (address === 0) {
      if (header.objectsEnd === 0) header.objectsEnd = regions.objects.start;
      const bytes = ObjectHeader.bytes + Math.ceil(type.bytes / 16) * 16;
      if (header.objectsEnd + bytes > regions.objects.end) throw new RunFailed(`no room for another ${type.name} object`);
      address = header.objectsEnd + ObjectHeader.bytes;
      header.objectsEnd += bytes;
    } else {
      memory.u32[list] = this.#header(address).nextFree;
      if (memory.u32[list] === 0) memory.u32[list + 1] = 0;
    }
    const head = this.#header(address);
    head.type = OBJECT_MAGIC + index + 1;
    head.state = "Live";
    head.nextFree = 0;
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
    const list = (HEADER_ADDRESS + Header.offsets.freeObjects + index * 8) >>> 2;
    const tail = memory.u32[list + 1] ?? 0;
    if (tail === 0) memory.u32[list] = object.address;
    else this.#header(tail).nextFree = object.address;
    memory.u32[list + 1] = object.address;
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
      address < this.#kernel.header.objectsEnd
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
