import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, code, goodStory, life, load, open, settle, story, unload } from "./io-support.ts";
import { buildDriver } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("transfers");
});

const [BUFFERED, IN_DIRECT, OUT_DIRECT, NEITHER] = [0, 1, 2, 3] as const;
const read = (bytes: number): Action => ({ do: "read", file: "f", bytes });
const write = (...data: number[]): Action => ({ do: "write", file: "f", data });
const control = (method: number, input: number[], outputBytes: number): Action => ({
  do: "control",
  file: "f",
  code: code(0x801, method),
  input,
  outputBytes,
});
/** Has the driver answer with the status and the Information, and so many bytes filled. */
const answer = (status: number, information: number, filled: number, outputBytes: number): Action => ({
  do: "control",
  file: "f",
  code: code(0x800),
  input: [{ u32: status >>> 0 }, { u32: information }, { u32: filled }],
  outputBytes,
});
const lastOutput = (...actions: Action[]) => goodStory(driver, ...life("Buffered", ...actions)).answers.at(-1);

describe.each(["Buffered", "Direct", "Neither"])("A device of way %s", (device) => {
  test("gets the length of a read and fills the requester's buffer", () => {
    const { answers, printed } = goodStory(driver, ...life(device, read(3)));
    expect(printed).toEqual([]);
    expect(answers[1]).toEqual({ status: 0, information: 3, output: Uint8Array.from([0x10, 0x11, 0x12]) });
  });

  test("finds the data of a write", () => {
    const { answers, printed } = goodStory(driver, ...life(device, write(1, 2, 3)));
    expect(printed).toEqual(["written 6"]);
    expect(answers[1]).toMatchObject({ status: 0, information: 3 });
  });

  test("gets reads and writes of no bytes as well", () => {
    const { answers, printed } = goodStory(driver, ...life(device, read(0), write()));
    expect(printed).toEqual(["written 0"]);
    expect(answers[1]).toMatchObject({ status: 0, information: 0 });
  });
});

describe("A control request", () => {
  test.each([
    ["METHOD_BUFFERED", BUFFERED, ["input 6"], [0x10, 0x11]],
    ["METHOD_IN_DIRECT", IN_DIRECT, ["second input 0", "input 6"], [0, 0]],
    ["METHOD_OUT_DIRECT", OUT_DIRECT, ["input 6"], [0x10, 0x11]],
    ["METHOD_NEITHER", NEITHER, ["input 6"], [0x10, 0x11]],
  ] as const)("passes its buffers by %s", (_name, method, story_, output) => {
    const { answers, printed } = goodStory(driver, ...life("Neither", control(method, [1, 2, 3], 2)));
    expect(printed).toEqual(story_);
    expect(answers[1]).toEqual({ status: 0, information: 2, output: Uint8Array.from(output) });
  });

  test("of METHOD_BUFFERED has one buffer of the larger of its two lengths", () => {
    const { answers } = goodStory(driver, ...life("Neither", control(BUFFERED, [1], 200)));
    expect(answers[1]?.output).toEqual(Uint8Array.from({ length: 200 }, (_, index) => 0x10 + index));
  });

  test.each([
    ["read", 1, "STATUS_SUCCESS"],
    ["read", 2, "STATUS_ACCESS_DENIED"],
    ["write", 1, "STATUS_ACCESS_DENIED"],
    ["write", 2, "STATUS_SUCCESS"],
    ["read", 3, "STATUS_ACCESS_DENIED"],
    ["none", 0, "STATUS_SUCCESS"],
    ["read and write", 3, "STATUS_SUCCESS"],
  ] as const)("on a file opened for %s needs the access %i of its code: %s", (access, needed, status) => {
    goodStory(
      driver,
      load,
      open("Buffered", { access }),
      { do: "control", file: "f", code: code(0x801, BUFFERED, needed), expect: status },
      close,
      settle,
      unload,
    );
  });

  test("gives back data with a success or a warning, and none with an error", () => {
    expect(lastOutput(answer(0, 2, 2, 4))?.output).toEqual(Uint8Array.from([0x10, 0x11]));
    expect(lastOutput(answer(0x8000_0005, 4, 4, 4))).toEqual({
      status: 0x8000_0005,
      information: 4,
      output: Uint8Array.from([0x10, 0x11, 0x12, 0x13]),
    });
    expect(lastOutput(answer(0xc000_0023, 4, 4, 4))?.output).toEqual(new Uint8Array(4));
  });

  test("may not be completed with more bytes than its output has", () => {
    const { outcome, findings } = story(driver, ...life("Buffered", answer(0, 5, 4, 4)));
    expect(outcome).toMatch(/^fault/);
    expect(findings).toEqual([expect.stringMatching(/^out-of-bounds: .*Information 5.* has 4 bytes/)]);
  });

  test("that asks for no output may be completed with any Information", () => {
    expect(lastOutput(answer(0, 17, 0, 0))).toMatchObject({ status: 0, information: 17 });
  });
});

describe("Reads and writes", () => {
  test.each([
    ["write", read(1)],
    ["read", write(1)],
    ["none", read(1)],
  ] as const)("need the access that the file was opened with: not with '%s'", (access, action) => {
    goodStory(
      driver,
      load,
      open("Buffered", { access }),
      { ...action, expect: "STATUS_ACCESS_DENIED" } as Action,
      close,
      settle,
      unload,
    );
  });
});
