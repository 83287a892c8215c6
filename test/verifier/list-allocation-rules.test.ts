import { describe } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { makePool, makeListPool } from "../ndis/buffers.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  type Running,
  type Situation,
  TAG,
  adapter,
  allows,
  binding,
  breaks,
  call,
  createFrame,
  freeFrames,
  settle,
  started,
  takenDown,
} from "./support.ts";

/** The protocol does that once while it runs. */
const trying = (act: (d: DriverEnvironment, handle: number) => Running<unknown>): Situation => ({
  protocol: (d, its) => ({
    *Try() {
      yield* act(d, its.get(binding.handle));
    },
  }),
  actions: [...started, call(PROTOCOL, "Try"), settle, ...takenDown],
});

describe("Structures that are handed over", () => {
  /** A miniport that indicates a copy of a frame's list, or of its NET_BUFFER, in memory of its own, or the frame itself. */
  const indicatesOwn = (copied: "list" | "buffer" | "nothing"): Situation => ({
    protocol: () => ({ ProtocolReceiveNetBufferLists() {} }),
    miniport: ((d, its) => ({
      *Inject() {
        const frame = yield* createFrame(d, its.context());
        const { FirstNetBuffer } = d.view("NET_BUFFER_LIST", frame);
        const own = yield* d.NdisAllocateMemoryWithTagPriority(0, 256, TAG, 0);
        const list = copied === "list" ? own : frame;
        if (copied === "list") {
          d.view("NET_BUFFER_LIST", list).FirstNetBuffer = FirstNetBuffer;
          d.view("NET_BUFFER_LIST", list).SourceHandle = its.get(adapter.handle);
        }
        if (copied === "buffer") d.view("NET_BUFFER_LIST", list).FirstNetBuffer = own;
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, RESOURCES);
        d.view("NET_BUFFER_LIST", frame).FirstNetBuffer = FirstNetBuffer;
        yield* freeFrames(d, frame);
        yield* d.NdisFreeMemory(own, 0, 0);
      },
    })) satisfies Change,
    actions: [...started, call(MINIPORT, "Inject"), settle, ...takenDown],
  });
  const RESOURCES = 2;

  breaks("nbl-pool-allocated", "a NET_BUFFER_LIST lies in memory of the driver", {
    ...indicatesOwn("list"),
    by: MINIPORT,
    says: /with a NET_BUFFER_LIST at 0x[0-9a-f]{8} that is from no pool of NDIS/,
  });
  breaks("nbl-pool-allocated", "a NET_BUFFER lies in memory of the driver", {
    ...indicatesOwn("buffer"),
    by: MINIPORT,
    says: /with a NET_BUFFER at 0x[0-9a-f]{8} that is from no pool of NDIS/,
  });
  allows("nbl-pool-allocated", "both are from one pool", indicatesOwn("nothing"));
});

describe("A pool and what is taken from it", () => {
  /** A NET_BUFFER_LIST pool with these parameters, from which a list and its NET_BUFFER are taken together. */
  const pairs = (parameters: { fAllocateNetBuffer?: number; DataSize?: number }): Situation =>
    trying(function* (d) {
      const pool = yield* makeListPool(d, parameters);
      const list = yield* d.NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, 0, 0, 0);
      if (list !== 0) yield* d.NdisFreeNetBufferList(list);
      yield* d.NdisFreeNetBufferListPool(pool);
    });

  breaks("nbl-paired-pool-flags", "a list with a NET_BUFFER is taken from a pool without fAllocateNetBuffer", {
    ...pairs({}),
    by: PROTOCOL,
    says: /for a pool that was made with fAllocateNetBuffer FALSE/,
  });
  breaks("nbl-paired-pool-flags", "a list with a NET_BUFFER is taken from a pool that has data", {
    ...pairs({ fAllocateNetBuffer: 1, DataSize: 64 }),
    by: PROTOCOL,
    says: /for a pool that was made with a DataSize of 64/,
  });
  breaks("nbl-paired-pool-flags", "a NET_BUFFER with data is taken from a pool that has none", {
    ...trying(function* (d) {
      const pool = yield* makePool(d);
      yield* d.NdisFreeNetBuffer(yield* d.NdisAllocateNetBufferMdlAndData(pool));
      yield* d.NdisFreeNetBufferPool(pool);
    }),
    by: PROTOCOL,
    says: /NdisAllocateNetBufferMdlAndData was called for a pool that was made with a DataSize of 0/,
  });
  allows(
    "nbl-paired-pool-flags",
    "the pool was made with fAllocateNetBuffer, and without data",
    pairs({ fAllocateNetBuffer: 1 }),
  );
});

describe("What came with a structure", () => {
  breaks("nbl-paired-not-freed-separately", "a NET_BUFFER is freed that came with its list", {
    ...trying(function* (d) {
      const pool = yield* makeListPool(d, { fAllocateNetBuffer: 1 });
      const list = yield* d.NdisAllocateNetBufferAndNetBufferList(pool, 0, 0, 0, 0, 0);
      yield* d.NdisFreeNetBuffer(d.view("NET_BUFFER_LIST", list).FirstNetBuffer);
    }),
    by: PROTOCOL,
    also: ["invalid-free"],
    ends: "fault",
    says: /which came with its list/,
  });
  breaks("nbl-paired-not-freed-separately", "an MDL is freed that came with its NET_BUFFER", {
    ...trying(function* (d) {
      const pool = yield* makeListPool(d, { fAllocateNetBuffer: 1, DataSize: 64 });
      const list = yield* d.NdisAllocateNetBufferList(pool, 0, 0);
      yield* d.NdisFreeMdl(d.view("NET_BUFFER", d.view("NET_BUFFER_LIST", list).FirstNetBuffer).MdlChain);
    }),
    by: PROTOCOL,
    also: ["invalid-free"],
    ends: "fault",
    says: /NdisFreeMdl was called for the MDL at 0x[0-9a-f]{8}, which came with its NET_BUFFER/,
  });

  /** A list with a NET_BUFFER that was allocated apart, which is freed before it or after it. */
  const apart = (isFirst: boolean): Situation =>
    trying(function* (d) {
      const [listPool, bufferPool] = [yield* makeListPool(d), yield* makePool(d)];
      const list = yield* d.NdisAllocateNetBufferList(listPool, 0, 0);
      const netBuffer = yield* d.NdisAllocateNetBuffer(bufferPool, 0, 0, 0);
      d.view("NET_BUFFER_LIST", list).FirstNetBuffer = netBuffer;
      if (isFirst) yield* d.NdisFreeNetBuffer(netBuffer);
      yield* d.NdisFreeNetBufferList(list);
      if (!isFirst) yield* d.NdisFreeNetBuffer(netBuffer);
      yield* d.NdisFreeNetBufferPool(bufferPool);
      yield* d.NdisFreeNetBufferListPool(listPool);
    });
  breaks("nbl-paired-not-freed-separately", "a list is freed before the NET_BUFFER that was allocated for it apart", {
    ...apart(false),
    by: PROTOCOL,
    says: /was freed with 1 NET_BUFFER structures in it that were allocated apart/,
  });
  allows("nbl-paired-not-freed-separately", "a NET_BUFFER that was allocated apart is freed before its list", apart(true));
});

describe("Context space", () => {
  /** A list with 16 bytes of context of its own gets 8 more, and gives back so many. */
  const gives = (bytes: number): Situation =>
    trying(function* (d) {
      const pool = yield* makeListPool(d);
      const list = yield* d.NdisAllocateNetBufferList(pool, 16, 8);
      yield* d.NdisAllocateNetBufferListContext(list, 8, 0, TAG);
      if (bytes > 0) yield* d.NdisFreeNetBufferListContext(list, bytes);
      yield* d.NdisFreeNetBufferList(list);
      yield* d.NdisFreeNetBufferListPool(pool);
    });
  breaks("nbl-context-free-first", "space that was added is left when the list is freed", {
    ...gives(0),
    by: PROTOCOL,
    says: /was freed with 8 bytes of context space from NdisAllocateNetBufferListContext/,
  });
  breaks("nbl-context-free-first", "space is freed that came with the list", {
    ...gives(24),
    by: PROTOCOL,
    says: /was called for 24 bytes of list 0x[0-9a-f]{8}, and NdisAllocateNetBufferListContext gave it 8/,
  });
  allows("nbl-context-free-first", "what was added is freed, and what came with the list is not", gives(8));
});
