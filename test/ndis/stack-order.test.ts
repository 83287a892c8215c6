/** The order in which NDIS starts, pauses, changes, restarts and stops a stack of a miniport and protocols. */
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/verifier/run.ts";
import { entriesOf, story } from "../pages/support.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  SUCCESS,
  THIRD,
  adapter,
  isEvent,
  later,
  load,
  pause,
  protocolWith,
  restart,
  settle,
  started,
  takenDown,
  unload,
} from "../verifier/support.ts";
import { tell } from "./tell.ts";

const lines = (text: string): string[] => text.trim().split(/\s*\n\s*/);

/** A protocol that tells which of the events about its binding it is told of. */
const listens =
  (told: string[], name = "protocol"): Change =>
  (d, its) => ({
    *ProtocolBindAdapterEx(...args) {
      told.push(`${name} binds`);
      return yield* its.inherited("ProtocolBindAdapterEx", ...args);
    },
    *ProtocolUnbindAdapterEx(...args) {
      told.push(`${name} unbinds`);
      return yield* its.inherited("ProtocolUnbindAdapterEx", ...args);
    },
    *ProtocolNetPnPEvent(context, event) {
      const isKnown = isEvent(d, event, "NetEventPause") || isEvent(d, event, "NetEventRestart");
      const { NetPnPEvent_Buffer: buffer } = d.view("NET_PNP_EVENT_NOTIFICATION", event);
      if (isEvent(d, event, "NetEventPause")) told.push(`${name} pauses`);
      if (isEvent(d, event, "NetEventRestart")) told.push(`${name} restarts${buffer === 0 ? "" : ", told of changes"}`);
      const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
      // Whoever is next in the order has to wait for this one.
      if (isKnown) yield* d.NdisMSleep(1000);
      if (isKnown) told.push(`${name} is done`);
      return status;
    },
  });

/** A miniport whose pause and restart pend for a while. */
const takesLong =
  (told: string[]): Change =>
  (d, its) => ({
    *MiniportInitializeEx(...args) {
      const status = yield* its.inherited("MiniportInitializeEx", ...args);
      told.push("miniport is initialized");
      return status;
    },
    *MiniportPause(context, parameters) {
      told.push("miniport pauses");
      yield* its.inherited("MiniportPause", context, parameters);
      yield* later(d, "Paused", context);
      return PENDING;
    },
    *Paused(context, item) {
      yield* d.NdisMSleep(1000);
      yield* d.NdisFreeIoWorkItem(item);
      told.push("miniport is paused");
      yield* d.NdisMPauseComplete(d.memory.readU32(context + adapter.handle));
    },
    *MiniportRestart(context, parameters) {
      told.push("miniport restarts");
      yield* its.inherited("MiniportRestart", context, parameters);
      yield* later(d, "Restarted", context);
      return PENDING;
    },
    *Restarted(context, item) {
      yield* d.NdisMSleep(1000);
      yield* d.NdisFreeIoWorkItem(item);
      told.push("miniport runs");
      yield* d.NdisMRestartComplete(d.memory.readU32(context + adapter.handle), SUCCESS);
    },
    *MiniportHaltEx(context, action) {
      told.push("miniport halts");
      return yield* its.inherited("MiniportHaltEx", context, action);
    },
    *MiniportDriverUnload(object) {
      told.push("miniport unloads");
      return yield* its.inherited("MiniportDriverUnload", object);
    },
  });

/** State of the adapter, or of the only binding, whenever that handler is called. */
function statesAt(result: RunResult, handler: string): string[] {
  let state = "Halted";
  return entriesOf(result).flatMap((entry) => {
    if (entry.kind === "state" && entry.object === "adapter") state = entry.to;
    return entry.kind === "handler" && entry.name === handler ? [state] : [];
  });
}

const restarted = (name: string, changes = ""): string[] => [`${name} restarts${changes}`, `${name} is done`];
const paused = (name: string): string[] => [`${name} pauses`, `${name} is done`];
const MINIPORT_RESTARTS = ["miniport restarts", "miniport runs"];
const MINIPORT_PAUSES = ["miniport pauses", "miniport is paused"];

describe("A driver stack", () => {
  const told: string[] = [];
  const two = [load(THIRD), ...started];

  test("starts with the miniport's initialization; then protocols bind, and the stack is restarted", () => {
    told.length = 0;
    tell({
      protocol: listens(told),
      miniport: takesLong(told),
      actions: started,
    });
    expect(told).toEqual([
      "miniport is initialized",
      "protocol binds",
      ...MINIPORT_RESTARTS,
      ...restarted("protocol", ", told of changes"),
    ]);
  });

  test("pauses from the top: every binding, and then the miniport", () => {
    told.length = 0;
    tell({
      protocol: listens(told, "first"),
      miniport: takesLong(told),
      more: [protocolWith(listens(told, "second"))],
      actions: [...two, pause],
    });
    expect(told.slice(-2)).toEqual(MINIPORT_PAUSES);
    expect(told.slice(-6, -2).toSorted()).toEqual([...paused("first"), ...paused("second")].toSorted());
  });

  test("restarts from the bottom: the miniport, and when it runs, every binding", () => {
    told.length = 0;
    tell({
      protocol: listens(told, "first"),
      miniport: takesLong(told),
      more: [protocolWith(listens(told, "second"))],
      actions: [...two, pause, restart],
    });
    expect(told.slice(-6, -4)).toEqual(MINIPORT_RESTARTS);
    expect(told.slice(-4).toSorted()).toEqual([...restarted("first"), ...restarted("second")].toSorted());
  });

  test("that runs is paused as a whole before it is changed, and restarted with news of the change", () => {
    told.length = 0;
    const result = tell({
      protocol: listens(told, "first"),
      miniport: takesLong(told),
      more: [protocolWith(listens(told, "second"))],
      actions: [...started, load(THIRD), settle],
    });
    expect(told.slice(told.indexOf("first pauses"))).toEqual([
      ...paused("first"),
      ...MINIPORT_PAUSES,
      "second binds",
      ...MINIPORT_RESTARTS,
      ...restarted("first", ", told of changes"),
      ...restarted("second", ", told of changes"),
    ]);
    expect(statesAt(result, "ProtocolBindAdapterEx")).toEqual(["Paused", "Paused"]);
  });

  test("stops: it is paused, the protocols unbind, the miniport is halted, and its driver may be unloaded", () => {
    told.length = 0;
    tell({
      protocol: listens(told, "first"),
      miniport: takesLong(told),
      more: [protocolWith(listens(told, "second"))],
      actions: [...two, ...takenDown, unload(THIRD)],
    });
    const end = told.slice(told.lastIndexOf("miniport pauses"));
    expect(told.slice(told.lastIndexOf("miniport pauses") - 4, told.lastIndexOf("miniport pauses")).toSorted()).toEqual(
      [...paused("first"), ...paused("second")].toSorted(),
    );
    expect([...end.slice(0, 2), ...end.slice(2, 4).toSorted(), ...end.slice(4)]).toEqual([
      ...MINIPORT_PAUSES,
      "first unbinds",
      "second unbinds",
      "miniport halts",
      "miniport unloads",
    ]);
  });
});

describe("A miniport driver", () => {
  test("is asked to initialize an adapter only when its DriverEntry has returned", () => {
    const result = tell({
      miniport: (d, its) => ({
        *DriverEntry(object, path) {
          const status = yield* its.inherited("DriverEntry", object, path);
          yield* d.NdisMSleep(20_000);
          return status;
        },
      }),
      actions: [
        { do: "in parallel", actions: [load(MINIPORT)] },
        { do: "wait", milliseconds: 5 },
        { do: "start adapter", driver: MINIPORT, adapter: 0 },
        settle,
        { do: "stop adapter", adapter: 0 },
        unload(MINIPORT),
      ],
    });
    expect(story(result, ["DriverEntry", "MiniportInitializeEx"])).toEqual(
      lines(`
        DriverEntry
        DriverEntry = SUCCESS
        MiniportInitializeEx
        MiniportInitializeEx = SUCCESS`),
    );
  });

  test("is unloaded only when each of its adapters was halted", () => {
    const result = tell({
      actions: [...started, { do: "start adapter", driver: MINIPORT, adapter: 1 }, settle, unload(MINIPORT)],
    });
    expect(story(result, ["MiniportHaltEx", "MiniportDriverUnload"]).filter((line) => !line.includes("="))).toEqual([
      "MiniportHaltEx",
      "MiniportHaltEx",
      "MiniportDriverUnload",
    ]);
  });

  test("that is unloaded while an adapter of it is there stops Windows", () => {
    const { outcome } = tell({
      miniport: (_d, its) => ({ Deregister: () => its.inherited("MiniportDriverUnload", 0) }),
      breaking: ["bugcheck"],
      ends: "bugcheck",
      actions: [...started, { do: "call", driver: MINIPORT, function: "Deregister" }],
    });
    expect(
      outcome.kind === "bugcheck" ? [outcome.error.code, outcome.error.parameters[0], outcome.error.parameters[3]] : [],
    ).toEqual([0x7c, 0x0a, 1]);
  });
});
