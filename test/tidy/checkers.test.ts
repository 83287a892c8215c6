/** The checks can fail. */
import { describe, expect, test } from "vitest";
import { forgottenYields, undeterministic, weakTypes } from "./bans.ts";
import { deadFiles, wrongArrows } from "./imports.ts";
import { type Problem, parse } from "./source.ts";
import { emptyGuesses, homePaths, leftOver, tooLong } from "./text.ts";

const lines = (count: number): string => "x\n".repeat(count);
const found = (problems: readonly Problem[]): number => problems.length;

describe("Arrows between folders", () => {
  test.each([
    ["src/kernel/a.ts", 'import { b } from "../ndis/b.ts";'],
    ["src/ndis/a.ts", 'import type { B } from "../machine/b.ts";'],
    ["src/ndis/a.ts", 'export { b } from "../cli/b.ts";'],
    ["src/machine/a.ts", 'const b = await import("../verifier/b.ts");'],
    ["src/cdriver/a.ts", 'import { b } from "../tsdriver/b.ts";'],
    ["src/verifier/a.ts", 'import { b } from "../report/b.ts";'],
    ["src/cli/a.ts", 'import { b } from "../index.ts";'],
    ["src/cli/a.ts", 'import { b } from "../helpers/b.ts";'],
    ["src/helpers/a.ts", "export const a = 1;"],
  ])("%s: %s is wrong", (path, text) => {
    expect(found(wrongArrows(parse(path, text)))).toBe(1);
  });

  test.each([
    ["src/ndis/a.ts", 'import { b } from "../kernel/b.ts";'],
    ["src/ndis/a.ts", 'import { b } from "./b.ts";'],
    ["src/cli/explain/a.ts", 'import { b } from "../b.ts"; import { c } from "../../report/c.ts";'],
    ["src/verifier/a.ts", 'import type { B } from "../report/b.ts";'],
    ["src/cli/a.ts", 'import { join } from "node:path";'],
    ["src/index.ts", 'export { b } from "./cli/b.ts";'],
  ])("%s: %s is right", (path, text) => {
    expect(wrongArrows(parse(path, text))).toEqual([]);
  });
});

describe("Where runs must repeat", () => {
  test.each([
    "let count = 0;",
    "export let count = 0;",
    "class A { count = 0; }",
    "class A { #count: number; }",
    "class A { static count = 0; }",
    "const now = Date.now();",
    "const x = Math.random();",
    "setTimeout(() => {}, 1);",
    "async function f() {}",
    "const f = async () => {};",
    "const p = new Promise(() => {});",
    "const a = process.argv;",
    "console.log(1);",
    'import { readFileSync } from "node:fs";',
  ])("%s is found", (text) => {
    expect(found(undeterministic(parse("src/kernel/a.ts", text)))).toBeGreaterThan(0);
  });

  test.each([
    "function f() { let count = 0; return count; }",
    "for (let i = 0; i < 3; i += 1) f(i);",
    "class A { readonly count = 0; readonly #map = new Map(); }",
    "const a = k.process + { Date: 1 }.Date;",
    "interface A { readonly process: number }",
    "const f = (process: A) => process.number;",
    "const { process } = k; use(process);",
    "const x = Math.max(1, 2);",
  ])("%s is allowed", (text) => {
    expect(undeterministic(parse("src/kernel/a.ts", text))).toEqual([]);
  });
});

describe("Weak types", () => {
  test.each([
    "const a: any = 1;",
    "const a = b as any;",
    "type A = Plan<any>;",
    "const a = b!;",
    "const a = b!.c;",
    "class A { b!: number }",
  ])("%s is found", (text) => {
    expect(found(weakTypes(parse("src/a.ts", text)))).toBe(1);
  });

  test.each(["const any = 1;", "const a = !b;", "const a = b !== c;"])("%s is allowed", (text) => {
    expect(weakTypes(parse("src/a.ts", text))).toEqual([]);
  });
});

describe("A call in a driver", () => {
  test.each([
    "function* f(d) { d.NdisMFreePort(1, 2); }",
    "function* f(d) { yield d.KeSetEvent(1); }",
    "const f = (d) => d.ExFreePool(1);",
  ])("%s is not made", (text) => {
    expect(found(forgottenYields(parse("examples/a.ts", text)))).toBe(1);
  });

  test.each([
    "function* f(d) { const s = yield* d.NdisMFreePort(1, 2); }",
    "const a = d.statics(8) + Math.max(1, 2);",
    "new d.Thing();",
  ])("%s is right", (text) => {
    expect(forgottenYields(parse("examples/a.ts", text))).toEqual([]);
  });
});

describe("Files that nobody wants", () => {
  test("a file that is neither imported nor started is found", () => {
    const sources = [
      parse("src/main.ts", 'import "./a.ts"; start(new URL("./child.js", import.meta.url));'),
      parse("src/a.ts", 'export { b } from "./a.ts";'),
      parse("src/child.ts", "run();"),
      parse("src/lonely.ts", 'import "./a.ts";'),
    ];
    expect(deadFiles(sources, ["src/main.ts"])).toEqual(["src/lonely.ts"]);
  });
});

describe("Text", () => {
  test.each([
    [tooLong, lines(301), 1],
    [tooLong, lines(300), 0],
    [tooLong, "x".repeat(151), 1],
    [tooLong, "x".repeat(150), 0],
    [leftOver, `// ${"TO"}DO: later`, 1],
    [leftOver, "const TODOS = 1;", 0],
    [emptyGuesses, "// Undocumented:\nconst a = 1;", 1],
    [emptyGuesses, "// Undocumented: who knows\n", 1],
    [emptyGuesses, "// Undocumented: what becomes of a port that is left. NDIS frees it.", 0],
    [emptyGuesses, " * Undocumented:\n * what becomes of a port that is left.", 0],
    [homePaths, `see ${"/ho"}me/jane/driver.c`, 1],
    [homePaths, `"${"C:\\Us"}ers\\jane"`, 1],
    [homePaths, "https://example.com/home/jane and ../work/x and c/Users", 0],
  ])("%o: %j", (check, text, count) => {
    expect(found(check({ path: "src/a.ts", text }))).toBe(count);
  });
});
