import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  binding,
  breaks,
  call,
  createAdapterContext,
  freeAdapterContext,
  createFrame,
  freeFrames,
  inParallel,
  indicates,
  invoke,
  isEvent,
  keepsReceives,
  later,
  load,
  pause,
  restart,
  sendOne,
  setRegistrationAttributes,
  settle,
  started,
  stop,
  takenDown,
  unload,
  wait,
} from "./support.ts";

const FAILURE = 0xc000_0001;

describe("Initializing a miniport adapter", () => {
  const setsOnlyRegistration =
    (status: number): Change =>
    (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        if (status !== SUCCESS) yield* freeAdapterContext(d, context);
        return status;
      },
    });

  breaks("mp-init-general-attributes-required", "MiniportInitializeEx succeeds without general attributes", {
    by: MINIPORT,
    says: /MiniportInitializeEx succeeded without having set the general attributes/,
    miniport: setsOnlyRegistration(SUCCESS),
    actions: [load(MINIPORT), ...started.slice(2)],
    ends: "failed",
  });

  allows("mp-init-general-attributes-required", "MiniportInitializeEx fails before it sets the general attributes", {
    miniport: setsOnlyRegistration(FAILURE),
    actions: [load(MINIPORT), ...started.slice(2)],
    ends: "failed",
  });
});

/** A miniport whose pause waits until every list that it indicated is back and every indication has returned. */
const pausesWhenAllIsBack: Change = (d, its) => {
  const out = d.statics(4);
  const isPausing = d.statics(4);
  function* back(count: number) {
    const left = d.memory.readU32(out) - count;
    d.memory.writeU32(out, left);
    if (left > 0 || d.memory.readU32(isPausing) === 0) return;
    d.memory.writeU32(isPausing, 0);
    yield* d.NdisMPauseComplete(its.get(adapter.handle));
  }
  return {
    *Inject() {
      const list = yield* createFrame(d, its.context());
      // The call itself counts too.
      d.memory.writeU32(out, d.memory.readU32(out) + 2);
      yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, 0);
      yield* back(1);
    },
    *MiniportReturnNetBufferLists(_context, lists) {
      yield* back(yield* freeFrames(d, lists));
    },
    MiniportPause() {
      if (d.memory.readU32(out) === 0) return SUCCESS;
      d.memory.writeU32(isPausing, 1);
      return PENDING;
    },
  };
};

/** A protocol that gets a frame while it pauses, and looks at it until after its pause. */
const looksLong: Change = (d, its) => ({
  *ProtocolNetPnPEvent(context, event) {
    if (isEvent(d, event, "NetEventPause")) yield* d.NdisMSleep(20_000);
    return yield* its.inherited("ProtocolNetPnPEvent", context, event);
  },
  *ProtocolReceiveNetBufferLists() {
    yield* d.NdisMSleep(50_000);
  },
});
const frameWhilePausing = [...started, inParallel(wait(10), call(MINIPORT, "Inject")), pause, settle];

describe("Pausing an adapter", () => {
  breaks("mp-pause-cannot-fail", "MiniportPause returns a failure", {
    by: MINIPORT,
    says: /MiniportPause returned 0xc0000001/,
    miniport: () => ({ MiniportPause: () => FAILURE }),
    actions: [...started, pause],
  });

  allows("mp-pause-cannot-fail", "MiniportPause returns NDIS_STATUS_PENDING", {
    miniport: (d, its) => ({
      *MiniportPause(context, parameters) {
        yield* its.inherited("MiniportPause", context, parameters);
        yield* later(d, "PausedLater", context);
        return PENDING;
      },
      *PausedLater(context, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* d.NdisMPauseComplete(d.memory.readU32(context + adapter.handle));
      },
    }),
  });

  allows("mp-pause-cannot-fail", "MiniportRestart fails, and the adapter stays Paused", {
    miniport: (d, its) => {
      const restarts = d.statics(4);
      return {
        *MiniportRestart(context, parameters) {
          d.memory.writeU32(restarts, d.memory.readU32(restarts) + 1);
          if (d.memory.readU32(restarts) === 2) return FAILURE;
          return yield* its.inherited("MiniportRestart", context, parameters);
        },
      };
    },
    actions: [...started, pause, restart, ...takenDown],
  });

  breaks("mp-pause-waits-receives", "MiniportPause succeeds while an indication has not returned", {
    by: MINIPORT,
    says: /The miniport completed its pause while 1 lists/,
    protocol: looksLong,
    miniport: indicates,
    actions: frameWhilePausing,
  });

  allows("mp-pause-waits-receives", "MiniportPause pends until the indication has returned", {
    protocol: looksLong,
    miniport: pausesWhenAllIsBack,
    actions: [...frameWhilePausing, restart, ...takenDown],
  });

  allows("mp-pause-waits-receives", "receives are indicated from the call of MiniportRestart on", {
    miniport: (d, its) => ({
      ...indicates(d, its),
      *MiniportRestart(context, parameters) {
        const status = yield* its.inherited("MiniportRestart", context, parameters);
        const handle = d.memory.readU32(context + adapter.handle);
        yield* d.NdisMIndicateReceiveNetBufferLists(handle, yield* createFrame(d, context), 0, 1, 0);
        return status;
      },
    }),
  });
});

describe("Receiving on a miniport adapter", () => {
  breaks("mp-pause-no-receive-indications", "a paused miniport indicates a list", {
    by: MINIPORT,
    says: /an adapter that is Paused/,
    miniport: indicates,
    actions: [...started, pause, call(MINIPORT, "Inject"), restart, ...takenDown],
  });

  allows("mp-pause-no-receive-indications", "a miniport that runs, and one that restarts, indicate lists", {
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), pause, restart, call(MINIPORT, "Inject"), ...takenDown],
  });
});

describe("A miniport adapter of a system that shuts down", () => {
  allows("mp-pause-no-receive-indications", "MiniportShutdownEx does not wait for what is under way", {
    miniport: indicates,
    actions: [...started, { do: "shut down" }, call(MINIPORT, "Inject")],
  });
});

describe("Halting a miniport adapter", () => {
  breaks("mp-halt-wait-receives", "MiniportHaltEx returns while a protocol has a list", {
    by: MINIPORT,
    says: /MiniportHaltEx returned while 1 lists/,
    // The protocol that keeps the list for good is to blame too.
    also: ["binding-paused-needs-receives-returned", "mp-pause-waits-receives", "nbl-pool-free-when-empty", "unbind-leaked-nbl"],
    protocol: keepsReceives,
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), stop],
  });

  allows("mp-halt-wait-receives", "the pause has waited for the list, and MiniportHaltEx need not", {
    protocol: (d, its) => {
      const keeping = keepsReceives(d, its);
      return {
        ...keeping,
        *ProtocolNetPnPEvent(context, event) {
          if (isEvent(d, event, "NetEventPause")) yield* later(d, "ReturnLater", event);
          const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
          return isEvent(d, event, "NetEventPause") ? PENDING : status;
        },
        *ReturnLater(event, item) {
          yield* d.NdisFreeIoWorkItem(item);
          yield* invoke(d, keeping, "ReturnAll");
          yield* d.NdisCompleteNetPnPEvent(its.get(binding.handle), event, SUCCESS);
        },
      };
    },
    miniport: pausesWhenAllIsBack,
    actions: [...started, call(MINIPORT, "Inject"), call(MINIPORT, "Inject"), ...takenDown],
  });
});

describe("Deregistering a protocol", () => {
  /** A protocol that deregisters itself in a function or handler, and not in its unload. */
  const deregistersIn =
    (name: string): Change =>
    (d, its) => {
      const isDone = d.statics(4);
      return {
        *Send() {
          yield* sendOne(d, its.context());
        },
        *LeaveLater() {
          yield* later(d, "LeaveNow", 0);
        },
        *LeaveNow(_context, item) {
          yield* d.NdisFreeIoWorkItem(item);
          yield* its.inherited("DriverUnload");
        },
        *ProtocolSendNetBufferListsComplete(context, lists, flags) {
          yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
          if (name !== "ProtocolSendNetBufferListsComplete" || d.memory.readU32(isDone) === 1) return;
          d.memory.writeU32(isDone, 1);
          yield* its.inherited("DriverUnload");
        },
        DriverUnload: () => SUCCESS,
      };
    };

  breaks("protocol-deregister-not-in-callback", "NdisDeregisterProtocolDriver is called inside a handler", {
    by: PROTOCOL,
    says: /inside ProtocolSendNetBufferListsComplete/,
    protocol: deregistersIn("ProtocolSendNetBufferListsComplete"),
    actions: [...started, call(PROTOCOL, "Send"), settle],
  });

  allows("protocol-deregister-not-in-callback", "a work item deregisters the protocol, while it is bound", {
    protocol: deregistersIn("a work item"),
    actions: [...started, call(PROTOCOL, "LeaveLater"), settle, ...takenDown],
  });

  allows("protocol-deregister-not-in-callback", "DriverUnload deregisters the protocol, while it is bound", {
    actions: [...started, unload(PROTOCOL), settle, stop, unload(MINIPORT)],
  });
});
