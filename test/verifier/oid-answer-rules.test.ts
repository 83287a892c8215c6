/** What answers to OID requests say, and status indications that follow from them. */
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
  settle,
  started,
  takenDown,
} from "./support.ts";

interface Asked {
  readonly oid: ConstantName;
  readonly isSet?: boolean;
  readonly bytes?: number;
}

/** A protocol that makes one request with a buffer of so many bytes, 8 by default. */
const asks =
  ({ oid, isSet = false, bytes = 8 }: Asked): Change =>
  (d, its) => {
    const request = d.staticStruct("NDIS_OID_REQUEST");
    const buffer = d.statics(64);
    return {
      *Ask() {
        d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        request.RequestType = d.constant(isSet ? "NdisRequestSetInformation" : "NdisRequestQueryInformation");
        request.RequestId = 5;
        request.DATA_QUERY_INFORMATION_Oid = d.constant(oid);
        request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
        request.DATA_QUERY_INFORMATION_InformationBufferLength = bytes;
        yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      },
    };
  };

type Answer = (d: DriverEnvironment, request: number) => ConstantName;
/** Gets the adapter's handle and the RequestHandle of the request. */
type Tell = (d: DriverEnvironment, handle: number, requestHandle: number) => Running<unknown>;

/** A miniport that answers that OID so; `Tell` makes a status indication afterwards. */
const answered = (asked: Asked, answer: Answer, tell?: Tell): Situation => ({
  protocol: asks(asked),
  miniport: (d, its) => {
    const kept = d.statics(4);
    return {
      *MiniportOidRequest(context, request) {
        const { DATA_QUERY_INFORMATION_Oid: oid } = d.view("NDIS_OID_REQUEST", request);
        if (oid >>> 0 !== d.constant(asked.oid) >>> 0) return yield* its.inherited("MiniportOidRequest", context, request);
        d.memory.writeU32(kept, d.view("NDIS_OID_REQUEST", request).RequestHandle);
        return answer(d, request);
      },
      *Tell() {
        if (tell !== undefined) yield* tell(d, its.get(adapter.handle), d.memory.readU32(kept));
      },
    };
  },
  actions: [...started, call(PROTOCOL, "Ask"), settle, call(MINIPORT, "Tell"), settle, ...takenDown],
});

describe("SupportedRevision", () => {
  const MODERATION: Asked = { oid: "OID_GEN_INTERRUPT_MODERATION", isSet: true };
  breaks("oid-supportedrevision-set", "a structure is set, and nobody says which revision of it", {
    ...answered(MODERATION, () => "NDIS_STATUS_SUCCESS"),
    by: MINIPORT,
    says: /OID_GEN_INTERRUPT_MODERATION was set, and SupportedRevision is 0/,
  });
  allows(
    "oid-supportedrevision-set",
    "the revision is written",
    answered(MODERATION, (d, request) => {
      d.view("NDIS_OID_REQUEST", request).SupportedRevision = 1;
      return "NDIS_STATUS_SUCCESS";
    }),
  );
  allows(
    "oid-supportedrevision-set",
    "the structure is not taken",
    answered(MODERATION, () => "NDIS_STATUS_INVALID_DATA"),
  );
});

describe("The length of a buffer", () => {
  breaks("oid-validate-input", "an address is given in 4 bytes", {
    ...answered({ oid: "OID_802_3_PERMANENT_ADDRESS", bytes: 4 }, () => "NDIS_STATUS_SUCCESS"),
    by: MINIPORT,
    says: /OID_802_3_PERMANENT_ADDRESS succeeded with a buffer of 4 bytes. It takes 6/,
  });
  breaks("oid-validate-input", "a buffer is too short, and nobody says how much it takes", {
    ...answered({ oid: "OID_GEN_VENDOR_DESCRIPTION" }, () => "NDIS_STATUS_BUFFER_TOO_SHORT"),
    by: MINIPORT,
    says: /with NDIS_STATUS_BUFFER_TOO_SHORT for a buffer of 8 bytes, and BytesNeeded is 0/,
  });
  breaks("oid-validate-input", "a buffer has an invalid length, and nobody says the right one", {
    ...answered({ oid: "OID_802_3_CURRENT_ADDRESS", bytes: 4 }, () => "NDIS_STATUS_INVALID_LENGTH"),
    by: MINIPORT,
    says: /with NDIS_STATUS_INVALID_LENGTH, and BytesNeeded is 0/,
  });
  const needing =
    (bytes: number, status: ConstantName): Answer =>
    (d, request) => {
      d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_BytesNeeded = bytes;
      return status;
    };
  allows(
    "oid-validate-input",
    "a buffer is too short, and told what it takes",
    answered({ oid: "OID_GEN_VENDOR_DESCRIPTION" }, needing(20, "NDIS_STATUS_BUFFER_TOO_SHORT")),
  );
  allows(
    "oid-validate-input",
    "an address is given in 6 bytes",
    answered({ oid: "OID_802_3_PERMANENT_ADDRESS", bytes: 6 }, () => "NDIS_STATUS_SUCCESS"),
  );
});

/** Indicates a status for the request with id 5. */
const indicates =
  (destinationOf: (requestHandle: number) => number): Tell =>
  (d, handle, requestHandle) => {
    const given = d.local("NDIS_STATUS_INDICATION", {
      SourceHandle: handle,
      DestinationHandle: destinationOf(requestHandle),
      RequestId: 5,
      StatusCode: "NDIS_STATUS_WWAN_READY_INFO",
    });
    d.header(given.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
    return d.NdisMIndicateStatusEx(handle, given.address)[Symbol.iterator]();
  };

describe("NDIS_STATUS_INDICATION_REQUIRED", () => {
  const READY: Asked = { oid: "OID_WWAN_READY_INFO" };
  const later: Answer = () => "NDIS_STATUS_INDICATION_REQUIRED";
  breaks("oid-indication-required", "an OID that does not allow it is answered so", {
    ...answered({ oid: "OID_GEN_VENDOR_ID" }, () => "NDIS_STATUS_INDICATION_REQUIRED"),
    by: MINIPORT,
    says: /OID_GEN_VENDOR_ID was completed with NDIS_STATUS_INDICATION_REQUIRED/,
  });
  breaks("oid-indication-required", "the indication goes to somebody else", {
    ...answered(
      READY,
      later,
      indicates(() => 16),
    ),
    by: MINIPORT,
    says: /was indicated for the OID request 5 with another DestinationHandle than the RequestHandle of that request/,
  });
  allows(
    "oid-indication-required",
    "the indication goes to whoever asked",
    answered(
      READY,
      later,
      indicates((requestHandle) => requestHandle),
    ),
  );
});
