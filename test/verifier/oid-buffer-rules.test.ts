/** Memory that OID requests lie in. */
import { describe } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  PENDING,
  PROTOCOL,
  type Running,
  type Situation,
  TAG,
  allows,
  binding,
  breaks,
  call,
  pending,
  settle,
  started,
  takenDown,
} from "./support.ts";

const BUFFER_BYTES = 8;
const REQUEST_BYTES = 256;
const [NONPAGED, PAGED] = [512, 1];

/** Fills a query with a buffer. */
function fill(d: DriverEnvironment, address: number, buffer: number): void {
  const request = d.view("NDIS_OID_REQUEST", address);
  d.header(address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
  request.RequestType = d.constant("NdisRequestQueryInformation");
  request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_ID");
  request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
  request.DATA_QUERY_INFORMATION_InformationBufferLength = BUFFER_BYTES;
}

/** A protocol that makes one request, of memory that `act` chooses. */
const asking = (
  act: (d: DriverEnvironment, ask: (request: number, buffer: number) => Running<number>, ready: number) => Running<unknown>,
): Situation => ({
  answers: [pending],
  protocol: ((d, its) => ({
    *Ask() {
      const ready = its.context() + binding.ready;
      function* ask(request: number, buffer: number): Running<number> {
        fill(d, request, buffer);
        yield* d.NdisInitializeEvent(ready);
        return yield* d.NdisOidRequest(its.get(binding.handle), request);
      }
      yield* act(d, ask, ready);
    },
  })) satisfies Change,
  actions: [...started, call(PROTOCOL, "Ask"), settle, ...takenDown],
});

/** Request and buffer are in pool of these types; both are freed when the request is complete, or one of them at once. */
const inPool = (types: readonly [request: number, buffer: number], early?: "request" | "buffer"): Situation =>
  asking(function* (d, ask, ready) {
    const request = yield* d.ExAllocatePoolWithTag(types[0], REQUEST_BYTES, TAG);
    const buffer = yield* d.ExAllocatePoolWithTag(types[1], BUFFER_BYTES, TAG);
    const status = yield* ask(request, buffer);
    if (early === "request") yield* d.ExFreePoolWithTag(request, TAG);
    if (early === "buffer") yield* d.ExFreePoolWithTag(buffer, TAG);
    if (status === PENDING) yield* d.NdisWaitEvent(ready, 0);
    if (early !== "request") yield* d.ExFreePoolWithTag(request, TAG);
    if (early !== "buffer") yield* d.ExFreePoolWithTag(buffer, TAG);
  });

/** Request and buffer are on the stack of the function that makes the request, which waits for its end or does not. */
const inStack = (waits: boolean): Situation =>
  asking(function* (d, ask, ready) {
    const request = d.local("NDIS_OID_REQUEST");
    const status = yield* ask(request.address, d.local("NDIS_LINK_STATE").address);
    if (waits && status === PENDING) yield* d.NdisWaitEvent(ready, 0);
  });

describe("A request and its buffer", () => {
  breaks("oid-buffers-nonpaged", "the request is in paged pool", {
    ...inPool([PAGED, NONPAGED]),
    by: PROTOCOL,
    says: /The NDIS_OID_REQUEST at 0x[0-9a-f]{8} is in paged pool/,
  });
  breaks("oid-buffers-nonpaged", "the buffer is in paged pool", {
    ...inPool([NONPAGED, PAGED]),
    by: PROTOCOL,
    says: /The information buffer at 0x[0-9a-f]{8} is in paged pool/,
  });
  breaks("oid-buffers-nonpaged", "the request is freed while it pends", {
    ...inPool([NONPAGED, NONPAGED], "request"),
    by: PROTOCOL,
    says: /The NDIS_OID_REQUEST at 0x[0-9a-f]{8} was freed, and the request is not complete/,
  });
  breaks("oid-buffers-nonpaged", "the buffer is freed while the request pends", {
    ...inPool([NONPAGED, NONPAGED], "buffer"),
    by: PROTOCOL,
    says: /The information buffer at 0x[0-9a-f]{8} was freed, and the request is not complete/,
  });
  allows("oid-buffers-nonpaged", "both are in nonpaged pool until the request is complete", inPool([NONPAGED, NONPAGED]));

  breaks("oid-buffers-nonpaged", "both are on the stack of a function that returns while the request pends", {
    ...inStack(false),
    by: PROTOCOL,
    says: /is on the stack of a function that has returned, and the request is not complete/,
  });
  allows("oid-buffers-nonpaged", "both are on the stack of a function that waits for the end of the request", inStack(true));
});

describe("The header of an OID request", () => {
  const headed = (act: (d: DriverEnvironment, request: number) => void): Situation => ({
    protocol: (d, its) => {
      const request = d.staticStruct("NDIS_OID_REQUEST");
      const buffer = d.statics(BUFFER_BYTES);
      return {
        *Ask() {
          fill(d, request.address, buffer);
          act(d, request.address);
          yield* d.NdisOidRequest(its.get(binding.handle), request.address);
        },
      };
    },
    actions: [...started, call(PROTOCOL, "Ask"), settle, ...takenDown],
  });
  breaks("header-size-revision", "an OID request is made without a type in its header", {
    ...headed((d, request) => {
      d.memory.u8[request] = 0;
    }),
    by: PROTOCOL,
    says: /NdisOidRequest was called with a NDIS_OID_REQUEST that is not as declared: the type in its header is 0x0/,
  });
  breaks("header-size-revision", "an OID request is made with too small a size in its header", {
    ...headed((d, request) => d.memory.writeU16(request + 2, 4)),
    by: PROTOCOL,
    says: /its header says 4 bytes/,
  });
});
