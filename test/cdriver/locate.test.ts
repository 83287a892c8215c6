import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allChecks } from "../../src/cdriver/checks/flags.ts";
import type { CodeLocation, DriverImage } from "../../src/cdriver/image.ts";
import { build, fixture, lineOf, TestHost, toolchain } from "./support.ts";

const SOURCE = "places/places.c";
const FUNCTIONS = [
  "Inner",
  "CallsInner",
  "LoadsWild",
  "StoresWild",
  "WrongType",
  "Divides",
  "Forever",
  "Deep",
  "Deeper",
  "ReadsNull",
  "WritesNull",
  "UsesHeader",
  "CopiesNull",
];
const UNMAPPED = 0x7fff_0000;

let image: DriverImage;
let checked: DriverImage;
beforeAll(async () => {
  image = await build("places", { exports: FUNCTIONS });
  checked = await build("places", { exports: FUNCTIONS, checks: allChecks });
});
afterAll(() => toolchain.stop());

const plain = { Plain: () => 1 };

function place(comment: string, name: string): CodeLocation {
  return {
    function: name,
    file: fixture(SOURCE),
    line: lineOf(SOURCE, comment),
    column: expect.any(Number),
    isApproximate: false,
  };
}

function stackOf(error: Error, of = image): CodeLocation[] {
  return of.locateStack(error.stack ?? "");
}

describe("The place in the source of what a stack trace shows", () => {
  test("an import that looks at the stack finds each caller at its call", () => {
    let found: CodeLocation[] = [];
    const host = new TestHost(image, {
      ...plain,
      Outside: () => {
        found = stackOf(new Error("here"));
        return 1;
      },
    });
    host.call("CallsInner", 1);
    expect(found).toEqual([place("inner call", "Inner"), place("outer call", "CallsInner")]);
  });

  test("two calls in one function are told apart", () => {
    let found: CodeLocation[] = [];
    const host = new TestHost(image, { Outside: () => 1, Plain: () => ((found = stackOf(new Error("here"))), 1) });
    host.call("Inner", 1);
    expect(found).toEqual([place("first call", "Inner")]);
  });

  test("a parked call that was rewound is still at its call", () => {
    const host = new TestHost(image, {
      ...plain,
      Outside: () => {
        if (host.state.value === 2) {
          host.state.value = 0;
          throw new Error("here");
        }
        host.state.value = 1;
        return 0;
      },
    });
    const words = new Int32Array(host.memory.wasm.buffer);
    words[0x30_0000 >> 2] = 0x30_0008;
    words[(0x30_0000 >> 2) + 1] = 0x30_1000;
    host.data.value = 0x30_0000;
    host.call("CallsInner", 1);
    expect(host.state.value).toBe(1);
    host.state.value = 2;
    expect(stackOf(host.failure("CallsInner", 1))).toEqual([place("inner call", "Inner"), place("outer call", "CallsInner")]);
  });

  test.each([
    ["a load outside memory", "LoadsWild", [UNMAPPED], "wild load"],
    ["a store outside memory", "StoresWild", [UNMAPPED, 4], "wild store"],
    ["a call through a pointer of another type", "WrongType", [3], "wrong type"],
    ["a routine of a header that became part of its caller", "UsesHeader", [0x10_0000, UNMAPPED], "header routine"],
    ["a division by zero", "Divides", [3, 0], "division"],
  ] as const)("%s", (_, name, args, comment) => {
    const [found] = stackOf(new TestHost(image, plain).failure(name, ...args));
    expect(found).toEqual(place(comment, name));
  });

  test("a loop that uses up the steps is at the first line of its body", () => {
    const host = new TestHost(image, plain);
    const [found] = stackOf(host.failure("Forever", 1));
    expect(host.stepsLeft.value).toBe(-1);
    expect(found).toMatchObject({ function: "Forever", line: lineOf(SOURCE, "endless loop") });
  });

  test("a recursion without end is in the function that recurs, and each frame at its call", () => {
    const host = new TestHost(image, plain);
    const frames = stackOf(host.failure("Deep", 0));
    expect(host.depthLeft.value).toBe(-1);
    expect(frames[0]).toMatchObject({ function: "Deep" });
    expect(frames[1]).toMatchObject({ function: "Deep", line: lineOf(SOURCE, "recursion") + 3, isApproximate: false });
  });

  test("a C stack that is too small is in the function whose frame did not fit", () => {
    const host = new TestHost(image, plain);
    const frames = stackOf(host.failure("Deeper", 0));
    expect(host.stackPointer.value).toBeLessThan(host.stackLimit.value);
    expect(frames[0]).toMatchObject({ function: "Deeper" });
  });

  test.each([
    ["ReadsNull", [0, 1], "null read"],
    ["WritesNull", [0, 1], "null write of a"],
    ["WritesNull", [0, 2], "null write of b"],
    ["CopiesNull", [0, 0x10_0000], "null copy"],
    ["CopiesNull", [0x10_0000, 0], "null copy"],
    ["LoadsWild", [0xffff], "wild load"],
    ["StoresWild", [12, 4], "wild store"],
  ] as const)("%s%j accesses the null page", (name, args, comment) => {
    const host = new TestHost(checked, {
      ...plain,
      __ndislab_denied: (address) => {
        throw new Error(`denied ${address}`);
      },
    });
    const [found] = stackOf(host.failure(name, ...args), checked);
    expect(found).toEqual(place(comment, name));
  });

  test("an offset between two known places is approximate, and not after the one asked for", () => {
    const host = new TestHost(image, plain);
    const [, index = "", offset = ""] =
      /wasm-function\[(\d+)\]:0x([0-9a-f]+)/.exec(host.failure("Divides", 3, 0).stack ?? "") ?? [];
    const found = image.locate(Number(index), Number.parseInt(offset, 16) + 1);
    expect(found).toMatchObject({ function: "Divides", line: lineOf(SOURCE, "division"), isApproximate: true });
  });

  test("a frame of another driver is not taken for one of this", () => {
    expect(image.locate(9999, 10)).toBeUndefined();
  });
});

describe("What the linker knew", () => {
  test("an import is named with the places that call it", () => {
    expect(image.importSites("Outside")).toEqual([{ ...place("inner call", "Inner"), column: 0 }]);
  });

  test("a function in the table has its name, its type and its place", () => {
    const index = Array.from({ length: image.tableSize }, (_, entry) => image.tableBase + entry).find(
      (each) => image.functionName(each) === "Twice",
    );
    expect(index).toBeDefined();
    expect(image.functionType(index ?? 0)).toBe("i:i");
    expect(image.functionLocation(index ?? 0)).toMatchObject({ function: "Twice", file: fixture(SOURCE) });
  });

  test("an empty place of the table has neither", () => {
    expect(image.functionType(image.tableBase + image.tableSize)).toBeUndefined();
    expect(image.functionName(0)).toBeUndefined();
  });

  test("imports have their types", () => {
    expect(image.imports).toContainEqual({ name: "Outside", type: "i:i" });
  });
});
