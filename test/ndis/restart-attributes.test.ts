/** Restart attributes: what NDIS offers a miniport that restarts, what the miniport makes of it, and who hears of that. */
import { describe, expect, test } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  PROTOCOL,
  type Running,
  binding,
  call,
  isEvent,
  pause,
  restart,
  started,
  takenDown,
} from "../verifier/support.ts";
import { tell } from "./tell.ts";

/** Of an NDIS_RESTART_ATTRIBUTES. */
const DATA = 16;
const TAG = 0x7453_6574;
const VENDOR_OID = 0xff01_0203;

interface Attribute {
  readonly oid: number;
  readonly length: number;
  readonly at: number;
}

function listOf(d: DriverEnvironment, first: number): Attribute[] {
  const list: Attribute[] = [];
  for (let at = first; at !== 0; at = d.view("NDIS_RESTART_ATTRIBUTES", at).Next) {
    const { Oid, DataLength } = d.view("NDIS_RESTART_ATTRIBUTES", at);
    list.push({ oid: Oid >>> 0, length: DataLength, at });
  }
  return list;
}

const general = (d: DriverEnvironment, first: number) => d.view("NDIS_RESTART_GENERAL_ATTRIBUTES", first + DATA);

/** A miniport that does that with the attributes of its first restart, and notes what it is offered in others. */
const restarting =
  (told: string[], act: (d: DriverEnvironment, parameters: number) => Running<void> | void): Change =>
  (d, its) => ({
    *MiniportRestart(context, parameters) {
      const { RestartAttributes: first } = d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters);
      told.push(first === 0 ? "offered nothing" : `offered ${listOf(d, first).length}`);
      const more = first === 0 ? undefined : act(d, parameters);
      if (more !== undefined) yield* more;
      return yield* its.inherited("MiniportRestart", context, parameters);
    },
  });

/** A protocol that tells the attributes that it hears of when it restarts. */
const hearing =
  (told: string[]): Change =>
  (d, its) => ({
    *ProtocolNetPnPEvent(context, event) {
      if (isEvent(d, event, "NetEventRestart")) {
        const { NetPnPEvent_Buffer: buffer, NetPnPEvent_BufferLength: length } = d.view("NET_PNP_EVENT_NOTIFICATION", event);
        if (buffer === 0) told.push(`heard nothing, in ${length} bytes`);
        else {
          const { RestartAttributes, BoundIfIndex, Header_Type } = d.view("NDIS_PROTOCOL_RESTART_PARAMETERS", buffer);
          const isRight = Header_Type === d.constant("NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS") && BoundIfIndex === 1;
          const list = listOf(d, RestartAttributes).map(({ oid, at }) =>
            oid === d.constant("OID_GEN_MINIPORT_RESTART_ATTRIBUTES")
              ? `MTU ${general(d, at).MtuSize}`
              : `${oid.toString(16)} = ${d.memory.readU32(at + DATA)}`,
          );
          told.push(`heard ${list.join(", ")}${isRight ? "" : ", in a structure that is wrong"}`);
        }
      }
      return yield* its.inherited("ProtocolNetPnPEvent", context, event);
    },
    *AskMtu() {
      const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.RequestType = d.constant("NdisRequestQueryInformation");
      request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_MAXIMUM_FRAME_SIZE");
      request.DATA_QUERY_INFORMATION_InformationBuffer = its.context() + binding.packetFilter;
      request.DATA_QUERY_INFORMATION_InformationBufferLength = 4;
      yield* d.NdisOidRequest(its.get(binding.handle), request.address);
      told.push(`MTU is ${its.get(binding.packetFilter)}`);
    },
  });

describe("A miniport that restarts", () => {
  test("is offered the general attributes that it has set, in a list of one entry", () => {
    const told: string[] = [];
    const seen: unknown[] = [];
    tell({
      miniport: restarting(told, (d, parameters) => {
        const { RestartAttributes: first } = d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters);
        const [entry] = listOf(d, first);
        const { MtuSize, LookaheadSize, MaxMulticastListSize, Header_Revision, RecvScaleCapabilities } = general(d, first);
        seen.push(entry?.oid === d.constant("OID_GEN_MINIPORT_RESTART_ATTRIBUTES"), entry?.length);
        seen.push(MtuSize, LookaheadSize, MaxMulticastListSize, Header_Revision);
        // Without receive side scaling its capabilities are there, and all zero.
        seen.push(d.memory.readU32(RecvScaleCapabilities), d.memory.readU32(RecvScaleCapabilities + 4));
      }),
    });
    expect(told).toEqual(["offered 1"]);
    expect(seen).toEqual([true, 80, 1500, 1500, 0, 1, 0, 0]);
  });

  test("may change them: overlying drivers hear of it, and they hold from then on", () => {
    const told: string[] = [];
    tell({
      miniport: restarting(told, (d, parameters) => {
        general(d, d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters).RestartAttributes).MtuSize = 1400;
      }),
      protocol: hearing(told),
      actions: [...started, call(PROTOCOL, "AskMtu"), ...takenDown],
    });
    expect(told).toEqual(["offered 1", "heard MTU 1400", "MTU is 1400"]);
  });

  test("is offered none when nothing in the stack has changed, and the restart event has no buffer then", () => {
    const told: string[] = [];
    tell({
      miniport: restarting(told, () => {}),
      protocol: hearing(told),
      actions: [...started, pause, restart, ...takenDown],
    });
    expect(told).toEqual(["offered 1", "heard MTU 1500", "offered nothing", "heard nothing, in 0 bytes"]);
  });

  /** Adds an entry of the miniport's own, from pool. */
  function* adds(d: DriverEnvironment, parameters: number): Running<void> {
    const given = d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters);
    const address = yield* d.NdisAllocateMemoryWithTagPriority(0, DATA + 4, TAG, 0);
    const entry = d.view("NDIS_RESTART_ATTRIBUTES", address);
    entry.Oid = VENDOR_OID;
    entry.DataLength = 4;
    d.memory.writeU32(address + DATA, 77);
    d.view("NDIS_RESTART_ATTRIBUTES", given.RestartAttributes).Next = address;
  }

  test("may add attributes in memory that it allocates; NDIS frees them when every protocol has heard of them", () => {
    const told: string[] = [];
    tell({ miniport: restarting(told, adds), protocol: hearing(told) });
    expect(told).toEqual(["offered 1", `heard MTU 1500, ${VENDOR_OID.toString(16)} = 77`]);
  });

  test("may put an entry of its own in the place of NDIS's, which it frees", () => {
    const told: string[] = [];
    tell({
      miniport: restarting(told, function* (d, parameters) {
        const given = d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters);
        const [entry] = listOf(d, given.RestartAttributes);
        const length = DATA + (entry?.length ?? 0);
        const address = yield* d.NdisAllocateMemoryWithTagPriority(0, length, TAG, 0);
        for (let at = 0; at < length; at += 4) d.memory.writeU32(address + at, d.memory.readU32(given.RestartAttributes + at));
        yield* d.NdisFreeMemory(given.RestartAttributes, 0, 0);
        general(d, address).MtuSize = 1300;
        given.RestartAttributes = address;
      }),
      protocol: hearing(told),
    });
    expect(told).toEqual(["offered 1", "heard MTU 1300"]);
  });

  test("and fails has its attributes freed, and nobody hears of them", () => {
    const told: string[] = [];
    tell({
      miniport: (d) => ({
        *MiniportRestart(_context, parameters) {
          yield* adds(d, parameters);
          general(d, d.view("NDIS_MINIPORT_RESTART_PARAMETERS", parameters).RestartAttributes).MtuSize = 1400;
          return 0xc000_0001;
        },
      }),
      protocol: hearing(told),
    });
    expect(told).toEqual([]);
  });
});
