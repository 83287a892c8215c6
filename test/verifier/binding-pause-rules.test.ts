import { describe } from "vitest";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  allows,
  binding,
  breaks,
  call,
  inParallel,
  indicates,
  invoke,
  isEvent,
  keepsReceives,
  later,
  pause,
  pending,
  queuesSends,
  restart,
  sendOne,
  settle,
  started,
  takenDown,
  unbind,
  wait,
} from "./support.ts";

/** A protocol that answers NetEventPause in its own way. */
const pausesBy =
  (answer: number): Change =>
  (d, its) => ({
    *ProtocolNetPnPEvent(context, event) {
      if (isEvent(d, event, "NetEventPause")) return answer;
      return yield* its.inherited("ProtocolNetPnPEvent", context, event);
    },
  });

/** Sends one frame without asking whether it may. */
const sendsBlindly: Change = (d, its) => ({
  *Send() {
    yield* sendOne(d, its.context());
  },
});

describe("Pausing a binding", () => {
  breaks("binding-pause-cannot-fail", "NetEventPause is answered with a failure", {
    by: PROTOCOL,
    says: /NetEventPause was completed with 0xc0000001/,
    protocol: pausesBy(0xc000_0001),
    actions: [...started, pause],
  });

  allows("binding-pause-cannot-fail", "NetEventPause is completed before its handler has returned NDIS_STATUS_PENDING", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
        if (status !== SUCCESS || !isEvent(d, event, "NetEventPause")) return status;
        yield* d.NdisCompleteNetPnPEvent(d.memory.readU32(context + binding.handle), event, SUCCESS);
        return PENDING;
      },
    }),
  });

  breaks("binding-pause-waits-sends", "NetEventPause succeeds while sends are not complete", {
    by: PROTOCOL,
    says: /while 3 sends of the binding are not complete/,
    // A miniport completes what it has before its pause ends, whatever a protocol said.
    also: ["mp-pause-completes-sends"],
    protocol: pausesBy(SUCCESS),
    miniport: queuesSends,
    actions: [...started, call(PROTOCOL, "Exercise"), pause, call(MINIPORT, "CompleteSends")],
  });

  allows("binding-pause-waits-sends", "NetEventPause pends until the last send is complete", {
    miniport: queuesSends,
    actions: [
      ...started,
      call(PROTOCOL, "Exercise"),
      inParallel(wait(10), call(MINIPORT, "CompleteSends")),
      pause,
      restart,
      ...takenDown,
    ],
  });

  breaks("binding-paused-needs-receives-returned", "NetEventPause succeeds while received lists are not returned", {
    by: PROTOCOL,
    says: /still holds 2 received lists/,
    protocol: (d, its) => ({ ...keepsReceives(d, its), ...pausesBy(SUCCESS)(d, its) }),
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), call(MINIPORT, "Inject"), unbind],
    also: ["unbind-leaked-nbl"],
  });

  allows("binding-paused-needs-receives-returned", "NetEventPause pends until the received lists are returned", {
    protocol: (d, its) => {
      const keeping = keepsReceives(d, its);
      return {
        ...keeping,
        *ProtocolNetPnPEvent(context, event) {
          const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
          if (!isEvent(d, event, "NetEventPause")) return status;
          yield* later(d, "ReturnLater", event);
          return PENDING;
        },
        *ReturnLater(event, item) {
          yield* d.NdisFreeIoWorkItem(item);
          yield* invoke(d, keeping, "ReturnAll");
          yield* d.NdisCompleteNetPnPEvent(its.get(binding.handle), event, SUCCESS);
        },
      };
    },
    miniport: indicates,
    actions: [...started, call(MINIPORT, "Inject"), call(MINIPORT, "Inject"), pause, restart, settle, ...takenDown],
  });
});

describe("Sending on a binding that pauses", () => {
  breaks("binding-pause-no-new-sends", "a protocol sends on a binding that is Paused", {
    by: PROTOCOL,
    says: /a binding that is Paused/,
    protocol: sendsBlindly,
    actions: [...started, pause, call(PROTOCOL, "Send")],
  });

  breaks("binding-send-states", "a protocol sends while its unbind is handled", {
    by: PROTOCOL,
    says: /a binding that is Closing/,
    protocol: (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        yield* sendOne(d, context);
        return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
      },
    }),
  });

  allows("binding-pause-no-new-sends", "a send enters between NetEventPause and the moment its handler takes the lock", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, "NetEventPause")) yield* d.NdisMSleep(20_000);
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    }),
    actions: [...started, inParallel(wait(10), call(PROTOCOL, "Exercise")), pause, restart, settle, ...takenDown],
  });

  allows(
    "binding-pause-no-new-sends",
    "a send that was counted under the lock before the pause enters after the handler has returned",
    {
      protocol: (d, its) => ({
        *CountAndSendLate() {
          const context = its.context();
          d.memory.writeU32(context + binding.sends, its.get(binding.sends) + 1);
          yield* d.NdisMSleep(20_000);
          d.memory.writeU32(context + binding.sends, its.get(binding.sends) - 1);
          yield* sendOne(d, context);
        },
      }),
      actions: [...started, inParallel(call(PROTOCOL, "CountAndSendLate")), wait(10), pause, restart, settle, ...takenDown],
    },
  );
});

describe("Sending on a binding that starts", () => {
  breaks("bind-no-send-until-restart", "a protocol sends in Opening, when its open is complete", {
    by: PROTOCOL,
    says: /a binding that is Opening/,
    protocol: (d, its) => ({
      *ProtocolOpenAdapterCompleteEx(context, status) {
        yield* sendOne(d, context);
        yield* its.inherited("ProtocolOpenAdapterCompleteEx", context, status);
      },
    }),
    answers: [pending],
  });

  breaks("bind-no-send-until-restart", "a protocol sends on a new binding, Paused, before NetEventRestart", {
    by: PROTOCOL,
    says: /a binding that is Paused/,
    protocol: (d, its) => {
      const bound = d.statics(4);
      return {
        *ProtocolBindAdapterEx(driverContext, bindContext, parameters) {
          const answer = yield* its.inherited("ProtocolBindAdapterEx", driverContext, bindContext, parameters);
          yield* later(d, "SendSoon", 0);
          return answer;
        },
        *ProtocolOpenAdapterCompleteEx(context, status) {
          d.memory.writeU32(bound, context);
          yield* its.inherited("ProtocolOpenAdapterCompleteEx", context, status);
        },
        *SendSoon(_context, item) {
          yield* d.NdisFreeIoWorkItem(item);
          yield* d.NdisMSleep(10_000);
          yield* sendOne(d, d.memory.readU32(bound));
        },
      };
    },
    miniport: (d, its) => ({
      *MiniportRestart(context, parameters) {
        yield* d.NdisMSleep(20_000);
        return yield* its.inherited("MiniportRestart", context, parameters);
      },
    }),
    answers: [pending],
  });

  allows("bind-no-send-until-restart", "a send enters while NetEventRestart is handled, when the driver has set its flag", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
        if (isEvent(d, event, "NetEventRestart")) yield* d.NdisMSleep(20_000);
        return status;
      },
    }),
    actions: [...started.slice(0, 2), inParallel(wait(10), call(PROTOCOL, "Exercise")), ...started.slice(2), ...takenDown],
  });
});
