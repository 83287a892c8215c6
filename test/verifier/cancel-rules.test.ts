import { describe } from "vitest";
import { cancelIdSlot, newCancelId, sendCancellable } from "./cancelling.ts";
import {
  type Change,
  PENDING,
  PROTOCOL,
  MINIPORT,
  adapter,
  allows,
  atOnce,
  binding,
  breaks,
  call,
  pending,
  queuesSends,
  settle,
  started,
  takenDown,
  wait,
} from "./support.ts";

describe("Cancelling OID requests", () => {
  /** A protocol that makes a request with the RequestId 7. */
  const asks: Change = (d, its) => ({
    *Ask() {
      const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.RequestType = d.constant("NdisRequestQueryInformation");
      request.RequestId = 7;
      request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_ID");
      yield* d.NdisOidRequest(its.get(binding.handle), request.address);
    },
    *Cancel(id) {
      yield* d.NdisCancelOidRequest(its.get(binding.handle), id);
    },
  });
  /** A miniport that keeps a query until it is cancelled or told to answer. */
  const keeps: Change = (d, its) => {
    const kept = d.statics(4);
    function* complete(status: number) {
      const request = d.memory.readU32(kept);
      d.memory.writeU32(kept, 0);
      if (request !== 0) yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, status);
    }
    return {
      *MiniportOidRequest(context, request) {
        const { DATA_QUERY_INFORMATION_Oid: oid } = d.view("NDIS_OID_REQUEST", request);
        if (oid >>> 0 !== d.constant("OID_GEN_VENDOR_ID") >>> 0)
          return yield* its.inherited("MiniportOidRequest", context, request);
        d.memory.writeU32(kept, request);
        return PENDING;
      },
      *MiniportCancelOidRequest(_context, id) {
        if (id === 7) yield* complete(d.constant("NDIS_STATUS_REQUEST_ABORTED") >>> 0);
      },
      *Answer() {
        yield* complete(d.constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0);
      },
    };
  };
  const asked = (id: number, isAnswered = false) => ({
    // With a completion before the call returns nobody could cancel.
    answers: [atOnce, pending],
    protocol: asks,
    miniport: keeps,
    actions: [
      ...started,
      call(PROTOCOL, "Ask"),
      wait(1),
      ...(isAnswered ? [call(MINIPORT, "Answer"), settle] : []),
      call(PROTOCOL, "Cancel", id),
      wait(1),
      call(MINIPORT, "Answer"),
      settle,
      ...takenDown,
    ],
  });

  breaks("oid-cancel-by-id", "the id is that of no request", {
    ...asked(8),
    by: PROTOCOL,
    says: /with the RequestId 0x00000008, which no OID request of the binding had/,
  });
  allows("oid-cancel-by-id", "the id is that of the request", asked(7));
  allows("oid-cancel-by-id", "the request is complete already", asked(7, true));
});

describe("Cancelling sends", () => {
  /** A protocol that sends with one id and cancels. */
  const cancelling = (how: "made up" | "by NDIS" | "set late") => ({
    miniport: queuesSends,
    protocol: ((d, its) => ({
      *Send() {
        const id = how === "made up" ? 0x0900_0001 : yield* newCancelId(d, 1);
        const list = yield* sendCancellable(d, its.context(), how === "set late" ? 0 : id);
        d.memory.writeU32(cancelIdSlot(d, list), id);
        yield* d.NdisCancelSendNetBufferLists(its.get(binding.handle), id);
      },
    })) satisfies Change,
    actions: [...started, call(PROTOCOL, "Send"), call(MINIPORT, "CompleteSends"), settle, ...takenDown],
  });

  breaks("send-cancel-id", "the high byte of an id is the driver's own", {
    ...cancelling("made up"),
    by: PROTOCOL,
    says: /was sent with the cancel id 0x09000001, whose high byte is not from NdisGeneratePartialCancelId/,
  });
  breaks("send-cancel-id", "a list gets its id when it has been sent", {
    ...cancelling("set late"),
    by: PROTOCOL,
    says: /has got the cancel id 0x[0-9a-f]{8} after it was sent/,
  });
  allows("send-cancel-id", "the high byte is NDIS's, and the list has the id when it is sent", cancelling("by NDIS"));

  breaks("send-cancel-id", "sends are cancelled by an id that NDIS has no part in", {
    by: PROTOCOL,
    says: /NdisCancelSendNetBufferLists was called with the id 0x00000001/,
    answers: [pending],
    protocol: (d, its) => ({
      *Cancel() {
        yield* d.NdisCancelSendNetBufferLists(its.get(binding.handle), 1);
      },
    }),
    actions: [...started, call(PROTOCOL, "Cancel"), ...takenDown],
  });
});
