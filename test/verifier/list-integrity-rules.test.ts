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
  createFrame,
  freeFrames,
  indicates,
  sendOne,
  settle,
  started,
  takenDown,
} from "./support.ts";

const injecting = [...started, call(MINIPORT, "Inject"), settle, ...takenDown];
const sending = [...started, call(PROTOCOL, "Send"), settle, ...takenDown];
const RESOURCES = 2;

/** A protocol that sends a list with two NET_BUFFER structures. */
const sendsTwo: Change = (d, its) => {
  const second = d.statics(4);
  const pool = d.statics(4);
  return {
    *Send() {
      const handle = its.get(binding.handle);
      const parameters = d.local("NET_BUFFER_POOL_PARAMETERS", { PoolTag: TAG });
      d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1");
      d.memory.writeU32(pool, yield* d.NdisAllocateNetBufferPool(handle, parameters.address));
      d.memory.writeU32(second, yield* d.NdisAllocateNetBuffer(d.memory.readU32(pool), 0, 0, 0));
      const data = yield* d.NdisAllocateMemoryWithTagPriority(handle, 64, TAG, 0);
      const mdl = yield* d.NdisAllocateMdl(handle, data, 64);
      const list = yield* d.NdisAllocateNetBufferAndNetBufferList(its.get(binding.pool), 0, 0, mdl, 0, 64);
      const { FirstNetBuffer } = d.view("NET_BUFFER_LIST", list);
      d.view("NET_BUFFER", FirstNetBuffer).Next = d.memory.readU32(second);
      d.view("NET_BUFFER_LIST", list).SourceHandle = handle;
      d.memory.writeU32(its.context() + binding.sends, 1);
      yield* d.NdisSendNetBufferLists(handle, list, 0, 0);
    },
    *ProtocolSendNetBufferListsComplete(context, lists, flags) {
      d.view("NET_BUFFER", firstBuffer(d, lists)).Next = 0;
      yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
      yield* d.NdisFreeNetBuffer(d.memory.readU32(second));
      yield* d.NdisFreeNetBufferPool(d.memory.readU32(pool));
    },
  };
};
const firstBuffer = (d: DriverEnvironment, list: number): number => d.view("NET_BUFFER_LIST", list).FirstNetBuffer;

/** A miniport that completes a send after it has changed it. */
const completes =
  (change: (d: DriverEnvironment, list: number) => void): Change =>
  (d) => ({
    *MiniportSendNetBufferLists(context, lists) {
      change(d, lists);
      d.view("NET_BUFFER_LIST", lists).Status = 0;
      yield* d.NdisMSendNetBufferListsComplete(d.memory.readU32(context + adapter.handle), lists, 0);
    },
  });

describe("The NET_BUFFER structures of a list", () => {
  breaks("nbl-nb-stay-with-nbl", "a miniport cuts off the second one before it completes the list", {
    by: MINIPORT,
    says: /List 0x[0-9a-f]{8} goes back with other NET_BUFFER structures than it came with/,
    protocol: sendsTwo,
    miniport: completes((d, list) => {
      d.view("NET_BUFFER", firstBuffer(d, list)).Next = 0;
    }),
    actions: sending,
  });
  /** A protocol that cuts the data out of what it receives, and returns it or was only lent it. */
  const cuts =
    (isPutBack: boolean): Change =>
    (d) => ({
      *ProtocolReceiveNetBufferLists(context, lists, _port, _count, flags) {
        const first = firstBuffer(d, lists);
        d.view("NET_BUFFER_LIST", lists).FirstNetBuffer = 0;
        if (isPutBack) d.view("NET_BUFFER_LIST", lists).FirstNetBuffer = first;
        const handle = d.memory.readU32(context + binding.handle);
        if ((flags & RESOURCES) === 0) yield* d.NdisReturnNetBufferLists(handle, lists, 0);
      },
    });
  /** A miniport that indicates a frame with those flags, and frees it, whatever became of it, when it is back. */
  const lends =
    (flags: number): Change =>
    (d, its) => {
      const kept = d.statics(4);
      function* free(list: number): Running<void> {
        d.view("NET_BUFFER_LIST", list).FirstNetBuffer = d.memory.readU32(kept);
        yield* freeFrames(d, list);
      }
      return {
        *Inject() {
          const list = yield* createFrame(d, its.context());
          d.memory.writeU32(kept, firstBuffer(d, list));
          yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, flags);
          if (flags === RESOURCES) yield* free(list);
        },
        *MiniportReturnNetBufferLists(_context, list) {
          yield* free(list);
        },
      };
    };

  breaks("nbl-nb-stay-with-nbl", "a protocol takes it out of a list that it returns", {
    by: PROTOCOL,
    says: /goes back with other NET_BUFFER structures/,
    protocol: cuts(false),
    miniport: lends(0),
    actions: injecting,
  });
  breaks("nbl-nb-stay-with-nbl", "a protocol takes it out of a list that it was lent", {
    by: PROTOCOL,
    says: /goes back with other NET_BUFFER structures/,
    protocol: cuts(false),
    miniport: lends(RESOURCES),
    actions: injecting,
  });
  allows("nbl-nb-stay-with-nbl", "a protocol takes it out and puts it back", {
    protocol: cuts(true),
    miniport: lends(0),
    actions: injecting,
  });
});

describe("SourceHandle", () => {
  const sends: Change = (d, its) => ({
    *Send() {
      yield* sendOne(d, its.context());
    },
  });
  breaks("nbl-sourcehandle-set", "a protocol sends a list without it", {
    by: PROTOCOL,
    says: /NdisSendNetBufferLists was called with list 0x[0-9a-f]{8}, whose SourceHandle is 0x00000000/,
    protocol: (d, its) => ({
      *Send() {
        const data = yield* d.NdisAllocateMemoryWithTagPriority(0, 64, TAG, 0);
        const mdl = yield* d.NdisAllocateMdl(0, data, 64);
        const list = yield* d.NdisAllocateNetBufferAndNetBufferList(its.get(binding.pool), 0, 0, mdl, 0, 64);
        d.memory.writeU32(its.context() + binding.sends, 1);
        yield* d.NdisSendNetBufferLists(its.get(binding.handle), list, 0, 0);
      },
    }),
    actions: sending,
  });
  breaks("nbl-sourcehandle-set", "a miniport indicates a list with another one", {
    by: MINIPORT,
    says: /NdisMIndicateReceiveNetBufferLists was called with list 0x[0-9a-f]{8}, whose SourceHandle is 0x00000007/,
    miniport: (d, its) => ({
      ...indicates(d, its),
      *Inject() {
        const list = yield* createFrame(d, its.context());
        d.view("NET_BUFFER_LIST", list).SourceHandle = 7;
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, 0);
      },
    }),
    actions: injecting,
  });
  breaks("nbl-sourcehandle-set", "a protocol changes that of a list that it received", {
    by: PROTOCOL,
    says: /goes back with the SourceHandle 0x00000007, and came with 0x[0-9a-f]{8}/,
    protocol: (d) => ({
      *ProtocolReceiveNetBufferLists(context, lists) {
        d.view("NET_BUFFER_LIST", lists).SourceHandle = 7;
        yield* d.NdisReturnNetBufferLists(d.memory.readU32(context + binding.handle), lists, 0);
      },
    }),
    miniport: indicates,
    actions: injecting,
  });
  allows("nbl-sourcehandle-set", "a sender sets it, and a miniport leaves it", { protocol: sends, actions: sending });
});

describe("The data of a list that was received", () => {
  /** A protocol that moves the start of the data, by a header of 14 bytes, and returns the list. */
  const steps =
    (move: (d: DriverEnvironment, list: number, first: number) => Running<unknown>): Change =>
    (d) => ({
      *ProtocolReceiveNetBufferLists(context, lists) {
        yield* move(d, lists, firstBuffer(d, lists));
        yield* d.NdisReturnNetBufferLists(d.memory.readU32(context + binding.handle), lists, 0);
      },
    });
  const [KEEP, FREE] = [0, 1];

  breaks("nbl-advance-receive-keep-mdls", "a protocol steps over a header and asks to free MDLs", {
    by: PROTOCOL,
    says: /NdisAdvanceNetBufferDataStart was called with FreeMdl TRUE for a list that was received/,
    protocol: steps((d, _list, first) => d.NdisAdvanceNetBufferDataStart(first, 14, FREE, 0)[Symbol.iterator]()),
    miniport: indicates,
    actions: injecting,
  });
  breaks("nbl-advance-receive-keep-mdls", "a protocol steps over the headers of a whole list and asks to free MDLs", {
    by: PROTOCOL,
    says: /NdisAdvanceNetBufferListDataStart was called with FreeMdl TRUE/,
    protocol: steps((d, list) => d.NdisAdvanceNetBufferListDataStart(list, 14, FREE, 0)[Symbol.iterator]()),
    miniport: indicates,
    actions: injecting,
  });
  allows("nbl-advance-receive-keep-mdls", "a protocol steps over a header and back", {
    protocol: steps(function* (d, list, first) {
      yield* d.NdisAdvanceNetBufferDataStart(first, 14, KEEP, 0);
      yield* d.NdisRetreatNetBufferDataStart(first, 14, 0, 0);
      yield* d.NdisAdvanceNetBufferListDataStart(list, 14, KEEP, 0);
    }),
    miniport: indicates,
    actions: injecting,
  });
  allows("nbl-advance-receive-keep-mdls", "a protocol frees the MDL of a header that it put in front itself", {
    protocol: steps(function* (d, _list, first) {
      yield* d.NdisRetreatNetBufferDataStart(first, 14, 0, 0);
      yield* d.NdisAdvanceNetBufferDataStart(first, 14, FREE, 0);
    }),
    miniport: indicates,
    actions: injecting,
  });
});
