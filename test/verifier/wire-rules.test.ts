/** What a miniport without hardware loops back is what it puts on its wire. */
import { describe } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  type Running,
  TAG,
  adapter,
  allows,
  binding,
  breaks,
  call,
  settle,
  started,
  takenDown,
} from "./support.ts";

const FRAME_BYTES = 64;
const SHORT_BYTES = 42;
const SHORTEST = 60;

function* newBuffer(d: DriverEnvironment, bytes: number): Running<number> {
  return yield* d.NdisAllocateMdl(0, yield* d.NdisAllocateMemoryWithTagPriority(0, bytes, TAG, 0), bytes);
}

function* freeMdl(d: DriverEnvironment, mdl: number): Running<void> {
  const { MappedSystemVa } = d.view("MDL", mdl);
  yield* d.NdisFreeMdl(mdl);
  yield* d.NdisFreeMemory(MappedSystemVa, 0, 0);
}

/** A protocol that sends one list with frames of these lengths. */
const sending =
  (...lengths: number[]): Change =>
  (d, its) => {
    const pool = d.statics(4);
    return {
      *Send() {
        const handle = its.get(binding.handle);
        const parameters = d.local("NET_BUFFER_POOL_PARAMETERS", { PoolTag: TAG });
        d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1");
        d.memory.writeU32(pool, yield* d.NdisAllocateNetBufferPool(handle, parameters.address));
        const [first = FRAME_BYTES, ...more] = lengths;
        const list = yield* d.NdisAllocateNetBufferAndNetBufferList(
          its.get(binding.pool),
          0,
          0,
          yield* newBuffer(d, first),
          0,
          first,
        );
        let last = d.view("NET_BUFFER_LIST", list).FirstNetBuffer;
        for (const length of more) {
          const next = yield* d.NdisAllocateNetBuffer(d.memory.readU32(pool), yield* newBuffer(d, length), 0, length);
          d.view("NET_BUFFER", last).Next = next;
          last = next;
        }
        d.view("NET_BUFFER_LIST", list).SourceHandle = handle;
        d.memory.writeU32(its.context() + binding.sends, 1);
        yield* d.NdisSendNetBufferLists(handle, list, 0, 0);
      },
      *ProtocolSendNetBufferListsComplete(context, list, flags) {
        const { FirstNetBuffer } = d.view("NET_BUFFER_LIST", list);
        for (let at = d.view("NET_BUFFER", FirstNetBuffer).Next; at !== 0; ) {
          const { Next, MdlChain } = d.view("NET_BUFFER", at);
          yield* d.NdisFreeNetBuffer(at);
          yield* freeMdl(d, MdlChain);
          at = Next;
        }
        d.view("NET_BUFFER", FirstNetBuffer).Next = 0;
        yield* d.NdisFreeNetBufferPool(d.memory.readU32(pool));
        yield* its.inherited("ProtocolSendNetBufferListsComplete", context, list, flags);
      },
    };
  };

/** A miniport that loops each frame of a list back, in that order, and with zeros behind it if it pads. */
const looping =
  (order: "forward" | "backward", pads = false): Change =>
  (d) => ({
    *MiniportSendNetBufferLists(context, list) {
      const handle = d.memory.readU32(context + adapter.handle);
      const frames: number[] = [];
      for (let at = d.view("NET_BUFFER_LIST", list).FirstNetBuffer; at !== 0; at = d.view("NET_BUFFER", at).Next) frames.push(at);
      for (const frame of order === "forward" ? frames : frames.toReversed()) {
        const { MdlChain, DataLength } = d.view("NET_BUFFER", frame);
        const mdl = yield* d.NdisAllocateMdl(handle, d.view("MDL", MdlChain).MappedSystemVa, DataLength);
        const padding = pads && DataLength < SHORTEST ? yield* newBuffer(d, SHORTEST - DataLength) : 0;
        d.view("MDL", mdl).Next = padding;
        const length = padding === 0 ? DataLength : SHORTEST;
        const copy = yield* d.NdisAllocateNetBufferAndNetBufferList(
          d.memory.readU32(context + adapter.pool),
          0,
          0,
          mdl,
          0,
          length,
        );
        d.view("NET_BUFFER_LIST", copy).SourceHandle = handle;
        yield* d.NdisMIndicateReceiveNetBufferLists(handle, copy, 0, 1, d.constant("NDIS_RECEIVE_FLAGS_RESOURCES"));
        yield* d.NdisFreeNetBufferList(copy);
        yield* d.NdisFreeMdl(mdl);
        if (padding !== 0) yield* freeMdl(d, padding);
      }
      d.view("NET_BUFFER_LIST", list).Status = 0;
      yield* d.NdisMSendNetBufferListsComplete(handle, list, 0);
    },
  });

const sent = [...started, call(PROTOCOL, "Send"), call(PROTOCOL, "Send"), settle, ...takenDown];

describe("Frames on the wire", () => {
  breaks("send-list-order-is-wire-order", "the last frame of a list goes first", {
    by: MINIPORT,
    says: /Frame 2 of list 0x[0-9a-f]{8} was on the wire after frame 3 of it/,
    protocol: sending(FRAME_BYTES, FRAME_BYTES, FRAME_BYTES),
    miniport: looping("backward"),
    actions: sent,
  });
  allows("send-list-order-is-wire-order", "they go in the order of the list", {
    protocol: sending(FRAME_BYTES, FRAME_BYTES, FRAME_BYTES),
    miniport: looping("forward"),
    actions: sent,
  });

  breaks("send-pad-short", "one of 42 bytes goes as it is", {
    by: MINIPORT,
    says: /A frame of 42 bytes, from list 0x[0-9a-f]{8}, was on the wire as it was sent/,
    protocol: sending(SHORT_BYTES),
    miniport: looping("forward"),
    actions: sent,
  });
  allows("send-pad-short", "one of 42 bytes gets 18 zeros", {
    protocol: sending(SHORT_BYTES),
    miniport: looping("forward", true),
    actions: sent,
  });
  allows("send-pad-short", "one of 60 bytes goes as it is", {
    protocol: sending(SHORTEST),
    miniport: looping("forward"),
    actions: sent,
  });
});
