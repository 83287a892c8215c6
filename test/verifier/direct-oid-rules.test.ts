import { describe } from "vitest";
import { constant } from "../../src/contract/index.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  type Situation,
  adapter,
  allows,
  binding,
  breaks,
  call,
  later,
  settle,
  started,
  takenDown,
} from "./support.ts";

const makeProtocol = protocolRegisteredWith((d) => ({
  DirectOidRequestCompleteHandler: d.handler("ProtocolDirectOidRequestComplete"),
}));
const makeMiniport = miniportRegisteredWith((d) => ({
  DirectOidRequestHandler: d.handler("MiniportDirectOidRequest"),
  CancelDirectOidRequestHandler: d.handler("MiniportCancelDirectOidRequest"),
  SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest"),
}));

/** Makes a direct and a synchronous request. */
const asking: Change = (d, its) => ({
  ProtocolDirectOidRequestComplete() {},
  *Ask(isSynchronous, oid = d.constant("OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA")) {
    const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
    d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
    request.RequestType = d.constant("NdisRequestMethod");
    request.DATA_METHOD_INFORMATION_Oid = oid;
    if (isSynchronous === 1) yield* d.NdisSynchronousOidRequest(its.get(binding.handle), request.address);
    else yield* d.NdisDirectOidRequest(its.get(binding.handle), request.address);
  },
});

const asked = (miniport: Change, ...how: [isSynchronous?: number, oid?: number]): Situation => ({
  makeProtocol,
  makeMiniport,
  protocol: asking,
  miniport: (d, its) => ({
    MiniportDirectOidRequest: () => SUCCESS,
    MiniportCancelDirectOidRequest() {},
    MiniportSynchronousOidRequest: () => SUCCESS,
    ...miniport(d, its),
  }),
  actions: [...started, call(PROTOCOL, "Ask", ...how.map((each) => each ?? 0)), settle, ...takenDown],
});

describe("Direct OID requests", () => {
  breaks("oid-direct-pending-complete", "the request pends, and NdisMDirectOidRequestComplete is never called", {
    ...asked(() => ({ MiniportDirectOidRequest: () => PENDING })),
    by: MINIPORT,
    says: /NdisMDirectOidRequestComplete was never called/,
    ends: "hung",
  });
  breaks("oid-direct-pending-complete", "a request that does not pend is completed", {
    ...asked((d, its) => ({
      *MiniportDirectOidRequest(_context, request) {
        yield* later(d, "CompleteLater", request);
        return SUCCESS;
      },
      *CompleteLater(request, item) {
        yield* d.NdisMDirectOidRequestComplete(its.get(adapter.handle), request, SUCCESS);
        yield* d.NdisFreeIoWorkItem(item);
      },
    })),
    by: MINIPORT,
    says: /is not pending/,
  });
  allows(
    "oid-direct-pending-complete",
    "a request pends and is completed at DISPATCH_LEVEL",
    asked((d, its) => ({
      *MiniportDirectOidRequest(_context, request) {
        yield* later(d, "CompleteLater", request);
        return PENDING;
      },
      *CompleteLater(request, item) {
        const old = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisMDirectOidRequestComplete(its.get(adapter.handle), request, SUCCESS);
        yield* d.KeLowerIrql(old);
        yield* d.NdisFreeIoWorkItem(item);
      },
    })),
  );
  allows(
    "oid-direct-pending-complete",
    "a request is complete at once",
    asked(() => ({})),
  );

  breaks("oid-cancel-handlers-required", "a miniport has MiniportDirectOidRequest and no handler to cancel", {
    ...asked(() => ({})),
    makeMiniport: miniportRegisteredWith((d) => ({ DirectOidRequestHandler: d.handler("MiniportDirectOidRequest") })),
    by: MINIPORT,
    says: /without MiniportCancelDirectOidRequest/,
  });
  allows("oid-cancel-handlers-required", "a miniport has neither of the two", {
    makeMiniport: miniportRegisteredWith(() => ({})),
  });
});

describe("Synchronous OID requests", () => {
  breaks("oid-sync-no-pending", "the handler answers NDIS_STATUS_PENDING", {
    ...asked(() => ({ MiniportSynchronousOidRequest: () => PENDING }), 1),
    by: MINIPORT,
    says: /returned NDIS_STATUS_PENDING/,
  });
  allows(
    "oid-sync-no-pending",
    "the handler answers that it knows no such OID",
    asked(() => ({ MiniportSynchronousOidRequest: () => "NDIS_STATUS_INVALID_OID" }), 1),
  );
});

describe("Which OIDs the two interfaces take", () => {
  const plain: Change = () => ({});
  const VENDOR_ID = constant("OID_GEN_VENDOR_ID");

  breaks("oid-direct-only-listed", "a general OID is asked for by NdisDirectOidRequest", {
    ...asked(plain, 0, VENDOR_ID),
    by: PROTOCOL,
    says: /NdisDirectOidRequest was called for OID_GEN_VENDOR_ID, which is a general OID/,
  });
  allows("oid-direct-only-listed", "a security association is added", asked(plain, 0));

  breaks("oid-sync-only-listed", "a general OID is asked for by NdisSynchronousOidRequest", {
    ...asked(plain, 1, VENDOR_ID),
    by: PROTOCOL,
    says: /NdisSynchronousOidRequest was called for OID_GEN_VENDOR_ID, which is a general OID/,
  });
  allows(
    "oid-sync-only-listed",
    "entries of the RSS table are moved",
    asked(plain, 1, constant("OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES")),
  );
});
