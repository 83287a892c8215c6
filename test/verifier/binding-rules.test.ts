import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  allows,
  atOnce,
  binding,
  breaks,
  call,
  clearFilter,
  closeAndWait,
  closeCleared,
  early,
  freeBinding,
  indicates,
  invoke,
  isEvent,
  keepsReceives,
  late,
  later,
  pending,
  settle,
  started,
  stop,
  takenDown,
  unbind,
} from "./support.ts";

/** A protocol whose unbind handler closes and answers at once. */
const unbindsAtOnce =
  (status: number): Change =>
  (d) => ({
    *ProtocolUnbindAdapterEx(_unbindContext, context) {
      yield* closeAndWait(d, context ?? 0);
      yield* freeBinding(d, context ?? 0);
      return status;
    },
    *ProtocolCloseAdapterCompleteEx(context) {
      yield* d.NdisSetEvent((context ?? 0) + binding.ready);
    },
  });

describe("Opening an adapter", () => {
  breaks("bind-open-only-in-bind-context", "an adapter is opened with the BindContext of a bind that is over", {
    by: PROTOCOL,
    says: /NdisOpenAdapterEx was called with BindContext 0x[0-9a-f]{8}/,
    protocol: (d, its) => ({
      *OpenAgain() {
        const context = its.context();
        yield* d.NdisOpenAdapterEx(0, context, context + binding.open, its.get(binding.bindContext), context + binding.handle);
      },
    }),
    actions: [...started, call(PROTOCOL, "OpenAgain")],
  });

  allows("bind-open-only-in-bind-context", "an adapter is opened in a work item, while its bind is pending", {
    protocol: (d, its) => {
      const kept = d.statics(12);
      const word = (index: number): number => d.memory.readU32(kept + 4 * index);
      return {
        *ProtocolBindAdapterEx(...args) {
          for (const [index, value] of args.entries()) d.memory.writeU32(kept + 4 * index, value);
          yield* later(d, "OpenLater", 0);
          return PENDING;
        },
        *OpenLater(_context, item) {
          yield* d.NdisFreeIoWorkItem(item ?? 0);
          yield* its.inherited("ProtocolBindAdapterEx", word(0), word(1), word(2));
        },
      };
    },
  });

  allows("bind-open-only-in-bind-context", "the adapter's name is gone when the call has returned, though the open pends", {
    protocol: (d) => ({
      *ProtocolOpenAdapterCompleteEx(context, status) {
        // Undefined contents: a name may be used again as soon as NdisOpenAdapterEx has returned.
        d.view("NDIS_OPEN_PARAMETERS", context + binding.open).AdapterName = 0;
        yield* d.NdisCompleteBindAdapterEx(d.memory.readU32(context + binding.bindContext), status);
      },
    }),
    actions: [...started, unbind, stop],
  });
});

describe("A bind that fails", () => {
  breaks("bind-fail-after-open-close-inside", "a bind fails while its adapter is open", {
    by: PROTOCOL,
    says: /bind failed with 0xc0000001/,
    protocol: (d, its) => ({
      *ProtocolOpenAdapterCompleteEx(context) {
        const failure = d.constant("NDIS_STATUS_FAILURE");
        yield* d.NdisCompleteBindAdapterEx(d.memory.readU32(context + binding.bindContext), failure);
      },
      ProtocolNetPnPEvent: () => its.context(),
    }),
    actions: started,
    answers: [pending, early],
  });

  allows("bind-fail-after-open-close-inside", "a bind fails after its adapter has been closed", {
    also: ["close-outside-handler"],
    protocol: (d) => {
      function* fail(context: number) {
        const bindContext = d.memory.readU32(context + binding.bindContext);
        yield* freeBinding(d, context);
        yield* d.NdisCompleteBindAdapterEx(bindContext, d.constant("NDIS_STATUS_FAILURE"));
      }
      return {
        *ProtocolOpenAdapterCompleteEx(context) {
          const status = yield* d.NdisCloseAdapterEx(d.memory.readU32(context + binding.handle));
          if (status !== PENDING) yield* fail(context);
        },
        *ProtocolCloseAdapterCompleteEx(context) {
          yield* fail(context);
        },
      };
    },
    actions: [...started, ...takenDown],
    answers: [pending, early, late("NdisOpenAdapterEx")],
  });
});

describe("Closing an adapter", () => {
  breaks("close-only-from-bind-or-unbind", "a protocol closes a binding that runs", {
    by: PROTOCOL,
    says: /a binding that is Running/,
    also: ["unbind-clear-filters-first"],
    protocol: (d, its) => ({
      *CloseNow() {
        yield* d.NdisCloseAdapterEx(its.get(binding.handle));
      },
    }),
    actions: [...started, call(PROTOCOL, "CloseNow")],
  });

  allows("close-only-from-bind-or-unbind", "a work item closes, while the unbind is pending", {
    also: ["close-outside-handler"],
    protocol: (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        d.memory.writeU32(context + binding.unbindContext, unbindContext);
        yield* later(d, "CloseLater", context);
        return PENDING;
      },
      *CloseLater(context, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* its.inherited("ProtocolUnbindAdapterEx", d.memory.readU32(context + binding.unbindContext), context);
      },
    }),
  });

  breaks("close-waits-for-originated-work", "an adapter is closed while an OID request of the binding is not complete", {
    by: PROTOCOL,
    says: /0 sends and 1 OID requests/,
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(_unbindContext, context) {
        const handle = d.memory.readU32(context + binding.handle);
        yield* clearFilter(d, context);
        yield* d.NdisInitializeEvent(context + binding.ready);
        yield* d.NdisOidRequest(handle, context + binding.request);
        yield* d.NdisCloseAdapterEx(handle);
        yield* d.NdisWaitEvent(context + binding.ready, 0);
        yield* freeBinding(d, context);
        return SUCCESS;
      },
    }),
    answers: [late("NdisOidRequest")],
  });

  allows("close-waits-for-originated-work", "an OID request is made in Closing, before the close, and waited for", {});

  breaks("close-context-lifetime", "the binding context is freed while the close is pending", {
    by: PROTOCOL,
    says: /The binding context at 0x[0-9a-f]{8} was freed/,
    protocol: (d) => {
      const unbindOperation = d.statics(4);
      return {
        *ProtocolUnbindAdapterEx(unbindContext, context) {
          d.memory.writeU32(unbindOperation, unbindContext);
          yield* closeCleared(d, context);
          yield* freeBinding(d, context);
          return PENDING;
        },
        *ProtocolCloseAdapterCompleteEx() {
          yield* d.NdisCompleteUnbindAdapterEx(d.memory.readU32(unbindOperation));
        },
      };
    },
    answers: [pending],
  });

  allows("close-context-lifetime", "other memory of the binding is freed while the close is pending", {
    protocol: (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        const pool = d.memory.readU32(context + binding.pool);
        const other = yield* d.NdisAllocateMemoryWithTagPriority(0, 64, 1, 0);
        const status = yield* closeCleared(d, context);
        yield* d.NdisFreeNetBufferListPool(pool);
        yield* d.NdisFreeMemory(other, 0, 0);
        d.memory.writeU32(context + binding.pool, 0);
        d.memory.writeU32(context + binding.unbindContext, unbindContext);
        if (status !== PENDING) yield* its.inherited("ProtocolCloseAdapterCompleteEx", context);
        return PENDING;
      },
    }),
    answers: [pending, late("NdisCloseAdapterEx")],
  });
});

describe("Unbinding", () => {
  breaks("unbind-cannot-fail", "ProtocolUnbindAdapterEx returns a failure", {
    by: PROTOCOL,
    says: /ProtocolUnbindAdapterEx returned 0xc0000001/,
    protocol: unbindsAtOnce(0xc000_0001),
  });

  allows("unbind-cannot-fail", "ProtocolUnbindAdapterEx waits for the close and returns NDIS_STATUS_SUCCESS", {
    protocol: unbindsAtOnce(SUCCESS),
  });

  breaks("unbind-must-close", "ProtocolUnbindAdapterEx succeeds and never closes", {
    by: PROTOCOL,
    says: /NdisCloseAdapterEx was never called/,
    protocol: () => ({ ProtocolUnbindAdapterEx: () => SUCCESS }),
    actions: [...started, unbind],
  });

  breaks("unbind-must-close", "a pending unbind is completed without a close", {
    by: PROTOCOL,
    says: /NdisCloseAdapterEx was never called/,
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(unbindContext) {
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
        return PENDING;
      },
    }),
    actions: [...started, unbind],
  });

  allows("unbind-must-close", "the adapter is closed after the unbind handler has returned", {
    also: ["close-outside-handler"],
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        d.memory.writeU32(context + binding.unbindContext, unbindContext);
        yield* later(d, "CloseLater", context);
        return PENDING;
      },
      *CloseLater(context, item) {
        yield* d.NdisMSleep(20_000);
        yield* d.NdisFreeIoWorkItem(item);
        const unbindContext = d.memory.readU32(context + binding.unbindContext);
        yield* closeAndWait(d, context);
        yield* freeBinding(d, context);
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        yield* d.NdisSetEvent(context + binding.ready);
      },
    }),
  });

  breaks("unbind-success-requires-close-done", "ProtocolUnbindAdapterEx returns NDIS_STATUS_SUCCESS while its close pends", {
    by: PROTOCOL,
    says: /ProtocolUnbindAdapterEx returned NDIS_STATUS_SUCCESS while its NdisCloseAdapterEx is still pending/,
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(_unbindContext, context) {
        yield* closeCleared(d, context);
        return SUCCESS;
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        yield* freeBinding(d, context);
      },
    }),
    answers: [pending],
  });

  allows("unbind-success-requires-close-done", "the close-complete handler has run when NdisCloseAdapterEx returns", {
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(_unbindContext, context) {
        const status = yield* closeCleared(d, context);
        if (status !== PENDING) yield* freeBinding(d, context);
        return SUCCESS;
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        yield* freeBinding(d, context);
      },
    }),
    answers: [early, atOnce],
  });

  breaks("unbind-complete-after-cleanup", "the unbind is completed while the close pends", {
    by: PROTOCOL,
    says: /NdisCompleteUnbindAdapterEx was called while the driver's NdisCloseAdapterEx is still pending/,
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        yield* closeCleared(d, context);
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
        return PENDING;
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        yield* freeBinding(d, context);
      },
    }),
    answers: [pending],
  });

  allows("unbind-complete-after-cleanup", "the unbind is completed in the close-complete handler", {});

  breaks("unbind-leaked-nbl", "a binding is closed while its protocol has a list to return", {
    by: PROTOCOL,
    says: /still holds 1 received lists/,
    also: ["binding-paused-needs-receives-returned"],
    protocol: keepsReceives,
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), unbind],
  });

  allows("unbind-leaked-nbl", "the lists are returned when the binding is told to pause", {
    protocol: (d, its) => {
      const keeping = keepsReceives(d, its);
      return {
        ...keeping,
        *ProtocolNetPnPEvent(context, event) {
          if (isEvent(d, event, "NetEventPause")) yield* invoke(d, keeping, "ReturnAll");
          return yield* its.inherited("ProtocolNetPnPEvent", context, event);
        },
      };
    },
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), call(MINIPORT, "Inject"), unbind, settle, ...takenDown],
  });

  allows("unbind-cannot-fail", "the unbind is completed at DISPATCH_LEVEL", {
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        yield* closeAndWait(d, context);
        yield* freeBinding(d, context);
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
        yield* d.KeLowerIrql(irql);
        return PENDING;
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        yield* d.NdisSetEvent(context + binding.ready);
      },
    }),
  });
});

describe("Unbinding on one's own account", () => {
  breaks("unbindadapter-not-in-bind-unbind", "NdisUnbindAdapter is called inside ProtocolUnbindAdapterEx", {
    also: ["close-outside-handler"],
    by: PROTOCOL,
    says: /inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx/,
    protocol: (d) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        d.memory.writeU32(context + binding.unbindContext, unbindContext);
        yield* later(d, "CloseLater", context);
        yield* d.NdisUnbindAdapter(d.memory.readU32(context + binding.handle));
        return PENDING;
      },
      *CloseLater(context, item) {
        yield* d.NdisFreeIoWorkItem(item);
        const unbindContext = d.memory.readU32(context + binding.unbindContext);
        yield* closeAndWait(d, context);
        yield* freeBinding(d, context);
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        yield* d.NdisSetEvent(context + binding.ready);
      },
    }),
  });

  /** A protocol that asks to be unbound when the miniport indicates a frame or a status. */
  const unbindsWhenTold: Change = (d) => ({
    *ProtocolReceiveNetBufferLists(context, lists) {
      const handle = d.memory.readU32(context + binding.handle);
      yield* d.NdisReturnNetBufferLists(handle, lists, 0);
      yield* d.NdisUnbindAdapter(handle);
    },
  });

  allows("unbindadapter-not-in-bind-unbind", "NdisUnbindAdapter is called inside the receive handler", {
    protocol: unbindsWhenTold,
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), settle, ...takenDown],
  });

  allows("unbindadapter-not-in-bind-unbind", "NdisUnbindAdapter is called while the binding restarts", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
        if (isEvent(d, event, "NetEventRestart")) yield* d.NdisUnbindAdapter(d.memory.readU32(context + binding.handle));
        return status;
      },
    }),
    actions: [...started, ...takenDown],
  });

  const unbindsItself =
    (usesAgain: boolean): Change =>
    (d, its) => ({
      *Leave() {
        const handle = its.get(binding.handle);
        const request = d.statics(256);
        d.header(request, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        const status = yield* d.NdisUnbindAdapter(handle);
        if (usesAgain || status !== SUCCESS) yield* d.NdisOidRequest(handle, request);
      },
    });

  breaks("unbindadapter-handle-invalid-on-return", "the function that asked for the unbind goes on with the handle", {
    by: PROTOCOL,
    says: /NdisOidRequest was called with the binding handle 0x[0-9a-f]{8} after NdisUnbindAdapter had returned/,
    protocol: unbindsItself(true),
    actions: [...started, call(PROTOCOL, "Leave")],
    answers: [atOnce, late("NdisUnbindAdapter: the work item runs before the call returns")],
  });

  allows("unbindadapter-handle-invalid-on-return", "the handlers that pause and unbind the binding use its handle", {
    protocol: unbindsItself(false),
    actions: [...started, call(PROTOCOL, "Leave"), settle, ...takenDown],
  });

  allows("unbindadapter-handle-invalid-on-return", "NdisUnbindAdapter could not queue its work item: the handle stays valid", {
    protocol: unbindsItself(false),
    actions: [...started, call(PROTOCOL, "Leave"), settle, ...takenDown],
    answers: [late("NdisUnbindAdapter: no resources")],
  });
});

describe("The handles of a binding", () => {
  breaks("close-invalidates-handle-immediately", "the handle is used while the close pends", {
    by: PROTOCOL,
    says: /The binding handle 0x[0-9a-f]{8} was used after NdisCloseAdapterEx was called with it/,
    protocol: (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        const handle = d.memory.readU32(context + binding.handle);
        const answer = yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        yield* d.NdisOidRequest(handle, context + binding.request);
        return answer;
      },
    }),
    answers: [pending],
  });

  breaks("close-invalidates-handle-immediately", "the handle is used when the binding is gone", {
    by: PROTOCOL,
    says: /The handle 0x[0-9a-f]{8} was used, but what it stood for is gone/,
    protocol: (d, its) => {
      const kept = d.statics(4);
      return {
        Keep() {
          d.memory.writeU32(kept, its.get(binding.handle));
        },
        *UseAgain() {
          yield* d.NdisSendNetBufferLists(d.memory.readU32(kept), 0, 0, 0);
        },
      };
    },
    actions: [...started, call(PROTOCOL, "Keep"), unbind, call(PROTOCOL, "UseAgain")],
  });

  allows("close-invalidates-handle-immediately", "the handle is used up to the close, and again after a new bind", {
    actions: [...started, unbind, settle, { do: "bind", adapter: 0 }, call(PROTOCOL, "Exercise"), ...takenDown],
  });

  breaks("unbind-complete-invalidates-context", "an UnbindContext is used when the unbind is long over", {
    by: PROTOCOL,
    says: /The handle 0x[0-9a-f]{8} was used, but what it stood for is gone: an UnbindContext/,
    protocol: (d, its) => {
      const kept = d.statics(4);
      return {
        *ProtocolUnbindAdapterEx(unbindContext, context) {
          d.memory.writeU32(kept, unbindContext);
          return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        },
        *CompleteAgain() {
          yield* d.NdisCompleteUnbindAdapterEx(d.memory.readU32(kept));
        },
      };
    },
    actions: [...started, unbind, settle, call(PROTOCOL, "CompleteAgain")],
  });

  allows("unbind-complete-invalidates-context", "two unbinds one after the other are completed, each with its own context", {
    actions: [...started, unbind, settle, { do: "bind", adapter: 0 }, unbind, settle, ...takenDown],
  });
});
