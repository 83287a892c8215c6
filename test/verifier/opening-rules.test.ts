/** An open that pends, and a bind that fails after it. */
import { describe } from "vitest";
import {
  type Change,
  PENDING,
  PROTOCOL,
  SUCCESS,
  TAG,
  THIRD,
  allows,
  binding,
  breaks,
  clearFilter,
  closeCleared,
  early,
  freeBinding,
  late,
  load,
  pending,
  protocolWith,
  started,
  takenDown,
  unload,
} from "./support.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";

const SELECTED_MEDIUM = 20;
const MEDIUM = 16;

/** A protocol whose bind handler opens by itself, and pends; the rest is the right driver's. */
const opensWith =
  (where: (d: DriverEnvironment, context: number) => number, use?: "oid" | "close", waits = false): Change =>
  (d, its) => ({
    *ProtocolBindAdapterEx(_driverContext, bindContext, parameters) {
      const context = yield* d.NdisAllocateMemoryWithTagPriority(0, 256, TAG, 0);
      yield* d.NdisAllocateSpinLock(context + binding.lock);
      yield* d.NdisInitializeEvent(context + binding.ready);
      d.memory.writeU32(context + binding.bindContext, bindContext);
      d.memory.writeU32(context + MEDIUM, d.constant("NdisMedium802_3"));
      const open = d.view("NDIS_OPEN_PARAMETERS", where(d, context));
      d.header(open.address, "NDIS_OBJECT_TYPE_OPEN_PARAMETERS", 1, "NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1");
      open.AdapterName = d.view("NDIS_BIND_PARAMETERS", parameters).AdapterName;
      open.MediumArray = context + MEDIUM;
      open.MediumArraySize = 1;
      open.SelectedMediumIndex = context + SELECTED_MEDIUM;
      const status = yield* d.NdisOpenAdapterEx(0, context, open.address, bindContext, context + binding.handle);
      const handle = d.memory.readU32(context + binding.handle);
      if (use === "oid") yield* d.NdisOidRequest(handle, context + binding.request);
      if (use === "close") yield* d.NdisCloseAdapterEx(handle);
      if (waits && status === PENDING) yield* d.NdisWaitEvent(context + binding.ready, 0);
      if (waits || status !== PENDING) yield* its.inherited("ProtocolOpenAdapterCompleteEx", context, waits ? SUCCESS : status);
      return PENDING;
    },
    *ProtocolOpenAdapterCompleteEx(context, status) {
      if (waits) yield* d.NdisSetEvent(context + binding.ready);
      else yield* its.inherited("ProtocolOpenAdapterCompleteEx", context, status);
    },
  });

const inContext = (_d: DriverEnvironment, context: number): number => context + binding.open;
const onStack = (d: DriverEnvironment): number => d.local("NDIS_OPEN_PARAMETERS").address;
const life = [...started, ...takenDown];

describe("An open that pends", () => {
  breaks("open-pending-outputs-storage", "the open parameters are on the stack of the bind handler, which returns", {
    by: PROTOCOL,
    says: /the NDIS_OPEN_PARAMETERS is at 0x[0-9a-f]{8}, on the stack/,
    protocol: opensWith(onStack),
    actions: life,
    answers: [late("NdisOpenAdapterEx")],
  });

  allows("open-pending-outputs-storage", "the open parameters are in the binding context", {
    protocol: opensWith(inContext),
    actions: life,
  });

  allows("open-pending-outputs-storage", "the open parameters are on the stack of a handler that waits for the open", {
    protocol: opensWith(onStack, undefined, true),
    actions: life,
  });

  breaks("bind-no-oid-before-open-complete", "an OID request is made while the open pends", {
    by: PROTOCOL,
    also: ["header-size-revision"],
    says: /NdisOidRequest was called with 0x00000000/,
    protocol: opensWith(inContext, "oid"),
    actions: life,
    answers: [late("NdisOpenAdapterEx")],
  });

  breaks("open-pending-outputs-unusable", "the handle variable is used while the open pends", {
    by: PROTOCOL,
    says: /NdisCloseAdapterEx was called with 0x00000000/,
    protocol: opensWith(inContext, "close"),
    actions: life,
    answers: [late("NdisOpenAdapterEx")],
  });

  const asksWhenOpen: Change = (d, its) => ({
    *ProtocolOpenAdapterCompleteEx(context, status) {
      if (status === SUCCESS) yield* clearFilter(d, context);
      yield* its.inherited("ProtocolOpenAdapterCompleteEx", context, status);
    },
  });
  allows("bind-no-oid-before-open-complete", "an OID request is made when the open is complete, before the bind is", {
    protocol: asksWhenOpen,
    actions: life,
  });
  allows("open-pending-outputs-unusable", "the handle is used when the open is complete, before the bind is", {
    protocol: asksWhenOpen,
    actions: life,
  });
});

describe("A bind that pended and fails", () => {
  /** The open is complete, and the protocol asks NDIS to unbind; it completes the bind at that time. */
  const unbindsInstead =
    (completes: "at once" | "before the close" | "after the close" | "after the unbind"): Change =>
    (d) => {
      const unbindContext = d.statics(4);
      function* completeBind(bindContext: number) {
        yield* d.NdisCompleteBindAdapterEx(bindContext, d.constant("NDIS_STATUS_FAILURE"));
      }
      return {
        *ProtocolOpenAdapterCompleteEx(context, status) {
          const bindContext = d.memory.readU32(context + binding.bindContext);
          if (status !== SUCCESS) {
            yield* freeBinding(d, context);
            yield* completeBind(bindContext);
            return;
          }
          yield* d.NdisUnbindAdapter(d.memory.readU32(context + binding.handle));
          if (completes === "at once") yield* completeBind(bindContext);
        },
        *ProtocolUnbindAdapterEx(handle, context) {
          d.memory.writeU32(unbindContext, handle);
          const bindContext = d.memory.readU32(context + binding.bindContext);
          if (completes === "before the close") yield* completeBind(bindContext);
          const answer = yield* closeCleared(d, context);
          if (answer === PENDING) return PENDING;
          yield* freeBinding(d, context);
          if (completes === "after the close") yield* completeBind(bindContext);
          yield* d.NdisCompleteUnbindAdapterEx(handle);
          if (completes === "after the unbind") yield* completeBind(bindContext);
          return PENDING;
        },
        *ProtocolCloseAdapterCompleteEx(context) {
          const bindContext = d.memory.readU32(context + binding.bindContext);
          yield* freeBinding(d, context);
          if (completes === "after the close") yield* completeBind(bindContext);
          yield* d.NdisCompleteUnbindAdapterEx(d.memory.readU32(unbindContext));
          if (completes === "after the unbind") yield* completeBind(bindContext);
        },
      };
    };

  for (const completes of ["before the close", "after the close", "after the unbind"] as const) {
    allows("bind-fail-after-open-close-inside", `by NdisUnbindAdapter, and is completed ${completes}`, {
      protocol: unbindsInstead(completes),
      actions: life,
      answers: [pending, late("NdisOpenAdapterEx"), early],
    });
  }

  breaks("bind-pending-must-complete", "by NdisUnbindAdapter, and is never completed", {
    by: PROTOCOL,
    says: /NdisCompleteBindAdapterEx was never called/,
    protocol: (d, its) => ({
      ...unbindsInstead("at once")(d, its),
      *ProtocolOpenAdapterCompleteEx(context) {
        yield* d.NdisUnbindAdapter(d.memory.readU32(context + binding.handle));
      },
    }),
    actions: started,
    answers: [late("NdisOpenAdapterEx")],
    ends: "hung",
  });

  allows("bind-fail-after-open-close-inside", "by NdisUnbindAdapter, and is completed at once: the unbind follows", {
    protocol: unbindsInstead("at once"),
    actions: life,
    answers: [late("NdisOpenAdapterEx"), pending],
  });

  breaks("bind-fail-after-open-close-inside", "is completed at once, with the adapter open and no unbind asked for", {
    by: PROTOCOL,
    says: /bind failed with 0xc0000001/,
    protocol: (d) => ({
      *ProtocolOpenAdapterCompleteEx(context) {
        const bindContext = d.memory.readU32(context + binding.bindContext);
        yield* d.NdisCompleteBindAdapterEx(bindContext, d.constant("NDIS_STATUS_FAILURE"));
      },
    }),
    actions: started,
    answers: [late("NdisOpenAdapterEx")],
  });
});

describe("What is allocated in a bind that fails", () => {
  const allocates =
    (frees: boolean): Change =>
    (d, its) => ({
      *ProtocolBindAdapterEx(...args) {
        const more = yield* d.NdisAllocateMemoryWithTagPriority(0, 64, TAG, 0);
        const status = yield* its.inherited("ProtocolBindAdapterEx", ...args);
        if (frees) yield* d.NdisFreeMemory(more, 0, 0);
        return status;
      },
    });
  const answers = [late("NdisOpenAdapterEx: no resources")];

  breaks("bind-fail-free-resources", "is left when the driver is unloaded", {
    by: PROTOCOL,
    says: /64 bytes at 0x[0-9a-f]+ that it allocated in a ProtocolBindAdapterEx which failed/,
    protocol: allocates(false),
    actions: life,
    answers,
  });

  breaks("leak-memory", "is left when the bind succeeded", {
    by: PROTOCOL,
    says: /1 block\(s\) with tag.*1 of them it allocated in binds of bindings that are gone/,
    protocol: allocates(false),
    actions: life,
  });

  const takesManyBlocks: Change = (d, its) => ({
    *ProtocolBindAdapterEx(...args) {
      const status = yield* its.inherited("ProtocolBindAdapterEx", ...args);
      for (let count = 0; count < 600; count += 1) yield* d.NdisAllocateMemoryWithTagPriority(0, 16, TAG, 0);
      return status;
    },
  });

  breaks("bind-fail-free-resources", "is left, however much a counterpart allocated in its own bind before", {
    by: PROTOCOL,
    says: /64 bytes at 0x[0-9a-f]+ that it allocated in a ProtocolBindAdapterEx which failed/,
    protocol: allocates(false),
    more: [protocolWith(takesManyBlocks)],
    stock: [THIRD],
    actions: [load(THIRD), ...started, ...takenDown, unload(THIRD)],
    answers,
  });

  allows("bind-fail-free-resources", "is freed", { protocol: allocates(true), actions: life, answers });
});
