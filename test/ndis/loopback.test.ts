/** What NDIS loops back, and to whom. */
import { describe, expect, test } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  THIRD,
  TAG,
  binding,
  call,
  load,
  protocolWith,
  settle,
  takenDown,
} from "../verifier/support.ts";
import { makePool } from "./buffers.ts";
import { play } from "./play.ts";

const OWN = [2, 0, 0, 0, 0, 9];
const OTHER = [2, 0, 0, 0, 0, 7];
const BROADCAST = [255, 255, 255, 255, 255, 255];
const GROUP = [1, 0, 0x5e, 0, 0, 5];

interface Situation {
  /** Packet filters of the sender and of the other protocol. */
  readonly filters: readonly [readonly ConstantName[], readonly ConstantName[]];
  readonly flags?: ConstantName;
  readonly destinations: readonly (readonly number[])[];
  readonly macOptions?: ConstantName;
}

/** Who gets what of one list, with a NET_BUFFER for each destination: "sender 9", with the last byte of the destination. */
function loopedBack({ filters, flags, destinations, macOptions = "NDIS_MAC_OPTION_NO_LOOPBACK" }: Situation): string[] {
  const got: string[] = [];
  const protocol =
    (name: string, wanted: readonly ConstantName[]): Change =>
    (d, its) => {
      const filter = wanted.reduce((sum, each) => sum | d.constant(each), 0);
      const value = d.statics(4);
      const pool = d.statics(4);
      const request = d.view("NDIS_OID_REQUEST", d.statics(160));
      return {
        ...its.right,
        *SetFilter() {
          d.memory.writeU32(value, filter);
          d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          request.RequestType = d.constant("NdisRequestSetInformation");
          request.DATA_SET_INFORMATION_Oid = d.constant("OID_GEN_CURRENT_PACKET_FILTER");
          request.DATA_SET_INFORMATION_InformationBuffer = value;
          request.DATA_SET_INFORMATION_InformationBufferLength = 4;
          expect(yield* d.NdisOidRequest(its.get(binding.handle), request.address)).toBe(SUCCESS);
        },
        ProtocolReceiveNetBufferLists(_context, lists, _port, count, receiveFlags) {
          const list = d.view("NET_BUFFER_LIST", lists);
          expect(list.NblFlags & d.constant("NDIS_NBL_FLAGS_IS_LOOPBACK_PACKET")).not.toBe(0);
          expect(receiveFlags & d.constant("NDIS_RECEIVE_FLAGS_RESOURCES")).not.toBe(0);
          expect(count).toBe(1);
          for (let at = list.FirstNetBuffer; at !== 0; at = d.view("NET_BUFFER", at).Next) {
            const { CurrentMdl, CurrentMdlOffset } = d.view("NET_BUFFER", at);
            got.push(`${name} ${d.memory.u8[d.view("MDL", CurrentMdl).MappedSystemVa + CurrentMdlOffset + 5]}`);
          }
        },
        *SendAll() {
          const context = its.context();
          const handle = its.get(binding.handle);
          d.memory.writeU32(pool, yield* makePool(d));
          let list = 0;
          let last = 0;
          for (const destination of destinations) {
            const memory = yield* d.NdisAllocateMemoryWithTagPriority(0, 64, TAG, 0);
            d.memory.u8.set(destination, memory + 4);
            const mdl = yield* d.NdisAllocateMdl(0, memory, 64);
            if (list === 0) {
              list = yield* d.NdisAllocateNetBufferAndNetBufferList(d.memory.readU32(context + binding.pool), 0, 0, mdl, 4, 60);
              last = d.view("NET_BUFFER_LIST", list).FirstNetBuffer;
            } else {
              const next = yield* d.NdisAllocateNetBuffer(d.memory.readU32(pool), mdl, 4, 60);
              d.view("NET_BUFFER", last).Next = next;
              last = next;
            }
          }
          d.memory.writeU32(context + binding.sends, 1);
          d.view("NET_BUFFER_LIST", list).SourceHandle = handle;
          yield* d.NdisSendNetBufferLists(handle, list, 0, flags === undefined ? 0 : d.constant(flags));
        },
        *ProtocolSendNetBufferListsComplete(context, lists, completeFlags) {
          const first = d.view("NET_BUFFER_LIST", lists).FirstNetBuffer;
          for (let at = d.view("NET_BUFFER", first).Next; at !== 0; ) {
            const { Next, MdlChain } = d.view("NET_BUFFER", at);
            const memory = d.view("MDL", MdlChain).MappedSystemVa;
            yield* d.NdisFreeNetBuffer(at);
            yield* d.NdisFreeMdl(MdlChain);
            yield* d.NdisFreeMemory(memory, 0, 0);
            at = Next;
          }
          yield* d.NdisFreeNetBufferPool(d.memory.readU32(pool));
          yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, completeFlags);
        },
      };
    };
  play({
    protocol: protocol("sender", filters[0]),
    more: [protocolWith(protocol("other", filters[1]))],
    miniport: (d, its) => ({
      *MiniportInitializeEx(handle, driver, parameters) {
        const status = yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
        const attributes = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
          MediaType: "NdisMedium802_3",
          MacAddressLength: 6,
          MacOptions: macOptions,
        });
        d.memory.u8.set(OWN, d.addressOf("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", attributes.address, "CurrentMacAddress"));
        d.header(
          attributes.address,
          "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
          1,
          "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1",
        );
        yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
        return status;
      },
      // The right miniport loops sends back itself; this one leaves that to NDIS.
      *MiniportSendNetBufferLists(context, lists) {
        yield* d.NdisMSendNetBufferListsComplete(d.memory.readU32(context), lists, 0);
      },
    }),
    actions: [
      load(PROTOCOL),
      load(THIRD),
      load(MINIPORT),
      { do: "start adapter", driver: MINIPORT, adapter: 0 },
      settle,
      call(PROTOCOL, "SetFilter"),
      call(THIRD, "SetFilter"),
      call(PROTOCOL, "SendAll"),
      settle,
      ...takenDown,
    ],
  });
  return got;
}

const DIRECTED = "NDIS_PACKET_TYPE_DIRECTED";

describe("A send", () => {
  test("is looped back to nobody if nobody asks for it", () => {
    expect(loopedBack({ filters: [[DIRECTED], [DIRECTED]], destinations: [OWN, BROADCAST] })).toEqual([]);
  });

  test("is looped back to its sender with NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK: those packets that fit its filter", () => {
    const flags = "NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK";
    expect(loopedBack({ filters: [[DIRECTED], []], destinations: [OTHER, OWN, BROADCAST], flags })).toEqual(["sender 9"]);
  });

  test("is looped back to a promiscuous binding, and then to others whose filter fits; not to its sender", () => {
    expect(loopedBack({ filters: [[DIRECTED], ["NDIS_PACKET_TYPE_PROMISCUOUS"]], destinations: [OTHER, OWN, GROUP] })).toEqual([
      "other 7",
      "other 9",
      "other 5",
    ]);
  });

  test("is looped back to a binding with NDIS_PACKET_TYPE_ALL_LOCAL", () => {
    expect(loopedBack({ filters: [[], ["NDIS_PACKET_TYPE_ALL_LOCAL"]], destinations: [OTHER] })).toEqual(["other 7"]);
  });

  test("is not looped back to a binding with NDIS_PACKET_TYPE_NO_LOCAL, promiscuous or not", () => {
    const filter = ["NDIS_PACKET_TYPE_PROMISCUOUS", "NDIS_PACKET_TYPE_NO_LOCAL"] as const;
    expect(loopedBack({ filters: [[], filter], destinations: [OTHER] })).toEqual([]);
  });

  test("is looped back by the miniport, not by NDIS, if it has not set NDIS_MAC_OPTION_NO_LOOPBACK", () => {
    expect(
      loopedBack({
        filters: [[DIRECTED], ["NDIS_PACKET_TYPE_PROMISCUOUS"]],
        destinations: [OWN],
        macOptions: "NDIS_MAC_OPTION_TRANSFERS_NOT_PEND",
      }),
    ).toEqual([]);
  });

  test("to a broadcast or group address needs a filter for it", () => {
    const flags = "NDIS_SEND_FLAGS_CHECK_FOR_LOOPBACK";
    const destinations = [BROADCAST, GROUP];
    expect(loopedBack({ filters: [["NDIS_PACKET_TYPE_BROADCAST"], []], destinations, flags })).toEqual(["sender 255"]);
    expect(loopedBack({ filters: [["NDIS_PACKET_TYPE_ALL_MULTICAST"], []], destinations, flags })).toEqual(["sender 5"]);
    expect(loopedBack({ filters: [["NDIS_PACKET_TYPE_MULTICAST"], []], destinations, flags })).toEqual([]);
  });
});
