import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, code, goodStory, inAnyOrder, load, open, settle, unload } from "./io-support.ts";
import { buildDriver, call, inParallel } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("zwfiles");
});

function holds(...calls: Action[]): readonly string[] {
  const { printed, results } = goodStory(driver, load, ...calls, settle, unload);
  expect(results.slice(1, 1 + calls.length)).toEqual(calls.map(() => 0));
  return printed;
}

describe("A driver that opens a file itself", () => {
  test("passes its options, its share access and its attributes on, and closes the handle once", () => {
    expect(holds(call("Opens"))).toEqual([
      "create '\\x' disposition 1 options 20 share 1 attributes 80 access 120089 ea 0",
      "create '' disposition 1 options 0 share 2 attributes 0 access 2 ea 0",
    ]);
  });

  test("does so in kernel mode, also when it works for an application", () => {
    const { printed } = goodStory(
      driver,
      load,
      open("Self"),
      { do: "control", file: "f", code: code(1, 3) },
      close,
      settle,
      unload,
    );
    expect(printed).toHaveLength(2);
    for (const line of printed) expect(line).toMatch(/^create/);
  });

  test("sends a control request and has its status, its data and its event", () => {
    holds(call("Controls"));
  });

  test.each([
    ["an event", 1],
    ["the file itself", 0],
  ])("learns by %s of the end of a request that was pending", (_name, hasEvent) => {
    holds(call("ReadLater", hasEvent), call("WriteNow"), call("AwaitRead", hasEvent));
    const either = [call("ReadLater", hasEvent), inParallel(call("AwaitRead", hasEvent)), inParallel(call("WriteNow"))];
    inAnyOrder(driver, [load, ...either, settle, unload], 20);
  });
});
