/** What is called and answered around the power of an adapter, and when it is gone. */
import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  type Running,
  SUCCESS,
  adapter,
  allows,
  binding,
  breaks,
  call,
  createAdapterContext,
  createFrame,
  freeFrames,
  inParallel,
  indicates,
  invoke,
  keepsReceives,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
  wait,
} from "./support.ts";
import { type Resource, callbacks, interrupt, timer } from "./resources.ts";

const RESOURCES = 2;
const FAILURE = 0xc000_0001;
const NO_PAUSE_ON_SUSPEND = 0x100;
const sleep: Action = { do: "power", adapter: 0, state: "D3" };
const wake: Action = { do: "power", adapter: 0, state: "D0" };
const version = () => ({ MinorNdisVersion: 30 });
/** A stack that is not paused before its adapter sleeps. */
const unpaused = { makeMiniport: miniportRegisteredWith(version), makeProtocol: protocolRegisteredWith(version) };

/** A miniport with power management; `beforeSleep` is what it does before it answers OID_PNP_SET_POWER. */
const powered =
  (more: Change = () => ({}), beforeSleep: (d: DriverEnvironment) => Running<void> = function* () {}): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context, NO_PAUSE_ON_SUSPEND);
      const general = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
        MediaType: "NdisMedium802_3",
        MacAddressLength: 6,
        PowerManagementCapabilitiesEx: d.local("NDIS_PM_CAPABILITIES").address,
      });
      d.header(
        general.address,
        "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
        2,
        "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2",
      );
      return yield* d.NdisMSetMiniportAttributes(handle, general.address);
    },
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
        return yield* its.inherited("MiniportOidRequest", context, request);
      given.DATA_SET_INFORMATION_BytesRead = 4;
      if (d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer) !== d.constant("NdisDeviceStateD0"))
        yield* beforeSleep(d);
      return SUCCESS;
    },
    ...more(d, its),
  });

describe("OID_PNP_QUERY_POWER", () => {
  const asks: Change = (d, its) => {
    const [request, state] = [d.statics(160), d.statics(4)];
    return {
      *Ask() {
        const given = d.view("NDIS_OID_REQUEST", request);
        d.header(request, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        given.RequestType = d.constant("NdisRequestSetInformation");
        given.DATA_SET_INFORMATION_Oid = d.constant("OID_PNP_QUERY_POWER");
        given.DATA_SET_INFORMATION_InformationBuffer = state;
        given.DATA_SET_INFORMATION_InformationBufferLength = 4;
        yield* d.NdisOidRequest(its.get(binding.handle), request);
      },
    };
  };
  const answers =
    (status: number): Change =>
    (d, its) => ({
      *MiniportOidRequest(context, request) {
        const { DATA_SET_INFORMATION_Oid } = d.view("NDIS_OID_REQUEST", request);
        if (DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_QUERY_POWER"))
          return yield* its.inherited("MiniportOidRequest", context, request);
        return status;
      },
    });
  const asked = [...started, call(PROTOCOL, "Ask"), settle, ...takenDown];
  breaks("pm-query-power-succeed", "a miniport refuses to go to a power state", {
    by: MINIPORT,
    says: /ended OID_PNP_QUERY_POWER with NDIS_STATUS_FAILURE/,
    protocol: asks,
    miniport: answers(FAILURE),
    actions: asked,
  });
  allows("pm-query-power-succeed", "a miniport is ready for the power state", {
    protocol: asks,
    miniport: answers(SUCCESS),
    actions: asked,
  });
});

describe("OID_PNP_SET_POWER", () => {
  const refuses = (inRunning: boolean): Change =>
    powered((d, its) => ({
      *MiniportOidRequest(context, request) {
        const given = d.view("NDIS_OID_REQUEST", request);
        if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_PNP_SET_POWER"))
          return yield* its.inherited("MiniportOidRequest", context, request);
        given.DATA_SET_INFORMATION_BytesRead = 4;
        return inRunning && its.get(adapter.isRunning) === 1 ? FAILURE : SUCCESS;
      },
    }));
  const slept = [...started, sleep, wake, ...takenDown];
  breaks("pm-set-power-cannot-fail", "a miniport that asked not to be paused fails the request while it is Running", {
    by: MINIPORT,
    says: /ended OID_PNP_SET_POWER with NDIS_STATUS_FAILURE/,
    ...unpaused,
    miniport: refuses(true),
    actions: slept,
  });
  allows("pm-set-power-cannot-fail", "a miniport goes to sleep from Running", {
    ...unpaused,
    miniport: refuses(false),
    actions: slept,
  });
});

describe("Receives when the adapter goes to sleep", () => {
  /** The receive handler runs until the event is set: by the low-power handler, before or after it waits; the other way round by it. */
  const indication = (waits: boolean): { readonly protocol: Change; readonly miniport: Change } => {
    return {
      protocol: (d) => ({
        *ProtocolReceiveNetBufferLists() {
          yield* d.NdisMSleep(50_000);
        },
      }),
      miniport: (d, its) => {
        const done = d.statics(16);
        return {
          ...powered(undefined, function* () {
            if (waits) yield* d.NdisWaitEvent(done, 0);
          })(d, its),
          *Inject() {
            yield* d.NdisInitializeEvent(done);
            const list = yield* createFrame(d, its.context());
            yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, RESOURCES);
            yield* freeFrames(d, list);
            yield* d.NdisSetEvent(done);
          },
        };
      },
    };
  };
  const slept = [...started, inParallel(call(MINIPORT, "Inject")), wait(10), sleep, wait(100), wake, settle, ...takenDown];
  breaks("pm-set-low-power-wait-indicate-calls", "its indication has not returned", {
    by: MINIPORT,
    says: /while 1 call\(s\) of NdisMIndicateReceiveNetBufferLists have not returned/,
    ...unpaused,
    ...indication(false),
    actions: slept,
  });
  allows("pm-set-low-power-wait-indicate-calls", "its indication is waited for", {
    ...unpaused,
    ...indication(true),
    actions: slept,
  });

  /** A miniport that waits for what it indicated to be returned, and a protocol that returns it when the adapter is awake again. */
  const waitsForReturns: Change = (d, its) => {
    const returned = d.statics(16);
    return {
      ...powered(undefined, function* () {
        yield* d.NdisWaitEvent(returned, 0);
      })(d, its),
      *Inject() {
        yield* d.NdisInitializeEvent(returned);
        yield* invoke(d, indicates(d, its), "Inject", 0);
      },
      *MiniportReturnNetBufferLists(_context, lists) {
        yield* freeFrames(d, lists);
        yield* d.NdisSetEvent(returned);
      },
    };
  };
  breaks("hung", "the low-power handler waits for received lists that the protocol returns only after the wake", {
    by: MINIPORT,
    says: /./,
    ...unpaused,
    protocol: keepsReceives,
    miniport: waitsForReturns,
    actions: [...started, call(MINIPORT, "Inject"), sleep, wake, call(PROTOCOL, "ReturnAll"), ...takenDown],
    ends: "hung",
  });
  allows("hung", "the low-power handler does not wait for received lists", {
    ...unpaused,
    protocol: keepsReceives,
    miniport: powered(indicates),
    actions: [...started, call(MINIPORT, "Inject"), sleep, wake, call(PROTOCOL, "ReturnAll"), ...takenDown],
  });
});

describe("An adapter whose driver knows nothing of power", () => {
  /** A miniport that fails to be initialized again, and leaves what it has taken, or gives it back. */
  const failsToWake =
    (resource: Resource, gives: boolean): Change =>
    (d, its) => {
      const [times, word] = [d.statics(4), d.statics(4)];
      return {
        ...callbacks(d, its),
        *MiniportInitializeEx(handle, driver, parameters) {
          d.memory.writeU32(times, d.memory.readU32(times) + 1);
          if (d.memory.readU32(times) === 1) return yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
          yield* setRegistrationAttributes(d, handle, 16);
          yield* resource.take(d, handle, word);
          if (gives) yield* resource.give(d, word, handle);
          return FAILURE;
        },
      };
    };
  const rudelyWoken = [...started, sleep, wake];
  for (const [what, rule, resource] of [
    ["an interrupt registered", "mp-init-interrupt-left", interrupt],
    ["a timer set", "mp-init-timer-left", timer],
  ] as const) {
    breaks(rule, `the initialization after low power fails and leaves ${what}`, {
      by: MINIPORT,
      says: /MiniportInitializeEx failed, and 1/,
      miniport: failsToWake(resource, false),
      actions: rudelyWoken,
    });
    allows(rule, `the initialization after low power fails and does not leave ${what}`, {
      miniport: failsToWake(resource, true),
      actions: rudelyWoken,
    });
  }
});

describe("After the wake", () => {
  function* tell(d: DriverEnvironment, handle: number, status: ConstantName, bytes = 0, buffer = 0): Running<void> {
    const given = d.local("NDIS_STATUS_INDICATION", {
      SourceHandle: handle,
      StatusCode: status,
      StatusBuffer: buffer,
      StatusBufferSize: bytes,
    });
    d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
    yield* d.NdisMIndicateStatusEx(handle, given.address);
  }
  function* tellLink(d: DriverEnvironment, handle: number): Running<void> {
    const state = d.local("NDIS_LINK_STATE", { MediaConnectState: "MediaConnectStateDisconnected" });
    d.header(state.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_LINK_STATE_REVISION_1");
    yield* tell(d, handle, "NDIS_STATUS_LINK_STATE", 40, state.address);
  }
  const tells = (order: readonly ("link" | "reason")[]): Change =>
    powered((d, its) => ({
      *Tell() {
        const handle = its.get(adapter.handle);
        for (const what of order) {
          if (what === "link") yield* tellLink(d, handle);
          else yield* tell(d, handle, "NDIS_STATUS_PM_WAKE_REASON");
        }
      },
    }));
  const woken = [...started, sleep, wake, call(MINIPORT, "Tell"), settle, ...takenDown];
  breaks("pm-wake-reason-before-link", "the link state is indicated before the reason of the wake", {
    by: MINIPORT,
    says: /NDIS_STATUS_PM_WAKE_REASON was indicated after the link state/,
    miniport: tells(["link", "reason"]),
    actions: woken,
  });
  allows("pm-wake-reason-before-link", "the reason of the wake is indicated, and then the link state", {
    miniport: tells(["reason", "link"]),
    actions: woken,
  });

  const tellsLate =
    (isLate: boolean): Change =>
    (d, its) => {
      const kept = d.statics(4);
      return {
        *MiniportHaltEx(context, action) {
          d.memory.writeU32(kept, its.get(adapter.handle));
          if (!isLate) yield* tellLink(d, d.memory.readU32(kept));
          yield* its.inherited("MiniportHaltEx", context, action);
        },
        *MiniportDriverUnload() {
          if (isLate) yield* tellLink(d, d.memory.readU32(kept));
          yield* its.inherited("MiniportDriverUnload");
        },
      };
    };
  breaks("NdisMIndicateStatusEx", "a status is indicated after MiniportHaltEx has returned", {
    by: MINIPORT,
    says: /for an adapter whose MiniportHaltEx has returned/,
    also: ["use-after-free"],
    miniport: tellsLate(true),
    actions: [...started, ...takenDown],
  });
  allows("NdisMIndicateStatusEx", "a status is indicated inside MiniportHaltEx", {
    miniport: tellsLate(false),
    actions: [...started, ...takenDown],
  });
});
