/** What a protocol set in the device, and takes back before it closes; and how much an open may ask for. */
import { describe } from "vitest";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  type Make,
  type Running,
  PENDING,
  PROTOCOL,
  SUCCESS,
  allows,
  binding,
  breaks,
  call,
  settle,
  started,
  takenDown,
  unbind,
} from "./support.ts";

/** Sets that OID; the buffer has room for any of the structures, and its second word is given. */
function* setOid(d: DriverEnvironment, context: number, oid: ConstantName, flags = 0): Running<void> {
  const request = d.view("NDIS_OID_REQUEST", context + binding.request);
  const buffer = yield* d.NdisAllocateMemoryWithTagPriority(0, 256, 0x7453_6574, 0);
  d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
  d.memory.writeU32(buffer + 4, flags);
  request.RequestType = d.constant("NdisRequestSetInformation");
  request.DATA_SET_INFORMATION_Oid = d.constant(oid);
  request.DATA_SET_INFORMATION_InformationBuffer = buffer;
  request.DATA_SET_INFORMATION_InformationBufferLength = 256;
  yield* d.NdisInitializeEvent(context + binding.ready);
  const status = yield* d.NdisOidRequest(d.memory.readU32(context + binding.handle), request.address);
  if (status === PENDING) yield* d.NdisWaitEvent(context + binding.ready, 0);
  yield* d.NdisFreeMemory(buffer, 0, 0);
}

/** Sets OIDs when it is told to, and others in its unbind. */
const sets =
  (first: readonly [ConstantName, number?][], last: readonly [ConstantName, number?][] = []): Change =>
  (d, its) => ({
    *Set() {
      for (const [oid, flags] of first) yield* setOid(d, its.context(), oid, flags);
    },
    *ProtocolUnbindAdapterEx(unbindContext, context) {
      for (const [oid, flags] of last) yield* setOid(d, context, oid, flags);
      return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
    },
  });

const answers =
  (status: number): Change =>
  (d, its) => ({
    *MiniportOidRequest(context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      const isFilter = given.DATA_SET_INFORMATION_Oid === d.constant("OID_GEN_CURRENT_PACKET_FILTER");
      given.SupportedRevision = 1;
      return isFilter ? yield* its.inherited("MiniportOidRequest", context, request) : status;
    },
  });
const actions = [...started, call(PROTOCOL, "Set"), unbind, settle, ...takenDown];
const DISABLE_RSS = 0x10;

describe("What a protocol has in the device when it closes", () => {
  const SETTINGS = [
    ["OID_PM_ADD_WOL_PATTERN", "OID_PM_REMOVE_WOL_PATTERN", /1 wake pattern/],
    ["OID_PNP_ADD_WAKE_UP_PATTERN", "OID_PNP_REMOVE_WAKE_UP_PATTERN", /1 wake-up pattern/],
    ["OID_PM_ADD_PROTOCOL_OFFLOAD", "OID_PM_REMOVE_PROTOCOL_OFFLOAD", /1 low-power protocol offload/],
    ["OID_GEN_RECEIVE_SCALE_PARAMETERS", "OID_GEN_RECEIVE_SCALE_PARAMETERS", /1 set\(s\) of RSS parameters/],
  ] as const;

  for (const [adds, removes, says] of SETTINGS) {
    breaks("unbind-clear-pm-and-rss", `is not taken back: ${adds}`, {
      by: PROTOCOL,
      says,
      protocol: sets([[adds]]),
      miniport: answers(SUCCESS),
      actions,
    });

    allows("unbind-clear-pm-and-rss", `is taken back: ${adds}`, {
      protocol: sets([[adds], [removes, DISABLE_RSS], [adds]], [[removes, DISABLE_RSS]]),
      miniport: answers(SUCCESS),
      actions,
    });
  }

  breaks("unbind-clear-pm-and-rss", "is taken back but for one pattern of two", {
    by: PROTOCOL,
    says: /1 wake pattern\(s\) of the binding/,
    protocol: sets([["OID_PM_ADD_WOL_PATTERN"], ["OID_PM_ADD_WOL_PATTERN"]], [["OID_PM_REMOVE_WOL_PATTERN"]]),
    miniport: answers(SUCCESS),
    actions,
  });

  allows("unbind-clear-pm-and-rss", "is nothing, since the miniport has refused it", {
    protocol: sets([["OID_PM_ADD_WOL_PATTERN"], ["OID_GEN_RECEIVE_SCALE_PARAMETERS"]]),
    miniport: answers(0xc000_00bb),
    actions,
  });
});

describe("The frame types of an open", () => {
  /** The right protocol, which opens with so many frame types. */
  const opensWith =
    (count: number): Make =>
    (d) => {
      const array = d.statics(64);
      const changed = new Proxy(d, {
        get: (target, name) => {
          if (name !== "NdisOpenAdapterEx") return Reflect.get(target, name);
          return (...args: number[]) => {
            const parameters = target.view("NDIS_OPEN_PARAMETERS", args[2] ?? 0);
            parameters.FrameTypeArray = array;
            parameters.FrameTypeArraySize = count;
            return target.NdisOpenAdapterEx(...args);
          };
        },
      });
      return pendingProtocol(changed, true);
    };

  breaks("open-frame-type-limit", "are more than there may be", {
    by: PROTOCOL,
    says: /with 17 frame types/,
    makeProtocol: opensWith(17),
    actions: [...started, ...takenDown],
  });

  allows("open-frame-type-limit", "are as many as there may be", {
    makeProtocol: opensWith(16),
    actions: [...started, ...takenDown],
  });
});
