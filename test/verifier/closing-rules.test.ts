/** What has to be over before a binding is closed. */
import { describe } from "vitest";
import { newCancelId } from "./cancelling.ts";
import { miniportRegisteredWith } from "./registration.ts";
import {
  type Change,
  PENDING,
  PROTOCOL,
  SUCCESS,
  type Situation,
  allows,
  binding,
  breaks,
  call,
  freeBinding,
  inParallel,
  isEvent,
  late,
  later,
  sendOne,
  settle,
  started,
  takenDown,
  unbind,
  wait,
} from "./support.ts";

/** A protocol that closes without having cleared its packet filter. */
const closesUncleared: Change = (d) => ({
  *ProtocolUnbindAdapterEx(_unbindContext, context) {
    yield* d.NdisCloseAdapterEx(d.memory.readU32(context + binding.handle));
    yield* freeBinding(d, context);
    return SUCCESS;
  },
});

describe("Before a close", () => {
  breaks("unbind-clear-filters-first", "the packet filter is not set to zero", {
    by: PROTOCOL,
    says: /the binding's packet filter is 0x1 and 0 multicast/,
    protocol: closesUncleared,
  });

  allows("unbind-clear-filters-first", "the packet filter is set to zero", {});

  allows("unbind-clear-filters-first", "a binding that never ran has no filter to clear", {
    protocol: (d, its) => ({
      ...closesUncleared(d, its),
      ProtocolNetPnPEvent: () => SUCCESS,
    }),
    actions: [...started, ...takenDown],
    answers: [late("NdisOpenAdapterEx")],
  });
});

describe("Sends of a binding that is unbound", () => {
  breaks("binding-send-states", "one is made in Closing, before the close", {
    by: PROTOCOL,
    says: /NdisSendNetBufferLists was called on a binding that is Closing/,
    protocol: (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        yield* sendOne(d, context);
        return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
      },
    }),
    actions: [...started, ...takenDown],
  });

  allows("binding-send-states", "the last one is made while the binding pauses", {
    protocol: (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, "NetEventPause")) yield* sendOne(d, context);
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    }),
    actions: [...started, ...takenDown],
  });
});

const cancels: Change = (d, its) => ({
  *Cancel() {
    yield* d.NdisCancelSendNetBufferLists(its.get(binding.handle), yield* newCancelId(d, 1));
  },
});

describe("A cancellation of sends", () => {
  const cancelled = (milliseconds: number): Situation => ({
    protocol: cancels,
    miniport: (d) => ({
      *MiniportCancelSend() {
        if (milliseconds > 0) yield* d.NdisMSleep(milliseconds * 1000);
      },
    }),
    actions: [...started, inParallel(call(PROTOCOL, "Cancel")), wait(1), unbind, settle, ...takenDown],
  });

  breaks("close-cancelsend-race", "its call has not returned when the binding is closed", {
    ...cancelled(50),
    by: PROTOCOL,
    says: /NdisCancelSendNetBufferLists with the same handle has not returned/,
  });

  allows("close-cancelsend-race", "its call has returned when the binding is closed", cancelled(0));
});

const makeMiniport = miniportRegisteredWith((d) => ({
  SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest"),
}));

describe("A synchronous OID request", () => {
  const asked = (milliseconds: number): Situation => ({
    makeMiniport,
    protocol: (d, its) => {
      const request = d.staticStruct("NDIS_OID_REQUEST");
      return {
        *Ask() {
          d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          request.RequestType = d.constant("NdisRequestMethod");
          yield* d.NdisSynchronousOidRequest(its.get(binding.handle), request.address);
        },
      };
    },
    miniport: (d) => ({
      *MiniportSynchronousOidRequest() {
        if (milliseconds > 0) yield* d.NdisMSleep(milliseconds * 1000);
        return SUCCESS;
      },
    }),
    actions: [...started, inParallel(call(PROTOCOL, "Ask")), wait(1), unbind, settle, ...takenDown],
  });

  breaks("close-sync-oid-outstanding", "is in progress when the binding is closed", {
    ...asked(50),
    by: PROTOCOL,
    also: ["close-waits-for-originated-work"],
    says: /a synchronous OID request of the binding is in progress/,
  });

  allows("close-sync-oid-outstanding", "has returned when the binding is closed", asked(0));
});

describe("A close while an unbind pends", () => {
  breaks("close-outside-handler", "is called by a work item", {
    by: PROTOCOL,
    says: /for a binding that is Closing, but not inside ProtocolBindAdapterEx or ProtocolUnbindAdapterEx/,
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

  allows("close-outside-handler", "is called inside its handler, which pends", {});
});
