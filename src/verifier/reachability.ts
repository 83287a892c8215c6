/** Whether the machine's memory still leads to a thing: drivers' data, stacks, what the system keeps, and from there block by block. */
import type { Kernel } from "../kernel/kernel.ts";
import { objectRanges } from "../kernel/objects.ts";
import { PoolBlock, allocatedBlocks, tagText } from "../kernel/pool.ts";
import { Frame, stackBlock } from "../kernel/state.ts";

/** A block of memory, or something that drivers know by a handle. */
export interface Sought {
  readonly address: number;
  /** 0: nobody has its address. */
  readonly bytes: number;
  readonly handle?: number;
}

export interface Reach {
  /** Where a pointer to it or its handle lies, in words; undefined: nothing that leads anywhere has one. */
  readonly from?: string;
  /** All pointers to it point past its beginning. */
  readonly isInterior: boolean;
  /** Another thing that is lost has a pointer to it: that one was lost first. */
  readonly isBehindAnother: boolean;
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly name: (at: number) => string;
}

const hex = (address: number): string => `0x${address.toString(16)}`;

/** From where each of the things can be reached. They themselves lead to others only if something leads to them. */
export function reachOf(k: Kernel, sought: readonly Sought[]): ReadonlyMap<number, Reach> {
  if (sought.length === 0) return new Map();
  const finder = new Finder(sought);
  const found = new Map<number, { from: string; isInterior: boolean }>();
  const queue: Sought[] = [];
  const scan = ({ start, end, name }: Range): void => {
    for (let at = (start + 3) & ~3; at + 4 <= end; at += 4) {
      const hit = finder.at(k.memory.u32[at >>> 2] ?? 0);
      if (hit === undefined) continue;
      const before = found.get(hit.thing.address);
      if (before !== undefined && (!before.isInterior || hit.isInterior)) continue;
      found.set(hit.thing.address, { from: name(at), isInterior: hit.isInterior });
      if (before === undefined) queue.push(hit.thing);
    }
  };
  for (const range of rootsOf(k, sought)) scan(range);
  for (let thing = queue.shift(); thing !== undefined; thing = queue.shift()) scan(rangeOf(thing));
  const behind = new Set<number>();
  for (const thing of sought) {
    if (found.has(thing.address)) continue;
    for (let at = thing.address & ~3; at + 4 <= thing.address + thing.bytes; at += 4) {
      const hit = finder.at(k.memory.u32[at >>> 2] ?? 0);
      if (hit !== undefined && hit.thing !== thing) behind.add(hit.thing.address);
    }
  }
  return new Map(
    sought.map(({ address }) => {
      const reach = found.get(address) ?? { isInterior: false };
      return [address, { ...reach, isBehindAnother: behind.has(address) }];
    }),
  );
}

const rangeOf = ({ address, bytes }: Sought): Range => ({
  start: address,
  end: address + bytes,
  name: (at) => `the block at ${hex(address)}, offset ${hex(at - address)}`,
});

/** What is there whether the things are forgotten or not. */
function rootsOf(k: Kernel, sought: readonly Sought[]): Range[] {
  const own = new Set(sought.map(({ address }) => address));
  const data = k.hosts.dataRanges().map(({ start, end }) => ({
    start,
    end,
    name: (at: number) => {
      const variable = k.hosts.globalAt(at);
      return variable === undefined ? `global data at ${hex(at)} (offset ${hex(at - start)})` : `the global variable ${variable}`;
    },
  }));
  const stacks = k.threads.flatMap((thread) => {
    if (thread.state !== "Live") return [];
    const frames = Array.from({ length: thread.depth }, (_, index) => k.frame(thread, index));
    const name = (): string => `the stack of thread ${thread.number}`;
    const arguments_ = frames.map(({ address }) => ({ start: address + Frame.offsets.data, end: address + Frame.bytes, name }));
    const tops = frames.filter(({ kind }) => kind === "Code").map(({ sp }) => sp);
    return tops.length === 0
      ? arguments_
      : [...arguments_, { start: Math.min(...tops), end: stackBlock(thread.address).end, name }];
  });
  const objects = objectRanges(k).map((range) => ({ ...range, name: () => "a structure that the system keeps" }));
  const others = allocatedBlocks(k).flatMap((block) => {
    const address = block.address + PoolBlock.bytes;
    if (own.has(address)) return [];
    const name = (at: number): string =>
      `the block with tag '${tagText(block.tag)}' at ${hex(address)}, offset ${hex(at - address)}`;
    return [{ start: address, end: address + block.bytes, name }];
  });
  return [...data, ...stacks, ...others, ...objects];
}

/** Which thing a word leads to. */
class Finder {
  readonly #things: readonly Sought[];
  readonly #handles: ReadonlyMap<number, Sought>;

  constructor(sought: readonly Sought[]) {
    this.#things = sought.filter(({ bytes }) => bytes > 0).toSorted((a, b) => a.address - b.address);
    this.#handles = new Map(sought.flatMap((each) => (each.handle === undefined ? [] : [[each.handle, each]])));
  }

  at(word: number): { thing: Sought; isInterior: boolean } | undefined {
    const byHandle = this.#handles.get(word);
    if (byHandle !== undefined) return { thing: byHandle, isInterior: false };
    let low = 0;
    let high = this.#things.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#things[middle]?.address ?? 0) <= word) low = middle + 1;
      else high = middle;
    }
    const thing = this.#things[low - 1];
    if (thing === undefined || word >= thing.address + thing.bytes) return undefined;
    return { thing, isInterior: word !== thing.address };
  }
}
