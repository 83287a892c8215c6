/** Retreat and advance of a NET_BUFFER's data, and contiguous access to it. */
import { describe, expect, test } from "vitest";
import { PROTOCOL, TAG, call, started, takenDown } from "../verifier/support.ts";
import { bytesAt, freeBuffer, makeBuffer, makePool, shapeOf } from "./buffers.ts";
import { inProtocol, play } from "./play.ts";

describe("A retreat", () => {
  test("uses unused data space first, into the MDL where the data then starts", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [10, 20], 12, 18);
      expect(shapeOf(d, buffer)).toEqual([12, 18, 2, 1, 2]);
      expect(yield* d.NdisRetreatNetBufferDataStart(buffer, 5, 100, 0)).toBe(0);
      expect(shapeOf(d, buffer)).toEqual([7, 23, 7, 0, 2]);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });

  test("without enough of it puts an MDL of DataOffsetDelta and DataBackFill bytes in front, and an advance frees it", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [20], 4, 16);
      expect(yield* d.NdisRetreatNetBufferDataStart(buffer, 14, 6, 0)).toBe(0);
      // 4 of the 14 bytes are those that were unused; 10 are new, at the end of the 20 that were allocated.
      expect(shapeOf(d, buffer)).toEqual([10, 30, 10, 0, 2]);
      expect(d.view("MDL", d.view("NET_BUFFER", buffer).MdlChain).ByteCount).toBe(20);
      yield* d.NdisAdvanceNetBufferDataStart(buffer, 14, 1, 0);
      expect(shapeOf(d, buffer)).toEqual([4, 16, 4, 0, 1]);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });

  test("keeps the MDL in front for later retreats if FreeMdl is FALSE, and frees it when it is TRUE", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [20], 0, 20);
      yield* d.NdisRetreatNetBufferDataStart(buffer, 8, 0, 0);
      yield* d.NdisAdvanceNetBufferDataStart(buffer, 8, 0, 0);
      expect(shapeOf(d, buffer)).toEqual([8, 20, 0, 1, 2]);
      yield* d.NdisRetreatNetBufferDataStart(buffer, 8, 0, 0);
      expect(shapeOf(d, buffer)).toEqual([0, 28, 0, 0, 2]);
      yield* d.NdisAdvanceNetBufferDataStart(buffer, 10, 1, 0);
      expect(shapeOf(d, buffer)).toEqual([2, 18, 2, 0, 1]);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });

  test("has NetAllocateMdl allocate the MDL, and NetFreeMdl free it", () => {
    const told: string[] = [];
    play({
      protocol: (d) => ({
        *Try() {
          const pool = yield* makePool(d);
          const buffer = yield* makeBuffer(d, pool, [20], 0, 20);
          const status = yield* d.NdisRetreatNetBufferDataStart(buffer, 8, 24, d.handler("NetAllocateMdl"));
          expect(status).toBe(0);
          // The handler gave more than was asked for: the space before the data is back-fill.
          expect(shapeOf(d, buffer)).toEqual([32, 28, 32, 0, 2]);
          yield* d.NdisAdvanceNetBufferDataStart(buffer, 8, 1, d.handler("NetFreeMdl"));
          expect(shapeOf(d, buffer)).toEqual([0, 20, 0, 0, 1]);
          yield* freeBuffer(d, buffer);
          yield* d.NdisFreeNetBufferPool(pool);
        },
        *NetAllocateMdl(size) {
          const bytes = d.memory.readU32(size);
          told.push(`allocate ${bytes}`);
          const memory = yield* d.NdisAllocateMemoryWithTagPriority(0, bytes + 8, TAG, 0);
          return yield* d.NdisAllocateMdl(0, memory, bytes + 8);
        },
        *NetFreeMdl(mdl) {
          told.push("free");
          const { MappedSystemVa } = d.view("MDL", mdl);
          yield* d.NdisFreeMdl(mdl);
          yield* d.NdisFreeMemory(MappedSystemVa, 0, 0);
        },
      }),
      actions: [...started, call(PROTOCOL, "Try"), ...takenDown],
    });
    expect(told).toEqual(["allocate 32", "free"]);
  });

  test("fails with NDIS_STATUS_RESOURCES if the handler has no memory, and changes nothing", () => {
    play({
      protocol: (d) => ({
        *Try() {
          const pool = yield* makePool(d);
          const buffer = yield* makeBuffer(d, pool, [20], 2, 18);
          const status = yield* d.NdisRetreatNetBufferDataStart(buffer, 8, 0, d.handler("NetAllocateMdl"));
          expect(status).toBe(d.constant("NDIS_STATUS_RESOURCES") >>> 0);
          expect(shapeOf(d, buffer)).toEqual([2, 18, 2, 0, 1]);
          yield* freeBuffer(d, buffer);
          yield* d.NdisFreeNetBufferPool(pool);
        },
        NetAllocateMdl: () => 0,
      }),
      actions: [...started, call(PROTOCOL, "Try"), ...takenDown],
    });
  });

  test("of a list retreats every NET_BUFFER or none", () => {
    play({
      protocol: (d) => {
        const left = d.statics(4);
        return {
          *Try() {
            const pool = yield* makePool(d);
            const first = yield* makeBuffer(d, pool, [20], 10, 10);
            const second = yield* makeBuffer(d, pool, [20], 4, 16);
            d.view("NET_BUFFER", first).Next = second;
            const list = d.staticStruct("NET_BUFFER_LIST");
            list.FirstNetBuffer = first;
            d.memory.writeU32(left, 0);
            const allocateMdl = d.handler("NetAllocateMdl");
            const refused = yield* d.NdisRetreatNetBufferListDataStart(list.address, 10, 0, allocateMdl, 0);
            expect(refused).toBe(d.constant("NDIS_STATUS_RESOURCES") >>> 0);
            expect([shapeOf(d, first), shapeOf(d, second)]).toEqual([
              [10, 10, 10, 0, 1],
              [4, 16, 4, 0, 1],
            ]);
            expect(yield* d.NdisRetreatNetBufferListDataStart(list.address, 10, 0, 0, 0)).toBe(0);
            expect([shapeOf(d, first), shapeOf(d, second)]).toEqual([
              [0, 20, 0, 0, 1],
              [4, 26, 4, 0, 2],
            ]);
            yield* d.NdisAdvanceNetBufferListDataStart(list.address, 10, 1, 0);
            expect([shapeOf(d, first), shapeOf(d, second)]).toEqual([
              [10, 10, 10, 0, 1],
              [4, 16, 4, 0, 1],
            ]);
            yield* freeBuffer(d, first);
            yield* freeBuffer(d, second);
            yield* d.NdisFreeNetBufferPool(pool);
          },
          NetAllocateMdl: () => 0,
        };
      },
      actions: [...started, call(PROTOCOL, "Try"), ...takenDown],
    });
  });
});

describe("Access to data", () => {
  test("NdisAdjustNetBufferCurrentMdl finds the current MDL from the data offset", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [8, 8, 8], 0, 24);
      d.view("NET_BUFFER", buffer).DataOffset = 17;
      yield* d.NdisAdjustNetBufferCurrentMdl(buffer);
      expect(shapeOf(d, buffer)).toEqual([17, 24, 1, 2, 3]);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });

  test("contiguous data is given where it lies; data in two MDLs is copied to the storage, or refused without one", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [8, 8], 2, 14);
      const storage = d.statics(16);
      const data = d.view("MDL", d.view("NET_BUFFER", buffer).MdlChain).MappedSystemVa + 2;
      expect(yield* d.NdisGetDataBuffer(buffer, 6, storage, 1, 0)).toBe(data);
      expect(yield* d.NdisGetDataBuffer(buffer, 7, 0, 1, 0)).toBe(0);
      expect(yield* d.NdisGetDataBuffer(buffer, 7, storage, 1, 0)).toBe(storage);
      expect(bytesAt(d, storage, 7)).toEqual([2, 3, 4, 5, 6, 7, 8]);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });

  test("more than the data there is cannot be had", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [16], 2, 8);
      expect(yield* d.NdisGetDataBuffer(buffer, 9, d.statics(16), 1, 0)).toBe(0);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });

  test("data that is not at a multiple of AlignMultiple plus AlignOffset is copied", () => {
    inProtocol(function* (d) {
      const pool = yield* makePool(d);
      const buffer = yield* makeBuffer(d, pool, [16], 2, 8);
      const storage = d.statics(16);
      const data = d.view("MDL", d.view("NET_BUFFER", buffer).MdlChain).MappedSystemVa + 2;
      expect(yield* d.NdisGetDataBuffer(buffer, 4, storage, 4, 2)).toBe(data);
      expect(yield* d.NdisGetDataBuffer(buffer, 4, storage, 4, 0)).toBe(storage);
      yield* freeBuffer(d, buffer);
      yield* d.NdisFreeNetBufferPool(pool);
    });
  });
});
