/** What drivers allocate through NDIS, and what has to be freed first. */
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
  stop,
  takenDown,
  unload,
} from "./support.ts";
import { registering } from "./interface-provider.ts";

const inProtocol = [...started, call(PROTOCOL, "Try"), settle, ...takenDown];
const inMiniport = [...started, call(MINIPORT, "Try"), settle, ...takenDown];

describe("Memory", () => {
  const frees =
    (flags: number): Change =>
    (d, its) => ({
      *Try() {
        const block = yield* d.NdisAllocateMemoryWithTagPriority(its.get(binding.handle), 16, TAG, 0);
        yield* d.NdisFreeMemory(block, 16, flags);
      },
    });
  breaks("memory-tag-required", "tagged memory is freed with NDIS_MEMORY_CONTIGUOUS", {
    by: PROTOCOL,
    says: /NdisFreeMemory was called with the flags 0x1/,
    protocol: frees(1),
    actions: inProtocol,
  });
  allows("memory-tag-required", "tagged memory is freed with its length and no flags", {
    protocol: frees(0),
    actions: inProtocol,
  });

  /** A generic object with a pool, a block and an MDL, freed in that order or last. */
  const generic =
    (isLast: boolean): Change =>
    (d) => ({
      *Try() {
        const object = yield* d.NdisAllocateGenericObject(0, TAG, 0);
        const block = yield* d.NdisAllocateMemoryWithTagPriority(object, 16, TAG, 0);
        const mdl = yield* d.NdisAllocateMdl(object, block, 16);
        const parameters = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { PoolTag: TAG });
        d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
        const pool = yield* d.NdisAllocateNetBufferListPool(object, parameters.address);
        if (!isLast) yield* d.NdisFreeGenericObject(object);
        yield* d.NdisFreeNetBufferListPool(pool);
        yield* d.NdisFreeMdl(mdl);
        yield* d.NdisFreeMemory(block, 0, 0);
        if (isLast) yield* d.NdisFreeGenericObject(object);
      },
    });
  breaks("memory-generic-object-order", "a generic object is freed before what was allocated with it", {
    by: PROTOCOL,
    says: /while 3 resource\(s\) that were allocated with the object as their handle are not freed/,
    protocol: generic(false),
    actions: inProtocol,
  });
  allows("memory-generic-object-order", "a generic object is freed last", { protocol: generic(true), actions: inProtocol });
});

describe("What a miniport leaves when it is unloaded", () => {
  const leaves =
    (body: (d: DriverEnvironment, handle: number) => Running<unknown>): Change =>
    (d, its) => ({
      *Try() {
        yield* body(d, its.get(adapter.handle));
      },
    });
  const unloaded = [...started, call(MINIPORT, "Try"), stop, unload(PROTOCOL), unload(MINIPORT)];

  breaks("leak-memory", "a generic object of NdisAllocateGenericObject is left", {
    by: MINIPORT,
    says: /1 block\(s\) with tag/,
    miniport: leaves(function* (d) {
      yield* d.NdisAllocateGenericObject(0, TAG, 0);
    }),
    actions: unloaded,
  });
  breaks("mp-halt-free-everything", "an MDL of NdisAllocateMdl that was allocated with the adapter's handle is left", {
    by: MINIPORT,
    says: /left 1 block\(s\) of memory that the miniport took with the adapter's handle/,
    miniport: leaves(function* (d, handle) {
      yield* d.NdisAllocateMdl(handle, d.statics(16), 16);
    }),
    actions: unloaded,
  });
  breaks("leak-memory", "a NET_BUFFER of NdisAllocateNetBuffer is left", {
    by: MINIPORT,
    says: /1 block\(s\) with tag/,
    also: ["leak-handle", "mp-halt-free-everything"],
    miniport: leaves(function* (d, handle) {
      const parameters = d.local("NET_BUFFER_POOL_PARAMETERS", { PoolTag: TAG });
      d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1");
      const pool = yield* d.NdisAllocateNetBufferPool(handle, parameters.address);
      yield* d.NdisAllocateNetBuffer(pool, 0, 0, 0);
    }),
    actions: unloaded,
  });
  allows("leak-memory", "a generic object, an MDL and a NET_BUFFER are freed one after the other", {
    miniport: leaves(function* (d, handle) {
      yield* d.NdisFreeGenericObject(yield* d.NdisAllocateGenericObject(0, TAG, 0));
      yield* d.NdisFreeMdl(yield* d.NdisAllocateMdl(handle, d.statics(16), 16));
      const parameters = d.local("NET_BUFFER_POOL_PARAMETERS", { PoolTag: TAG });
      d.header(parameters.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_POOL_PARAMETERS_REVISION_1");
      const pool = yield* d.NdisAllocateNetBufferPool(handle, parameters.address);
      yield* d.NdisFreeNetBuffer(yield* d.NdisAllocateNetBuffer(pool, 0, 0, 0));
      yield* d.NdisFreeNetBufferPool(pool);
    }),
    actions: inMiniport,
  });

  const asksForName =
    (frees: boolean): Change =>
    (d, its) => ({
      *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
        const name = d.local("UNICODE_STRING", {});
        yield* d.NdisQueryBindInstanceName(name.address, bindContext);
        if (frees) yield* d.NdisFreeMemory(name.Buffer, 0, 0);
        return yield* its.inherited("ProtocolBindAdapterEx", driverContext, bindContext, parameters);
      },
    });
  breaks("leak-memory", "the string of NdisQueryBindInstanceName is left", {
    by: PROTOCOL,
    says: /1 block\(s\) with tag/,
    protocol: asksForName(false),
    actions: [...started, stop, unload(PROTOCOL), unload(MINIPORT)],
  });
  allows("leak-memory", "the string of NdisQueryBindInstanceName is freed", {
    protocol: asksForName(true),
    actions: [...started, ...takenDown],
  });
});

describe("An interface provider", () => {
  breaks("if-deregister-order", "it is deregistered before its interfaces", {
    by: PROTOCOL,
    says: /NdisIfDeregisterProvider was called while 3 interface\(s\) of the provider are registered/,
    protocol: registering(function* (d, provider) {
      yield* d.NdisIfDeregisterProvider(provider);
    }),
    actions: inProtocol,
  });
  allows("if-deregister-order", "it is deregistered after its interfaces", {
    protocol: registering(function* (d, provider, [one, two, three]) {
      yield* d.NdisIfAddIfStackEntry(one, two);
      for (const index of [one, two, three]) yield* d.NdisIfDeregisterInterface(index);
      yield* d.NdisIfDeregisterProvider(provider);
    }),
    actions: inProtocol,
  });

  breaks("im-ifstack", "an interface is put above one that stands above it", {
    by: PROTOCOL,
    says: /which stands above it already\. Windows stops with bug check 0x7c, 0x1b/,
    protocol: registering(function* (d, _provider, [one, two]) {
      yield* d.NdisIfAddIfStackEntry(one, two);
      yield* d.NdisIfAddIfStackEntry(two, one);
    }),
    actions: inProtocol,
    ends: "bugcheck",
  });
  allows("im-ifstack", "two interfaces stand above one", {
    protocol: registering(function* (d, provider, [one, two, three]) {
      yield* d.NdisIfAddIfStackEntry(one, three);
      yield* d.NdisIfAddIfStackEntry(two, three);
      yield* d.NdisIfAddIfStackEntry(one, two);
      for (const index of [one, two, three]) yield* d.NdisIfDeregisterInterface(index);
      yield* d.NdisIfDeregisterProvider(provider);
    }),
    actions: inProtocol,
  });
});
