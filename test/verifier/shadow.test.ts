import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Kernel, KernelMemory, RunFailed, regions } from "../../src/kernel/index.ts";
import { Machine } from "../../src/machine/machine.ts";
import { Shadow, type ShadowTable, shadowTable } from "../../src/verifier/shadow.ts";

const memory = new KernelMemory();

function newKernel(): Kernel {
  memory.reset();
  return new Machine({ drivers: [], scenario: { name: "none", summary: "", actions: [] }, memory }).kernel;
}

/** A table between two others, so that what is written beyond its ends shows. */
function tableOf(rows: number): { shadow: Shadow; table: ShadowTable; neighbours: () => unknown[] } {
  const [before, table, after] = [shadowTable("before", 4), shadowTable("table", rows), shadowTable("after", 4)] as const;
  const shadow = new Shadow(newKernel(), [before, table, after]);
  shadow.set(before, 1, 11);
  shadow.set(after, 2, 22);
  return { shadow, table, neighbours: () => [shadow.entries(before), shadow.entries(after)] };
}
const UNTOUCHED = [[[1, 11]], [[2, 22]]];

const byKey = (entries: Iterable<[number, number]>): [number, number][] => [...entries].toSorted(([one], [other]) => one - other);

/** Few keys, so that many of them collide, among them those with the highest bit; 0 for the value takes a key out. */
const steps = (keys: number) =>
  fc.array(
    fc.record({
      key: fc.integer({ min: 1, max: keys }).map((key) => (key % 2 === 0 ? (key * 0x1000_0000 + key) >>> 0 : key)),
      value: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 0xffff_ffff })),
    }),
    { maxLength: 60 },
  );

describe("A shadow table", () => {
  test("holds what a Map holds, whatever is set and taken out", () => {
    fc.assert(
      fc.property(steps(14), (all) => {
        const { shadow, table, neighbours } = tableOf(16);
        const model = new Map<number, number>();
        for (const { key, value } of all) {
          shadow.set(table, key, value);
          if (value === 0) model.delete(key);
          else model.set(key, value);
          expect(shadow.get(table, key)).toBe(value);
        }
        for (let key = 1; key <= 14; key += 1) expect(shadow.get(table, key)).toBe(model.get(key) ?? 0);
        expect(byKey(shadow.entries(table))).toEqual(byKey(model));
        expect(neighbours()).toEqual(UNTOUCHED);
      }),
    );
  });

  test("finds every key in it after each removal from a full cluster", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 0xffff_ffff }), { minLength: 8, maxLength: 8 }), (keys) => {
        const { shadow, table } = tableOf(8);
        for (const key of keys) shadow.set(table, key, key);
        const left = new Set(keys);
        for (const gone of keys) {
          shadow.set(table, gone, 0);
          left.delete(gone);
          for (const key of keys) expect(shadow.get(table, key)).toBe(left.has(key) ? key : 0);
        }
        expect(shadow.entries(table)).toEqual([]);
      }),
    );
  });

  test("is all zero when the last key is out: its bytes do not tell what was in it", () => {
    const { shadow, table } = tableOf(8);
    const before = memory.u8.slice(regions.shadow.start, regions.shadow.start + 256);
    for (const key of [3, 11, 19]) shadow.set(table, key, 7);
    for (const key of [11, 3, 19]) shadow.set(table, key, 0);
    expect(memory.u8.slice(regions.shadow.start, regions.shadow.start + 256)).toEqual(before);
  });

  test("takes as many keys as it has rows, and changes them while it is full", () => {
    const { shadow, table, neighbours } = tableOf(4);
    for (const key of [5, 6, 7, 8]) shadow.set(table, key, key * 10);
    shadow.set(table, 6, 1);
    expect(byKey(shadow.entries(table))).toEqual([
      [5, 50],
      [6, 1],
      [7, 70],
      [8, 80],
    ]);
    expect(neighbours()).toEqual(UNTOUCHED);
  });

  test("that is full ends the run with its name, and not with a wrong answer", () => {
    const { shadow, table } = tableOf(4);
    for (const key of [5, 6, 7, 8]) shadow.set(table, key, key);
    expect(() => shadow.set(table, 9, 9)).toThrow(RunFailed);
    expect(() => shadow.set(table, 9, 9)).toThrow("shadow table 'table' is full: more than 4 things at once");
  });

  test("that is full says of a key that it does not have that it is not there", () => {
    const { shadow, table } = tableOf(4);
    for (const key of [5, 6, 7, 8]) shadow.set(table, key, key);
    expect(shadow.get(table, 9)).toBe(0);
    expect(() => shadow.set(table, 9, 0)).not.toThrow();
  });
});

test("tables that need more than there is are refused", () => {
  const tooMany = shadowTable("too many", (regions.shadow.end - regions.shadow.start) / 8 + 1);
  expect(() => new Shadow(newKernel(), [tooMany])).toThrow("the rules need more shadow memory than there is");
});
