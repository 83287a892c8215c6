import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, goodStory, inAnyOrder, load, open, settle, unload } from "./io-support.ts";
import { buildDriver, call, inParallel } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("csq");
});

const opened = open("Queue", { overlapped: true });
const read = (request: string, bytes = 1, expected = "STATUS_PENDING", file = "f"): Action => ({
  do: "read",
  file,
  bytes,
  request,
  expect: expected,
});
const cancel = (request: string): Action => ({ do: "cancel", request, expect: "STATUS_SUCCESS" });
const awaited = (request: string, expected: string): Action => ({ do: "await", request, expect: expected });
const check = (...actions: Action[]): void => {
  const all = [load, opened, ...actions, close, settle, call("IsEmpty"), unload];
  const { printed, results } = goodStory(driver, ...all);
  const failed = all.filter((action, index) => action.do === "call" && results[index] !== 0);
  expect({ printed, failed }).toEqual({ printed: [], failed: [] });
};

describe("A cancel-safe queue", () => {
  test("gives its IRPs back in the order of its peek routine, each without a cancel routine", () => {
    check(
      read("r"),
      read("s"),
      call("Has", 2),
      call("CompleteNext"),
      awaited("r", "STATUS_SUCCESS"),
      call("CompleteNext"),
      awaited("s", "STATUS_SUCCESS"),
      call("CompleteNext"),
    );
  });

  test("has a cancelled IRP removed and completed outside its lock", () => {
    check(
      read("r"),
      read("s"),
      cancel("r"),
      awaited("r", "STATUS_CANCELLED"),
      call("CompleteNext"),
      awaited("s", "STATUS_SUCCESS"),
    );
  });

  test("gives those of a file to its cleanup", () => {
    const other = open("Queue", { file: "g", overlapped: true });
    check(
      other,
      read("r"),
      read("s", 1, "STATUS_PENDING", "g"),
      { do: "close", file: "g" },
      awaited("s", "STATUS_CANCELLED"),
      call("Has", 1),
    );
  });

  test("gives one IRP by its context, once", () => {
    check(
      read("r"),
      read("s", 2),
      call("CompleteThatOne"),
      awaited("s", "STATUS_SUCCESS"),
      call("CompleteThatOne"),
      call("Has", 1),
    );
    check(read("s", 2), cancel("s"), awaited("s", "STATUS_CANCELLED"), call("CompleteThatOne"));
  });
});

describe("An extended cancel-safe queue", () => {
  test("passes the insert context on, and keeps the IRP", () => {
    check(call("Extend", 0), read("r"), call("CompleteNext"), awaited("r", "STATUS_SUCCESS"));
  });

  test("gives back the status of an insertion that failed, and does not keep the IRP", () => {
    check(call("Extend", 0xc000_009a), read("r", 1, "STATUS_INSUFFICIENT_RESOURCES"), call("Has", 0), {
      do: "await",
      request: "r",
      expect: "STATUS_INSUFFICIENT_RESOURCES",
    });
  });
});

describe("In any order of events", () => {
  const ends: Action[] = [settle, { do: "close", file: "f" }, settle, call("IsEmpty"), unload];

  test("an IRP that is inserted, cancelled, removed and cleaned up is completed once", () => {
    const meets: Action[] = [
      inParallel({ do: "read", file: "f", bytes: 2, request: "s" }),
      inParallel(call("CompleteNext")),
      inParallel(call("CompleteThatOne")),
      inParallel({ do: "cancel", request: "r" }),
    ];
    inAnyOrder(driver, [load, opened, { do: "read", file: "f", bytes: 1, request: "r" }, ...meets, ...ends], 120);
  });

  test("an IRP that is cancelled while it is inserted is completed once", () => {
    const insertion = inParallel({ do: "read", file: "f", bytes: 1, request: "r" });
    const meets = [
      call("Has", 0),
      call("CompleteThatOne"),
      { do: "cancel", request: "r" } as const,
      settle,
      call("CompleteNext"),
    ];
    inAnyOrder(driver, [load, opened, insertion, ...meets, ...ends], 150, /names the request 'r', which was not made/);
  });

  test("an IRP that is inserted while its process ends is completed once", () => {
    const meets = [inParallel({ do: "exit" } as const), inParallel(call("CompleteNext"))];
    const start = [load, opened, { do: "read", file: "f", bytes: 2, request: "r" } as const];
    inAnyOrder(driver, [...start, ...meets, settle, call("IsEmpty"), unload], 80);
  });
});
