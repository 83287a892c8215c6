import { describe } from "vitest";
import { protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  binding,
  breaks,
  call,
  queuesSends,
  sendOne,
  settle,
  started,
  takenDown,
  later,
  wait,
  TAG,
  atOnce,
} from "./support.ts";

/** A protocol that asks for one OID, with a buffer of 8 bytes. */
const asks =
  (oid: "OID_GEN_VENDOR_ID" | "OID_802_3_DELETE_MULTICAST_ADDRESS" | "OID_PM_REMOVE_WOL_PATTERN", isSet = false): Change =>
  (d, its) => {
    const buffer = d.statics(8);
    return {
      *Ask() {
        const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
        d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        request.RequestType = d.constant(isSet ? "NdisRequestSetInformation" : "NdisRequestQueryInformation");
        request.DATA_QUERY_INFORMATION_Oid = d.constant(oid);
        request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
        request.DATA_QUERY_INFORMATION_InformationBufferLength = 8;
        request.DATA_QUERY_INFORMATION_BytesWritten = 0;
        yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      },
    };
  };
const asking = [...started, call(PROTOCOL, "Ask"), settle, ...takenDown];

/** A miniport that answers that OID by itself. */
const answers =
  (
    oid: "OID_GEN_VENDOR_ID" | "OID_PM_REMOVE_WOL_PATTERN",
    answer: { status: "NDIS_STATUS_FAILURE" | "NDIS_STATUS_NOT_SUPPORTED" | "NDIS_STATUS_SUCCESS"; bytes: number },
  ): Change =>
  (d, its) => ({
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_QUERY_INFORMATION_Oid >>> 0 !== d.constant(oid) >>> 0)
        return yield* its.inherited("MiniportOidRequest", context, request);
      given.DATA_QUERY_INFORMATION_BytesWritten = answer.bytes;
      return d.constant(answer.status);
    },
  });

describe("What an OID request comes to", () => {
  breaks("oid-must-succeed-list", "a pattern cannot be removed", {
    by: MINIPORT,
    says: /OID_PM_REMOVE_WOL_PATTERN was completed with NDIS_STATUS_FAILURE/,
    protocol: asks("OID_PM_REMOVE_WOL_PATTERN", true),
    miniport: answers("OID_PM_REMOVE_WOL_PATTERN", { status: "NDIS_STATUS_FAILURE", bytes: 0 }),
    actions: asking,
  });
  allows("oid-must-succeed-list", "a miniport does not have the OID", {
    protocol: asks("OID_PM_REMOVE_WOL_PATTERN", true),
    miniport: answers("OID_PM_REMOVE_WOL_PATTERN", { status: "NDIS_STATUS_NOT_SUPPORTED", bytes: 0 }),
    actions: asking,
  });

  breaks("oid-byteswritten-bound", "a query has 9 bytes in a buffer of 8", {
    by: MINIPORT,
    says: /its BytesWritten is 9, and its InformationBufferLength is 8/,
    protocol: asks("OID_GEN_VENDOR_ID"),
    miniport: answers("OID_GEN_VENDOR_ID", { status: "NDIS_STATUS_SUCCESS", bytes: 9 }),
    actions: asking,
  });
  allows("oid-byteswritten-bound", "a query has 8 bytes in a buffer of 8", {
    protocol: asks("OID_GEN_VENDOR_ID"),
    miniport: answers("OID_GEN_VENDOR_ID", { status: "NDIS_STATUS_SUCCESS", bytes: 8 }),
    actions: asking,
  });
});

describe("Direct requests", () => {
  const direct: Change = (d, its) => ({
    ProtocolDirectOidRequestComplete() {},
    *Ask() {
      const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA");
      yield* d.NdisDirectOidRequest(its.get(binding.handle), request.address);
    },
  });
  breaks("oid-direct-complete-handler", "a driver asks that cannot be told of the end", {
    by: PROTOCOL,
    says: /by a driver without ProtocolDirectOidRequestComplete/,
    protocol: direct,
    actions: asking,
  });
  allows("oid-direct-complete-handler", "a driver has the handler, and the miniport takes no direct requests", {
    makeProtocol: protocolRegisteredWith((d) => ({
      DirectOidRequestCompleteHandler: d.handler("ProtocolDirectOidRequestComplete"),
    })),
    protocol: direct,
    actions: asking,
  });
});

describe("Object headers", () => {
  const RIGHT = { type: 0x80, revision: 1, bytes: 64 };
  /** A protocol that makes a pool by parameters with that header. */
  const pools =
    (header: typeof RIGHT): Change =>
    (d, its) => ({
      *Ask() {
        const given = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { PoolTag: 1 });
        d.memory.u8.set([header.type, header.revision], given.address);
        d.memory.writeU16(given.address + 2, header.bytes);
        const pool = yield* d.NdisAllocateNetBufferListPool(its.get(binding.handle), given.address);
        if (pool !== 0) yield* d.NdisFreeNetBufferListPool(pool);
      },
    });
  breaks("header-size-revision", "there is no such revision", {
    by: PROTOCOL,
    says: /its header says revision 9, and there is none/,
    protocol: pools({ ...RIGHT, revision: 9 }),
    actions: asking,
  });
  breaks("header-size-revision", "the type is another one's", {
    by: PROTOCOL,
    says: /the type in its header is 0x96, and has to be 0x80/,
    protocol: pools({ ...RIGHT, type: 0x96 }),
    actions: asking,
  });
  breaks("header-size-revision", "the size is smaller than that of the revision", {
    by: PROTOCOL,
    says: /its header says 8 bytes, and revision 1 has at least \d+/,
    protocol: pools({ ...RIGHT, bytes: 8 }),
    actions: asking,
  });
  allows("header-size-revision", "the size is larger than that of the revision", { protocol: pools(RIGHT), actions: asking });
});

describe("Time limits of Driver Verifier", () => {
  /** A miniport that completes a query after so many milliseconds. */
  const takes =
    (milliseconds: number): Change =>
    (d, its) => ({
      *MiniportOidRequest(context, request) {
        const { DATA_QUERY_INFORMATION_Oid: oid } = d.view("NDIS_OID_REQUEST", request);
        if (oid >>> 0 !== d.constant("OID_GEN_VENDOR_ID") >>> 0)
          return yield* its.inherited("MiniportOidRequest", context, request);
        yield* later(d, "Complete", request);
        return PENDING;
      },
      *Complete(request, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* d.NdisMSleep(milliseconds * 1000);
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, SUCCESS);
      },
    });
  breaks("NdisTimedOidComplete", "a request takes 12.1 s", {
    by: MINIPORT,
    says: /OID_GEN_VENDOR_ID was completed after 12\.1 s. An OID request has 12 s/,
    protocol: asks("OID_GEN_VENDOR_ID"),
    miniport: takes(12_100),
    actions: asking,
  });
  allows("NdisTimedOidComplete", "a request takes 11.9 s", {
    protocol: asks("OID_GEN_VENDOR_ID"),
    miniport: takes(11_900),
    actions: asking,
  });

  allows("NdisTimedOidComplete", "a hundred requests, each in memory of its own, are answered at once", {
    answers: [atOnce],
    protocol: (d, its) => ({
      *Ask() {
        const requests: number[] = [];
        for (let count = 0; count < 100; count += 1) {
          const memory = yield* d.NdisAllocateMemoryWithTagPriority(its.get(binding.handle), 256, TAG, 0);
          requests.push(memory);
          const request = d.view("NDIS_OID_REQUEST", memory);
          d.header(memory, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          request.RequestType = d.constant("NdisRequestQueryInformation");
          request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_ID");
          yield* d.NdisOidRequest(its.get(binding.handle), memory);
        }
        for (const memory of requests) yield* d.NdisFreeMemory(memory, 0, 0);
      },
    }),
    actions: asking,
  });

  const sends: Change = (d, its) => ({
    *Send() {
      yield* sendOne(d, its.context());
    },
  });
  const sending = (between: number, after: number) => ({
    protocol: sends,
    miniport: queuesSends,
    actions: [
      ...started,
      call(PROTOCOL, "Send"),
      wait(between),
      call(PROTOCOL, "Send"),
      wait(after),
      call(MINIPORT, "CompleteSends"),
      settle,
      ...takenDown,
    ],
  });
  breaks("NdisTimedDataHang", "two sends are pending, and none comes back for 23 s", {
    by: MINIPORT,
    says: /No send was completed for 23 s, though 2 lists were pending/,
    ...sending(1000, 22_000),
  });
  allows("NdisTimedDataHang", "two sends are pending, and come back after 22 s", sending(1000, 21_000));

  /** One send stays; another one comes and goes in between, so that the adapter does not hang. */
  const overtaken = (rest: number) => ({
    protocol: sends,
    miniport: ((d, its) => {
      const first = d.statics(4);
      return {
        *MiniportSendNetBufferLists(context, lists, port, flags) {
          if (d.memory.readU32(first) !== 0) yield* its.inherited("MiniportSendNetBufferLists", context, lists, port, flags);
          else d.memory.writeU32(first, lists);
        },
        *CompleteSends() {
          yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), d.memory.readU32(first), 0);
        },
      };
    }) satisfies Change,
    actions: [
      ...started,
      call(PROTOCOL, "Send"),
      wait(20_000),
      call(PROTOCOL, "Send"),
      wait(rest),
      call(MINIPORT, "CompleteSends"),
      settle,
      ...takenDown,
    ],
  });
  breaks("NdisTimedDataSend", "a send takes 31 s, though another one is faster", {
    by: MINIPORT,
    says: /A list was completed 31 s after it was sent. A send has 30 s/,
    ...overtaken(11_000),
  });
  allows("NdisTimedDataSend", "a send takes 30 s", overtaken(10_000));
});
