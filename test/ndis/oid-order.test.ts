/** When a miniport gets an OID request, and how its originator hears of the end. */
import { describe, expect, test } from "vitest";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  adapter,
  binding,
  call,
  settle,
  started,
  takenDown,
  wait,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const textOf = (status: number): string => (status === PENDING ? "pending" : `0x${(status >>> 0).toString(16)}`);

/** A protocol whose `Ask` makes a request of its own with that id. */
const asking =
  (told: string[]): Change =>
  (d, its) => {
    const requests = d.statics(4 * 160);
    function* ask(id: number) {
      const given = d.view("NDIS_OID_REQUEST", requests + id * 160);
      d.header(given.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      given.RequestId = id;
      given.RequestType = d.constant("NdisRequestQueryInformation");
      given.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_ID");
      told.push(`ask ${id}: ${textOf(yield* d.NdisOidRequest(its.get(binding.handle), given.address))}`);
    }
    return {
      *ProtocolOidRequestComplete(context, request, status) {
        const { RequestId } = d.view("NDIS_OID_REQUEST", request);
        if (request >= requests && request < requests + 4 * 160) told.push(`complete ${RequestId}: ${textOf(status)}`);
        else yield* its.inherited("ProtocolOidRequestComplete", context, request, status);
      },
      Ask: ask,
      *AskAtDispatch(id = 0) {
        const old = yield* d.KeRaiseIrqlToDpcLevel();
        yield* ask(id);
        yield* d.KeLowerIrql(old);
      },
      *Cancel(id = 0) {
        yield* d.NdisCancelOidRequest(its.get(binding.handle), id);
      },
    };
  };

/** A miniport that keeps each query until it is told to answer, or to cancel. */
const keeping =
  (told: string[]): Change =>
  (d, its) => {
    const kept = d.statics(4);
    function* complete(status: number) {
      const request = d.memory.readU32(kept);
      d.memory.writeU32(kept, 0);
      yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, status);
    }
    return {
      *MiniportOidRequest(context, request) {
        const { RequestId, RequestType } = d.view("NDIS_OID_REQUEST", request);
        if (RequestType !== d.constant("NdisRequestQueryInformation"))
          return yield* its.inherited("MiniportOidRequest", context, request);
        told.push(`got ${RequestId} at ${yield* d.KeGetCurrentIrql()}`);
        d.memory.writeU32(kept, request);
        return PENDING;
      },
      *MiniportCancelOidRequest(_context, id) {
        told.push(`cancel ${id}`);
        yield* complete(d.constant("NDIS_STATUS_REQUEST_ABORTED"));
      },
      *Answer() {
        yield* complete(d.constant("NDIS_STATUS_NOT_SUPPORTED"));
      },
    };
  };

/** What is told while the protocol asks and the miniport keeps. */
function toldBy(...actions: (ReturnType<typeof call> | typeof settle)[]): string[] {
  const told: string[] = [];
  play({ protocol: asking(told), miniport: keeping(told), actions: [...started, ...actions, settle, ...takenDown] });
  return told;
}

const ABORTED = "0xc001000c";
const NOT_SUPPORTED = "0xc00000bb";

describe("An OID request", () => {
  test("does not come to the miniport until the one before it, which pends, is complete", () => {
    const told = toldBy(
      call(PROTOCOL, "Ask", 1),
      call(PROTOCOL, "Ask", 2),
      wait(1),
      call(MINIPORT, "Answer"),
      wait(1),
      call(MINIPORT, "Answer"),
    );
    expect(told).toEqual([
      "got 1 at 0",
      "ask 1: pending",
      "ask 2: pending",
      `complete 1: ${NOT_SUPPORTED}`,
      "got 2 at 0",
      `complete 2: ${NOT_SUPPORTED}`,
    ]);
  });

  test("that is made at DISPATCH_LEVEL comes to the miniport at PASSIVE_LEVEL, later", () => {
    const told = toldBy(call(PROTOCOL, "AskAtDispatch", 1), wait(1), call(MINIPORT, "Answer"));
    expect(told).toEqual(["ask 1: pending", "got 1 at 0", `complete 1: ${NOT_SUPPORTED}`]);
  });

  test("that pends ends in ProtocolOidRequestComplete, once; one that does not pend has ended when the call returns", () => {
    const told = toldBy(call(PROTOCOL, "Ask", 1), wait(1), call(MINIPORT, "Answer"));
    expect(told.filter((line) => line.startsWith("complete"))).toEqual([`complete 1: ${NOT_SUPPORTED}`]);
    const atOnce: string[] = [];
    play({ protocol: asking(atOnce), actions: [...started, call(PROTOCOL, "Ask", 1), settle, ...takenDown] });
    expect(atOnce).toEqual([`ask 1: ${NOT_SUPPORTED}`]);
  });

  test("that is cancelled comes back once: the miniport gives up the one that it has, and never sees one that waits", () => {
    const told = toldBy(
      call(PROTOCOL, "Ask", 1),
      call(PROTOCOL, "Ask", 2),
      wait(1),
      call(PROTOCOL, "Cancel", 2),
      call(PROTOCOL, "Cancel", 1),
    );
    expect(told).toEqual([
      "got 1 at 0",
      "ask 1: pending",
      "ask 2: pending",
      "cancel 1",
      `complete 1: ${ABORTED}`,
      `complete 2: ${ABORTED}`,
    ]);
  });
});
