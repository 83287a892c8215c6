/** The page "Stopping a Driver Stack", and who may change a stack at the same time. */
import { describe, expect, test } from "vitest";
import { record, recordFaulty } from "../ndis/play.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  THIRD,
  adapter,
  binding,
  call,
  clearFilter,
  freeBinding,
  inParallel,
  indicates,
  isEvent,
  keepsReceives,
  later,
  load,
  protocolWith,
  queuesSends,
  settle,
  started,
  stop,
  takenDown,
  unbind,
  unload,
  wait,
} from "../verifier/support.ts";
import { story } from "./support.ts";

describe("When a stack is stopped", () => {
  const names = [
    "NdisReturnNetBufferLists",
    "ProtocolSendNetBufferListsComplete",
    "ProtocolUnbindAdapterEx",
    "MiniportHaltEx",
    "binding",
  ];

  test("a binding is unbound after its sends are complete and its receives are returned", () => {
    const result = record({
      protocol: (d, its) => {
        const keeping = keepsReceives(d, its);
        return {
          ...keeping,
          *ProtocolNetPnPEvent(context, event) {
            const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
            if (isEvent(d, event, "NetEventPause")) yield* later(d, "ReturnLater", 0);
            if (isEvent(d, event, "NetEventPause")) yield* d.NdisMSleep(50_000);
            return status;
          },
          *ReturnLater(_context, item) {
            yield* d.NdisFreeIoWorkItem(item);
            const returning = keeping["ReturnAll"]?.();
            if (typeof returning === "object") yield* returning;
          },
        };
      },
      miniport: (d, its) => ({ ...indicates(d, its), ...queuesSends(d, its) }),
      actions: [
        ...started,
        call(MINIPORT, "Inject"),
        call(PROTOCOL, "Exercise"),
        inParallel(wait(100), call(MINIPORT, "CompleteSends")),
        stop,
      ],
    });
    expect(story(result, names, { from: "adapter 0 stops" }).filter((line) => !line.includes("= "))).toEqual([
      "binding: Running -> Pausing",
      "NdisReturnNetBufferLists",
      "ProtocolSendNetBufferListsComplete",
      "binding: Pausing -> Paused",
      "binding: Paused -> Closing",
      "ProtocolUnbindAdapterEx",
      "binding: Closing -> Unbound",
      "MiniportHaltEx",
    ]);
  });

  test("even a binding that was closed with an OID request outstanding is Unbound only when the request is complete", () => {
    const asks: Change = (d) => {
      const request = d.staticStruct("NDIS_OID_REQUEST");
      const value = d.statics(4);
      return {
        *ProtocolUnbindAdapterEx(unbindContext, context) {
          const handle = d.memory.readU32(context + binding.handle);
          yield* clearFilter(d, context);
          d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_DRIVER_VERSION");
          request.DATA_QUERY_INFORMATION_InformationBuffer = value;
          request.DATA_QUERY_INFORMATION_InformationBufferLength = 4;
          yield* d.NdisOidRequest(handle, request.address);
          yield* d.NdisCloseAdapterEx(handle);
          yield* freeBinding(d, context);
          yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
          return PENDING;
        },
        ProtocolOidRequestComplete() {},
      };
    };
    const answersLate: Change = (d, its) => ({
      *MiniportOidRequest(context, request) {
        const oid = d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_Oid;
        if (oid !== d.constant("OID_GEN_VENDOR_DRIVER_VERSION")) {
          return yield* its.inherited("MiniportOidRequest", context, request);
        }
        yield* later(d, "CompleteLate", request);
        return PENDING;
      },
      *CompleteLate(request, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* d.NdisMSleep(50_000);
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, 0);
      },
    });
    const result = recordFaulty({ protocol: asks, miniport: answersLate, actions: [...started, unbind] });
    expect(result.findings.map(({ rule }) => rule)).toEqual(["close-waits-for-originated-work"]);
    const told = story(result, ["binding", "NdisCompleteUnbindAdapterEx", "ProtocolOidRequestComplete"]);
    expect(told.slice(-5)).toEqual([
      "NdisCompleteUnbindAdapterEx",
      "NdisCompleteUnbindAdapterEx = SUCCESS",
      "ProtocolOidRequestComplete",
      "ProtocolOidRequestComplete = SUCCESS",
      "binding: Closing -> Unbound",
    ]);
  });
});

describe("While a binding of an adapter is unbound", () => {
  test("another protocol is not bound to it: it is when the unbind is over", () => {
    const slowly: Change = (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        yield* d.NdisMSleep(50_000);
        return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
      },
    });
    const result = record({
      protocol: slowly,
      more: [protocolWith()],
      actions: [...started, inParallel(unbind), wait(10), load(THIRD), settle, unload(THIRD), ...takenDown],
    });
    const told = story(result, ["binding"], { from: "driver 0 is unbound from adapter 0" });
    expect(told.slice(0, 5)).toEqual([
      "binding: Running -> Pausing",
      "binding: Pausing -> Paused",
      "binding: Paused -> Closing",
      "binding: Closing -> Unbound",
      "binding: Unbound -> Opening",
    ]);
  });
});
