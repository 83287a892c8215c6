/** Direct and synchronous OID requests: beside others, at the level of the caller. */
import { describe, expect, test } from "vitest";
import { miniportRegisteredWith, protocolRegisteredWith } from "../verifier/registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  adapter,
  binding,
  call,
  pending,
  type Situation,
  atOnce,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const makeProtocol = protocolRegisteredWith((d) => ({
  DirectOidRequestCompleteHandler: d.handler("ProtocolDirectOidRequestComplete"),
}));
const makeMiniport = miniportRegisteredWith((d) => ({
  DirectOidRequestHandler: d.handler("MiniportDirectOidRequest"),
  CancelDirectOidRequestHandler: d.handler("MiniportCancelDirectOidRequest"),
  SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest"),
}));

/** A protocol whose `Ask` makes a request of its own with that id. */
const asking =
  (told: string[]): Change =>
  (d, its) => {
    const requests = d.statics(4 * 160);
    const request = (id: number): number => {
      const given = d.view("NDIS_OID_REQUEST", requests + id * 160);
      d.header(given.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      given.RequestId = id;
      given.RequestType = d.constant("NdisRequestQueryInformation");
      return given.address;
    };
    const answer = (status: number): string => (status === PENDING ? "pending" : `0x${status.toString(16)}`);
    return {
      ProtocolDirectOidRequestComplete: (_context, given, status) =>
        void told.push(`complete ${d.view("NDIS_OID_REQUEST", given).RequestId} ${answer(status)}`),
      *Ask(id = 0) {
        told.push(`ask ${id} ${answer(yield* d.NdisDirectOidRequest(its.get(binding.handle), request(id)))}`);
      },
      *AskAtDispatch(id = 0) {
        const old = yield* d.KeRaiseIrqlToDpcLevel();
        told.push(`ask ${id} ${answer(yield* d.NdisDirectOidRequest(its.get(binding.handle), request(id)))}`);
        yield* d.KeLowerIrql(old);
      },
      *AskNow(id = 0) {
        told.push(`ask ${id} ${answer(yield* d.NdisSynchronousOidRequest(its.get(binding.handle), request(id)))}`);
      },
      *Cancel(id = 0) {
        yield* d.NdisCancelDirectOidRequest(its.get(binding.handle), id);
      },
    };
  };

/** A miniport that keeps direct requests until they are cancelled, all that have the id. */
const keeping =
  (told: string[]): Change =>
  (d, its) => {
    const kept = d.statics(16);
    return {
      *MiniportDirectOidRequest(_context, request) {
        const { RequestId } = d.view("NDIS_OID_REQUEST", request);
        told.push(`got ${RequestId} at ${yield* d.KeGetCurrentIrql()}`);
        d.memory.writeU32(kept + RequestId * 4, request);
        return PENDING;
      },
      *MiniportCancelDirectOidRequest(_context, id) {
        told.push(`cancel ${id}`);
        const aborted = d.constant("NDIS_STATUS_REQUEST_ABORTED");
        yield* d.NdisMDirectOidRequestComplete(its.get(adapter.handle), d.memory.readU32(kept + id * 4), aborted);
      },
      MiniportSynchronousOidRequest: (_context, request) => {
        told.push(`got ${d.view("NDIS_OID_REQUEST", request).RequestId}`);
        return "NDIS_STATUS_NOT_SUPPORTED";
      },
    };
  };

describe("A direct OID request", () => {
  test("does not wait for another, runs at the level of its caller, and is cancelled by its id", () => {
    const told: string[] = [];
    play({
      makeProtocol,
      makeMiniport,
      protocol: asking(told),
      miniport: keeping(told),
      actions: [
        ...started,
        call(PROTOCOL, "Ask", 1),
        call(PROTOCOL, "AskAtDispatch", 2),
        call(PROTOCOL, "Cancel", 2),
        call(PROTOCOL, "Cancel", 3),
        call(PROTOCOL, "Cancel", 1),
        settle,
        ...takenDown,
      ],
    });
    expect(told).toEqual([
      "got 1 at 0",
      "ask 1 pending",
      "got 2 at 2",
      "ask 2 pending",
      "cancel 2",
      "cancel 1",
      "complete 1 0xc001000c",
      "complete 2 0xc001000c",
    ]);
  });

  test("may pend though the miniport completes it at once", () => {
    const told: string[] = [];
    play(
      {
        makeProtocol,
        makeMiniport,
        protocol: asking(told),
        miniport: () => ({
          MiniportDirectOidRequest: () => SUCCESS,
          MiniportCancelDirectOidRequest() {},
          MiniportSynchronousOidRequest: () => SUCCESS,
        }),
        actions: [...started, call(PROTOCOL, "Ask", 1), settle, ...takenDown],
      },
      pending,
    );
    expect(told).toEqual(["ask 1 pending", "complete 1 0x0"]);
  });

  test("is refused if the miniport has no handler for it", () => {
    const told: string[] = [];
    play({
      makeProtocol,
      protocol: asking(told),
      actions: [...started, call(PROTOCOL, "Ask", 1), call(PROTOCOL, "AskNow", 1), settle, ...takenDown],
    });
    expect(told).toEqual(["ask 1 0xc00000bb", "ask 1 0xc00000bb"]);
  });

  test("is refused while the adapter is reset; a synchronous one is not", () => {
    const told: string[] = [];
    const situation: Situation = {
      makeProtocol,
      makeMiniport: miniportRegisteredWith((d) => ({
        ResetHandlerEx: d.handler("MiniportResetEx"),
        DirectOidRequestHandler: d.handler("MiniportDirectOidRequest"),
        CancelDirectOidRequestHandler: d.handler("MiniportCancelDirectOidRequest"),
        SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest"),
      })),
      protocol: asking(told),
      miniport: (d, its) => ({
        ...keeping(told)(d, its),
        MiniportResetEx: () => PENDING,
        *Finish() {
          yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
        },
      }),
      actions: [
        ...started,
        { do: "in parallel", actions: [{ do: "reset", adapter: 0 }] },
        { do: "wait", milliseconds: 1 },
        call(PROTOCOL, "Ask", 1),
        call(PROTOCOL, "AskNow", 2),
        call(MINIPORT, "Finish"),
        settle,
        ...takenDown,
      ],
    };
    play(situation, atOnce, ["mp-reset-protocol-holds"]);
    expect(told).toEqual(["ask 1 0xc001000d", "got 2", "ask 2 0xc00000bb"]);
  });
});
