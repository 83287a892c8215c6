import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  type Running,
  adapter,
  allows,
  atOnce,
  breaks,
  call,
  settle,
  started,
  stop,
  takenDown,
} from "./support.ts";
import { type Resource, dmaChannel, freeShared, sharedMemory, taking } from "./resources.ts";

const life = [...started, ...takenDown];
const shutdown = [...started, { do: "shut down" } as const];

describe("A DMA channel", () => {
  breaks("dma-register-first", "MiniportHaltEx leaves the channel registered", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 scatter\/gather DMA channel\(s\)/,
    miniport: taking({ resources: [dmaChannel], gives: 0 }),
    actions: [...started, stop, settle],
  });
  breaks("dma-register-first", "MiniportInitializeEx fails and leaves the channel registered", {
    by: MINIPORT,
    says: /MiniportInitializeEx failed, and 1 scatter\/gather DMA channel\(s\)/,
    miniport: taking({ resources: [dmaChannel], gives: 0, failsInitialize: true }),
    actions: started,
    ends: "failed",
  });
  breaks("dma-register-first", "shared memory is allocated without a channel", {
    by: MINIPORT,
    says: /no DMA channel of the adapter is registered/,
    // It gets none, and says nothing.
    also: ["WriteErrorLog"],
    miniport: taking({ resources: [sharedMemory], gives: 0 }),
    actions: life,
  });
  breaks("dma-register-first", "a channel is registered for a device that is no bus master", {
    by: MINIPORT,
    says: /had said that the device is a bus master/,
    miniport: (d, its) => ({
      MiniportProcessSGList() {},
      *MiniportInitializeEx(handle) {
        yield* dmaChannel.take(d, handle, d.statics(4));
        return yield* its.inherited("MiniportInitializeEx", handle);
      },
    }),
    actions: life,
  });
  allows("dma-register-first", "MiniportHaltEx deregisters the channel", {
    miniport: taking({ resources: [dmaChannel, sharedMemory], gives: 2 }),
    actions: life,
  });
  allows("dma-register-first", "MiniportInitializeEx fails when it has deregistered the channel", {
    miniport: taking({ resources: [dmaChannel], gives: 1, failsInitialize: true }),
    actions: started,
    ends: "failed",
  });
});

describe("Scatter/gather lists", () => {
  /** Makes a list of each send, and completes the send before it frees the list, or after. */
  const lists =
    (freesFirst: boolean): Change =>
    (d, its) => {
      const [channel, list] = [d.statics(4), d.statics(4)];
      const mapped: Resource = {
        *take(_d, handle) {
          yield* dmaChannel.take(d, handle, channel);
        },
        *give() {
          yield* dmaChannel.give(d, channel, 0);
        },
      };
      function* free(netBuffer: number): Running<void> {
        yield* d.NdisMFreeNetBufferSGList(d.memory.readU32(channel), d.memory.readU32(list), netBuffer);
      }
      return {
        ...taking({ resources: [mapped], gives: 1 })(d, its),
        MiniportProcessSGList(_device, _reserved, made) {
          d.memory.writeU32(list, made);
        },
        *MiniportSendNetBufferLists(_context, sent) {
          const netBuffer = d.view("NET_BUFFER_LIST", sent).FirstNetBuffer;
          const old = yield* d.KeRaiseIrqlToDpcLevel();
          yield* d.NdisMAllocateNetBufferSGList(d.memory.readU32(channel), netBuffer, 0, 1, 0, 0);
          if (freesFirst) yield* free(netBuffer);
          yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), sent, 1);
          if (!freesFirst) yield* free(netBuffer);
          yield* d.KeLowerIrql(old);
        },
      };
    };
  /** Supplies a buffer of that many bytes for the list, and takes the buffer for the list, or not. */
  const supplies =
    (bytes: number, takesBuffer: boolean, level: "dispatch" | "passive" = "dispatch"): Change =>
    (d, its) => {
      const [channel, list, buffer] = [d.statics(4), d.statics(4), d.statics(256)];
      return {
        ...taking({
          resources: [
            {
              *take(_d, handle) {
                yield* dmaChannel.take(d, handle, channel);
              },
              *give() {
                yield* dmaChannel.give(d, channel, 0);
              },
            },
          ],
          gives: 1,
        })(d, its),
        MiniportProcessSGList(_device, _reserved, made) {
          d.memory.writeU32(list, made);
        },
        *MiniportSendNetBufferLists(_context, sent) {
          const netBuffer = d.view("NET_BUFFER_LIST", sent).FirstNetBuffer;
          const handle = d.memory.readU32(channel);
          const old = yield* d.KfRaiseIrql(2);
          if (level === "passive") yield* d.KeLowerIrql(0);
          yield* d.NdisMAllocateNetBufferSGList(handle, netBuffer, 0, 1, buffer, bytes);
          if (level === "passive") yield* d.KfRaiseIrql(2);
          yield* d.NdisMFreeNetBufferSGList(handle, takesBuffer ? buffer : d.memory.readU32(list), netBuffer);
          yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), sent, 1);
          yield* d.KeLowerIrql(old);
        },
      };
    };
  const exercised = [...started, call(PROTOCOL, "Exercise"), settle, ...takenDown];
  breaks("dma-sglist-buffer-not-list", "the buffer was too small, and is taken for the list all the same", {
    by: MINIPORT,
    says: /where MiniportProcessSGList was told, which need not be the buffer that the miniport supplied/,
    also: ["invalid-free"],
    miniport: supplies(4, true),
    actions: exercised,
    ends: "fault",
  });
  allows("dma-sglist-buffer-not-list", "the buffer was too small, and the list that MiniportProcessSGList got is used", {
    miniport: supplies(4, false),
    actions: exercised,
    answers: [atOnce],
  });
  breaks("irql", "scatter/gather DMA: a list is allocated at PASSIVE_LEVEL", {
    by: MINIPORT,
    says: /NdisMAllocateNetBufferSGList was called at PASSIVE_LEVEL/,
    miniport: supplies(256, false, "passive"),
    actions: exercised,
  });

  breaks("dma-sglist-free", "a send is completed while its list is not freed", {
    by: MINIPORT,
    says: /A send was completed while the scatter\/gather list of its NET_BUFFER/,
    miniport: lists(false),
    actions: [...started, call(PROTOCOL, "Exercise"), settle, ...takenDown],
  });
  allows("dma-sglist-free", "the list is freed before the send is completed", {
    miniport: lists(true),
    // The list is there when its call returns.
    answers: [atOnce],
    actions: [...started, call(PROTOCOL, "Exercise"), settle, ...takenDown],
  });
});

describe("Shared memory", () => {
  breaks("dma-shared-memory-free-exact", "MiniportHaltEx leaves a block", {
    by: MINIPORT,
    says: /MiniportHaltEx returned, and 1 block\(s\) of shared memory/,
    also: ["dma-register-first"],
    miniport: taking({ resources: [dmaChannel, sharedMemory], gives: 0 }),
    actions: [...started, stop, settle],
  });
  const frees = (times: number, bytes: number): Resource => ({
    take: sharedMemory.take,
    *give(d, word, handle) {
      for (let time = 0; time < times; time += 1) yield* freeShared(d, handle, d.memory.readU32(word), bytes);
    },
  });
  breaks("dma-shared-memory-free-exact", "a block is freed twice", {
    by: MINIPORT,
    says: /none begins there, or it was freed already\. Windows stops with bug check 0x7c, 0x3/,
    miniport: taking({ resources: [dmaChannel, frees(2, 4096)], gives: 1 }),
    actions: life,
    ends: "bugcheck",
  });
  breaks("dma-shared-memory-free-exact", "a part of a block is freed", {
    by: MINIPORT,
    says: /2048 bytes of shared memory at 0x[0-9a-f]+ are freed, but 4096 bytes were allocated there/,
    miniport: taking({ resources: [dmaChannel, frees(1, 2048)], gives: 1 }),
    actions: life,
    ends: "fault",
  });
  allows("dma-shared-memory-free-exact", "a block is freed as it was allocated", {
    miniport: taking({ resources: [dmaChannel, sharedMemory], gives: 2 }),
    actions: life,
  });

  const freesIn = (handler: "MiniportShutdownEx" | "MiniportPause"): Change =>
    taking({ resources: [dmaChannel, sharedMemory], gives: 1 }, (d, its) => {
      const word = d.statics(4);
      return {
        *MiniportRestart(context, parameters) {
          yield* sharedMemory.take(d, d.memory.readU32(context), word);
          return yield* its.inherited("MiniportRestart", context, parameters);
        },
        *[handler](context: number, parameters: number) {
          yield* sharedMemory.give(d, word, d.memory.readU32(context));
          return yield* its.inherited(handler, context, parameters);
        },
      };
    });
  breaks("NdisMFreeSharedMemory", "MiniportShutdownEx frees shared memory", {
    by: MINIPORT,
    says: /NdisMFreeSharedMemory was called inside MiniportShutdownEx/,
    miniport: freesIn("MiniportShutdownEx"),
    actions: shutdown,
  });
  allows("NdisMFreeSharedMemory", "MiniportPause frees shared memory", {
    miniport: taking({ resources: [dmaChannel, sharedMemory], gives: 2 }),
    actions: life,
  });

  /** Asks for more than there is; says so in the log, or not. */
  const wantsTooMuch = (logs: boolean): Resource => ({
    *take(d, handle, word) {
      yield* d.NdisMAllocateSharedMemory(handle, 0x0fff_ffff, 1, word, d.statics(8));
      if (logs) yield* d.NdisWriteErrorLogEntry(handle, 0xc000_138a, 0, 0);
    },
    *give() {},
  });
  breaks("WriteErrorLog", "MiniportInitializeEx gets no shared memory, and logs nothing", {
    by: MINIPORT,
    says: /returned without having called NdisWriteErrorLogEntry/,
    miniport: taking({ resources: [dmaChannel, wantsTooMuch(false)], gives: 2 }),
    actions: life,
  });
  allows("WriteErrorLog", "MiniportInitializeEx gets no shared memory, and logs that", {
    miniport: taking({ resources: [dmaChannel, wantsTooMuch(true)], gives: 2 }),
    actions: life,
  });

  const allocatesAt = (isHigh: boolean): Change =>
    taking({
      resources: [
        dmaChannel,
        {
          *take(d, handle, word) {
            const old = isHigh ? yield* d.KeRaiseIrqlToDpcLevel() : 0;
            yield* sharedMemory.take(d, handle, word);
            if (isHigh) yield* d.KeLowerIrql(old);
          },
          give: sharedMemory.give,
        },
      ],
      gives: 2,
    });
  breaks("dma-shared-memory-passive", "shared memory is allocated at DISPATCH_LEVEL", {
    by: MINIPORT,
    says: /NdisMAllocateSharedMemory was called at DISPATCH_LEVEL/,
    miniport: allocatesAt(true),
    actions: life,
  });
  allows("dma-shared-memory-passive", "shared memory is allocated at PASSIVE_LEVEL", {
    miniport: allocatesAt(false),
    actions: life,
  });
});
