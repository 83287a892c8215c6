/** OID_802_3_MULTICAST_LIST, which a miniport is told and never asked. */
import { expect, test } from "vitest";
import {
  type Change,
  PENDING,
  PROTOCOL,
  SUCCESS,
  binding,
  call,
  createAdapterContext,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const LIST_BYTES = 64;

/** A protocol that sets the list to addresses with these last bytes, and asks for it. */
const listing =
  (answers: number[][]): Change =>
  (d, its) => {
    const request = d.staticStruct("NDIS_OID_REQUEST");
    const buffer = d.statics(LIST_BYTES);
    function* make(type: "NdisRequestQueryInformation" | "NdisRequestSetInformation", bytes: number) {
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.RequestType = d.constant(type);
      request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_802_3_MULTICAST_LIST");
      request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
      request.DATA_QUERY_INFORMATION_InformationBufferLength = bytes;
      const ready = its.context() + binding.ready;
      yield* d.NdisInitializeEvent(ready);
      const status = yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      if (status === PENDING) yield* d.NdisWaitEvent(ready, 0);
      else expect(status).toBe(SUCCESS);
    }
    return {
      *Set(...last: number[]) {
        for (const [index, value] of last.entries()) d.memory.u8.set([1, 0, 0x5e, 0, 0, value], buffer + index * 6);
        yield* make("NdisRequestSetInformation", last.length * 6);
      },
      *Query() {
        d.memory.clear(buffer, LIST_BYTES);
        yield* make("NdisRequestQueryInformation", LIST_BYTES);
        const count = request.DATA_QUERY_INFORMATION_BytesWritten / 6;
        answers.push(Array.from({ length: count }, (_, index) => d.memory.u8[buffer + index * 6 + 5] ?? 0));
      },
    };
  };

/** A miniport that takes the list and would not know what to answer. */
const taking =
  (told: string[]): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context);
      return yield* setGeneralAttributes(d, handle, { MaxMulticastListSize: 8 });
    },
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_802_3_MULTICAST_LIST"))
        return yield* its.inherited("MiniportOidRequest", context, request);
      const isSet = given.RequestType === d.constant("NdisRequestSetInformation");
      told.push(`${isSet ? "set" : "query"} ${given.DATA_SET_INFORMATION_InformationBufferLength / 6}`);
      return isSet ? SUCCESS : d.constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0;
    },
  });

test("NDIS answers what the multicast list is; the miniport sees sets, which replace the list or, of no length, clear it", () => {
  const told: string[] = [];
  const answers: number[][] = [];
  play({
    protocol: listing(answers),
    miniport: taking(told),
    actions: [
      ...started,
      call(PROTOCOL, "Set", 1, 2),
      call(PROTOCOL, "Query"),
      call(PROTOCOL, "Set", 3),
      call(PROTOCOL, "Query"),
      call(PROTOCOL, "Set"),
      call(PROTOCOL, "Query"),
      settle,
      ...takenDown,
    ],
  });
  expect(told).toEqual(["set 2", "set 1", "set 0"]);
  expect(answers).toEqual([[1, 2], [3], []]);
});
