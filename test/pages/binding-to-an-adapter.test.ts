/** The pages about binding to an adapter, and about the states of a binding: what NDIS does, read from the trace. */
import { describe, expect, test } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { AnswerVariant } from "../../src/machine/answers.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { record } from "../ndis/play.ts";
import {
  type Change,
  type Make,
  type Running,
  MINIPORT,
  PENDING,
  PROTOCOL,
  TAG,
  activatePorts,
  adapter,
  allocatePort,
  atOnce,
  call,
  deactivatePorts,
  early,
  late,
  pause,
  pending,
  restart,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";
import { callsOf, statesOf, story } from "./support.ts";

type Open = (context: number, parameters: number, open: () => Running<number>) => Running<number>;

/** The right protocol, which opens in another way. */
const opening =
  (act: (d: DriverEnvironment) => Open): Make =>
  (d) => {
    const changed = new Proxy(d, {
      get: (target, name) => {
        if (name !== "NdisOpenAdapterEx") return Reflect.get(target, name);
        return (...args: number[]) => act(target)(args[1] ?? 0, args[2] ?? 0, () => called(target.NdisOpenAdapterEx(...args)));
      },
    });
    return pendingProtocol(changed, true);
  };

function* called(request: { [Symbol.iterator](): Running<number> }): Running<number> {
  return yield* request;
}

const both = (...names: string[]): AnswerVariant => ({
  name: names.join(", "),
  pick: (_count, what) => (names.includes(what) ? 1 : 0),
});
const NO_RESOURCES = "NdisOpenAdapterEx: no resources";

describe("When NDIS calls ProtocolBindAdapterEx", () => {
  test("the binding goes from Unbound, its initial state, to Opening", () => {
    const result = record({ actions: started });
    expect(story(result, ["binding", "ProtocolBindAdapterEx"]).slice(0, 2)).toEqual([
      "binding: Unbound -> Opening",
      "ProtocolBindAdapterEx",
    ]);
  });

  const answersBy =
    (pends: boolean): Change =>
    (d) => ({
      *ProtocolBindAdapterEx(_driverContext, bindContext) {
        if (!pends) return "NDIS_STATUS_FAILURE";
        yield* d.NdisCompleteBindAdapterEx(bindContext, d.constant("NDIS_STATUS_FAILURE"));
        return PENDING;
      },
    });

  test.each([
    ["it answers a failure", { protocol: answersBy(false) }, atOnce],
    ["it pends and is completed with a failure", { protocol: answersBy(true) }, atOnce],
    ["its open fails", {}, late(NO_RESOURCES)],
    ["its open pends and fails", {}, both(NO_RESOURCES, "NdisOpenAdapterEx")],
  ])("and the bind fails, the binding returns to Unbound: %s", (_how, situation, answers) => {
    const result = record({ ...situation, actions: [...started, ...takenDown] }, answers);
    expect(statesOf(result, "binding")).toBe("Unbound -> Opening -> Unbound");
    expect(callsOf(result, "ProtocolUnbindAdapterEx")).toEqual([]);
  });

  test.each([atOnce, pending, early])("and the bind succeeds, the binding is Paused until it is restarted ($name)", (answers) => {
    const restarts: Change = (d, its) => ({
      *MiniportRestart(context, parameters) {
        yield* d.NdisMSleep(20_000);
        return yield* its.inherited("MiniportRestart", context, parameters);
      },
    });
    const result = record({ miniport: restarts, actions: started }, answers);
    expect(story(result, ["binding", "MiniportRestart"])).toEqual([
      "binding: Unbound -> Opening",
      "binding: Opening -> Paused",
      "MiniportRestart",
      "MiniportRestart = SUCCESS",
      "binding: Paused -> Restarting",
      "binding: Restarting -> Running",
    ]);
  });

  test("its ActivePorts list all the ports that are active then, and no other", () => {
    const told: number[][] = [];
    const binds: Change = (d, its) => ({
      *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
        const numbers: number[] = [];
        let port = d.view("NDIS_BIND_PARAMETERS", parameters).ActivePorts;
        for (; port !== 0; port = d.view("NDIS_PORT", port).Next) {
          numbers.push(d.view("NDIS_PORT", port).PortCharacteristics_PortNumber);
        }
        told.push(numbers.toSorted());
        return yield* its.inherited("ProtocolBindAdapterEx", driverContext, bindContext, parameters);
      },
    });
    const ports: Change = (d, its) => ({
      *Prepare() {
        const handle = its.get(adapter.handle);
        const first = yield* allocatePort(d, handle);
        yield* allocatePort(d, handle);
        yield* activatePorts(d, handle, [first]);
        return first;
      },
      *Finish() {
        const handle = its.get(adapter.handle);
        yield* deactivatePorts(d, handle, [2]);
        yield* d.NdisMFreePort(handle, 2);
        yield* d.NdisMFreePort(handle, 3);
      },
    });
    record({
      protocol: binds,
      miniport: ports,
      actions: [
        ...started,
        call(MINIPORT, "Prepare"),
        { do: "unbind", adapter: 0, driver: PROTOCOL },
        { do: "bind", adapter: 0 },
        settle,
        call(MINIPORT, "Finish"),
        ...takenDown,
      ],
    });
    // The example's own port is 1.
    expect(told).toEqual([
      [0, 1],
      [0, 1, 2],
    ]);
  });

  test("the default port is active: nobody is bound while it is not", () => {
    const controls: Change = (d, its) => ({
      *SwitchDefaultPort(isOn) {
        const handle = its.get(adapter.handle);
        if (isOn === 1) yield* activatePorts(d, handle, [0]);
        else yield* deactivatePorts(d, handle, [0]);
      },
    });
    const bound = (...more: Action[]): number =>
      callsOf(
        record({
          miniport: controls,
          actions: [...started, call(MINIPORT, "SwitchDefaultPort", 0), ...more, { do: "bind", adapter: 0 }, settle],
        }),
        "ProtocolBindAdapterEx",
      ).length;
    expect([bound(), bound(call(MINIPORT, "SwitchDefaultPort", 1))]).toEqual([1, 2]);
  });
});

const AT_PASSIVE_LEVEL = [
  "ProtocolBindAdapterEx",
  "ProtocolOpenAdapterCompleteEx",
  "ProtocolNetPnPEvent",
  "ProtocolUnbindAdapterEx",
  "ProtocolCloseAdapterCompleteEx",
];

test.each([pending, early])(
  "NDIS calls the handlers that bind, unbind and hear of events at PASSIVE_LEVEL ($name)",
  (answers) => {
    const result = record({ actions: [...started, pause, restart, ...takenDown] }, answers);
    const levels = AT_PASSIVE_LEVEL.map((name) => [...new Set(callsOf(result, name).map(({ irql }) => irql))]);
    expect(levels).toEqual(AT_PASSIVE_LEVEL.map(() => [0]));
  },
);

describe("NdisOpenAdapterEx", () => {
  const opened = (act: (d: DriverEnvironment) => Open, answers = atOnce): number[] => {
    const told: number[] = [];
    const result = record(
      {
        makeProtocol: opening((d) => {
          const open = act(d);
          return function* (...args): Running<number> {
            const status = yield* open(...args);
            told.push(status);
            return status;
          };
        }),
        actions: [...started, ...takenDown],
      },
      answers,
    );
    const late = callsOf(result, "ProtocolOpenAdapterCompleteEx").map(({ args }) => args[1] ?? 0);
    return [...told, ...late].map((status) => status >>> 0);
  };
  const plainly = (): Open => (_context, _parameters, open) => open();
  const otherName = (d: DriverEnvironment): Open => {
    const name = d.unicodeString("\\DEVICE\\NOBODY");
    return function* (_context, parameters, open) {
      d.view("NDIS_OPEN_PARAMETERS", parameters).AdapterName = name;
      return yield* open();
    };
  };
  const otherMedium = (d: DriverEnvironment): Open =>
    function* (_context, parameters, open) {
      d.memory.writeU32(d.view("NDIS_OPEN_PARAMETERS", parameters).MediumArray, d.constant("NdisMediumFddi"));
      return yield* open();
    };

  test.each([
    ["ADAPTER_NOT_FOUND when no adapter has the name", otherName, atOnce, [0xc001_0006]],
    ["UNSUPPORTED_MEDIA when no medium of the array fits", otherMedium, atOnce, [0xc001_0019]],
    ["RESOURCES when they are short", plainly, late(NO_RESOURCES), [0xc000_009a]],
    ["SUCCESS", plainly, atOnce, [0]],
    ["ADAPTER_NOT_FOUND late", otherName, late("NdisOpenAdapterEx"), [PENDING, 0xc001_0006]],
    ["UNSUPPORTED_MEDIA late", otherMedium, late("NdisOpenAdapterEx"), [PENDING, 0xc001_0019]],
  ])("answers %s", (_status, act, answers, expected) => {
    expect(opened(act, answers)).toEqual(expected);
  });

  test.each([
    ["its success", late("NdisOpenAdapterEx"), [PENDING, 0]],
    ["its failure", both("NdisOpenAdapterEx", NO_RESOURCES), [PENDING, 0xc000_009a]],
    ["its failure before the call returns", early, [PENDING, 0]],
  ])("that pended is completed by one call of ProtocolOpenAdapterCompleteEx: with %s", (_what, answers, expected) => {
    expect(opened(plainly, answers)).toEqual(expected);
  });

  test("that was answered at once is not completed again", () => {
    expect(opened(plainly)).toEqual([0]);
  });

  test("needs the name of the adapter only until it returns, even when it pends", () => {
    const forgetsName = (d: DriverEnvironment): Open =>
      function* (_context, parameters, open) {
        const given = d.view("NDIS_OPEN_PARAMETERS", parameters);
        const { Length: length, Buffer: buffer } = d.view("UNICODE_STRING", given.AdapterName);
        const copy = yield* d.NdisAllocateMemoryWithTagPriority(0, 8 + length, TAG, 0);
        const name = d.view("UNICODE_STRING", copy);
        name.Length = length;
        name.MaximumLength = length;
        name.Buffer = copy + 8;
        d.memory.copy(copy + 8, buffer, length);
        given.AdapterName = copy;
        const status = yield* open();
        d.memory.writeU32(copy + 8, 0);
        yield* d.NdisFreeMemory(copy, 0, 0);
        return status;
      };
    expect(opened(forgetsName, late("NdisOpenAdapterEx"))).toEqual([PENDING, 0]);
  });
});
