/** Pools of lists, lists derived from lists, their contexts and what they carry. */
import { describe, expect, test } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import type { Running } from "../verifier/support.ts";
import { dataOf, freeBuffer, makeBuffer, makeListPool, makePool, netBuffersOf, shapeOf } from "./buffers.ts";
import { inProtocol } from "./play.ts";

const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

/** A list with two NET_BUFFER structures: bytes 2 to 24 of 10 + 14, and bytes 100 to 105 of one MDL. What is done with it is given. */
function withList(act: (d: DriverEnvironment, list: number) => Running<void>): void {
  inProtocol(function* (d) {
    const pool = yield* makePool(d);
    const lists = yield* makeListPool(d);
    const first = yield* makeBuffer(d, pool, [10, 14], 2, 22);
    const second = yield* makeBuffer(d, pool, [8], 0, 5, 100);
    const list = yield* d.NdisAllocateNetBufferList(lists, 0, 0);
    d.view("NET_BUFFER_LIST", list).FirstNetBuffer = first;
    d.view("NET_BUFFER", first).Next = second;
    yield* act(d, list);
    yield* freeBuffer(d, second);
    yield* freeBuffer(d, first);
    yield* d.NdisFreeNetBufferList(list);
    yield* d.NdisFreeNetBufferListPool(lists);
    yield* d.NdisFreeNetBufferPool(pool);
  });
}

const dataOfList = (d: DriverEnvironment, list: number): number[][] => netBuffersOf(d, list).map((each) => dataOf(d, each));

describe("A pool", () => {
  test("with fAllocateNetBuffer gives lists with a NET_BUFFER, with DataSize also an MDL and data; all go with the list", () => {
    inProtocol(function* (d) {
      const pool = yield* makeListPool(d, { fAllocateNetBuffer: 1, DataSize: 64, ProtocolId: 2 });
      const list = yield* d.NdisAllocateNetBufferList(pool, 0, 0);
      const [netBuffer = 0] = netBuffersOf(d, list);
      const { MdlChain } = d.view("NET_BUFFER", netBuffer);
      expect(d.view("MDL", MdlChain).ByteCount).toBe(64);
      d.memory.u8.fill(7, d.view("MDL", MdlChain).MappedSystemVa, d.view("MDL", MdlChain).MappedSystemVa + 64);
      expect(yield* d.NdisGetPoolFromNetBufferList(list)).toBe(pool);
      expect(yield* d.NdisGetNetBufferListProtocolId(list)).toBe(2);
      yield* d.NdisFreeNetBufferList(list);
      yield* d.NdisFreeNetBufferListPool(pool);
    });
  });

  test("of NET_BUFFER structures with DataSize gives them with an MDL and data in one piece", () => {
    inProtocol(function* (d) {
      const parameters = d.local("NET_BUFFER_POOL_PARAMETERS", { PoolTag: 1, DataSize: 32 });
      d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1");
      const pool = yield* d.NdisAllocateNetBufferPool(0, parameters.address);
      const netBuffer = yield* d.NdisAllocateNetBufferMdlAndData(pool);
      expect(d.view("MDL", d.view("NET_BUFFER", netBuffer).MdlChain).ByteCount).toBe(32);
      expect(yield* d.NdisGetPoolFromNetBuffer(netBuffer)).toBe(pool);
      yield* d.NdisFreeNetBuffer(netBuffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });
});

describe("A clone", () => {
  test("has new MDLs over the same data, from the start of the used data space on, and no context", () => {
    withList(function* (d, list) {
      const clone = yield* d.NdisAllocateCloneNetBufferList(list, 0, 0, 0);
      expect(dataOfList(d, clone)).toEqual([upTo(2, 24), upTo(100, 105)]);
      const [first = 0] = netBuffersOf(d, clone);
      const [original = 0] = netBuffersOf(d, list);
      expect(shapeOf(d, first)).toEqual([0, 22, 0, 0, 2]);
      const address = d.view("MDL", d.view("NET_BUFFER", original).MdlChain).MappedSystemVa;
      expect(d.view("MDL", d.view("NET_BUFFER", first).MdlChain).MappedSystemVa).toBe(address + 2);
      expect(d.view("NET_BUFFER_LIST", clone).Context).toBe(0);
      expect(d.view("NET_BUFFER_LIST", clone).ParentNetBufferList).toBe(0);
      yield* d.NdisFreeCloneNetBufferList(clone, 0);
    });
  });

  test("with NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS has the MDLs of the original", () => {
    withList(function* (d, list) {
      const flags = d.constant("NDIS_CLONE_FLAGS_USE_ORIGINAL_MDLS");
      const clone = yield* d.NdisAllocateCloneNetBufferList(list, 0, 0, flags);
      expect(dataOfList(d, clone)).toEqual([upTo(2, 24), upTo(100, 105)]);
      const [first = 0] = netBuffersOf(d, clone);
      const [original = 0] = netBuffersOf(d, list);
      expect(d.view("NET_BUFFER", first).CurrentMdl).toBe(d.view("NET_BUFFER", original).CurrentMdl);
      yield* d.NdisFreeCloneNetBufferList(clone, flags);
    });
  });

  test("is of the pools that the caller names", () => {
    withList(function* (d, list) {
      const pool = yield* makePool(d);
      const lists = yield* makeListPool(d, { ProtocolId: 6 });
      const clone = yield* d.NdisAllocateCloneNetBufferList(list, lists, pool, 0);
      expect(yield* d.NdisGetPoolFromNetBufferList(clone)).toBe(lists);
      expect(yield* d.NdisGetPoolFromNetBuffer(netBuffersOf(d, clone)[0] ?? 0)).toBe(pool);
      expect(yield* d.NdisGetNetBufferListProtocolId(clone)).toBe(6);
      yield* d.NdisFreeCloneNetBufferList(clone, 0);
      yield* d.NdisFreeNetBufferListPool(lists);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });
});

describe("Fragments", () => {
  test("divide the data of each NET_BUFFER after the offset, each with room in front", () => {
    withList(function* (d, list) {
      const fragments = yield* d.NdisAllocateFragmentNetBufferList(list, 0, 0, 1, 9, 4, 12, 0);
      const shapes = netBuffersOf(d, fragments).map((each) => shapeOf(d, each).slice(0, 2));
      // 21 bytes in 9 + 9 + 3, and 4 bytes of the other, which are not joined; 4 more in front of each, with 12 of back-fill.
      expect(shapes).toEqual([
        [12, 13],
        [12, 13],
        [12, 7],
        [12, 8],
      ]);
      expect(dataOfList(d, fragments).map((data) => data.slice(4))).toEqual([
        upTo(3, 12),
        upTo(12, 21),
        upTo(21, 24),
        upTo(101, 105),
      ]);
      yield* d.NdisFreeFragmentNetBufferList(fragments, 4, 0);
    });
  });

  test("are put together again as one NET_BUFFER", () => {
    withList(function* (d, list) {
      const fragments = yield* d.NdisAllocateFragmentNetBufferList(list, 0, 0, 0, 8, 0, 0, 0);
      const whole = yield* d.NdisAllocateReassembledNetBufferList(fragments, 0, 0, 2, 6, 0);
      expect(netBuffersOf(d, whole)).toHaveLength(1);
      expect(dataOfList(d, whole).map((data) => data.slice(2))).toEqual([[...upTo(2, 24), ...upTo(100, 105)]]);
      yield* d.NdisFreeReassembledNetBufferList(whole, 2, 0);
      yield* d.NdisFreeFragmentNetBufferList(fragments, 0, 0);
    });
  });
});

describe("Context space", () => {
  const spaceOf = (d: DriverEnvironment, list: number): [number, number] => {
    const { Size, Offset } = d.view("NET_BUFFER_LIST_CONTEXT", d.view("NET_BUFFER_LIST", list).Context);
    return [Size, Offset];
  };

  test("is taken from the back-fill first, then from a new context in front, and given back", () => {
    inProtocol(function* (d) {
      const pool = yield* makeListPool(d, { ContextSize: 16 });
      const list = yield* d.NdisAllocateNetBufferList(pool, 16, 8);
      const first = d.view("NET_BUFFER_LIST", list).Context;
      expect(spaceOf(d, list)).toEqual([24, 8]);
      expect(yield* d.NdisAllocateNetBufferListContext(list, 8, 0, 1)).toBe(0);
      expect([spaceOf(d, list), d.view("NET_BUFFER_LIST", list).Context]).toEqual([[24, 0], first]);
      expect(yield* d.NdisAllocateNetBufferListContext(list, 12, 4, 1)).toBe(0);
      expect(spaceOf(d, list)).toEqual([16, 4]);
      expect(d.view("NET_BUFFER_LIST_CONTEXT", d.view("NET_BUFFER_LIST", list).Context).Next).toBe(first);
      yield* d.NdisFreeNetBufferListContext(list, 12);
      expect([spaceOf(d, list), d.view("NET_BUFFER_LIST", list).Context]).toEqual([[24, 0], first]);
      yield* d.NdisFreeNetBufferListContext(list, 8);
      expect(spaceOf(d, list)).toEqual([24, 8]);
      yield* d.NdisFreeNetBufferList(list);
      yield* d.NdisFreeNetBufferListPool(pool);
    });
  });
});

describe("What a list carries", () => {
  const copied = (routine: "NdisCopySendNetBufferListInfo" | "NdisCopyReceiveNetBufferListInfo"): string[] => {
    const names: ConstantName[] = [
      "TcpIpChecksumNetBufferListInfo",
      "TcpLargeSendNetBufferListInfo",
      "ClassificationHandleNetBufferListInfo",
      "Ieee8021QNetBufferListInfo",
      "NetBufferListCancelId",
      "MediaSpecificInformation",
      "NetBufferListProtocolId",
      "NetBufferListHashValue",
      "NetBufferListHashInfo",
      "WfpNetBufferListInfo",
    ];
    const found: string[] = [];
    withList(function* (d, list) {
      const source = d.staticStruct("NET_BUFFER_LIST");
      const slot = (address: number, name: ConstantName): number =>
        d.addressOf("NET_BUFFER_LIST", address, "NetBufferListInfo") + d.constant(name) * 4;
      for (const name of names) d.memory.writeU32(slot(source.address, name), 5);
      yield* d[routine](list, source.address);
      for (const name of names) if (d.memory.readU32(slot(list, name)) === 5) found.push(name);
    });
    return found;
  };

  test("on the send path the cancel id and the large send are copied, the hash is not", () => {
    expect(copied("NdisCopySendNetBufferListInfo")).toEqual([
      "TcpIpChecksumNetBufferListInfo",
      "TcpLargeSendNetBufferListInfo",
      "Ieee8021QNetBufferListInfo",
      "NetBufferListCancelId",
      "MediaSpecificInformation",
      "NetBufferListProtocolId",
    ]);
  });

  test("on the receive path the hash is copied, the cancel id is not", () => {
    expect(copied("NdisCopyReceiveNetBufferListInfo")).toEqual([
      "TcpIpChecksumNetBufferListInfo",
      "TcpLargeSendNetBufferListInfo",
      "Ieee8021QNetBufferListInfo",
      "MediaSpecificInformation",
      "NetBufferListProtocolId",
      "NetBufferListHashValue",
      "NetBufferListHashInfo",
    ]);
  });
});

describe("NdisCopyFromNetBufferToNetBuffer", () => {
  test("copies into the space behind the destination's current offset, whatever its length, until either ends", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const source = yield* makeBuffer(d, pool, [6, 6], 2, 10);
      const destination = yield* makeBuffer(d, pool, [4, 8], 2, 0, 200);
      const copied = d.statics(4);
      expect(yield* d.NdisCopyFromNetBufferToNetBuffer(destination, 1, 100, source, 3, copied)).toBe(0);
      expect(d.memory.readU32(copied)).toBe(7);
      expect(d.view("NET_BUFFER", destination).DataLength).toBe(0);
      d.view("NET_BUFFER", destination).DataLength = 10;
      expect(dataOf(d, destination)).toEqual([202, ...upTo(5, 12), 210, 211]);
      expect(yield* d.NdisCopyFromNetBufferToNetBuffer(destination, 8, 100, source, 0, copied)).toBe(0);
      expect(d.memory.readU32(copied)).toBe(2);
      yield* freeBuffer(d, destination);
      yield* freeBuffer(d, source);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });
});

test("the physical count is that of the pages which the MDLs touch", () => {
  inProtocol(function* (d) {
    const pool = yield* makePool(d);
    const buffer = yield* makeBuffer(d, pool, [16, 5000], 0, 5000);
    const { MdlChain } = d.view("NET_BUFFER", buffer);
    const pages = [MdlChain, d.view("MDL", MdlChain).Next].map((mdl) => {
      const { MappedSystemVa, ByteCount } = d.view("MDL", mdl);
      return ((MappedSystemVa + ByteCount - 1) >>> 12) - (MappedSystemVa >>> 12) + 1;
    });
    expect(yield* d.NdisQueryNetBufferPhysicalCount(buffer)).toBe((pages[0] ?? 0) + (pages[1] ?? 0));
    yield* freeBuffer(d, buffer);
    yield* d.NdisFreeNetBufferPool(pool);
  });
});
