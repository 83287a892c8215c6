/**
 * The page "Freeing an NDIS Port", one test for each of its sentences, in the page's order, with a miniport in C and one in TypeScript.
 * What NDIS guarantees is read from the trace; what a driver must do is done by a driver that is clean and broken by one that is reported.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "../../src/verifier/run.ts";
import { BEHAVIOUR, COMMAND, HANDLER } from "./drivers/porter.ts";
import {
  COUNTERPART,
  DRIVER,
  LANGUAGES,
  type Stacks,
  breaches,
  buildStacks,
  callsOf,
  exercise,
  expectAlwaysClean,
  expectClean,
  load,
  pause,
  play,
  restart,
  settle,
  start,
  stop,
  story,
  unload,
} from "./support.ts";

type Actions = Parameters<typeof play>[1];

let stacks: Stacks;
beforeAll(async () => {
  stacks = await buildStacks("porter");
});

const behave = (...what: readonly (keyof typeof BEHAVIOUR)[]) =>
  exercise(
    COMMAND.Behave,
    what.reduce((flags, each) => flags | BEHAVIOUR[each], 0),
  );
const ports = (count: number) => exercise(COMMAND.Ports, count);
const keep = (number: number) => exercise(COMMAND.Keep, number);
const freeIn = (handler: keyof typeof HANDLER) => exercise(COMMAND.FreeIn, HANDLER[handler]);
const allocate = exercise(COMMAND.Allocate);
const free = (number: number) => exercise(COMMAND.Free, number);
const activate = (number: number) => exercise(COMMAND.Activate, number);
const deactivate = (number: number) => exercise(COMMAND.Deactivate, number);

/** The miniport's adapter runs, with a protocol above it. It has ports 1, which is active, and 2, which is not. */
const running: Actions = [load(DRIVER), load(COUNTERPART), start(DRIVER), settle];
const takenDown: Actions = [settle, stop(), settle, unload(DRIVER), unload(COUNTERPART), settle];
const STOP = "adapter 0 stops";
const START = "adapter 0 starts";

const PORT_1_ACTIVE = 1;
const PORT_2_INACTIVE = 2;
const DEFAULT_PORT = 0;

/** What became of ports and handlers, without the default port. */
function portStory(result: RunResult, names: readonly string[], from?: string): string[] {
  return story(result, ["port", ...names], from === undefined ? {} : { from }).filter((line) => !line.startsWith("port 0"));
}

const freesOf = (result: RunResult): string[] => story(result, ["NdisMFreePort"]).filter((line) => line.includes("="));

describe.each(LANGUAGES)("Freeing an NDIS Port: a miniport in %s", (language) => {
  const playHere = (actions: Actions): RunResult => play(stacks[language], actions);
  const isAlwaysClean = (actions: Actions): void => expectAlwaysClean(stacks[language], actions);

  describe("a miniport must free all ports that it allocated for an adapter in MiniportInitializeEx", () => {
    test("a driver that allocates three and frees three is clean", () => {
      const actions = [ports(3), ...running, ...takenDown];
      const result = playHere(actions);
      expectClean(result);
      expect(portStory(result, ["MiniportInitializeEx"], START).slice(0, 6)).toEqual([
        "MiniportInitializeEx",
        "port 1: Unallocated -> Allocated",
        "port 2: Unallocated -> Allocated",
        "port 3: Unallocated -> Allocated",
        "port 1: Allocated -> Activated",
        "MiniportInitializeEx = SUCCESS",
      ]);
      expect(portStory(result, [], STOP)).toEqual([
        "port 3: Allocated -> Unallocated",
        "port 2: Allocated -> Unallocated",
        "port 1: Activated -> Allocated",
        "port 1: Allocated -> Unallocated",
      ]);
      isAlwaysClean(actions);
    });

    test("a driver that frees all but one is reported, and the report names the port", () => {
      const result = playHere([ports(3), keep(2), ...running, ...takenDown]);
      expect(breaches(result)).toEqual(["port-free-before-halt-returns @ halt handler"]);
      expect(result.findings[0]?.message).toContain("port 2 ");
    });
  });

  describe("it can free a port at any time, with NdisMFreePort", () => {
    test.each([
      ["in MiniportInitializeEx", [freeIn("Initialize"), ...running]],
      ["in MiniportRestart", [freeIn("Restart"), ...running]],
      ["while the adapter runs", [...running, free(PORT_2_INACTIVE)]],
      ["in MiniportOidRequest", [...running, freeIn("OidRequest"), pause(), restart()]],
      ["in MiniportPause", [freeIn("Pause"), ...running, pause(), restart()]],
      ["while the adapter is paused", [...running, pause(), free(PORT_2_INACTIVE), restart()]],
      ["at DISPATCH_LEVEL, with a spin lock held", [...running, exercise(COMMAND.FreeWithLock, PORT_2_INACTIVE)]],
      ["in MiniportHaltEx", [...running, deactivate(PORT_1_ACTIVE), free(PORT_1_ACTIVE), stop()]],
    ] as const)("%s", (_when, actions) => {
      const result = playHere(actions);
      expectClean(result);
      expect(callsOf(result, "NdisMFreePort").map(({ args }) => args[1])).toContain(PORT_2_INACTIVE);
      expect(freesOf(result).every((line) => line === "NdisMFreePort = SUCCESS")).toBe(true);
      expect(portStory(result, [])).toContain("port 2: Allocated -> Unallocated");
    });

    test("the port is gone when the call returns, and its number is free", () => {
      const result = playHere([...running, free(PORT_2_INACTIVE), free(PORT_2_INACTIVE), allocate, ...takenDown]);
      expectClean(result);
      expect(freesOf(result).slice(0, 2)).toEqual(["NdisMFreePort = SUCCESS", "NdisMFreePort = INVALID_PORT"]);
      expect(portStory(result, []).slice(3, 5)).toEqual(["port 2: Allocated -> Unallocated", "port 2: Unallocated -> Allocated"]);
    });

    test("a driver that has freed its ports before the halt is clean", () => {
      isAlwaysClean([...running, free(PORT_2_INACTIVE), deactivate(PORT_1_ACTIVE), free(PORT_1_ACTIVE), ...takenDown]);
    });
  });

  describe("if MiniportInitializeEx fails, it must free all allocated ports", () => {
    const failed = "the scenario goes no further than MiniportInitializeEx";

    test("a driver that frees them before it fails is clean, and is not halted", () => {
      const result = playHere([behave("FailsInitialize"), ports(3), ...running]);
      expect(breaches(result)).toEqual([]);
      expect(result.outcome.kind, failed).toBe("failed");
      expect(portStory(result, ["MiniportInitializeEx", "MiniportHaltEx"], START)).toEqual([
        "MiniportInitializeEx",
        "port 1: Unallocated -> Allocated",
        "port 2: Unallocated -> Allocated",
        "port 3: Unallocated -> Allocated",
        "port 1: Allocated -> Activated",
        "port 3: Allocated -> Unallocated",
        "port 2: Allocated -> Unallocated",
        "port 1: Activated -> Allocated",
        "port 1: Allocated -> Unallocated",
        "MiniportInitializeEx = FAILURE",
      ]);
    });

    test.each([PORT_1_ACTIVE, PORT_2_INACTIVE])("a driver that leaves port %i is reported at its handler", (number) => {
      const result = playHere([behave("FailsInitialize"), keep(number), ...running]);
      expect(breaches(result)).toEqual(["port-free-on-init-failure @ initialize handler"]);
      expect(result.findings[0]?.message).toContain(`port ${number} `);
    });

    test("a driver that keeps its ports and succeeds is not: it has until the halt", () => {
      expectClean(playHere([keep(2), ...running]));
    });
  });

  describe("if the adapter is halted, MiniportHaltEx must free all allocated ports", () => {
    test("a driver that frees them before its handler returns is clean", () => {
      const result = playHere([...running, ...takenDown]);
      expectClean(result);
      expect(portStory(result, ["MiniportHaltEx"], STOP)).toEqual([
        "MiniportHaltEx",
        "port 2: Allocated -> Unallocated",
        "port 1: Activated -> Allocated",
        "port 1: Allocated -> Unallocated",
        "MiniportHaltEx = SUCCESS",
      ]);
    });

    test("also those that were allocated after MiniportInitializeEx", () => {
      const actions = [...running, allocate, allocate, activate(4), ...takenDown];
      expectClean(playHere(actions));
      isAlwaysClean(actions);
    });

    test("each adapter has ports of its own, which go with it", () => {
      const result = playHere([...running, start(DRIVER, 1), settle, stop(1), ...takenDown]);
      expectClean(result);
      const freed = [
        "MiniportHaltEx",
        "port 2: Allocated -> Unallocated",
        "port 1: Activated -> Allocated",
        "port 1: Allocated -> Unallocated",
      ];
      const halted = [...freed, "MiniportHaltEx = SUCCESS"];
      expect(portStory(result, ["MiniportHaltEx"], "adapter 1 stops")).toEqual([...halted, ...halted]);
    });

    test("a driver that leaves one is reported at its handler", () => {
      expect(breaches(playHere([keep(2), ...running, ...takenDown]))).toEqual(["port-free-before-halt-returns @ halt handler"]);
    });

    test("a driver that leaves one that it allocated later is reported too", () => {
      const result = playHere([keep(3), ...running, allocate, ...takenDown]);
      expect(breaches(result)).toEqual(["port-free-before-halt-returns @ halt handler"]);
      expect(result.findings[0]?.message).toContain("port 3 ");
    });
  });

  describe("NDIS frees the default port by itself, so that the miniport must not", () => {
    test("when MiniportHaltEx has returned", () => {
      const result = playHere([...running, ...takenDown]);
      expectClean(result);
      const told = story(result, ["port", "MiniportHaltEx"], { from: STOP });
      expect(told.slice(told.indexOf("MiniportHaltEx = SUCCESS"))).toEqual([
        "MiniportHaltEx = SUCCESS",
        "port 0: Activated -> Allocated",
        "port 0: Allocated -> Unallocated",
      ]);
      expect(callsOf(result, "NdisMFreePort").map(({ args }) => args[1])).not.toContain(DEFAULT_PORT);
    });

    test("or when MiniportInitializeEx has failed", () => {
      const result = playHere([behave("FailsInitialize"), ...running]);
      expect(story(result, ["port", "MiniportInitializeEx"], { from: START }).slice(-3)).toEqual([
        "MiniportInitializeEx = FAILURE",
        "port 0: Activated -> Allocated",
        "port 0: Allocated -> Unallocated",
      ]);
    });

    test("a driver that tries in its halt is reported at that call", () => {
      const result = playHere([behave("FreesDefaultPort"), ...running, ...takenDown]);
      expect(breaches(result)).toEqual(["port-default-not-freed-by-driver @ free the default port"]);
    });
  });

  describe("an attempt to free the default port gets NDIS_STATUS_INVALID_PORT", () => {
    test("while the adapter runs", () => {
      const result = playHere([...running, free(DEFAULT_PORT), ...takenDown]);
      expect(freesOf(result)[0]).toBe("NdisMFreePort = INVALID_PORT");
      expect(breaches(result)).toEqual(["port-default-not-freed-by-driver @ free"]);
    });

    test("in MiniportHaltEx", () => {
      const result = playHere([behave("FreesDefaultPort"), ...running, ...takenDown]);
      expect(freesOf(result).at(-1)).toBe("NdisMFreePort = INVALID_PORT");
    });

    test("and changes nothing: the port stays active until NDIS frees it", () => {
      const result = playHere([...running, free(DEFAULT_PORT), exercise(COMMAND.Allocate), ...takenDown]);
      expect(story(result, ["port"]).filter((line) => line.startsWith("port 0"))).toEqual([
        "port 0: Unallocated -> Allocated",
        "port 0: Allocated -> Activated",
        "port 0: Activated -> Allocated",
        "port 0: Allocated -> Unallocated",
      ]);
      expect(result.outcome).toEqual({ kind: "finished" });
    });
  });

  describe("an active port must be deactivated before it is freed", () => {
    test("a driver that deactivates it first is clean", () => {
      const actions = [...running, deactivate(PORT_1_ACTIVE), free(PORT_1_ACTIVE), ...takenDown];
      const result = playHere(actions);
      expectClean(result);
      expect(
        portStory(result, ["NdisMNetPnPEvent", "NdisMFreePort"], `driver ${DRIVER} is told to run Exercise`).slice(0, 6),
      ).toEqual([
        "NdisMNetPnPEvent",
        "port 1: Activated -> Allocated",
        "NdisMNetPnPEvent = SUCCESS",
        "NdisMFreePort",
        "port 1: Allocated -> Unallocated",
        "NdisMFreePort = SUCCESS",
      ]);
      isAlwaysClean(actions);
    });

    test("the call for an active port is refused with NDIS_STATUS_INVALID_PORT_STATE and reported", () => {
      const result = playHere([...running, free(PORT_1_ACTIVE), ...takenDown]);
      expect(freesOf(result)[0]).toBe("NdisMFreePort = INVALID_PORT_STATE");
      expect(breaches(result)).toEqual(["port-free-deactivate-first @ free"]);
    });

    test("and changes nothing: the port is active, and can still be deactivated and freed", () => {
      const result = playHere([...running, free(PORT_1_ACTIVE), ...takenDown]);
      expect(portStory(result, []).filter((line) => line.startsWith("port 1"))).toEqual([
        "port 1: Unallocated -> Allocated",
        "port 1: Allocated -> Activated",
        "port 1: Activated -> Allocated",
        "port 1: Allocated -> Unallocated",
      ]);
      expect(freesOf(result).at(-1)).toBe("NdisMFreePort = SUCCESS");
    });

    test("a port that was activated again must be deactivated again", () => {
      const again = [...running, deactivate(PORT_1_ACTIVE), activate(PORT_1_ACTIVE)];
      expect(breaches(playHere([...again, free(PORT_1_ACTIVE), ...takenDown]))).toEqual(["port-free-deactivate-first @ free"]);
      expectClean(playHere([...again, deactivate(PORT_1_ACTIVE), free(PORT_1_ACTIVE), ...takenDown]));
    });

    test("a port that never was active need not be", () => {
      const result = playHere([...running, free(PORT_2_INACTIVE), ...takenDown]);
      expectClean(result);
      expect(freesOf(result)[0]).toBe("NdisMFreePort = SUCCESS");
    });

    test("a driver that forgets it in its halt has the port left, and is reported for both", () => {
      const result = playHere([behave("FreesActivePorts"), ...running, ...takenDown]);
      expect(breaches(result)).toEqual(["port-free-deactivate-first @ free", "port-free-before-halt-returns @ halt handler"]);
    });

    test("so is a driver that forgets it when MiniportInitializeEx fails", () => {
      const result = playHere([behave("FailsInitialize", "FreesActivePorts"), ...running]);
      expect(breaches(result)).toEqual(["port-free-deactivate-first @ free", "port-free-on-init-failure @ initialize handler"]);
    });
  });
});
