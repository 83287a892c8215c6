/** The events with which a miniport keeps its stack to itself: nobody binds above it, or everything above it, and it, is paused. */
import { describe, expect, test } from "vitest";
import type { Change } from "../verifier/support.ts";
import { record } from "../ndis/play.ts";
import { make650, raiseForStack, stackEvents } from "../verifier/stack-event-functions.ts";
import { MINIPORT, atOnce, call, early, pause, pending, restart, settle, started, takenDown, wait } from "../verifier/support.ts";
import { callsOf, statesOf, story } from "./support.ts";

const makeMiniport = make650;
const from = (event: string) => ({ from: `driver ${MINIPORT} is told to run ${event}` });

describe("NetEventInhibitBindsAbove", () => {
  test.each([atOnce, pending, early])("has unbound everybody above when the call returns ($name)", (answers) => {
    const result = record(
      {
        makeMiniport,
        miniport: stackEvents,
        actions: [...started, call(MINIPORT, "inhibit"), call(MINIPORT, "allow"), ...takenDown],
      },
      answers,
    );
    const told = story(result, ["NdisMNetPnPEvent", "binding"], from("inhibit"));
    expect(told.slice(0, 6)).toEqual([
      "NdisMNetPnPEvent",
      "binding: Running -> Pausing",
      "binding: Pausing -> Paused",
      "binding: Paused -> Closing",
      "binding: Closing -> Unbound",
      "NdisMNetPnPEvent = SUCCESS",
    ]);
  });

  test("keeps everybody from binding until NetEventAllowBindsAbove, after which NDIS binds by itself", () => {
    const result = record({
      makeMiniport,
      miniport: stackEvents,
      actions: [
        ...started,
        call(MINIPORT, "inhibit"),
        { do: "bind", adapter: 0 },
        settle,
        call(MINIPORT, "allow"),
        settle,
        ...takenDown,
      ],
    });
    expect(story(result, ["ProtocolBindAdapterEx"], from("inhibit"))).toHaveLength(2);
    expect(story(result, ["ProtocolBindAdapterEx"], from("allow"))).toHaveLength(2);
    expect(story(result, ["NdisMNetPnPEvent", "ProtocolBindAdapterEx"], from("allow")).slice(0, 3)).toEqual([
      "NdisMNetPnPEvent",
      "NdisMNetPnPEvent = SUCCESS",
      "ProtocolBindAdapterEx",
    ]);
  });

  test("may be raised in MiniportInitializeEx: then nobody is bound when the adapter starts", () => {
    const inhibits: Change = (d, its) => ({
      ...stackEvents(d, its),
      *MiniportInitializeEx(handle, driverContext, parameters) {
        const status = yield* its.inherited("MiniportInitializeEx", handle, driverContext, parameters);
        yield* raiseForStack(d, handle, "inhibit");
        return status;
      },
    });
    const result = record({ makeMiniport, miniport: inhibits, actions: [...started, ...takenDown] });
    expect(statesOf(result, "adapter")).toContain("Running");
    expect(callsOf(result, "ProtocolBindAdapterEx")).toEqual([]);
  });
});

describe("NetEventRequirePause", () => {
  const paused = [call(MINIPORT, "requirePause"), call(MINIPORT, "allowStart"), settle];

  test.each([atOnce, pending, early])("returns when the protocols and the adapter are paused ($name)", (answers) => {
    const result = record({ makeMiniport, miniport: stackEvents, actions: [...started, ...paused, ...takenDown] }, answers);
    expect(story(result, ["NdisMNetPnPEvent", "binding", "adapter"], from("requirePause")).slice(0, 6)).toEqual([
      "NdisMNetPnPEvent",
      "binding: Running -> Pausing",
      "binding: Pausing -> Paused",
      "adapter: Running -> Pausing",
      "adapter: Pausing -> Paused",
      "NdisMNetPnPEvent = SUCCESS",
    ]);
  });

  test("calls MiniportPause only if the adapter is not paused already", () => {
    const result = record({
      makeMiniport,
      miniport: stackEvents,
      actions: [...started, call(MINIPORT, "requirePause"), ...paused, ...takenDown],
    });
    expect(story(result, ["MiniportPause"], from("requirePause"))).toHaveLength(4);
    expect(callsOf(result, "MiniportPause")).toHaveLength(2);
  });

  test("holds the stack until NetEventAllowStart, which does not wait for the restart", () => {
    const result = record({
      makeMiniport,
      miniport: stackEvents,
      actions: [
        ...started,
        call(MINIPORT, "requirePause"),
        restart,
        wait(10),
        call(MINIPORT, "allowStart"),
        settle,
        ...takenDown,
      ],
    });
    const told = story(result, ["NdisMNetPnPEvent", "adapter"], from("requirePause")).slice(4);
    expect(told.slice(0, 4)).toEqual([
      "NdisMNetPnPEvent",
      "NdisMNetPnPEvent = SUCCESS",
      "adapter: Paused -> Restarting",
      "adapter: Restarting -> Running",
    ]);
  });

  test("and NetEventAllowStart leave a stack alone that is paused for another reason", () => {
    const result = record({
      makeMiniport,
      miniport: stackEvents,
      actions: [...started, pause, ...paused, restart, ...takenDown],
    });
    expect(story(result, ["adapter", "MiniportHaltEx"], from("allowStart")).slice(0, 2)).toEqual([
      "adapter: Paused -> Restarting",
      "adapter: Restarting -> Running",
    ]);
    expect(callsOf(result, "MiniportRestart")).toHaveLength(2);
  });
});
