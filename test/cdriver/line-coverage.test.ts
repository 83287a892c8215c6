/** The fixture says by comments which line is which; here stands, by thought, what a call executes of it. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { noChecks } from "../../src/cdriver/checks/flags.ts";
import type { DriverCoverage } from "../../src/cdriver/driver-coverage.ts";
import type { DriverImage } from "../../src/cdriver/image.ts";
import { build, fixture, lineOf, NORMAL, REWINDING, TestHost, toolchain, UNWINDING } from "./support.ts";

const BASE = 0x30_0000;
const BYTES = 0x1000;
const BUFFER = 0x31_0000;
const FUNCTIONS = ["Status", "Both", "Loop", "Choose", "Fail", "Ends", "Library", "Forever"];
const FILES = [fixture("counted/driver.c"), fixture("counted/own.h")];

let image: DriverImage;
let coverage: DriverCoverage;
beforeAll(async () => {
  image = await build("counted", {
    exports: FUNCTIONS,
    checks: noChecks,
    coverage: { base: BASE, bytes: BYTES, isByLine: true },
  });
  coverage = coverageOf(image);
});
afterAll(() => toolchain.stop());

function coverageOf(driver: DriverImage): DriverCoverage {
  const found = driver.coverage();
  if (found === undefined) throw new Error(`${driver.name} was built without coverage`);
  return found;
}

/** The comment of each line of the sources that has one that names it. */
const names = new Map(
  FILES.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((text, index) => {
        const name = /\/\* (\w+: [^*]+) \*\//.exec(text)?.[1];
        return name === undefined ? [] : [[`${file}:${index + 1}`, name] as const];
      }),
  ),
);
const nameOf = ({ file, line }: { readonly file: string; readonly line: number }): string => names.get(`${file}:${line}`) ?? "";

/** The names of the lines that are executed, and of the ways that branches take: counted from 0. */
function executed(host: TestHost): { lines: string[]; ways: string[] } {
  const flags = new Uint8Array(host.memory.wasm.buffer, BASE, coverage.points);
  const isSet = (points: readonly number[]): boolean => points.some((point) => flags[point] !== 0);
  return {
    lines: coverage.lines
      .filter((line) => isSet(line.points))
      .map(nameOf)
      .filter((name) => name !== ""),
    ways: coverage.branches.flatMap((branch) =>
      branch.outcomes.flatMap((points, way) => (isSet(points) ? [`${nameOf(branch)} ${way}`] : [])),
    ),
  };
}

function after(...calls: readonly (readonly [name: string, ...args: number[]])[]) {
  const host = new TestHost(image, { Outside: (value) => value });
  for (const [name, ...args] of calls) host.call(name, ...args);
  return executed(host);
}

describe("Lines", () => {
  test("each named line of the code that is linked is executable, and is there once", () => {
    const found = coverage.lines.map(nameOf).filter((name) => name !== "");
    expect(found.toSorted()).toEqual([...names.values()].filter((name) => !name.startsWith("unused")).toSorted());
    expect(new Set(found).size).toBe(found.length);
  });

  test("nothing is executed before the first call", () => {
    expect(after()).toEqual({ lines: [], ways: [] });
  });

  test.each([
    ["of an if", [["Status", 5]], ["status: if", "status: then", "status: return"]],
    ["of its else", [["Status", 3]], ["status: if", "status: else", "status: return"]],
    ["after && of which the first is false", [["Both", 1, 1]], ["both: if", "both: return"]],
    ["after && of which both are true", [["Both", 2, 1]], ["both: if", "both: then"]],
    ["of a loop that is not entered", [["Loop", 0]], ["loop: for", "loop: return"]],
    ["of a loop that ends", [["Loop", 2]], ["loop: for", "loop: if", "loop: body", "loop: return"]],
    ["of a loop that is left", [["Loop", 9]], ["loop: for", "loop: if", "loop: break", "loop: body", "loop: return"]],
    ["of a case that goes on to the next", [["Choose", 0]], ["choose: switch", "choose: 0", "choose: 1, after 0"]],
    ["of a case that others go on to", [["Choose", 1]], ["choose: switch", "choose: 1, after 0"]],
    ["of two cases", [["Choose", 3]], ["choose: switch", "choose: 2, 3"]],
    ["of the default", [["Choose", 77]], ["choose: switch", "choose: default"]],
    ["of an error path", [["Fail", 1]], ["fail: call", "fail: if", "fail: goto", "fail: clean up", "fail: return"]],
    ["beside an error path", [["Fail", 0]], ["fail: call", "fail: if", "fail: success"]],
    ["of a choice without its inlined call", [["Ends", 0]], ["ends: call", "ends: choice"]],
    ["of a header of the driver", [["Ends", 4]], ["ends: call", "ends: choice", "twice: if", "twice: usual"]],
    ["of a header of the library: they are the line that uses it", [["Library", 0x20_0000]], ["library: call"]],
    [
      "of several calls together",
      [
        ["Status", 5],
        ["Both", 1, 1],
      ],
      ["status: if", "status: then", "status: return", "both: if", "both: return"],
    ],
  ] as const)("%s", (_what, calls, lines) => {
    expect(after(...calls).lines).toEqual(lines);
  });

  test("only files of the driver have lines", () => {
    expect([...new Set(coverage.lines.map(({ file }) => file))]).toEqual(FILES);
  });
});

describe("Branches", () => {
  test("have a way for each outcome; && makes two of one line, and cases that go to one place are one way", () => {
    expect(coverage.branches.map((branch) => `${nameOf(branch)}: ${branch.outcomes.length}`)).toEqual([
      ...["status: if: 2", "both: if: 2", "both: if: 2", "loop: for: 2", "loop: if: 2", "choose: switch: 4", "fail: if: 2"],
      ...["ends: choice: 2", "twice: if: 2", "forever: if: 2"],
    ]);
  });

  test.each([
    ["Status", [[5], [3]]],
    ["Loop", [[0], [9]]],
    ["Fail", [[0], [1]]],
  ] as const)("%s: two calls take the ways that one leaves out", (name, [first, second]) => {
    const ways = (...args: readonly (readonly number[])[]) => after(...args.map((each) => [name, ...each] as const)).ways;
    const one = ways(first);
    const other = ways(second);
    const both = ways(first, second);
    expect(one.length).toBeLessThan(both.length);
    expect(new Set([...one, ...other])).toEqual(new Set(both));
    const all = coverage.branches.filter((branch) => nameOf(branch).startsWith(name.toLowerCase()));
    expect(both.length).toBe(all.reduce((sum, { outcomes }) => sum + outcomes.length, 0));
  });

  test("a switch goes one way at a time", () => {
    const ways = [0, 1, 2, 3, 77].map((which) => after(["Choose", which]).ways);
    expect(ways.map(({ length }) => length)).toEqual([1, 1, 1, 1, 1]);
    expect(ways[2]).toEqual(ways[3]);
    expect(new Set(ways.flat()).size).toBe(4);
  });

  test("the second condition of && is not asked when the first is false", () => {
    expect(after(["Both", 1, 1]).ways.length).toBe(1);
    expect(after(["Both", 2, 9]).ways.length).toBe(2);
  });
});

describe("Functions", () => {
  test("are entered when their point is set, and know who calls them by name", () => {
    const host = new TestHost(image, { Outside: (value) => value });
    host.call("Fail", 0);
    const flags = new Uint8Array(host.memory.wasm.buffer, BASE, coverage.points);
    const entered = coverage.functions.filter(({ points }) => points.some((point) => flags[point] !== 0));
    expect(entered.map(({ name }) => name)).toEqual(["Fail"]);
    const helper = coverage.functions.find(({ name }) => name === "Helper");
    const callers = coverage.functions.filter(({ indexes }) => helper?.callers.includes(indexes[0] ?? -1));
    expect(callers.map(({ name }) => name)).toEqual(["DriverEntry"]);
    expect(helper?.pointers).toEqual([]);
    expect(coverage.functions.find(({ name }) => name === "ByPointer")?.pointers.length).toBe(1);
  });
});

describe("What is counted", () => {
  test("code after a call that parked is executed when it goes on, once and not before", () => {
    const host: TestHost = new TestHost(image, {
      Outside: (value) => {
        if (host.state.value === REWINDING) {
          host.state.value = NORMAL;
          return value;
        }
        new Int32Array(host.memory.wasm.buffer).set([BUFFER + 8, BUFFER + 0x8000], BUFFER >> 2);
        host.data.value = BUFFER;
        host.state.value = UNWINDING;
        return 0;
      },
    });
    host.call("Ends", 4);
    expect(executed(host).ways).toEqual([]);
    expect(executed(host).lines).not.toContain("twice: usual");
    host.state.value = REWINDING;
    expect(host.call("Ends", 4)).toBe(8);
    expect(executed(host)).toEqual(after(["Ends", 4]));
  });

  test("the lines of calls are as exact as without", () => {
    const host = new TestHost(image, {
      Outside: (value) => {
        if (value === -1) throw new Error("here");
        return value;
      },
    });
    const [place] = image.locateStack(host.failure("Fail", 1).stack ?? "");
    expect(place).toMatchObject({ function: "Fail", line: lineOf("counted/driver.c", "fail: clean up"), isApproximate: false });
  });

  test("a driver that is built without has no coverage, and writes nothing", async () => {
    const plain = await build("counted", { exports: FUNCTIONS, checks: noChecks });
    expect(plain.coverage()).toBeUndefined();
    const host = new TestHost(plain, { Outside: (value) => value });
    host.call("Status", 5);
    expect(new Uint8Array(host.memory.wasm.buffer, BASE, BYTES).every((byte) => byte === 0)).toBe(true);
  });

  test("where there is no room for all points, the last functions are left out, and a warning says so", async () => {
    const small = await build("counted", {
      exports: FUNCTIONS,
      checks: noChecks,
      coverage: { base: BASE, bytes: 20, isByLine: true },
    });
    const { points, functions } = coverageOf(small);
    expect(points).toBeLessThanOrEqual(20);
    expect(functions.map(({ name }) => name)).not.toContain("Choose");
    expect(functions.map(({ name }) => name)).toContain("Status");
    expect(small.warnings.join()).toMatch(
      /there is room for \d+ places in the code, and the driver has more\. Its last \d+ functions/,
    );
    const host = new TestHost(small, { Outside: (value) => value });
    for (const name of ["Choose", "Status", "Fail"]) host.call(name, 1);
    expect(new Uint8Array(host.memory.wasm.buffer, BASE + points, BYTES).every((byte) => byte === 0)).toBe(true);
  });
});
