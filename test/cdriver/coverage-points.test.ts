/** Shapes of WebAssembly that clang makes seldom or never: what each has executed is seen by running it. */
import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import { planCoverage } from "../../src/cdriver/coverage-points.ts";
import { CoverageStores } from "../../src/cdriver/coverage-stores.ts";
import { instrument } from "../../src/cdriver/instrument.ts";
import { SHARED_GLOBALS } from "../../src/cdriver/shared-globals.ts";
import { readModule } from "../../src/cdriver/wasm-module.ts";

const BASE = 1000;

/** The function `f` of one parameter, with what it imports: `(call $see ...)` notes that a place was come to. */
function driver(body: string, result = "") {
  const text = `(module (import "env" "see" (func $see (param i32))) (import "env" "__ubsan_handle_overflow" (func $overflow)) (import "env" "memory" (memory 1))
    (func (export "f") (param $x i32) ${result} ${body}))`;
  const parsed = binaryen.parseText(text);
  const linked = readModule(parsed.emitBinary());
  parsed.dispose();
  const plan = planCoverage(linked, 100);
  const { wasm } = instrument(linked, "shapes", { coverage: new CoverageStores({ plan, base: BASE }) });
  const run = (x: number) => {
    const seen: number[] = [];
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const globals = Object.fromEntries(
      SHARED_GLOBALS.map((name) => [name, new WebAssembly.Global({ value: "i32", mutable: true }, 1000)]),
    );
    const env = { __ubsan_handle_overflow: () => {}, see: (place: number) => seen.push(place), memory, ...globals };
    const { f } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env }).exports;
    const value = (f as (x: number) => number | undefined)(x);
    const flags = new Uint8Array(memory.buffer, BASE, plan.points);
    const isSet = (points: readonly number[]): boolean => points.some((point) => flags[point] !== 0);
    /** The calls of `see` are found by their constant, in the block that the plan has them in. */
    const told = plan.blocks.filter(({ points }) => isSet(points)).flatMap(({ start, end }) => seesIn(linked.bytes, start, end));
    const ways = plan.branches.map(({ outcomes }) => outcomes.map((points) => (isSet(points) ? 1 : 0)).join(""));
    return { value, seen, told, ways };
  };
  return { plan, run };
}

/** Arguments of `see` in a range of code: an `i32.const` of less than 64 before a call of function 0. */
function seesIn(bytes: Uint8Array, start: number, end: number): number[] {
  const found: number[] = [];
  for (let at = start; at + 3 < end + 1; at += 1) {
    if (bytes[at] === 0x41 && bytes[at + 2] === 0x10 && bytes[at + 3] === 0) found.push(bytes[at + 1] ?? -1);
  }
  return found;
}

const see = (place: number): string => `(call $see (i32.const ${place}))`;
const x = "(local.get $x)";

describe("What is told of is what was come to", () => {
  test.each([
    ["if with else", `(if ${x} (then ${see(1)}) (else ${see(2)})) ${see(3)}`],
    ["if without else", `${see(1)} (if ${x} (then ${see(2)})) ${see(3)}`],
    ["if that leaves", `(if ${x} (then ${see(1)} (return))) ${see(2)}`],
    [
      "if within if",
      `(if ${x} (then (if (i32.eq ${x} (i32.const 2)) (then ${see(1)}) (else ${see(2)})) ${see(3)}) (else ${see(4)}))`,
    ],
    ["both ways of an if leave", `(block $out (if ${x} (then ${see(1)} (br $out)) (else ${see(2)} (return)))) ${see(3)}`],
    [
      "a branch out of two blocks",
      `(block $a (block $b (br_if $a ${x}) ${see(1)} (br_if $b (i32.eqz ${x})) ${see(2)}) ${see(3)}) ${see(4)}`,
    ],
    ["a block that nobody leaves", `(block $a ${see(1)}) ${see(2)}`],
    [
      "a loop",
      `(loop $again ${see(1)} (local.set $x (i32.sub ${x} (i32.const 1))) (br_if $again (i32.gt_s ${x} (i32.const 0)))) ${see(2)}`,
    ],
    ["code that follows a return", `(block $a (br_if $a ${x}) ${see(1)} (return)) ${see(2)}`],
    [
      "br_table with one place for two entries",
      `(block $c (block $b (block $a (br_table $a $b $a $c ${x})) ${see(1)} (br $c)) ${see(2)}) ${see(3)}`,
    ],
    ["br_table without entries", `(block $a (br_table $a ${x})) ${see(1)}`],
  ])("%s", (_what, body) => {
    const { run } = driver(body);
    for (const value of [0, 1, 2, 3, 9, -1]) {
      const { seen, told } = run(value);
      expect(told.toSorted()).toEqual([...new Set(seen)].toSorted());
    }
  });
});

describe("Ways", () => {
  test("of an if: the first when the condition holds", () => {
    const { run } = driver(`(if ${x} (then ${see(1)}))`);
    expect([run(5).ways, run(0).ways]).toEqual([["10"], ["01"]]);
  });

  test("of a br_table: entries with one label are one, and what is past the end is the default", () => {
    const { run } = driver(`(block $c (block $b (block $a (br_table $a $b $a $c ${x})) (return)) (return))`);
    expect([0, 1, 2, 3, -1].map((value) => run(value).ways.join())).toEqual(["100", "010", "100", "001", "001"]);
  });

  test("of a br_if that carries a value: the value and what is below it stay as they are", () => {
    const { run } = driver(
      `(i32.add (i32.const 100) (block $a (result i32) (drop (br_if $a (i32.const 7) ${x})) ${see(1)} (i32.const 8)))`,
      "(result i32)",
    );
    expect(run(1)).toEqual({ value: 107, seen: [], told: [], ways: ["10"] });
    expect(run(0)).toEqual({ value: 108, seen: [1], told: [1], ways: ["01"] });
  });
});

test("a branch that the compiler made to report undefined behaviour is nobody's, and the code beside it is told of", () => {
  const checks = `(block $ok (br_if $ok ${x}) (call $overflow)) ${see(1)} (block $bad (block $go (br_if $bad ${x}) (br $go)) ${see(2)} (return)) (call $overflow)`;
  const { plan, run } = driver(`${checks} (if ${x} (then ${see(3)}))`);
  expect(plan.branches.length).toBe(1);
  expect(run(0)).toMatchObject({ seen: [1, 2], told: [1, 2] });
  expect(run(1)).toMatchObject({ seen: [1, 3], told: [1, 3], ways: ["10"] });
});

test("a function without code has a point too", () => {
  const { plan, run } = driver("");
  expect(plan.points).toBe(1);
  expect(run(0).seen).toEqual([]);
  expect(plan.entries.size).toBe(1);
});
