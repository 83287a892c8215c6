/** Simulated applications: what they pass and get, what a scenario may expect of them, and copies of machines in the middle of their requests. */
import { beforeAll, describe, expect, test } from "vitest";
import { restoreSnapshot, takeSnapshot } from "../../src/kernel/index.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { Machine, MachineDriver } from "../../src/machine/machine.ts";
import type { DataPart } from "../../src/machine/user-data.ts";
import { close, code, goodStory, load, open, settle, story, unload } from "../kernel/io-support.ts";
import { buildDriver, call, inParallel } from "../kernel/support.ts";
import { SeededStrategy, memoryOf, recordingMachine } from "./support.ts";

let queue: MachineDriver;
let transfers: MachineDriver;
beforeAll(async () => {
  queue = await buildDriver("csq");
  transfers = await buildDriver("transfers");
});

const life = (...actions: Action[]): Action[] => [load, open("Buffered"), ...actions, close, settle, unload];
const write = (...data: DataPart[]): Action => ({ do: "write", file: "f", data });
const control = (outputBytes: number, more: object = {}): Action => ({
  do: "control",
  file: "f",
  code: code(0x801),
  input: [1],
  outputBytes,
  ...more,
});

describe("The data of an application", () => {
  test.each<[string, DataPart[], number]>([
    [
      "bytes, numbers and zeros",
      [1, { u16: 0x0201 }, { u32: 0x0403_0201 }, { u64: 0x0101n }, { zeros: 3 }, Uint8Array.of(5)],
      21,
    ],
    ["texts", [{ text: "\u0102" }, { ansi: "\u0003" }], 6],
    ["zeros up to a boundary, and the size of other data", [1, { align: 4 }, { sizeOf: [{ u32: 7 }] }], 5],
  ])("may be %s", (_what, data, sum) => {
    expect(goodStory(transfers, ...life(write(...data))).printed).toEqual([`written ${sum}`]);
  });

  test("may point to more of it, in memory of the application's own", () => {
    const { printed } = goodStory(transfers, ...life(write({ pointerTo: [1, 2] }, { pointerTo: [] })));
    expect(Number(printed[0]?.replace("written ", ""))).toBeGreaterThan(0);
  });

  test("may not name a handle that is not open", () => {
    expect(story(transfers, ...life(write({ handle: "nobody" }))).outcome).toMatch(
      /^failed: the scenario passes the handle 'nobody'/,
    );
  });
});

describe("A scenario", () => {
  test("is told when a call ends with another status or another output than it expects", () => {
    expect(story(transfers, ...life(control(1, { expect: "STATUS_PENDING" }))).findings).toEqual([
      expect.stringMatching(/^scenario-assert: IOCTL 0x\w+ on 'f' ended with STATUS_SUCCESS, and STATUS_PENDING was expected/),
    ]);
    goodStory(transfers, ...life(control(2, { expectOutput: [0x10, 0x11] })));
    expect(story(transfers, ...life(control(2, { expectOutput: [0x10, 0x12] }))).findings).toEqual([
      expect.stringMatching(/^scenario-assert: /),
    ]);
  });

  test("cannot go on with a file that is not open, or a request that was not made", () => {
    expect(story(transfers, load, control(1)).outcome).toMatch(/^failed: the scenario uses the file 'f', which is not open/);
    expect(story(transfers, load, { do: "await", request: "r" }).outcome).toMatch(/^failed: the scenario names the request 'r'/);
  });

  test("may open the first device of a driver for applications; calls on a device that is not there have no handle", () => {
    goodStory(
      transfers,
      load,
      { do: "open", file: "f", device: { ofDriver: 0 }, expect: "STATUS_SUCCESS" },
      close,
      settle,
      unload,
    );
    const absent: Action = { do: "open", file: "g", device: { ofDriver: 3 }, expect: "STATUS_OBJECT_NAME_NOT_FOUND" };
    const { results } = goodStory(transfers, load, absent, { ...write(1), file: "g" } as Action, settle, unload);
    expect(results[2]).toBe(0xc000_0008);
  });
});

describe("A machine in the middle of an application's requests", () => {
  const read = (request: string, file = "f"): Action => ({ do: "read", file, bytes: 2, request });
  const scenario = {
    name: "copied",
    summary: "",
    actions: [
      load,
      open("Queue", { overlapped: true }),
      open("Queue", { file: "g", process: 2 }),
      read("r"),
      inParallel({ do: "read", file: "g", bytes: 1 }),
      inParallel(call("CompleteNext")),
      inParallel({ do: "cancel", request: "r" } as const),
      { do: "await", request: "r" },
      inParallel(call("CompleteNext")),
      { do: "exit", process: 2 },
      settle,
      close,
      settle,
      call("IsEmpty"),
      unload,
    ] satisfies Action[],
  };

  /** Runs to the end; the number of steps of the run loop. */
  function finish(machine: Machine): number {
    let steps = 0;
    while (machine.step()) steps += 1;
    expect(machine.kernel.threads.filter(({ state }) => state === "Live")).toHaveLength(0);
    return steps;
  }

  function whole(seed: number) {
    const { machine, trace } = recordingMachine([queue], scenario, new SeededStrategy(seed));
    machine.start();
    const steps = finish(machine);
    return { trace, steps, memory: memoryOf(machine) };
  }

  function copiedAt(seed: number, steps: number) {
    const first = new SeededStrategy(seed);
    const { machine, trace } = recordingMachine([queue], scenario, first);
    machine.start();
    for (let step = 0; step < steps; step += 1) machine.step();
    const snapshot = takeSnapshot(machine.kernel);
    const second = recordingMachine([queue], scenario, new SeededStrategy(seed, first.made));
    restoreSnapshot(second.machine.kernel, snapshot);
    finish(second.machine);
    return { trace: [...trace, ...second.trace], memory: memoryOf(second.machine) };
  }

  test.each([1, 2, 3])("is copied at any point and runs on the same (%i)", (seed) => {
    const { trace, steps, memory } = whole(seed);
    expect(steps).toBeGreaterThan(20);
    for (let step = seed; step < steps; step += Math.ceil(steps / 12)) {
      const copied = copiedAt(seed, step);
      expect(copied.trace).toEqual(trace);
      expect(Buffer.compare(copied.memory, memory)).toBe(0);
    }
  });
});
