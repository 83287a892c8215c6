/** What is called and answered around the power of an adapter. */
import { describe } from "vitest";
import { FAILURE, powered, sleep, unpaused, wake } from "./powered.ts";
import { type Resource, callbacks, interrupt, timer } from "./resources.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  binding,
  breaks,
  call,
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

const RESOURCES = 2;

describe("OID_PNP_QUERY_POWER", () => {
  const asks =
    (bytes: number): Change =>
    (d, its) => {
      const [request, state] = [d.statics(160), d.statics(4)];
      return {
        *Ask() {
          const given = d.view("NDIS_OID_REQUEST", request);
          d.header(request, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          given.RequestType = d.constant("NdisRequestQueryInformation");
          given.DATA_QUERY_INFORMATION_Oid = d.constant("OID_PNP_QUERY_POWER");
          given.DATA_QUERY_INFORMATION_InformationBuffer = state;
          given.DATA_QUERY_INFORMATION_InformationBufferLength = bytes;
          yield* d.NdisOidRequest(its.get(binding.handle), request);
        },
      };
    };
  const answers =
    (status: number): Change =>
    (d, its) => ({
      *MiniportOidRequest(context, request) {
        const { DATA_QUERY_INFORMATION_Oid } = d.view("NDIS_OID_REQUEST", request);
        if (DATA_QUERY_INFORMATION_Oid !== d.constant("OID_PNP_QUERY_POWER"))
          return yield* its.inherited("MiniportOidRequest", context, request);
        return status;
      },
    });
  const asked = [...started, call(PROTOCOL, "Ask"), settle, ...takenDown];
  breaks("pm-query-power-succeed", "a miniport refuses to go to a power state", {
    by: MINIPORT,
    says: /ended OID_PNP_QUERY_POWER with NDIS_STATUS_FAILURE/,
    protocol: asks(4),
    miniport: answers(FAILURE),
    actions: asked,
  });
  allows("pm-query-power-succeed", "a miniport is ready for the power state", {
    protocol: asks(4),
    miniport: answers(SUCCESS),
    actions: asked,
  });
  allows("pm-query-power-succeed", "a miniport refuses a request that has no room for a power state", {
    protocol: asks(0),
    miniport: answers(FAILURE),
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
