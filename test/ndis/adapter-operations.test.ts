/** What NDIS does with an adapter while a pause, a restart or a reset of it is under way. */
import { describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import { story } from "../pages/support.ts";
import { miniportRegisteredWith } from "../verifier/registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  THIRD,
  adapter,
  call,
  inParallel,
  later,
  load,
  pause,
  protocolWith,
  reset,
  restart,
  settle,
  started,
  stop,
  takenDown,
  unload,
  wait,
} from "../verifier/support.ts";
import { tell } from "./tell.ts";

const lines = (text: string): string[] => text.trim().split(/\s*\n\s*/);

describe("The handlers of an adapter", () => {
  const others: readonly (readonly [what: string, action: Action])[] = [
    ["halt", stop],
    ["power", { do: "power", adapter: 0, state: "D3" }],
    ["bind", { do: "bind", adapter: 0 }],
    ["unbind", { do: "unbind", adapter: 0, driver: PROTOCOL }],
    ["pause", pause],
    ["restart", restart],
  ];
  const HANDLERS = [
    "MiniportInitializeEx",
    "MiniportHaltEx",
    "MiniportPause",
    "MiniportRestart",
    "MiniportOidRequest",
    "ProtocolBindAdapterEx",
    "ProtocolUnbindAdapterEx",
    "ProtocolNetPnPEvent",
  ];

  /** Everything that is called of an adapter between the call of a handler that pends and its completion. */
  function during(handler: "MiniportPause" | "MiniportRestart", other: Action): string[] {
    const completes = handler === "MiniportPause" ? "NdisMPauseComplete" : "NdisMRestartComplete";
    const first: Change = (d, its) => {
      const isArmed = d.statics(4);
      const isDue = (): boolean => d.memory.readU32(isArmed) === 1;
      return {
        Arm: () => d.memory.writeU32(isArmed, 1),
        *[handler](context: number, parameters: number) {
          yield* its.inherited(handler, context, parameters);
          if (!isDue()) return SUCCESS;
          d.memory.writeU32(isArmed, 0);
          yield* later(d, "Complete", context);
          return PENDING;
        },
        *Complete(context, item) {
          yield* d.NdisMSleep(20_000);
          yield* d.NdisFreeIoWorkItem(item);
          const handle = d.memory.readU32(context + adapter.handle);
          if (handler === "MiniportPause") yield* d.NdisMPauseComplete(handle);
          else yield* d.NdisMRestartComplete(handle, SUCCESS);
        },
      };
    };
    const operation = handler === "MiniportPause" ? pause : restart;
    const result = tell({
      miniport: first,
      actions: [
        ...started,
        ...(handler === "MiniportPause" ? [] : [pause]),
        call(MINIPORT, "Arm"),
        inParallel(operation),
        wait(5),
        inParallel(other),
        wait(30),
        settle,
      ],
    });
    const all = story(result, [...HANDLERS, completes]).filter((line) => !line.includes("="));
    const end = all.indexOf(completes);
    return all.slice(all.lastIndexOf(handler, end) + 1, end);
  }

  test.each(others)("are not called for another operation while a pause is under way: %s", (_what, other) => {
    expect(during("MiniportPause", other)).toEqual([]);
  });

  test.each(others)("are not called for another operation while a restart is under way: %s", (_what, other) => {
    expect(during("MiniportRestart", other)).toEqual([]);
  });
});

describe("A reset", () => {
  test("changes no state of the adapter; a pause may come during it, and be complete before it is", () => {
    const result = tell({
      makeMiniport: miniportRegisteredWith((d) => ({
        ResetHandlerEx: d.handler("MiniportResetEx"),
        CheckForHangHandlerEx: d.handler("MiniportCheckForHangEx"),
      })),
      miniport: (d) => ({
        MiniportCheckForHangEx: () => 0,
        *MiniportResetEx(context) {
          yield* later(d, "Finish", context);
          return PENDING;
        },
        *Finish(context, item) {
          yield* d.NdisMSleep(20_000);
          yield* d.NdisFreeIoWorkItem(item);
          yield* d.NdisMResetComplete(d.memory.readU32(context + adapter.handle), SUCCESS, 0);
        },
      }),
      more: [protocolWith()],
      actions: [...started, inParallel(reset), wait(5), load(THIRD), wait(30), settle, ...takenDown, unload(THIRD)],
    });
    expect(story(result, ["MiniportResetEx", "NdisMResetComplete", "adapter"]).slice(4, 11)).toEqual(
      lines(`
        MiniportResetEx
        MiniportResetEx = PENDING
        adapter: Running -> Pausing
        adapter: Pausing -> Paused
        adapter: Paused -> Restarting
        adapter: Restarting -> Running
        NdisMResetComplete`),
    );
  });
});
