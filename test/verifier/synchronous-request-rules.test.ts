import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "./registration.ts";
import {
  type Situation,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  binding,
  breaks,
  call,
  settle,
  started,
  takenDown,
} from "./support.ts";

/** A miniport that indicates a status while it handles that synchronous request. */
const tellsInside = (oid: ConstantName): Situation => ({
  makeProtocol: protocolRegisteredWith(() => ({})),
  makeMiniport: miniportRegisteredWith((d) => ({ SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest") })),
  protocol: (d, its) => ({
    *Ask() {
      const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.RequestType = d.constant("NdisRequestMethod");
      request.DATA_METHOD_INFORMATION_Oid = d.constant(oid);
      yield* d.NdisSynchronousOidRequest(its.get(binding.handle), request.address);
    },
  }),
  miniport: (d, its) => ({
    *MiniportSynchronousOidRequest() {
      const handle = its.get(adapter.handle);
      const given = d.local("NDIS_STATUS_INDICATION", {
        SourceHandle: handle,
        StatusCode: "NDIS_STATUS_MEDIA_SPECIFIC_INDICATION",
      });
      d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
      yield* d.NdisMIndicateStatusEx(handle, given.address);
      return SUCCESS;
    },
  }),
  actions: [...started, call(PROTOCOL, "Ask"), settle, ...takenDown],
});

describe("Moving entries of the indirection table", () => {
  breaks("rss-v2-ite-synchronous", "a status is indicated meanwhile", {
    ...tellsInside("OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES"),
    by: MINIPORT,
    says: /NdisMIndicateStatusEx was called while OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES is handled/,
  });
  allows(
    "rss-v2-ite-synchronous",
    "a status is indicated inside another synchronous request",
    tellsInside("OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA"),
  );
});
