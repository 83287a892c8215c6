/** Rules of what a miniport takes for an adapter: released when the initialization fails and at the halt, and kept over a pause. */
import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  TAG,
  adapter,
  allows,
  breaks,
  createAdapterContext,
  freeAdapterContext,
  load,
  pause,
  restart,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
  unload,
} from "./support.ts";

const FAILURE = 0xc000_0001;
const failing = [
  load(PROTOCOL),
  load(MINIPORT),
  { do: "start adapter", driver: MINIPORT, adapter: 0, mayFail: true } as const,
  settle,
  unload(PROTOCOL),
  unload(MINIPORT),
];

type Kept = "nothing" | "memory" | "pool" | "timer";

/** A miniport that gets as far as it can, fails with that status, and has released everything but that. */
const failsWith =
  (keeps: Kept, status = FAILURE): Change =>
  (d) => ({
    *MiniportInitializeEx(handle) {
      const context = yield* createAdapterContext(d, handle);
      yield* setRegistrationAttributes(d, handle, context);
      yield* setGeneralAttributes(d, handle);
      if (keeps === "memory") yield* d.ExAllocatePoolWithTag(0, 64, TAG);
      if (keeps === "timer") {
        const timer = d.local("NDIS_TIMER_CHARACTERISTICS", { TimerFunction: d.handler("Tick") });
        d.header(timer.address, "NDIS_OBJECT_TYPE_TIMER_CHARACTERISTICS", 1, "NDIS_SIZEOF_TIMER_CHARACTERISTICS_REVISION_1");
        yield* d.NdisAllocateTimerObject(handle, timer.address, d.statics(4));
      }
      if (keeps !== "pool") yield* freeAdapterContext(d, context);
      else yield* d.NdisFreeMemory(context, 0, 0);
      return status;
    },
    Tick() {},
  });

describe("What MiniportInitializeEx allocates without the adapter's handle", () => {
  const allocates =
    (frees: boolean): Change =>
    (d, its) => {
      const block = d.statics(4);
      return {
        *MiniportInitializeEx(...args) {
          d.memory.writeU32(block, yield* d.ExAllocatePoolWithTag(0, 64, TAG));
          return yield* its.inherited("MiniportInitializeEx", ...args);
        },
        *MiniportHaltEx(...args) {
          if (frees) yield* d.ExFreePoolWithTag(d.memory.readU32(block), TAG);
          return yield* its.inherited("MiniportHaltEx", ...args);
        },
      };
    };

  breaks("leak-memory", "is left when the adapter is long halted", {
    by: MINIPORT,
    says: /1 block\(s\).*1 of them it allocated in MiniportInitializeEx of adapters that are halted/,
    miniport: allocates(false),
    actions: [...started, ...takenDown],
  });
  allows("leak-memory", "is freed in MiniportHaltEx", { miniport: allocates(true), actions: [...started, ...takenDown] });
});

describe("A MiniportInitializeEx that fails", () => {
  for (const [keeps, what, also] of [
    ["memory", "1 block(s) of memory", []],
    ["pool", "1 net buffer pool(s)", ["leak-handle"]],
    ["timer", "1 timer object(s)", ["leak-handle"]],
  ] as const) {
    breaks("mp-init-fail-release-all", `leaves ${what}`, {
      by: MINIPORT,
      says: new RegExp(`MiniportInitializeEx failed and left ${what.replace(/[()]/g, ".")}\\.`),
      also,
      miniport: failsWith(keeps),
      actions: failing,
    });
  }

  allows("mp-init-fail-release-all", "has released everything, in the other order", {
    miniport: failsWith("nothing"),
    actions: failing,
  });

  allows("mp-init-fail-release-all", "keeps what DriverEntry has allocated for the driver", {
    miniport: (d, its) => {
      const kept = d.statics(4);
      return {
        ...failsWith("nothing")(d, its),
        *DriverEntry(object, path) {
          d.memory.writeU32(kept, yield* d.ExAllocatePoolWithTag(0, 64, TAG));
          return yield* its.inherited("DriverEntry", object, path);
        },
        *MiniportDriverUnload(object) {
          yield* d.ExFreePoolWithTag(d.memory.readU32(kept), TAG);
          return yield* its.inherited("MiniportDriverUnload", object);
        },
      };
    },
    actions: failing,
  });

  breaks("mp-init-synchronous", "says that it will be done later", {
    by: MINIPORT,
    says: /MiniportInitializeEx returned NDIS_STATUS_PENDING/,
    miniport: failsWith("nothing", PENDING),
    actions: failing,
  });

  allows("mp-init-synchronous", "waits for its hardware inside the call", {
    miniport: (d, its) => ({
      *MiniportInitializeEx(...args) {
        yield* d.NdisMSleep(100_000);
        return yield* its.inherited("MiniportInitializeEx", ...args);
      },
    }),
  });
});

describe("MiniportHaltEx", () => {
  /** A miniport without ports that leaves that of what it took when it was initialized. */
  const leaves =
    (keeps: Kept): Change =>
    (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        return yield* setGeneralAttributes(d, handle);
      },
      *MiniportHaltEx(context) {
        if (keeps !== "pool") yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + adapter.pool));
        if (keeps !== "memory") yield* d.NdisFreeMemory(context, 0, 0);
      },
    });

  for (const [keeps, what, also] of [
    ["memory", "1 block(s) of memory", []],
    ["pool", "1 net buffer pool(s)", ["leak-handle"]],
  ] as const) {
    breaks("mp-halt-free-everything", `returns and leaves ${what} of the adapter`, {
      by: MINIPORT,
      says: new RegExp(`MiniportHaltEx returned and left ${what.replace(/[()]/g, ".")} that`),
      also,
      miniport: leaves(keeps),
      actions: [...started, ...takenDown],
    });
  }

  allows("mp-halt-free-everything", "frees everything of its adapter, and nothing of another", {
    miniport: leaves("nothing"),
    actions: [
      ...started,
      { do: "start adapter", driver: MINIPORT, adapter: 1 },
      settle,
      { do: "stop adapter", adapter: 1 },
      ...takenDown,
    ],
  });
});

describe("MiniportPause", () => {
  /** A miniport that frees that in its pause, and has it again after its restart. */
  const freesInPause =
    (what: "memory" | "pool" | "its own"): Change =>
    (d, its) => {
      const block = d.statics(4);
      const handle = (context: number): number => d.memory.readU32(context + adapter.handle);
      function* allocate(context: number) {
        d.memory.writeU32(block, yield* d.NdisAllocateMemoryWithTagPriority(handle(context), 64, TAG, 0));
      }
      function* free() {
        if (d.memory.readU32(block) !== 0) yield* d.NdisFreeMemory(d.memory.readU32(block), 0, 0);
        d.memory.writeU32(block, 0);
      }
      return {
        *MiniportInitializeEx(adapterHandle) {
          const context = yield* createAdapterContext(d, adapterHandle);
          yield* setRegistrationAttributes(d, adapterHandle, context);
          if (what === "memory") yield* allocate(context);
          return yield* setGeneralAttributes(d, adapterHandle);
        },
        *MiniportRestart(context, parameters) {
          if (what !== "pool" && d.memory.readU32(block) === 0) yield* allocate(context);
          if (d.memory.readU32(context + adapter.pool) === 0) {
            const pool = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { fAllocateNetBuffer: 1, PoolTag: TAG });
            d.header(pool.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
            d.memory.writeU32(context + adapter.pool, yield* d.NdisAllocateNetBufferListPool(handle(context), pool.address));
          }
          return yield* its.inherited("MiniportRestart", context, parameters);
        },
        *MiniportPause(context, parameters) {
          yield* free();
          if (what === "pool") {
            yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + adapter.pool));
            d.memory.writeU32(context + adapter.pool, 0);
          }
          return yield* its.inherited("MiniportPause", context, parameters);
        },
        *MiniportHaltEx(context) {
          if (d.memory.readU32(context + adapter.pool) !== 0)
            yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + adapter.pool));
          yield* d.NdisFreeMemory(context, 0, 0);
        },
      };
    };
  const paused = [...started, pause, restart, ...takenDown];

  breaks("mp-pause-keep-resources", "frees memory that MiniportInitializeEx has allocated", {
    by: MINIPORT,
    says: /MiniportPause frees the memory at 0x[0-9a-f]+, which MiniportInitializeEx has allocated/,
    miniport: freesInPause("memory"),
    actions: paused,
  });

  breaks("mp-pause-keep-resources", "frees the adapter's pool", {
    by: MINIPORT,
    says: /MiniportPause frees a pool/,
    miniport: freesInPause("pool"),
    actions: paused,
  });

  allows("mp-pause-keep-resources", "frees what MiniportRestart has allocated", {
    miniport: freesInPause("its own"),
    actions: paused,
  });
});
