/** Registering, binding again and uninstalling a protocol driver, and the events that are about it as a whole. */
import { describe, expect, test } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import { strategyOf } from "../../src/machine/answers.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { record } from "../ndis/play.ts";
import { protocolRegisteredWith } from "../verifier/registration.ts";
import {
  type Change,
  MINIPORT,
  type Make,
  type Running,
  PROTOCOL,
  atOnce,
  call,
  early,
  eventCode,
  invoke,
  late,
  load,
  pending,
  runOnce,
  settle,
  started,
  stop,
  takenDown,
  unbind,
  unload,
} from "../verifier/support.ts";
import { callsOf, statesOf, story } from "./support.ts";

const start = (adapter: number): Action => ({ do: "start adapter", driver: MINIPORT, adapter });
const stopNumbered = (adapter: number): Action => ({ do: "stop adapter", adapter });
const BINDS_FIRST = late("NdisRegisterProtocolDriver: the driver is bound before the call returns");

describe("NdisRegisterProtocolDriver", () => {
  const registersLate: readonly Action[] = [load(MINIPORT), start(0), load(PROTOCOL), settle, ...takenDown];

  test.each([
    ["before it returns", BINDS_FIRST, 1],
    ["after it has returned", atOnce, 0],
  ])("may be followed by a call of ProtocolBindAdapterEx %s", (_when, answers, index) => {
    const result = record({ actions: registersLate }, answers);
    const told = story(result, ["NdisRegisterProtocolDriver", "ProtocolBindAdapterEx"], { driver: PROTOCOL });
    const order = ["NdisRegisterProtocolDriver = SUCCESS", "ProtocolBindAdapterEx"];
    expect(told.filter((line) => order.includes(line))).toEqual(index === 0 ? order : order.toReversed());
  });

  test("does not wait for a bind that waits for what the driver does after it", () => {
    const waits: Change = (d, its) => {
      const ready = d.statics(16);
      return {
        *DriverEntry(driverObject, path) {
          yield* d.NdisInitializeEvent(ready);
          const status = yield* its.inherited("DriverEntry", driverObject, path);
          yield* d.NdisSetEvent(ready);
          return status;
        },
        *ProtocolBindAdapterEx(...args) {
          yield* d.NdisWaitEvent(ready, 0);
          return yield* its.inherited("ProtocolBindAdapterEx", ...args);
        },
      };
    };
    expect(statesOf(record({ protocol: waits, actions: registersLate }, BINDS_FIRST), "binding")).toContain("Running");
  });

  /** The right protocol, whose registration is changed; `told` gets its status. */
  const registering =
    (change: (d: DriverEnvironment, characteristics: number) => void, told: number[] = [], after = change): Make =>
    (d) => {
      const given = d.statics(4);
      const changed = new Proxy(d, {
        get: (target, name) => {
          if (name !== "NdisRegisterProtocolDriver") return Reflect.get(target, name);
          return function* (context: number, characteristics: number, handleVariable: number): Running<number> {
            d.memory.writeU32(given, characteristics);
            change(d, characteristics);
            const status = yield* target.NdisRegisterProtocolDriver(context, characteristics, handleVariable);
            after(d, characteristics);
            told.push(status >>> 0);
            return status;
          };
        },
      });
      return {
        ...pendingProtocol(changed, true),
        // Called inside the registration.
        ProtocolSetOptions() {
          d.view("NDIS_PROTOCOL_DRIVER_CHARACTERISTICS", d.memory.readU32(given)).BindAdapterHandlerEx =
            d.handler("ProtocolOther");
          return 0;
        },
        ProtocolOther: () => "NDIS_STATUS_FAILURE",
      };
    };
  const characteristicsOf = (d: DriverEnvironment, address: number) => d.view("NDIS_PROTOCOL_DRIVER_CHARACTERISTICS", address);

  test("copies the characteristics: entry points that are changed inside it, or later, are not called", () => {
    const makeProtocol = registering(
      (d, given) => {
        characteristicsOf(d, given).SetOptionsHandler = d.handler("ProtocolSetOptions");
      },
      [],
      (d, given) => {
        characteristicsOf(d, given).NetPnPEventHandler = 0;
      },
    );
    const result = record({ makeProtocol, actions: [...started, ...takenDown] });
    expect(statesOf(result, "binding")).toContain("Restarting -> Running");
  });

  test.each([
    [
      "BAD_VERSION for an NDIS that it does not know",
      0xc001_0004,
      (d, given) => void (characteristicsOf(d, given).MajorNdisVersion = 7),
      atOnce,
    ],
    [
      "BAD_CHARACTERISTICS for a handler that is missing",
      0xc001_0005,
      (d, given) => void (characteristicsOf(d, given).BindAdapterHandlerEx = 0),
      atOnce,
    ],
    ["RESOURCES when memory is short", 0xc000_009a, () => {}, late("NdisRegisterProtocolDriver in DriverEntry: no resources")],
  ] as const satisfies readonly (readonly [string, number, (d: DriverEnvironment, given: number) => void, typeof atOnce])[])(
    "fails with %s",
    (_status, expected, change, answers) => {
      const told: number[] = [];
      const situation = {
        makeProtocol: registering(change, told),
        actions: [{ do: "load", driver: PROTOCOL, mayFail: true } as const, settle],
      };
      const { outcome } = runOnce(situation, (seen) => strategyOf(answers, seen));
      expect(outcome.kind).toBe("finished");
      expect(told).toEqual([expected]);
    },
  );
});

describe("NdisReEnumerateProtocolBindings", () => {
  test("leads to one bind for each adapter that is not bound, and need not wait for it", () => {
    const makeProtocol: Make = (d) => {
      const handleVariable = d.statics(4);
      const changed = new Proxy(d, {
        get: (target, name) => {
          if (name !== "NdisRegisterProtocolDriver") return Reflect.get(target, name);
          return (context: number, characteristics: number, variable: number) => {
            d.memory.writeU32(handleVariable, variable);
            return target.NdisRegisterProtocolDriver(context, characteristics, variable);
          };
        },
      });
      const right = pendingProtocol(changed, true);
      return {
        ...right,
        *ProtocolBindAdapterEx(...args) {
          yield* d.NdisMSleep(10_000);
          return yield* invoke(d, right, "ProtocolBindAdapterEx", ...args);
        },
        *Rebind() {
          yield* d.NdisReEnumerateProtocolBindings(d.memory.readU32(d.memory.readU32(handleVariable)));
        },
      };
    };
    const actions = [
      ...[load(PROTOCOL), load(MINIPORT), start(0), start(1), settle],
      ...[unbind, settle, call(PROTOCOL, "Rebind"), settle, call(PROTOCOL, "Rebind"), settle],
      ...[stopNumbered(0), stopNumbered(1), settle, unload(PROTOCOL), unload(MINIPORT), settle],
    ];
    const result = record({ makeProtocol, actions });
    const told = story(result, ["NdisReEnumerateProtocolBindings", "ProtocolBindAdapterEx"], {
      from: "driver 0 is unbound from adapter 0",
    });
    expect(told).toEqual([
      "NdisReEnumerateProtocolBindings",
      "NdisReEnumerateProtocolBindings = SUCCESS",
      "ProtocolBindAdapterEx",
      "ProtocolBindAdapterEx = PENDING",
      // Everything is bound now.
      "NdisReEnumerateProtocolBindings",
      "NdisReEnumerateProtocolBindings = SUCCESS",
    ]);
  });
});

describe("ProtocolUninstall", () => {
  const makeProtocol = protocolRegisteredWith((d) => ({ UninstallHandler: d.handler("ProtocolUninstall") }));
  const uninstall: Action = { do: "uninstall", driver: PROTOCOL };

  test.each([atOnce, pending, early])(
    "is called when ProtocolUnbindAdapterEx was called for each bound adapter ($name)",
    (answers) => {
      const result = record(
        {
          makeProtocol,
          protocol: () => ({ ProtocolUninstall() {} }),
          actions: [
            ...[load(PROTOCOL), load(MINIPORT), start(0), start(1), settle],
            ...[uninstall, unload(PROTOCOL), stopNumbered(0), stopNumbered(1), settle, unload(MINIPORT), settle],
          ],
        },
        answers,
      );
      const names = ["ProtocolUnbindAdapterEx", "ProtocolUninstall", "NdisDeregisterProtocolDriver"];
      const told = story(result, names, { from: "driver 0 is uninstalled" }).filter((line) => !line.includes(" = "));
      expect(told).toEqual([
        "ProtocolUnbindAdapterEx",
        "ProtocolUnbindAdapterEx",
        "ProtocolUninstall",
        "NdisDeregisterProtocolDriver",
      ]);
      expect(callsOf(result, "ProtocolUninstall").map(({ irql, args }) => [irql, args])).toEqual([[0, []]]);
    },
  );

  test("is optional", () => {
    const actions = [...started, uninstall, unload(PROTOCOL), stop, settle, unload(MINIPORT), settle];
    expect(statesOf(record({ actions }), "binding")).toContain("Closing -> Unbound");
  });
});

describe("An event that concerns the protocol as a whole", () => {
  /** Names of the events with their ProtocolBindingContext: "none" for NULL. */
  const hears =
    (told: string[]): Change =>
    (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const names = ["NetEventBindsComplete", "NetEventBindList", "NetEventReconfigure", "NetEventRestart"] as const;
        const name = names.find((each) => eventCode(d, event) === d.constant(each)) ?? "another";
        told.push(`${name}: ${context === 0 ? "none" : "a binding"}`);
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    });

  test("has no binding context; one of a binding has that binding's", () => {
    const told: string[] = [];
    record({
      protocol: hears(told),
      actions: [...started, { do: "announce bind list" }, { do: "reconfigure" }, settle],
    });
    expect(told.toSorted()).toEqual([
      "NetEventBindList: none",
      "NetEventBindsComplete: none",
      "NetEventReconfigure: none",
      "NetEventRestart: a binding",
    ]);
  });

  test("is NetEventBindsComplete, once, when it was bound to every adapter that it can bind to", () => {
    const told: string[] = [];
    const binds: Change = (d, its) => ({
      ...hears(told)(d, its),
      *ProtocolBindAdapterEx(...args) {
        told.push("bind");
        return yield* its.inherited("ProtocolBindAdapterEx", ...args);
      },
    });
    record({ protocol: binds, actions: [load(MINIPORT), start(0), start(1), load(PROTOCOL), settle] });
    expect(told.filter((each) => each !== "NetEventRestart: a binding" && each !== "another: a binding")).toEqual([
      "bind",
      "bind",
      "NetEventBindsComplete: none",
    ]);
  });

  test("is followed by binds only when another device comes", () => {
    const told: string[] = [];
    const result = record({
      protocol: hears(told),
      actions: [load(MINIPORT), load(PROTOCOL), settle, start(0), settle],
    });
    expect(told[0]).toBe("NetEventBindsComplete: none");
    expect(callsOf(result, "ProtocolBindAdapterEx")).toHaveLength(1);
  });
});
