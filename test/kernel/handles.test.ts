import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, code, goodStory, load, open, settle, story, unload } from "./io-support.ts";
import { buildDriver, call } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("handles");
});

const FUNCTIONS = ["types", "signal", "elsewhere", "system handle", "who"] as const;
const within = (name: (typeof FUNCTIONS)[number], file = "f", more = 0): Action => ({
  do: "control",
  file,
  code: code(0x800),
  input: [
    { u32: FUNCTIONS.indexOf(name) },
    name === "types" || name === "signal" ? { handle: "event" } : { u32: 0 },
    { u32: more },
  ],
});
const event: Action = { do: "create event", event: "event" };
const second = open("Handles", { file: "g", process: 2 });
const closeSecond: Action = { do: "close", file: "g" };

/** Nothing is printed, and every function returns 0. */
function holds(...actions: Action[]): void {
  const all = [load, open("Handles"), ...actions, close, settle, unload];
  const { printed, results } = goodStory(driver, ...all);
  expect({
    printed,
    wrong: all.flatMap((action, index) => (action.do === "call" ? [results[index]] : [])).filter(Boolean),
  }).toEqual({
    printed: [],
    wrong: [],
  });
}

describe("A handle of an application", () => {
  test("gives the object if it is of the type, and if it has the access that a user-mode request asks for", () => {
    holds(event, within("types"));
  });

  test("of an event lets the driver set it, by its handle or by its body", () => {
    holds(event, within("signal"), { do: "close", file: "event" }, within("elsewhere"));
  });

  test("is none in another process, nor in a thread of the system", () => {
    holds(event, within("signal"), second, within("elsewhere", "g"), closeSecond, { do: "close", file: "event" });
  });
});

describe("A handle of the system's", () => {
  test("is none that an application could pass, and none any more when it is closed", () => {
    holds(within("system handle"));
  });

  test("of an event, which may have a name, is created, opened, waited for and closed", () => {
    holds(call("Events"));
  });
});

describe("A driver that works for an application", () => {
  test("is in its process, and may enter another one for a while", () => {
    holds(within("who"), second, within("who", "g", 1), call("InSystem"), closeSecond);
  });

  test("leaves each process that it entered once", () => {
    expect(story(driver, load, call("DetachTwice")).findings).toEqual([expect.stringMatching(/^trap: KeUnstackDetachProcess/)]);
  });
});
