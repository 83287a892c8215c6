/** Why an adapter is halted, what its pause is told of that, and the shutdown of the system, in order and in a bug check. */
import { describe, expect, test } from "vitest";
import { constant } from "../../src/contract/index.ts";
import type { Action } from "../../src/machine/actions.ts";
import { callsOf, statesOf } from "../pages/support.ts";
import { miniportRegisteredWith } from "../verifier/registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  PENDING,
  adapter,
  call,
  createAdapterContext,
  freeAdapterContext,
  inParallel,
  load,
  pause,
  restart,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  stop,
  takenDown,
  unload,
  wait,
} from "../verifier/support.ts";
import { tell } from "./tell.ts";

const gone = [settle, unload(PROTOCOL), unload(MINIPORT), settle];

describe("MiniportHaltEx", () => {
  /** The NDIS_HALT_ACTIONs of a run. */
  const actionsOf = (actions: readonly Action[], miniport: Change = () => ({}), breaking: readonly string[] = []): number[] =>
    callsOf(tell({ miniport, actions, breaking }), "MiniportHaltEx").map(({ args }) => args[1] ?? -1);

  test("is told that the device is disabled, was removed by surprise, or is stopped", () => {
    expect(actionsOf([...started, stop, ...gone])).toEqual([constant("NdisHaltDeviceDisabled")]);
    expect(actionsOf([...started, { ...stop, bySurprise: true } as Action, ...gone])).toEqual([
      constant("NdisHaltDeviceSurpriseRemoved"),
    ]);
    expect(actionsOf([...started, { ...stop, isStopped: true } as Action, ...gone])).toEqual([constant("NdisHaltDeviceStopped")]);
  });

  test("is told that the system goes to sleep, if the adapter knows nothing of power", () => {
    expect(actionsOf([...started, { do: "power", adapter: 0, state: "D3" }, ...gone])).toEqual([
      constant("NdisHaltDevicePoweredDown"),
    ]);
  });

  test("is told that the device has failed, when its miniport has asked NDIS to remove the adapter", () => {
    const statuses: number[] = [];
    const miniport: Change = (d, its) => ({
      *Remove() {
        statuses.push(yield* d.NdisMRemoveMiniport(its.get(adapter.handle)));
      },
    });
    expect(actionsOf([...started, call(MINIPORT, "Remove"), ...gone], miniport)).toEqual([constant("NdisHaltDeviceFailed")]);
    expect(statuses).toEqual([0]);
  });

  test("is told that the initialization has failed, when NDIS cannot use the adapter after all", () => {
    const miniport: Change = (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        return 0;
      },
      *MiniportHaltEx(context) {
        yield* freeAdapterContext(d, context);
      },
    });
    const begun: Action[] = [
      load(PROTOCOL),
      load(MINIPORT),
      { do: "start adapter", driver: MINIPORT, adapter: 0, mayFail: true },
      ...gone,
    ];
    expect(actionsOf(begun, miniport, ["mp-init-general-attributes-required"])).toEqual([
      constant("NdisHaltDeviceInitializationFailed"),
    ]);
  });
});

describe("A pause", () => {
  const reasonsOf = (minor: number): number[] => {
    const reasons: number[] = [];
    tell({
      makeMiniport: miniportRegisteredWith(() => ({ MinorNdisVersion: minor })),
      miniport: (d, its) => ({
        *MiniportPause(context, parameters) {
          reasons.push(d.view("NDIS_MINIPORT_PAUSE_PARAMETERS", parameters).PauseReason);
          return yield* its.inherited("MiniportPause", context, parameters);
        },
      }),
      actions: [...started, pause, restart, ...takenDown],
    });
    return reasons;
  };
  const INTERNAL = constant("NDIS_PAUSE_NDIS_INTERNAL");

  test("of a miniport of NDIS 6.40 or later says so if the adapter will never be restarted", () => {
    expect(reasonsOf(40)).toEqual([INTERNAL, constant("NDIS_PAUSE_MINIPORT_DEVICE_REMOVE")]);
  });

  test("of an older miniport never says so", () => {
    expect(reasonsOf(30)).toEqual([INTERNAL, INTERNAL]);
  });
});

describe("MiniportShutdownEx", () => {
  const WANTS_BUG_CHECKS = constant("NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK");
  const shutDown: Action = { do: "shut down" };
  const bugCheck: Action = { do: "bug check" };

  /** Actions and IRQLs of the shutdowns of a miniport of that version, with those attribute flags. */
  function shutdowns(action: Action, minor = 30, flags = 0): number[][] {
    const result = tell({
      makeMiniport: miniportRegisteredWith(() => ({ MinorNdisVersion: minor })),
      miniport: (d) => ({
        *MiniportInitializeEx(handle) {
          const context = yield* createAdapterContext(d, handle);
          yield* setRegistrationAttributes(d, handle, context, flags);
          return yield* setGeneralAttributes(d, handle);
        },
      }),
      actions: [...started, action, settle],
    });
    return callsOf(result, "MiniportShutdownEx").map(({ args, irql }) => [args[1] ?? -1, irql]);
  }
  const POWER_OFF = constant("NdisShutdownPowerOff");
  const BUG_CHECK = constant("NdisShutdownBugCheck");

  test("is called at PASSIVE_LEVEL when the system shuts down, and at HIGH_LEVEL in a bug check", () => {
    expect(shutdowns(shutDown)).toEqual([[POWER_OFF, 0]]);
    expect(shutdowns(bugCheck, 30, WANTS_BUG_CHECKS)).toEqual([[BUG_CHECK, 31]]);
  });

  test("is called in a bug check only if the attributes ask for it, from NDIS 6.30 on", () => {
    expect(shutdowns(bugCheck, 30)).toEqual([]);
    expect(shutdowns(bugCheck, 20)).toEqual([[BUG_CHECK, 31]]);
  });

  /** A miniport whose pause or restart never ends. */
  const stuck =
    (handler: "MiniportPause" | "MiniportRestart"): Change =>
    (d, its) => {
      const isArmed = d.statics(4);
      return {
        Arm: () => d.memory.writeU32(isArmed, 1),
        *[handler](context: number, parameters: number) {
          yield* its.inherited(handler, context, parameters);
          return d.memory.readU32(isArmed) === 1 ? PENDING : 0;
        },
      };
    };

  test.each([
    ["Running", [], "MiniportPause"],
    ["Paused", [pause], "MiniportPause"],
    ["Pausing", [call(MINIPORT, "Arm"), inParallel(pause), wait(1)], "MiniportPause"],
    ["Restarting", [pause, call(MINIPORT, "Arm"), inParallel(restart), wait(1)], "MiniportRestart"],
  ] as const)(
    "can be called in %s, and nothing but a restart of the system leaves the state Shutdown",
    (state, before, handler) => {
      const result = tell({
        miniport: stuck(handler),
        actions: [...started, ...before, shutDown, shutDown, wait(100)],
        ...(state === "Pausing" || state === "Restarting" ? { ends: "hung", breaking: HUNG[state] } : {}),
      });
      expect(statesOf(result, "adapter").split(" -> ").slice(-2)).toEqual([state, "Shutdown"]);
      expect(callsOf(result, "MiniportShutdownEx").length).toBe(1);
      expect(callsOf(result, "MiniportHaltEx")).toEqual([]);
    },
  );
});

const HUNG = { Pausing: ["mp-pause-complete-required"], Restarting: ["mp-restart-complete-required"] };
