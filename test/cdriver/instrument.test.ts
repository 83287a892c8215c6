import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DriverImage } from "../../src/cdriver/image.ts";
import { instrument } from "../../src/cdriver/instrument.ts";
import { readModule } from "../../src/cdriver/wasm-module.ts";
import { build, NORMAL, REWINDING, TestHost, toolchain, UNWINDING } from "./support.ts";

let image: DriverImage;
beforeAll(async () => {
  const exports = ["Rounds", "Depth", "WideDepth", "NothingDepth", "Even", "Choose", "Sum"];
  image = await build("limits", { exports });
});
afterAll(() => toolchain.stop());

const STEPS = 10_000;
const DEPTH = 100;
const BUFFER = 0x30_0000;

/** A host whose `Wait` answers 3: at once, or after its callers were parked and rewound. */
function waitingHost(isParking: boolean): TestHost & { parked: number } {
  const host: TestHost = new TestHost(image, {
    Wait: () => {
      if (!isParking) return 3;
      if (host.state.value === REWINDING) {
        host.state.value = NORMAL;
        return 3;
      }
      new Int32Array(host.memory.wasm.buffer).set([BUFFER + 8, BUFFER + 0x8000], BUFFER >> 2);
      host.data.value = BUFFER;
      host.state.value = UNWINDING;
      return 0;
    },
  });
  host.stepsLeft.value = STEPS;
  host.depthLeft.value = DEPTH;
  return Object.assign(host, { parked: 0 });
}

/** The result, when parked calls are rewound until it is there; as the kernel does, the depth of parked frames is put aside. */
function finish(host: TestHost & { parked: number }, name: string, ...args: number[]): number {
  let depth = host.depthLeft.value;
  let result = host.call(name, ...args);
  while (host.state.value === UNWINDING) {
    host.parked += 1;
    const held = depth - host.depthLeft.value;
    host.depthLeft.value = DEPTH;
    depth = DEPTH;
    host.depthLeft.value -= held;
    host.state.value = REWINDING;
    result = host.call(name, ...args);
  }
  return result;
}

describe("The limits of a driver", () => {
  test.each([
    ["Rounds", 5, 15],
    ["Depth", 90, 91],
    ["NothingDepth", 20, undefined],
    ["Even", 7, 3],
    ["Choose", 1, 3],
    ["Choose", 2, 4],
    ["Choose", 3, 3],
    ["Choose", 9, 8],
  ] as const)("%s(%d) uses the same steps at once and parked, and gives back its depth", (name, argument, expected) => {
    const atOnce = waitingHost(false);
    const parked = waitingHost(true);
    expect(finish(atOnce, name, argument)).toBe(expected);
    expect(finish(parked, name, argument)).toBe(expected);
    expect(parked.parked).toBeGreaterThan(0);
    expect(parked.stepsLeft.value).toBe(atOnce.stepsLeft.value);
    expect([atOnce.depthLeft.value, parked.depthLeft.value]).toEqual([DEPTH, DEPTH]);
    expect(parked.stackPointer.value).toBe(atOnce.stackPointer.value);
  });

  test("each round of a loop is a step", () => {
    const host = waitingHost(false);
    host.call("Rounds", 8);
    expect(STEPS - host.stepsLeft.value).toBe(8);
  });

  test("with as many steps as rounds a loop ends, with one less it traps", () => {
    const host = waitingHost(false);
    host.stepsLeft.value = 8;
    expect(host.call("Rounds", 8)).toBe(24);
    host.stepsLeft.value = 7;
    expect(host.failure("Rounds", 8)).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(host.stepsLeft.value).toBe(-1);
  });

  test.each(["Depth", "WideDepth", "NothingDepth", "Even"])(
    "%s may be as deep as the depth that is left, and no deeper",
    (name) => {
      const host = waitingHost(false);
      host.call(name, DEPTH - 1);
      expect(host.depthLeft.value).toBe(DEPTH);
      expect(host.failure(name, DEPTH)).toBeInstanceOf(WebAssembly.RuntimeError);
      expect(host.depthLeft.value).toBe(-1);
    },
  );

  test("the limits, the stack pointer and Asyncify's state are imported, and nothing else keeps state", () => {
    const module = readModule(image.wasm);
    expect(module.globals.filter((each) => each.isMutable)).toEqual([]);
    const globals = module.imports.filter((each) => each.kind === "global").map((each) => `${each.module}.${each.name}`);
    expect(globals.sort()).toEqual(
      ["__asyncify_data", "__asyncify_state", "__depth_left", "__stack_limit", "__stack_pointer", "__steps_left"].map(
        (name) => `env.${name}`,
      ),
    );
  });
});

describe("What a driver must not have", () => {
  /** A module with one global and one function: `body` is its code. */
  function moduleWith(globalIsMutable: number, body: readonly number[]) {
    const section = (id: number, ...contents: number[]) => [id, contents.length, ...contents];
    return readModule(
      Uint8Array.from([
        ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
        ...section(1, 1, 0x60, 0, 0),
        ...section(2, 1, 3, 0x65, 0x6e, 0x76, 1, 0x6d, 2, 0, 1),
        ...section(3, 1, 0),
        ...section(6, 1, 0x7f, globalIsMutable, 0x41, 0, 0x0b),
        ...section(10, 1, body.length + 2, 0, ...body, 0x0b),
      ]),
    );
  }

  test("a mutable global is refused", () => {
    expect(() => instrument(moduleWith(1, []), "driver")).toThrow(/driver: .*mutable WebAssembly global/);
  });

  test("a constant global is not", () => {
    expect(() => instrument(moduleWith(0, []), "driver")).not.toThrow();
  });

  test("growing the memory is refused", () => {
    expect(() => instrument(moduleWith(0, [0x41, 1, 0x40, 0, 0x1a]), "driver")).toThrow(/grows the memory/);
  });
});
