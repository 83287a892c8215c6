import { describe } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { freeBuffer, makeBuffer, makeListPool, makePool } from "../ndis/buffers.ts";
import {
  PROTOCOL,
  type Running,
  type Situation,
  adapter,
  allows,
  breaks,
  call,
  createFrame,
  freeFrames,
  settle,
  started,
  MINIPORT,
  takenDown,
} from "./support.ts";

/** The protocol derives a list from one of 40 bytes, and frees what it derived. */
const deriving = (act: (d: DriverEnvironment, list: number) => Running<unknown>): Situation => ({
  protocol: (d) => ({
    *Try() {
      const [listPool, bufferPool] = [yield* makeListPool(d), yield* makePool(d)];
      const list = yield* d.NdisAllocateNetBufferList(listPool, 0, 0);
      const buffer = yield* makeBuffer(d, bufferPool, [40], 0, 40);
      d.view("NET_BUFFER_LIST", list).FirstNetBuffer = buffer;
      yield* act(d, list);
      d.view("NET_BUFFER_LIST", list).FirstNetBuffer = 0;
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferList(list);
      yield* d.NdisFreeNetBufferPool(bufferPool);
      yield* d.NdisFreeNetBufferListPool(listPool);
    },
  }),
  actions: [...started, call(PROTOCOL, "Try"), settle, ...takenDown],
});

const ORIGINAL_MDLS = 2;

describe("A derived list", () => {
  const clones = (flags: number, freedWith: number): Situation =>
    deriving(function* (d, list) {
      const clone = yield* d.NdisAllocateCloneNetBufferList(list, 0, 0, flags);
      yield* d.NdisFreeCloneNetBufferList(clone, freedWith);
    });
  breaks("nbl-clone-flags-match", "a clone with MDLs of its own is freed as one over the original's", {
    ...clones(0, ORIGINAL_MDLS),
    by: PROTOCOL,
    also: ["leak-memory"],
    says: /NdisFreeCloneNetBufferList was called with the flags 2 for list 0x[0-9a-f]{8}, which was allocated with 0/,
  });
  breaks("nbl-clone-flags-match", "a fragment is freed with another delta", {
    ...deriving(function* (d, list) {
      const fragment = yield* d.NdisAllocateFragmentNetBufferList(list, 0, 0, 0, 20, 14, 0, 0);
      yield* d.NdisFreeFragmentNetBufferList(fragment, 8, 0);
    }),
    by: PROTOCOL,
    says: /with the DataOffsetDelta 8 for list 0x[0-9a-f]{8}, which was allocated with 14/,
  });
  breaks("nbl-clone-flags-match", "a reassembled list is freed with another delta", {
    ...deriving(function* (d, list) {
      const whole = yield* d.NdisAllocateReassembledNetBufferList(list, 0, 0, 14, 0, 0);
      yield* d.NdisFreeReassembledNetBufferList(whole, 0, 0);
    }),
    by: PROTOCOL,
    says: /with the DataOffsetDelta 0 for list 0x[0-9a-f]{8}, which was allocated with 14/,
  });
  breaks("nbl-clone-flags-match", "a clone is freed as a fragment", {
    ...deriving(function* (d, list) {
      yield* d.NdisFreeFragmentNetBufferList(yield* d.NdisAllocateCloneNetBufferList(list, 0, 0, 0), 0, 0);
    }),
    by: PROTOCOL,
    says: /NdisFreeFragmentNetBufferList was called for list 0x[0-9a-f]{8}, which NdisAllocateCloneNetBufferList made/,
  });
  breaks("nbl-clone-flags-match", "a clone is freed by NdisFreeNetBufferList", {
    ...deriving(function* (d, list) {
      const clone = yield* d.NdisAllocateCloneNetBufferList(list, 0, 0, ORIGINAL_MDLS);
      yield* d.NdisFreeNetBuffer(d.view("NET_BUFFER_LIST", clone).FirstNetBuffer);
      yield* d.NdisFreeNetBufferList(clone);
    }),
    by: PROTOCOL,
    says: /was freed as if it were from NdisAllocateNetBufferList/,
  });
  allows(
    "nbl-clone-flags-match",
    "clone, fragment and reassembled list are each freed as they were allocated",
    deriving(function* (d, list) {
      yield* d.NdisFreeCloneNetBufferList(yield* d.NdisAllocateCloneNetBufferList(list, 0, 0, ORIGINAL_MDLS), ORIGINAL_MDLS);
      const fragment = yield* d.NdisAllocateFragmentNetBufferList(list, 0, 0, 0, 20, 14, 0, 0);
      yield* d.NdisFreeReassembledNetBufferList(yield* d.NdisAllocateReassembledNetBufferList(fragment, 0, 0, 0, 0, 0), 0, 0);
      yield* d.NdisFreeFragmentNetBufferList(fragment, 14, 0);
    }),
  );
});

describe("Out-of-band data of a derived list", () => {
  const slotOf = (d: DriverEnvironment, list: number, name: ConstantName): number =>
    d.addressOf("NET_BUFFER_LIST", list, "NetBufferListInfo") + d.constant(name) * 4;

  /** A miniport that indicates a clone of a frame with a VLAN tag, which comes from the frame or is another one. */
  const tagging = (how: "by hand" | "by NDIS" | "another"): Situation => ({
    protocol: () => ({ ProtocolReceiveNetBufferLists() {} }),
    miniport: (d, its) => ({
      *Inject() {
        const frame = yield* createFrame(d, its.context());
        d.memory.writeU32(slotOf(d, frame, "Ieee8021QNetBufferListInfo"), 0x70);
        const clone = yield* d.NdisAllocateCloneNetBufferList(frame, its.get(adapter.pool), 0, ORIGINAL_MDLS);
        d.view("NET_BUFFER_LIST", clone).SourceHandle = its.get(adapter.handle);
        if (how === "by NDIS") yield* d.NdisCopyReceiveNetBufferListInfo(clone, frame);
        else d.memory.writeU32(slotOf(d, clone, "Ieee8021QNetBufferListInfo"), how === "another" ? 0x90 : 0x70);
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), clone, 0, 1, 2);
        yield* d.NdisFreeCloneNetBufferList(clone, ORIGINAL_MDLS);
        yield* freeFrames(d, frame);
      },
    }),
    actions: [...started, call(MINIPORT, "Inject"), settle, ...takenDown],
  });
  breaks("nbl-info-copy-functions", "a driver copies a VLAN tag by hand", {
    ...tagging("by hand"),
    by: MINIPORT,
    says: /whose out-of-band data is that of list 0x[0-9a-f]{8}, from which it was derived/,
  });
  allows("nbl-info-copy-functions", "NDIS copies it", tagging("by NDIS"));
  allows("nbl-info-copy-functions", "a driver gives a clone a VLAN tag of its own", tagging("another"));
});
