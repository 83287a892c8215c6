/** Shadow state of the rules: hash tables of words in pages of their own, so that a rule's memory is part of the machine's. */
import type { Kernel } from "../kernel/kernel.ts";
import { regions } from "../kernel/memory.ts";
import { RunFailed } from "../kernel/outcome.ts";

/** From a key (an address, a handle; not 0) to a word. `rows` is a power of two. */
export interface ShadowTable {
  readonly name: string;
  readonly rows: number;
}

export const shadowTable = (name: string, rows: number): ShadowTable => ({ name, rows });

const ROW_WORDS = 2;
/** Words of 1 KiB, as a shift: writes are told in such blocks. */
const BLOCK_BITS = 8;
/** Before the rows of a table: how many are in use, and nothing. */
const HEADER_WORDS = 2;

/** Tables with their places, in the order in which the rules are listed. */
export class Shadow {
  readonly #kernel: Kernel;
  readonly #base: ReadonlyMap<ShadowTable, number>;

  constructor(kernel: Kernel, tables: readonly ShadowTable[]) {
    this.#kernel = kernel;
    const base = new Map<ShadowTable, number>();
    let next: number = regions.shadow.start;
    for (const table of tables) {
      base.set(table, (next >>> 2) + HEADER_WORDS);
      next += (HEADER_WORDS + table.rows * ROW_WORDS) * 4;
    }
    if (next > regions.shadow.end) throw new RunFailed("the rules need more shadow memory than there is");
    this.#base = base;
    kernel.header.shadowEnd = next;
  }

  /** The word under the key; 0 when there is none. */
  get(table: ShadowTable, key: number): number {
    const { u32 } = this.#kernel.memory;
    const row = this.#find(table, key);
    return row !== undefined && u32[row] === key ? (u32[row + 1] ?? 0) : 0;
  }

  /** Sets the word; 0 takes the row out. */
  set(table: ShadowTable, key: number, value: number): void {
    const { u32 } = this.#kernel.memory;
    const row = this.#find(table, key);
    const isNew = row === undefined || u32[row] !== key;
    if (value === 0) {
      if (isNew) return;
      this.#remove(table, row);
      this.#count(table, -1);
      return;
    }
    if (row === undefined) throw new RunFailed(`shadow table '${table.name}' is full: more than ${table.rows} things at once`);
    if (isNew) this.#count(table, 1);
    u32[row] = key;
    u32[row + 1] = value;
    this.#kernel.shadowWrites?.add(row >>> BLOCK_BITS);
  }

  #count(table: ShadowTable, change: 1 | -1): void {
    const { u32 } = this.#kernel.memory;
    const word = (this.#base.get(table) ?? 0) - HEADER_WORDS;
    u32[word] = (u32[word] ?? 0) + change;
    this.#kernel.shadowWrites?.add(word >>> BLOCK_BITS);
  }

  /** All rows, in table order. */
  entries(table: ShadowTable): [key: number, value: number][] {
    const { u32 } = this.#kernel.memory;
    const base = this.#base.get(table) ?? 0;
    const count = u32[base - HEADER_WORDS] ?? 0;
    const found: [number, number][] = [];
    // Most tables are empty most of the time.
    for (let row = base; found.length < count; row += ROW_WORDS) {
      if (u32[row] !== 0) found.push([u32[row] ?? 0, u32[row + 1] ?? 0]);
    }
    return found;
  }

  #home(table: ShadowTable, key: number): number {
    return (Math.imul(key, 0x9e37_79b1) >>> 8) & (table.rows - 1);
  }

  /** Word index of the key's row, or of the free row where it would go; undefined: it is not there and the table is full. */
  #find(table: ShadowTable, key: number): number | undefined {
    const { u32 } = this.#kernel.memory;
    const base = this.#base.get(table) ?? 0;
    let index = this.#home(table, key);
    for (let probes = 0; probes < table.rows; probes += 1) {
      const row = base + index * ROW_WORDS;
      if (u32[row] === key || u32[row] === 0) return row;
      index = (index + 1) & (table.rows - 1);
    }
    return undefined;
  }

  /** Takes a row out and closes the gap, so that what is left depends only on what is in the table. */
  #remove(table: ShadowTable, removed: number): void {
    const { u32 } = this.#kernel.memory;
    const base = this.#base.get(table) ?? 0;
    const mask = table.rows - 1;
    let gap = (removed - base) / ROW_WORDS;
    let index = gap;
    // A full table has no free row at which a cluster ends: its cluster goes once around.
    for (let moved = 1; moved < table.rows; moved += 1) {
      index = (index + 1) & mask;
      const row = base + index * ROW_WORDS;
      const key = u32[row] ?? 0;
      if (key === 0) break;
      const home = this.#home(table, key);
      if (((index - home) & mask) < ((index - gap) & mask)) continue;
      u32[base + gap * ROW_WORDS] = key;
      u32[base + gap * ROW_WORDS + 1] = u32[row + 1] ?? 0;
      this.#kernel.shadowWrites?.add((base + gap * ROW_WORDS) >>> BLOCK_BITS);
      gap = index;
    }
    this.#kernel.shadowWrites?.add((base + gap * ROW_WORDS) >>> BLOCK_BITS);
    u32[base + gap * ROW_WORDS] = 0;
    u32[base + gap * ROW_WORDS + 1] = 0;
  }
}
