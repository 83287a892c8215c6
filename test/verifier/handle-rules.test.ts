import { describe } from "vitest";
import { type Change, MINIPORT, PROTOCOL, adapter, allows, breaks, call, started, stop, takenDown } from "./support.ts";

/** A protocol with a pool, whose handle it uses as the scenario tells it. */
const hasPool: Change = (d, its) => {
  const pool = d.statics(4);
  const handle = (): number => d.memory.readU32(pool);
  return {
    *CreatePool() {
      const parameters = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { PoolTag: 1 });
      d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
      d.memory.writeU32(pool, yield* d.NdisAllocateNetBufferListPool(0, parameters.address));
    },
    *FreePool() {
      yield* d.NdisFreeNetBufferListPool(handle());
    },
    *FreeAtAddress() {
      yield* d.NdisFreeNetBufferListPool(its.context());
    },
    *QueuePool() {
      yield* d.NdisQueueIoWorkItem(handle(), 0, 0);
    },
  };
};
const protocol = (name: string) => call(PROTOCOL, name);

describe("Handles", () => {
  breaks("use-after-free", "a pool is freed twice", {
    by: PROTOCOL,
    says: /The handle 0x[0-9a-f]{8} was used, but what it stood for is gone: a net buffer pool handle/,
    protocol: hasPool,
    actions: [...started, protocol("CreatePool"), protocol("FreePool"), protocol("FreePool")],
  });

  breaks("use-after-free", "an adapter's handle is used when the adapter is halted", {
    by: MINIPORT,
    says: /what it stood for is gone: a miniport adapter handle/,
    miniport: (d, its) => {
      const kept = d.statics(4);
      return {
        Keep() {
          d.memory.writeU32(kept, its.get(adapter.handle));
        },
        *FreePortLate() {
          yield* d.NdisMFreePort(d.memory.readU32(kept), 1);
        },
      };
    },
    actions: [...started, call(MINIPORT, "Keep"), stop, call(MINIPORT, "FreePortLate")],
  });

  allows("use-after-free", "a pool is freed and another one is made in its place", {
    protocol: hasPool,
    actions: [
      ...started,
      protocol("CreatePool"),
      protocol("FreePool"),
      protocol("CreatePool"),
      protocol("FreePool"),
      ...takenDown,
    ],
  });

  breaks("trap", "an address is given where a handle is expected", {
    by: PROTOCOL,
    says: /0x[0-9a-f]{8} was used as a handle, but is not a handle: a net buffer pool handle was expected/,
    protocol: hasPool,
    actions: [...started, protocol("FreeAtAddress")],
  });

  breaks("trap", "a handle is given where a handle of another type is expected", {
    by: PROTOCOL,
    says: /was used as a handle, but is of another type: a work item handle was expected/,
    protocol: hasPool,
    actions: [...started, protocol("CreatePool"), protocol("QueuePool")],
  });

  allows("trap", "every handle is given where it belongs", {
    protocol: hasPool,
    actions: [...started, protocol("CreatePool"), protocol("FreePool"), ...takenDown],
  });
});
