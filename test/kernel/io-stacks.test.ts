import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, goodStory, inAnyOrder, load, open, settle, story, unload } from "./io-support.ts";
import { buildDriver, call, inParallel } from "./support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("stacks");
});

const FILTERS = ["skip", "copy", "keep", "retry", "mark", "only on error"] as const;
const ANSWERS = ["at once", "later", "fail"] as const;
const control = (filter: (typeof FILTERS)[number], answer: (typeof ANSWERS)[number], more: object = {}): Action => ({
  do: "control",
  file: "f",
  code: (FILTERS.indexOf(filter) << 2) | (ANSWERS.indexOf(answer) << 6),
  ...more,
});
/** A request below the filter, which the device below completes at once or later. */
const filtered = (filter: (typeof FILTERS)[number], answer: (typeof ANSWERS)[number]): Action[] => [
  load,
  call("AttachTop"),
  open("Bottom"),
  ...(answer === "later"
    ? [inParallel(control(filter, answer)), { do: "wait", milliseconds: 1 } as const, call("CompleteWaiting")]
    : [control(filter, answer)]),
  settle,
  close,
  settle,
  unload,
];
const bottom = "bottom, location 1 of 2";

describe("A request for a device with a filter above it", () => {
  test.each([
    ["skip", "at once", ["bottom, location 2 of 2"]],
    ["skip", "later", ["bottom, location 2 of 2"]],
    ["copy", "at once", [bottom, "completion, status 0, pending 0"]],
    ["copy", "later", [bottom, "completion, status 0, pending 1"]],
    ["keep", "at once", [bottom, "completion, status 0, pending 0", "top has it again"]],
    ["keep", "later", [bottom, "completion, status 0, pending 1", "top has it again"]],
    ["mark", "at once", [bottom, "completion, status 0, pending 0"]],
    ["mark", "later", [bottom, "completion, status 0, pending 1"]],
    ["retry", "fail", [bottom, "completion, status 80000011, pending 0", bottom, "completion, status 0, pending 0"]],
    ["only on error", "at once", [bottom]],
    ["only on error", "later", [bottom]],
    ["only on error", "fail", [bottom, "completion, status 80000011, pending 0"]],
  ] as const)("goes down by way of '%s' and comes back %s", (filter, answer, printed) => {
    const actions = filtered(filter, answer);
    expect(goodStory(driver, ...actions).printed).toEqual(printed);
    inAnyOrder(driver, actions, 10);
  });

  test("is completed with what the driver that completed it last has put into it", () => {
    const told = goodStory(driver, ...filtered("keep", "at once"));
    expect(told.answers.at(-1)).toMatchObject({ status: 0, information: 7 });
  });

  test("finds no filter any more that was detached and deleted", () => {
    const actions = [
      load,
      call("AttachTop"),
      open("Bottom"),
      call("DetachTop"),
      control("copy", "at once"),
      close,
      settle,
      unload,
    ];
    expect(goodStory(driver, ...actions).printed).toEqual(["bottom, location 1 of 1"]);
  });

  test("cannot go to a filter that was deleted, and not detached", () => {
    const { findings } = story(
      driver,
      load,
      call("AttachTop"),
      open("Bottom"),
      call("DeleteTopOnly"),
      control("copy", "at once"),
    );
    expect(findings).toEqual([expect.stringMatching(/^use-after-free: .*is no device object: was it deleted, and not detached/)]);
  });
});

describe("A filter", () => {
  test("attaches itself by the name of the device below; the file for it is cleaned up and closed through the filter", () => {
    expect(goodStory(driver, load, call("AttachTopByName"), unload).results[1]).toBe(0);
  });

  test("cannot be attached to a device that is being initialized", () => {
    expect(goodStory(driver, load, call("AttachToInitializing"), unload).results[1]).toBe(0);
  });
});

const passes = (...calls: Action[]) =>
  expect(goodStory(driver, load, ...calls, settle, unload).results.slice(1, 1 + calls.length)).toEqual(calls.map(() => 0));

describe("A request of a driver's own", () => {
  test("for a control is built with an event and a status block, which tell its end", () => {
    passes(call("BuildControl", 0));
    passes(call("BuildInternal"));
    const pending = [
      load,
      inParallel(call("BuildControl", 1)),
      { do: "wait", milliseconds: 1 } as const,
      call("CompleteWaiting"),
    ];
    goodStory(driver, ...pending, settle, unload);
    inAnyOrder(driver, [...pending, settle, unload], 20);
  });

  test("for a read, a write or a flush has its buffer and its offset", () => {
    passes(call("BuildSynchronous"));
  });

  test("is allocated, sent, used again and freed by its completion routine", () => {
    passes(call("OwnIrp"));
  });

  test.each([
    [0, /^irp-touched-after-completion: A completion routine freed the IRP .*STATUS_MORE_PROCESSING_REQUIRED/],
    [1, /^irp-touched-after-completion: .*came back to the I\/O manager: its completion routine has to free it/],
    [2, /^bugcheck: .*no stack location left.*0x35/i],
  ])("that is allocated may not be lost (%i)", (how, finding) => {
    expect(story(driver, load, call("OwnIrpWrong", how)).findings).toEqual([expect.stringMatching(finding)]);
  });
});

describe("IoGetDeviceObjectPointer", () => {
  test("opens the device for its caller, and gives the top of its stack; the file is closed by ObDereferenceObject", () => {
    passes(call("DevicePointer"));
    passes(call("AttachTop"), call("DevicePointer"));
  });

  test("keeps the driver below from being unloaded until the file is dereferenced", () => {
    const { outcome, findings } = story(driver, load, call("KeepPointer"), settle, unload);
    expect(outcome).toBe("hung");
    expect(findings).toEqual([expect.stringMatching(/^hung: .*no file of a device of driver 0 is open/)]);
  });
});
