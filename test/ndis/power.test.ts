/** Power of adapters: who hears of sleep and of waking, in which order, and what an adapter that sleeps is not asked. */
import { describe, expect, test } from "vitest";
import { miniportRegisteredWith, protocolRegisteredWith } from "../verifier/registration.ts";
import { newCancelId } from "../verifier/cancelling.ts";
import {
  type Change,
  type Situation,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  atOnce,
  binding,
  call,
  createAdapterContext,
  indicates,
  invoke,
  isEvent,
  keepsReceives,
  pending,
  runOnce,
  setRegistrationAttributes,
  started,
  takenDown,
  wait,
} from "../verifier/support.ts";
import { strategyOf } from "../../src/machine/answers.ts";
import type { Action } from "../../src/machine/actions.ts";
import { play } from "./play.ts";

const sleep: Action = { do: "power", adapter: 0, state: "D3" };
const wake: Action = { do: "power", adapter: 0, state: "D0" };

interface Miniport {
  readonly told: string[];
  /** Of its registration attributes. */
  readonly flags?: number;
  readonly hasCapabilities?: boolean;
  /** The answer to OID_PNP_SET_POWER. */
  readonly answer?: number;
}

/** A miniport that tells what it is asked. */
const listening =
  ({ told, flags = 0, hasCapabilities = true, answer = SUCCESS }: Miniport): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context, flags);
      const capabilities = d.local("NDIS_PM_CAPABILITIES");
      const general = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
        MediaType: "NdisMedium802_3",
        MacAddressLength: 6,
        PowerManagementCapabilitiesEx: hasCapabilities ? capabilities.address : 0,
      });
      d.header(
        general.address,
        "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
        2,
        "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2",
      );
      return yield* d.NdisMSetMiniportAttributes(handle, general.address);
    },
    *MiniportDevicePnPEventNotify(context, event) {
      const { DevicePnPEvent, InformationBufferLength, InformationBuffer } = d.view("NET_DEVICE_PNP_EVENT", event);
      const isProfile = DevicePnPEvent === d.constant("NdisDevicePnPEventPowerProfileChanged") && InformationBufferLength === 4;
      told.push(isProfile ? `profile ${d.memory.readU32(InformationBuffer)}` : `event ${DevicePnPEvent}`);
      yield* its.inherited("MiniportDevicePnPEventNotify", context, event);
    },
    MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
        return its.inherited("MiniportOidRequest", context, request);
      told.push(`power ${d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer)}`);
      given.DATA_SET_INFORMATION_BytesRead = 4;
      return answer;
    },
    *MiniportPause(context, parameters) {
      told.push(`pause ${d.view("NDIS_MINIPORT_PAUSE_PARAMETERS", parameters).PauseReason}`);
      return yield* its.inherited("MiniportPause", context, parameters);
    },
    *MiniportRestart(context, parameters) {
      told.push("restart");
      return yield* its.inherited("MiniportRestart", context, parameters);
    },
    MiniportCheckForHangEx() {
      told.push("hang?");
      return 0;
    },
  });

/** A protocol that tells what it hears of power. */
const hearing =
  (told: string[]): Change =>
  (d, its) => ({
    *ProtocolNetPnPEvent(context, event) {
      if (isEvent(d, event, "NetEventSetPower")) {
        const { NetPnPEvent_Buffer, NetPnPEvent_BufferLength } = d.view("NET_PNP_EVENT_NOTIFICATION", event);
        told.push(`heard ${d.memory.readU32(NetPnPEvent_Buffer)} in ${NetPnPEvent_BufferLength} bytes`);
        return SUCCESS;
      }
      return yield* its.inherited("ProtocolNetPnPEvent", context, event);
    },
    *Ask() {
      const request = d.local("NDIS_OID_REQUEST", { RequestType: "NdisRequestQueryInformation" });
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      const status = yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      const names: ReadonlyMap<number, string> = new Map([
        [d.constant("NDIS_STATUS_LOW_POWER_STATE") >>> 0, "low power"],
        [d.constant("NDIS_STATUS_NOT_ACCEPTED") >>> 0, "refused"],
      ]);
      told.push(names.get(status) ?? `asked ${status}`);
    },
  });

const D0 = 1;
const D3 = 4;
const LOW_POWER = 2;
const NO_PAUSE_ON_SUSPEND = 0x100;

/** What happens between the start of the stack and its end. */
function happens(
  miniport: Omit<Miniport, "told">,
  actions: readonly Action[],
  situation: Situation = {},
  answers = atOnce,
): string[] {
  const told: string[] = [];
  const marking: Change = (d, its) => ({
    ...hearing(told)(d, its),
    Begin: () => void told.splice(0),
    End: () => void told.push("end"),
  });
  play(
    {
      protocol: marking,
      miniport: listening({ ...miniport, told }),
      actions: [...started, call(PROTOCOL, "Begin"), ...actions, call(PROTOCOL, "End"), ...takenDown],
      ...situation,
    },
    answers,
  );
  return told.slice(0, told.indexOf("end"));
}

/** What is tried here breaks rules, which are not asked. */
const unjudged = { stock: [PROTOCOL, MINIPORT] };

const fell = [`heard ${D3} in 4 bytes`, `pause ${LOW_POWER}`, `power ${D3}`];
const rose = [`power ${D0}`, "profile 1", "restart", `heard ${D0} in 4 bytes`];

describe("An adapter that goes to sleep", () => {
  test("is told so after the protocols have heard of it and the stack is paused; on waking all goes the other way", () => {
    for (const answers of [atOnce, pending]) expect(happens({}, [sleep, wake], {}, answers)).toEqual([...fell, ...rose]);
  });

  test("is not paused if it asks for that, from NDIS 6.30 on and under protocols that are as new", () => {
    const version = (MinorNdisVersion: number) => ({
      makeProtocol: protocolRegisteredWith(() => ({ MinorNdisVersion })),
      makeMiniport: miniportRegisteredWith(() => ({ MinorNdisVersion: 30 })),
    });
    const flags = NO_PAUSE_ON_SUSPEND;
    const unpaused = [`heard ${D3} in 4 bytes`, `power ${D3}`, `power ${D0}`, "profile 1", `heard ${D0} in 4 bytes`];
    expect(happens({ flags }, [sleep, wake], version(30))).toEqual(unpaused);
    expect(happens({ flags }, [sleep, wake], version(20))).toEqual([...fell, ...rose]);
    expect(happens({}, [sleep, wake], version(30))).toEqual([...fell, ...rose]);
  });

  test("gets no other request, and is not asked whether it hangs", () => {
    const makeMiniport = miniportRegisteredWith((d) => ({ CheckForHangHandlerEx: d.handler("MiniportCheckForHangEx") }));
    const asleep = [sleep, call(PROTOCOL, "Ask"), wait(5000), wake];
    expect(happens({}, asleep, { makeMiniport, ...unjudged })).toEqual([...fell, "low power", ...rose]);
    expect(happens({}, [sleep, wake, wait(2500)], { makeMiniport })).toEqual([...fell, ...rose, "hang?"]);
  });

  test("that sleeps already, or is awake already, is told nothing", () => {
    expect(happens({}, [wake])).toEqual([]);
    expect(happens({}, [sleep, sleep, wake, wake])).toEqual([...fell, ...rose]);
  });

  test("loses a protocol that knows nothing of power", () => {
    const told: string[] = [];
    play({
      protocol: (d, its) => ({
        *ProtocolNetPnPEvent(context, event) {
          if (isEvent(d, event, "NetEventSetPower")) return "NDIS_STATUS_NOT_SUPPORTED";
          return yield* its.inherited("ProtocolNetPnPEvent", context, event);
        },
        *ProtocolUnbindAdapterEx(unbindContext, context) {
          told.push("unbind");
          return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        },
      }),
      // An NDIS 6 protocol may not.
      stock: [PROTOCOL],
      miniport: listening({ told }),
      actions: [...started, sleep, ...takenDown],
    });
    expect(told.slice(-3)).toEqual(["unbind", `pause ${LOW_POWER}`, `power ${D3}`]);
  });

  test("counts as asleep if it refuses, and wakes as others do", () => {
    const actions = [sleep, call(PROTOCOL, "Ask"), wake];
    expect(happens({ answer: 0xc000_0001 }, actions, unjudged)).toEqual([...fell, "low power", ...rose]);
  });

  test("can be stopped while it sleeps", () => {
    expect(happens({}, [sleep])).toEqual(fell);
  });
});

test("An adapter without power management is halted when it goes to sleep, and initialized anew when it wakes", () => {
  const told: string[] = [];
  const miniport: Change = (d, its) => {
    const base = listening({ told: [], hasCapabilities: false })(d, its);
    return {
      ...base,
      *MiniportInitializeEx(handle, ...more) {
        told.push("initialize");
        return yield* invoke(d, base, "MiniportInitializeEx", handle, ...more);
      },
      *MiniportHaltEx(context, action) {
        told.push(action === d.constant("NdisHaltDevicePoweredDown") ? "halt, powered down" : `halt ${action}`);
        return yield* its.inherited("MiniportHaltEx", context, action);
      },
    };
  };
  const actions = [...started, sleep, sleep, wake, wake, ...takenDown];
  const { outcome } = runOnce({ miniport, actions }, (seen) => strategyOf(atOnce, seen));
  expect(outcome.kind).toBe("finished");
  expect(told).toEqual(["initialize", "halt, powered down", "initialize", "halt 0"]);
});

test("A miniport hears of the power profile when it is initialized, and when it changes", () => {
  const told: string[] = [];
  const battery: Action = { do: "device event", adapter: 0, event: "on battery" };
  play({
    miniport: listening({ told }),
    actions: [...started, battery, ...takenDown],
  });
  expect(told.filter((each) => each.startsWith("profile"))).toEqual(["profile 1", "profile 0"]);
  expect(told[0]).toBe("profile 1");
});

describe("A device that is removed by surprise", () => {
  test("is told of to the protocols and then to the miniport, before the stack pauses and the adapter is halted", () => {
    const told: string[] = [];
    play({
      protocol: (d, its) => ({
        *ProtocolNetPnPEvent(context, event) {
          if (isEvent(d, event, "NetEventQueryRemoveDevice")) {
            told.push("query remove");
            return SUCCESS;
          }
          return yield* its.inherited("ProtocolNetPnPEvent", context, event);
        },
      }),
      miniport: (d, its) => ({
        ...listening({ told })(d, its),
        *MiniportHaltEx(context, action) {
          told.push(action === d.constant("NdisHaltDeviceSurpriseRemoved") ? "halt: gone" : `halt ${action}`);
          yield* its.inherited("MiniportHaltEx", context, action);
        },
      }),
      actions: [...started, { do: "stop adapter", adapter: 0, bySurprise: true }, ...takenDown.slice(1)],
    });
    expect(told.slice(-4)).toEqual(["query remove", "event 2", expect.stringMatching(/^pause/), "halt: gone"]);
  });
});

describe("When the system shuts down", () => {
  const off: Action = { do: "shut down" };
  const shutting =
    (told: string[]): Change =>
    (d, its) => ({
      ...indicates(d, its),
      MiniportShutdownEx: (_context, action) => void told.push(`shutdown ${action}`),
      MiniportReturnNetBufferLists: () => void told.push("return"),
      MiniportCancelSend: () => void told.push("cancel"),
      *MiniportOidRequest(context, request) {
        told.push("oid");
        return yield* its.inherited("MiniportOidRequest", context, request);
      },
    });

  test("each miniport adapter is, once, and no handler of it is called after that", () => {
    const told: string[] = [];
    play({
      protocol: (d, its) => {
        const keeping = keepsReceives(d, its);
        return {
          ...hearing(told)(d, its),
          ...keeping,
          *ProtocolReceiveNetBufferLists(...args) {
            told.push("received");
            yield* invoke(d, keeping, "ProtocolReceiveNetBufferLists", ...args);
          },
          *Cancel() {
            yield* d.NdisCancelSendNetBufferLists(its.get(binding.handle), yield* newCancelId(d, 1));
          },
        };
      },
      miniport: shutting(told),
      actions: [
        ...started,
        call(MINIPORT, "Inject"),
        off,
        ...[call(PROTOCOL, "ReturnAll"), call(MINIPORT, "Inject"), call(PROTOCOL, "Ask"), call(PROTOCOL, "Cancel")],
        wait(10_000),
      ],
    });
    expect(told.slice(told.indexOf("shutdown 0"))).toEqual(["shutdown 0", "refused"]);
  });

  test("a scenario that goes on with the adapter is at fault", () => {
    const { outcome } = runOnce({ miniport: shutting([]), actions: [...started, off, ...takenDown] }, (seen) =>
      strategyOf(atOnce, seen),
    );
    expect(outcome).toMatchObject({
      kind: "failed",
      error: { message: expect.stringMatching(/after the system was shut down/) },
    });
  });
});
