import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { goodStory, inAnyOrder, load, settle, story, unload } from "./io-support.ts";
import { buildDriver, call } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("handles");
});

const holds = (...calls: Action[]): void => {
  const { printed, results } = goodStory(driver, load, ...calls, settle, unload);
  expect({ printed, results: results.slice(1, 1 + calls.length) }).toEqual({ printed: [], results: calls.map(() => 0) });
};

describe("A system thread", () => {
  test("runs in the system process with normal APCs disabled, until it ends itself; its object is signalled from then on", () => {
    holds(call("StartThread"), call("CloseThread"), call("EndThread"));
    inAnyOrder(driver, [load, call("StartThread"), call("CloseThread"), call("EndThread"), settle, unload], 20);
  });

  test("is waited for by its handle as well, whether it calls PsTerminateSystemThread or returns", () => {
    holds(call("RunThread", 0), call("RunThread", 1));
  });

  test("is the only one that PsTerminateSystemThread ends", () => {
    holds(call("TerminateNobody"));
  });

  test("that is still running when its driver is unloaded is told, and so is a handle that is not closed", () => {
    const { findings } = story(driver, load, call("StartThread"), call("CloseThread"), unload);
    expect(findings[0]).toMatch(/^leak-handle: The driver is unloaded, and 1 system thread\(s\) of it are still running/);
    const kept = story(driver, load, call("StartThread"), call("EndThread"), settle, unload);
    expect(kept.findings).toEqual([
      expect.stringMatching(
        /^leak-handle: The driver is unloaded, and 1 handle\(s\) that it opened are not closed; what they stand for: Thread\./,
      ),
    ]);
  });
});
