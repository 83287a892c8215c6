import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  type Running,
  type Situation,
  adapter,
  allows,
  binding,
  breaks,
  call,
  createAdapterContext,
  setPowerAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
} from "./support.ts";

function* indicate(d: DriverEnvironment, handle: number, status: ConstantName, buffer: number, bytes: number): Running<void> {
  const given = d.local("NDIS_STATUS_INDICATION", {
    SourceHandle: handle,
    StatusCode: status,
    StatusBuffer: buffer,
    StatusBufferSize: bytes,
  });
  d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
  yield* d.NdisMIndicateStatusEx(handle, given.address);
}

function* indicateLink(d: DriverEnvironment, handle: number, state: ConstantName): Running<void> {
  const link = d.local("NDIS_LINK_STATE", { MediaConnectState: state });
  d.header(link.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_LINK_STATE_REVISION_1");
  yield* indicate(d, handle, "NDIS_STATUS_LINK_STATE", link.address, 40);
}

const telling = (tell: (d: DriverEnvironment, handle: number) => Running<unknown>): Situation => ({
  miniport: (d, its) => ({
    *Tell() {
      yield* tell(d, its.get(adapter.handle));
    },
  }),
  actions: [...started, call(MINIPORT, "Tell"), ...takenDown],
});

describe("The link state", () => {
  breaks("status-link-state-only-on-change", "it is indicated twice", {
    ...telling(function* (d, handle) {
      yield* indicateLink(d, handle, "MediaConnectStateDisconnected");
      yield* indicateLink(d, handle, "MediaConnectStateDisconnected");
    }),
    by: MINIPORT,
    says: /with the link state that NDIS knows already/,
  });
  breaks("status-link-state-only-on-change", "it is the one of the general attributes", {
    ...telling((d, handle) => indicateLink(d, handle, "MediaConnectStateConnected")),
    by: MINIPORT,
    says: /with the link state that NDIS knows already/,
  });
  allows(
    "status-link-state-only-on-change",
    "it goes away and comes back",
    telling(function* (d, handle) {
      yield* indicateLink(d, handle, "MediaConnectStateDisconnected");
      yield* indicateLink(d, handle, "MediaConnectStateConnected");
    }),
  );
  /** A miniport with power management that tells of its connection before it sleeps, and when it is awake again. */
  const sleeping: Change = (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context);
      return yield* setPowerAttributes(d, handle);
    },
    *MiniportOidRequest(context, request) {
      const { DATA_SET_INFORMATION_Oid: oid } = d.view("NDIS_OID_REQUEST", request);
      return oid === d.constant("OID_PNP_SET_POWER") ? 0 : yield* its.inherited("MiniportOidRequest", context, request);
    },
    *Tell() {
      yield* indicateLink(d, its.get(adapter.handle), "MediaConnectStateConnected");
    },
  });
  allows("status-link-state-only-on-change", "it is told again after the adapter has slept", {
    miniport: sleeping,
    actions: [
      ...started,
      call(MINIPORT, "Tell"),
      { do: "power", adapter: 0, state: "D3" },
      { do: "power", adapter: 0, state: "D0" },
      settle,
      call(MINIPORT, "Tell"),
      ...takenDown,
    ],
  });
});

describe("The operational status", () => {
  breaks("status-oper-status-by-ndis", "a miniport indicates it", {
    ...telling(function* (d, handle) {
      const state = d.local("NDIS_OPER_STATE");
      yield* indicate(d, handle, "NDIS_STATUS_OPER_STATUS", state.address, 12);
    }),
    by: MINIPORT,
    says: /A miniport indicated NDIS_STATUS_OPER_STATUS/,
  });
  allows(
    "status-oper-status-by-ndis",
    "a miniport tells that its link is down",
    telling((d, handle) => indicateLink(d, handle, "MediaConnectStateDisconnected")),
  );
});

describe("The offload settings", () => {
  const sets: Change = (d, its) => {
    const request = d.staticStruct("NDIS_OID_REQUEST");
    const buffer = d.statics(64);
    return {
      *Ask() {
        d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        request.RequestType = d.constant("NdisRequestSetInformation");
        request.DATA_SET_INFORMATION_Oid = d.constant("OID_TCP_OFFLOAD_PARAMETERS");
        request.DATA_SET_INFORMATION_InformationBuffer = buffer;
        request.DATA_SET_INFORMATION_InformationBufferLength = 64;
        yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      },
    };
  };
  /** A miniport whose settings are changed, with that status, and which tells of it in so many bytes; 0: it does not. */
  const changed = (status: ConstantName, told: number): Situation => ({
    protocol: sets,
    miniport: (d, its) => ({
      *MiniportOidRequest(context, request) {
        const given = d.view("NDIS_OID_REQUEST", request);
        if (given.DATA_SET_INFORMATION_Oid >>> 0 !== d.constant("OID_TCP_OFFLOAD_PARAMETERS") >>> 0)
          return yield* its.inherited("MiniportOidRequest", context, request);
        given.SupportedRevision = 1;
        const offload = d.local("NDIS_OFFLOAD");
        d.header(offload.address, "NDIS_OBJECT_TYPE_OFFLOAD", 1, "NDIS_SIZEOF_NDIS_OFFLOAD_REVISION_1");
        const handle = d.memory.readU32(context + adapter.handle);
        if (told > 0) yield* indicate(d, handle, "NDIS_STATUS_TASK_OFFLOAD_CURRENT_CONFIG", offload.address, told);
        return status;
      },
    }),
    actions: [...started, call(PROTOCOL, "Ask"), settle, ...takenDown],
  });
  const WHOLE = 216;
  breaks("status-offload-config-change", "they are changed, and nobody is told", {
    ...changed("NDIS_STATUS_SUCCESS", 0),
    by: MINIPORT,
    says: /OID_TCP_OFFLOAD_PARAMETERS changed the offload settings, and the miniport is halted without having told of it/,
  });
  breaks("status-offload-config-change", "they are told in 8 bytes", {
    ...changed("NDIS_STATUS_SUCCESS", 8),
    by: MINIPORT,
    says: /was indicated with 8 bytes that are no NDIS_OFFLOAD/,
  });
  allows("status-offload-config-change", "they are changed, and all are told", changed("NDIS_STATUS_SUCCESS", WHOLE));
  allows("status-offload-config-change", "they are not changed", changed("NDIS_STATUS_NOT_SUPPORTED", 0));
});
