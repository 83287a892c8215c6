import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  THIRD,
  adapter,
  allows,
  binding,
  breaks,
  call,
  createFrame,
  freeFrames,
  indicates,
  keepsReceives,
  load,
  miniportWith,
  queuesSends,
  sendOne,
  settle,
  started,
  takenDown,
} from "./support.ts";

describe("Sending", () => {
  const sends: Change = (d, its) => ({
    *Send() {
      yield* sendOne(d, its.context());
    },
  });

  breaks("send-miniport-complete", "a list is completed twice", {
    by: MINIPORT,
    says: /NdisMSendNetBufferListsComplete was called for list 0x[0-9a-f]{8}, which the miniport does not have/,
    protocol: sends,
    miniport: (d, its) => ({
      *MiniportSendNetBufferLists(context, lists, port, flags) {
        yield* its.inherited("MiniportSendNetBufferLists", context, lists, port, flags);
        yield* d.NdisMSendNetBufferListsComplete(d.memory.readU32(context + adapter.handle), lists, 0);
      },
    }),
    actions: [...started, call(PROTOCOL, "Send")],
  });

  breaks("send-miniport-complete", "a list is completed by another adapter than it was sent to", {
    by: MINIPORT,
    says: /NdisMSendNetBufferListsComplete was called for list 0x[0-9a-f]{8}, which was sent to another adapter/,
    protocol: sends,
    // CompleteSends takes the newest adapter.
    miniport: queuesSends,
    actions: [
      ...started,
      call(PROTOCOL, "Send"),
      { do: "start adapter", driver: MINIPORT, adapter: 1 },
      settle,
      call(MINIPORT, "CompleteSends"),
    ],
  });

  allows("send-miniport-complete", "lists that were sent one by one are completed together, last first", {
    miniport: queuesSends,
    actions: [...started, call(PROTOCOL, "Exercise"), call(MINIPORT, "CompleteSends"), settle, ...takenDown],
  });

  breaks("send-ownership-transfer", "a sender frees a list that the miniport has", {
    by: PROTOCOL,
    says: /List 0x[0-9a-f]{8} was freed while a miniport has it/,
    protocol: (d, its) => ({
      *SendAndFree() {
        yield* freeFrames(d, yield* sendOne(d, its.context()));
      },
    }),
    miniport: queuesSends,
    actions: [...started, call(PROTOCOL, "SendAndFree")],
  });

  allows("send-ownership-transfer", "a sender frees its lists in ProtocolSendNetBufferListsComplete", {
    protocol: sends,
    actions: [...started, call(PROTOCOL, "Send"), settle, ...takenDown],
  });
});

describe("Receiving", () => {
  const returns =
    (times: number): Change =>
    (d) => ({
      *ProtocolReceiveNetBufferLists(context, lists) {
        const handle = d.memory.readU32(context + binding.handle);
        for (let time = 0; time < times; time += 1) yield* d.NdisReturnNetBufferLists(handle, lists, 0);
      },
    });
  /** A miniport that takes the same frame back again and again, and frees it in its halt. */
  const keepsOneFrame: Change = (d, its) => {
    const frame = d.statics(4);
    return {
      *Inject(flags) {
        d.memory.writeU32(frame, yield* createFrame(d, its.context()));
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), d.memory.readU32(frame), 0, 1, flags);
      },
      MiniportReturnNetBufferLists() {},
    };
  };
  const RESOURCES = 2;

  breaks("recv-return-same-binding", "a list is returned twice", {
    by: PROTOCOL,
    says: /NdisReturnNetBufferLists was called for list 0x[0-9a-f]{8}, which the protocol does not have/,
    protocol: returns(2),
    miniport: keepsOneFrame,
    actions: [...started, call(MINIPORT, "Inject", 0)],
  });

  breaks("recv-return-same-binding", "a list is returned that was indicated with the RESOURCES flag", {
    by: PROTOCOL,
    says: /which the protocol does not have: it was returned before, or indicated with the RESOURCES flag/,
    protocol: returns(1),
    miniport: keepsOneFrame,
    actions: [...started, call(MINIPORT, "Inject", RESOURCES)],
  });

  breaks("recv-return-same-binding", "a list is returned on another binding than it was indicated to", {
    by: PROTOCOL,
    says: /which was indicated to another binding/,
    // ReturnAll takes the newest binding.
    protocol: keepsReceives,
    miniport: indicates,
    more: [miniportWith()],
    actions: [
      ...started,
      call(MINIPORT, "Inject"),
      load(THIRD),
      { do: "start adapter", driver: THIRD, adapter: 1 },
      call(PROTOCOL, "ReturnAll"),
    ],
  });

  allows("recv-return-same-binding", "lists of two indications are returned together, later", {
    protocol: keepsReceives,
    miniport: indicates,
    actions: [
      ...started,
      call(MINIPORT, "Inject"),
      call(MINIPORT, "Inject"),
      call(PROTOCOL, "ReturnAll"),
      call(MINIPORT, "Inject"),
      call(PROTOCOL, "ReturnAll"),
      ...takenDown,
    ],
  });

  breaks("recv-no-reclaim-before-return", "a miniport frees a list that a protocol has", {
    by: MINIPORT,
    says: /List 0x[0-9a-f]{8} was freed while a protocol has it/,
    protocol: keepsReceives,
    miniport: (d, its) => ({
      *Inject() {
        const list = yield* createFrame(d, its.context());
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, 0);
        yield* freeFrames(d, list);
      },
    }),
    actions: [...started, call(MINIPORT, "Inject")],
  });

  allows(
    "recv-no-reclaim-before-return",
    "a miniport frees a list that it indicated with the RESOURCES flag when the call returns",
    {
      protocol: keepsReceives,
      miniport: (d, its) => ({
        *Inject() {
          const list = yield* createFrame(d, its.context());
          yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, RESOURCES);
          yield* freeFrames(d, list);
        },
      }),
      actions: [...started, call(MINIPORT, "Inject"), ...takenDown],
    },
  );

  allows("recv-no-reclaim-before-return", "a list is freed inside MiniportReturnNetBufferLists, before the indication returns", {
    protocol: returns(1),
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), ...takenDown],
  });
});

describe("Pools of lists", () => {
  /** A protocol with a second pool, which it frees before or after the list of it. */
  const freesPool =
    (isEarly: boolean): Change =>
    (d) => ({
      *UsePool() {
        const parameters = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { fAllocateNetBuffer: 1, PoolTag: 1 });
        d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
        const pool = yield* d.NdisAllocateNetBufferListPool(0, parameters.address);
        const list = yield* d.NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, 0, 0, 0);
        if (isEarly) yield* d.NdisFreeNetBufferListPool(pool);
        yield* d.NdisFreeNetBufferList(list);
        if (!isEarly) yield* d.NdisFreeNetBufferListPool(pool);
      },
    });

  breaks("nbl-pool-free-when-empty", "a pool is freed before its last list", {
    by: PROTOCOL,
    says: /A net buffer list pool was freed while 1 lists of it are not freed/,
    protocol: freesPool(true),
    actions: [...started, call(PROTOCOL, "UsePool")],
  });

  allows("nbl-pool-free-when-empty", "a pool is freed right after its last list", {
    protocol: freesPool(false),
    actions: [...started, call(PROTOCOL, "UsePool"), ...takenDown],
  });
});
