import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import {
  type Situation,
  THIRD,
  unbind,
  wait,
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
  closeAndWait,
  early,
  freeBinding,
  inParallel,
  isEvent,
  later,
  load,
  miniportWith,
  pause,
  pending,
  restart,
  settle,
  started,
  takenDown,
} from "./support.ts";

const NO_SUCCESS = 0xc000_0001;

/** Two adapters start, one 10 milliseconds after the other. */
const twoAdapters = {
  more: [miniportWith()],
  actions: [
    load(PROTOCOL),
    load(MINIPORT),
    load(THIRD),
    inParallel({ do: "start adapter", driver: MINIPORT, adapter: 0 }),
    wait(10),
    { do: "start adapter", driver: THIRD, adapter: 1 },
    settle,
  ] satisfies Action[],
} satisfies Situation;

describe("Completing a bind", () => {
  breaks("bind-complete-only-if-pending", "a bind is completed, and then its handler answers too", {
    by: PROTOCOL,
    says: /ProtocolBindAdapterEx called NdisCompleteBindAdapterEx and then did not return NDIS_STATUS_PENDING/,
    protocol: (_d, its) => ({
      *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
        yield* its.inherited("ProtocolBindAdapterEx", driverContext, bindContext, parameters);
        return SUCCESS;
      },
    }),
  });

  breaks("bind-complete-only-if-pending", "a bind is completed twice", {
    by: PROTOCOL,
    says: /NdisCompleteBindAdapterEx was called, but the operation that it names is not pending/,
    protocol: (d, its) => ({
      *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
        const answer = yield* its.inherited("ProtocolBindAdapterEx", driverContext, bindContext, parameters);
        yield* d.NdisCompleteBindAdapterEx(bindContext, SUCCESS);
        return answer;
      },
    }),
  });

  breaks("bind-complete-only-if-pending", "a bind is completed when it is long over", {
    by: PROTOCOL,
    says: /what it stood for is gone: a BindContext/,
    protocol: (d, its) => ({
      *CompleteAgain() {
        yield* d.NdisCompleteBindAdapterEx(its.get(binding.bindContext), SUCCESS);
      },
    }),
    actions: [...started, call(PROTOCOL, "CompleteAgain")],
  });

  allows(
    "bind-complete-only-if-pending",
    "a bind is completed at DISPATCH_LEVEL, before its handler returns NDIS_STATUS_PENDING",
    {
      protocol: (d, its) => ({
        *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
          const irql = yield* d.KeRaiseIrqlToDpcLevel();
          yield* d.NdisCompleteBindAdapterEx(bindContext, NO_SUCCESS);
          yield* d.KeLowerIrql(irql);
          return its.right.ProtocolBindAdapterEx === undefined ? driverContext + parameters : PENDING;
        },
      }),
      actions: [...started, ...takenDown],
    },
  );

  allows(
    "bind-complete-only-if-pending",
    "a bind is completed at DISPATCH_LEVEL, before its handler returns NDIS_STATUS_PENDING",
    {
      protocol: (d) => ({
        *ProtocolBindAdapterEx(_driverContext, bindContext) {
          const irql = yield* d.KeRaiseIrqlToDpcLevel();
          yield* d.NdisCompleteBindAdapterEx(bindContext, NO_SUCCESS);
          yield* d.KeLowerIrql(irql);
          return PENDING;
        },
      }),
      actions: [...started, ...takenDown],
    },
  );

  allows("bind-complete-only-if-pending", "a bind fails at once while another one is complete and its handler has not returned", {
    protocol: (d, its) => {
      const calls = d.statics(4);
      return {
        *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
          d.memory.writeU32(calls, d.memory.readU32(calls) + 1);
          if (d.memory.readU32(calls) > 1) return NO_SUCCESS;
          const answer = yield* its.inherited("ProtocolBindAdapterEx", driverContext, bindContext, parameters);
          yield* d.NdisMSleep(20_000);
          return answer;
        },
      };
    },
    ...twoAdapters,
  });
});

describe("Completing an unbind", () => {
  breaks("unbind-complete-only-if-pending", "an unbind is completed, and then its handler answers too", {
    by: PROTOCOL,
    says: /ProtocolUnbindAdapterEx called NdisCompleteUnbindAdapterEx and then did not return NDIS_STATUS_PENDING/,
    protocol: (_d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        return SUCCESS;
      },
    }),
  });

  breaks("unbind-complete-only-if-pending", "an unbind is completed twice", {
    by: PROTOCOL,
    says: /NdisCompleteUnbindAdapterEx was called, but the operation that it names is not pending/,
    protocol: (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        const answer = yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
        return answer;
      },
    }),
  });

  const completesInside: Change = (d) => ({
    *ProtocolUnbindAdapterEx(unbindContext, context) {
      yield* closeAndWait(d, context);
      yield* freeBinding(d, context);
      yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
      return PENDING;
    },
    *ProtocolCloseAdapterCompleteEx(context) {
      yield* d.NdisSetEvent(context + binding.ready);
    },
  });

  allows("unbind-complete-only-if-pending", "an unbind is completed before its handler returns NDIS_STATUS_PENDING", {
    protocol: completesInside,
  });

  allows(
    "unbind-complete-only-if-pending",
    "an unbind succeeds at once while another one is complete and its handler has not returned",
    {
      protocol: (d, its) => {
        const calls = d.statics(4);
        return {
          ...completesInside(d, its),
          *ProtocolUnbindAdapterEx(unbindContext, context) {
            d.memory.writeU32(calls, d.memory.readU32(calls) + 1);
            const isFirst = d.memory.readU32(calls) === 1;
            yield* closeAndWait(d, context);
            yield* freeBinding(d, context);
            if (!isFirst) return SUCCESS;
            yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
            yield* d.NdisMSleep(20_000);
            return PENDING;
          },
        };
      },
      ...twoAdapters,
      actions: [...twoAdapters.actions, inParallel(unbind), wait(10), { do: "unbind", driver: PROTOCOL, adapter: 1 }, settle],
    },
  );

  allows("unbind-complete-only-if-pending", "an unbind is completed inside the close-complete handler", {
    answers: [pending, early],
  });
});

/** Completes a request of the miniport before its handler returns. */
const completesOid =
  (status: number, times: number, answer: number): Change =>
  (d, its) => ({
    *MiniportOidRequest(context, request) {
      const own = yield* its.inherited("MiniportOidRequest", context, request);
      const handle = d.memory.readU32(context + adapter.handle);
      for (let time = 0; time < times; time += 1)
        yield* d.NdisMOidRequestComplete(handle, request, status === SUCCESS ? own : status);
      return answer;
    },
  });

describe("Completing an OID request", () => {
  breaks("oid-complete-not-pending-on-driver", "a request is completed twice", {
    by: MINIPORT,
    says: /NdisMOidRequestComplete was called, but the operation that it names is not pending/,
    miniport: completesOid(SUCCESS, 2, PENDING),
  });

  breaks("oid-complete-not-pending-on-driver", "a request is completed that its handler has answered", {
    by: MINIPORT,
    says: /NdisMOidRequestComplete was called, but the operation that it names is not pending/,
    miniport: (d, its) => ({
      *MiniportOidRequest(context, request) {
        yield* later(d, "CompleteLater", request);
        return yield* its.inherited("MiniportOidRequest", context, request);
      },
      *CompleteLater(request, item) {
        yield* d.NdisFreeIoWorkItem(item);
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, SUCCESS);
      },
    }),
    actions: started,
  });

  allows("oid-complete-not-pending-on-driver", "a request is completed before its handler returns NDIS_STATUS_PENDING", {
    miniport: completesOid(SUCCESS, 1, PENDING),
  });

  allows("oid-complete-not-pending-on-driver", "a request is completed later, in a work item", {
    miniport: (d, its) => ({
      *MiniportOidRequest(_context, request) {
        yield* later(d, "CompleteLater", request);
        return PENDING;
      },
      *CompleteLater(request, item) {
        yield* d.NdisFreeIoWorkItem(item);
        const status = yield* its.inherited("MiniportOidRequest", 0, request);
        yield* d.NdisMOidRequestComplete(its.get(adapter.handle), request, status);
      },
    }),
  });

  breaks("oid-complete-once", "a request is completed, and then its handler answers too", {
    by: MINIPORT,
    says: /MiniportOidRequest called NdisMOidRequestComplete and then did not return NDIS_STATUS_PENDING/,
    miniport: completesOid(SUCCESS, 1, SUCCESS),
  });

  allows("oid-complete-once", "a request is answered at once", {});

  breaks("oid-complete-not-pending-status", "a request is completed with NDIS_STATUS_PENDING", {
    by: MINIPORT,
    says: /NdisMOidRequestComplete was called with NDIS_STATUS_PENDING/,
    miniport: completesOid(PENDING, 1, PENDING),
    actions: [...started],
  });

  allows("oid-complete-not-pending-status", "a request is completed with a failure", {
    miniport: completesOid(NO_SUCCESS, 1, PENDING),
  });
});

describe("Completing a network PnP event", () => {
  /** Completes NetEventPause inside its handler. */
  const completesPause =
    (times: number, answer: number): Change =>
    (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
        if (!isEvent(d, event, "NetEventPause")) return status;
        const handle = d.memory.readU32(context + binding.handle);
        for (let time = 0; time < times; time += 1) yield* d.NdisCompleteNetPnPEvent(handle, event, SUCCESS);
        return answer;
      },
    });

  breaks("pnp-event-pending-complete", "an event is completed twice", {
    by: PROTOCOL,
    says: /NdisCompleteNetPnPEvent was called, but the operation that it names is not pending/,
    protocol: completesPause(2, PENDING),
  });

  breaks("pnp-event-pending-complete", "an event is completed, and then its handler answers too", {
    by: PROTOCOL,
    says: /ProtocolNetPnPEvent called NdisCompleteNetPnPEvent and then did not return NDIS_STATUS_PENDING/,
    protocol: completesPause(1, SUCCESS),
  });

  allows("pnp-event-pending-complete", "an event is completed before its handler returns NDIS_STATUS_PENDING", {
    protocol: completesPause(1, PENDING),
  });
});

describe("Completing a pause and a restart", () => {
  const completes =
    (what: "MiniportPause" | "MiniportRestart", times: number, answer: number): Change =>
    (d, its) => ({
      *[what](context: number, parameters: number) {
        yield* its.inherited(what, context, parameters);
        const handle = d.memory.readU32(context + adapter.handle);
        for (let time = 0; time < times; time += 1) {
          if (what === "MiniportPause") yield* d.NdisMPauseComplete(handle);
          else yield* d.NdisMRestartComplete(handle, SUCCESS);
        }
        return answer;
      },
    });

  breaks("mp-pause-complete-unexpected", "a pause is completed twice", {
    by: MINIPORT,
    says: /NdisMPauseComplete was called, but no pause is pending/,
    miniport: completes("MiniportPause", 2, PENDING),
    actions: [...started, pause],
    ends: "bugcheck",
  });

  breaks("mp-pause-complete-unexpected", "a pause is completed, and then its handler answers too", {
    by: MINIPORT,
    says: /MiniportPause called NdisMPauseComplete and then did not return NDIS_STATUS_PENDING/,
    miniport: completes("MiniportPause", 1, SUCCESS),
    actions: [...started, pause],
  });

  allows("mp-pause-complete-unexpected", "a pause is completed before its handler returns NDIS_STATUS_PENDING", {
    miniport: completes("MiniportPause", 1, PENDING),
    actions: [...started, pause, restart, ...takenDown],
  });

  breaks("mp-restart-complete-unexpected", "a restart is completed twice", {
    by: MINIPORT,
    says: /NdisMRestartComplete was called, but no restart is pending/,
    miniport: completes("MiniportRestart", 2, PENDING),
    actions: started,
    ends: "bugcheck",
  });

  breaks("mp-restart-complete-unexpected", "a restart is completed, and then its handler answers too", {
    by: MINIPORT,
    says: /MiniportRestart called NdisMRestartComplete and then did not return NDIS_STATUS_PENDING/,
    miniport: completes("MiniportRestart", 1, SUCCESS),
    actions: started,
  });

  allows("mp-restart-complete-unexpected", "a restart is completed before its handler returns NDIS_STATUS_PENDING", {
    miniport: completes("MiniportRestart", 1, PENDING),
    actions: [...started, pause, restart, ...takenDown],
  });
});
