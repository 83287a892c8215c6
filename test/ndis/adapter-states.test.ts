/** The states of a miniport adapter, and when NDIS calls what of its miniport. */
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/verifier/run.ts";
import { callsOf, entriesOf, statesOf, story } from "../pages/support.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  adapter,
  call,
  createFrame,
  inParallel,
  indicates,
  later,
  load,
  pause,
  pending,
  reset,
  restart,
  settle,
  started,
  takenDown,
  wait,
} from "../verifier/support.ts";
import { tell } from "./tell.ts";

const lines = (text: string): string[] => text.trim().split(/\s*\n\s*/);
const FAILURE = 0xc000_0001;

/** The state of the adapter whenever one of those handlers is called. */
function statesAt(result: RunResult, ...handlers: string[]): string[] {
  let state = "Halted";
  return entriesOf(result).flatMap((entry) => {
    if (entry.kind === "state" && entry.object === "adapter") state = entry.to;
    return entry.kind === "handler" && handlers.includes(entry.name) ? [`${entry.name}: ${state}`] : [];
  });
}

describe("Initializing a miniport adapter", () => {
  test("begins in Halted, the initial state, goes through Initializing, and ends in Paused", () => {
    const result = tell({});
    expect(story(result, ["MiniportInitializeEx", "ProtocolBindAdapterEx", "adapter"]).slice(0, 5)).toEqual(
      lines(`
        adapter: Halted -> Initializing
        MiniportInitializeEx
        MiniportInitializeEx = SUCCESS
        adapter: Initializing -> Paused
        ProtocolBindAdapterEx`),
    );
  });

  test("that fails returns the adapter to Halted, and MiniportHaltEx is not called", () => {
    const result = tell({
      miniport: () => ({ MiniportInitializeEx: () => FAILURE }),
      actions: [load(PROTOCOL), load(MINIPORT), { do: "start adapter", driver: MINIPORT, adapter: 0, mayFail: true }, settle],
    });
    expect(statesOf(result, "adapter")).toBe("Halted -> Initializing -> Halted");
    expect(callsOf(result, "MiniportHaltEx")).toEqual([]);
    expect(callsOf(result, "ProtocolBindAdapterEx")).toEqual([]);
  });

  test("gets no request of any kind until it is over", () => {
    const result = tell({
      miniport: (d, its) => ({
        *MiniportInitializeEx(...args) {
          const status = yield* its.inherited("MiniportInitializeEx", ...args);
          yield* d.NdisMSleep(20_000);
          return status;
        },
      }),
      actions: [
        load(MINIPORT),
        inParallel({ do: "start adapter", driver: MINIPORT, adapter: 0 }),
        wait(5),
        load(PROTOCOL),
        inParallel({ do: "bind", adapter: 0 }),
        wait(5),
        settle,
        ...takenDown,
      ],
    });
    expect(
      story(result, ["MiniportInitializeEx", "ProtocolBindAdapterEx", "MiniportOidRequest", "MiniportRestart"]).slice(0, 3),
    ).toEqual(
      lines(`
        MiniportInitializeEx
        MiniportInitializeEx = SUCCESS
        ProtocolBindAdapterEx`),
    );
    expect(
      statesAt(result, "MiniportOidRequest", "MiniportSendNetBufferLists").some((line) => line.endsWith("Initializing")),
    ).toBe(false);
  });
});

describe("Halting a miniport adapter", () => {
  test("is done only when it is Paused, whatever its state was", () => {
    for (const before of [[], [pause], [pause, restart], [inParallel(reset), wait(1)]]) {
      const result = tell({ actions: [...started, ...before, ...takenDown] });
      expect(statesAt(result, "MiniportHaltEx")).toEqual(["MiniportHaltEx: Paused"]);
    }
  });

  let has = 0;
  let most = 0;
  const atHalt: number[] = [];
  const counts = (change: number): void => {
    has += change;
    most = Math.max(most, has);
  };

  /** A miniport that answers requests, and completes what is sent, after a while; it counts what it has. */
  const slow: Change = (d, its) => {
    const kept = d.statics(8);
    return {
      *MiniportOidRequest(context, request) {
        counts(1);
        d.memory.writeU32(kept, request);
        yield* later(d, "Answer", context);
        return PENDING;
      },
      *Answer(context, item) {
        const request = d.memory.readU32(kept);
        yield* d.NdisMSleep(3000);
        yield* d.NdisFreeIoWorkItem(item);
        const status = (yield* its.inherited("MiniportOidRequest", context, request)) >>> 0;
        counts(-1);
        yield* d.NdisMOidRequestComplete(d.memory.readU32(context + adapter.handle), request, status);
      },
      *MiniportSendNetBufferLists(context, lists) {
        counts(1);
        d.view("NET_BUFFER_LIST", lists).Next = d.memory.readU32(kept + 4);
        d.memory.writeU32(kept + 4, lists);
        yield* later(d, "Complete", context);
      },
      *Complete(context, item) {
        yield* d.NdisMSleep(3000);
        yield* d.NdisFreeIoWorkItem(item);
        const lists = d.memory.readU32(kept + 4);
        d.memory.writeU32(kept + 4, 0);
        for (let list = lists; list !== 0; list = d.view("NET_BUFFER_LIST", list).Next) counts(-1);
        if (lists !== 0) yield* d.NdisMSendNetBufferListsComplete(d.memory.readU32(context + adapter.handle), lists, 0);
      },
      *MiniportHaltEx(context, action) {
        atHalt.push(has);
        yield* its.inherited("MiniportHaltEx", context, action);
      },
    };
  };

  test("waits for OID requests and sends that are outstanding, and none comes after it", () => {
    const result = tell({
      miniport: slow,
      with: pending,
      actions: [...started, call(PROTOCOL, "Exercise"), ...takenDown],
    });
    expect(atHalt).toEqual([0]);
    expect(most).toBeGreaterThan(1);
    const names = story(result, ["MiniportHaltEx", "MiniportOidRequest", "MiniportSendNetBufferLists"]);
    expect(names.slice(names.indexOf("MiniportHaltEx")).every((line) => line.startsWith("MiniportHaltEx"))).toBe(true);
  });
});

describe("The handlers of an adapter's life", () => {
  test("run at PASSIVE_LEVEL", () => {
    const result = tell({ actions: [...started, pause, restart, ...takenDown] });
    const life = ["MiniportInitializeEx", "MiniportRestart", "MiniportPause", "MiniportHaltEx"];
    const levels = life.flatMap((name) => callsOf(result, name).map(({ irql }) => `${name} ${irql}`));
    expect([...new Set(levels)]).toEqual(life.map((name) => `${name} 0`));
  });

  test("pause only an adapter that runs, and restart only one that is paused", () => {
    const result = tell({ actions: [...started, pause, pause, restart, restart, pause, ...takenDown] });
    expect(statesOf(result, "adapter")).toBe(
      "Halted -> Initializing -> Paused -> Restarting -> Running -> Pausing -> Paused -> Restarting -> Running -> Pausing -> Paused -> Halted",
    );
    expect(callsOf(result, "MiniportPause").length).toBe(2);
    expect(callsOf(result, "MiniportRestart").length).toBe(2);
  });

  test("that fail to restart leave the adapter Paused", () => {
    const result = tell({
      miniport: (d, its) => {
        const count = d.statics(4);
        return {
          *MiniportRestart(context, parameters) {
            d.memory.writeU32(count, d.memory.readU32(count) + 1);
            return d.memory.readU32(count) === 2 ? FAILURE : yield* its.inherited("MiniportRestart", context, parameters);
          },
        };
      },
      actions: [...started, pause, restart, settle, ...takenDown],
    });
    expect(statesOf(result, "adapter")).toBe(
      "Halted -> Initializing -> Paused -> Restarting -> Running -> Pausing -> Paused -> Restarting -> Paused -> Halted",
    );
  });

  test("may indicate received data as soon as MiniportRestart is called", () => {
    const result = tell({
      miniport: (d, its) => ({
        ...indicates(d, its),
        *MiniportRestart(context, parameters) {
          const handle = d.memory.readU32(context + adapter.handle);
          yield* d.NdisMIndicateReceiveNetBufferLists(handle, yield* createFrame(d, context), 0, 1, 0);
          return yield* its.inherited("MiniportRestart", context, parameters);
        },
      }),
    });
    expect(story(result, ["NdisMIndicateReceiveNetBufferLists", "adapter"]).slice(2, 5)).toEqual(
      lines(`
        adapter: Paused -> Restarting
        NdisMIndicateReceiveNetBufferLists
        NdisMIndicateReceiveNetBufferLists = SUCCESS`),
    );
  });
});
