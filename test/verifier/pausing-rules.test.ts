/** Rules of a miniport adapter that pauses or is paused, of a reset that drops sends, and of a shutdown in a bug check. */
import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import { miniportRegisteredWith } from "./registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  allows,
  atOnce,
  binding,
  breaks,
  call,
  createAdapterContext,
  isEvent,
  late,
  pause,
  queuesSends,
  reset,
  restart,
  sendOne,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
} from "./support.ts";

/** A counterpart that sends and asks whenever it is told to, and never says that it has to wait for its sends. */
const careless: Change = (d, its) => ({
  *ProtocolNetPnPEvent(context, event) {
    return isEvent(d, event, "NetEventPause") ? SUCCESS : yield* its.inherited("ProtocolNetPnPEvent", context, event);
  },
  *ProtocolSendNetBufferListsComplete(context, lists, flags) {
    yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
  },
  *Send() {
    yield* sendOne(d, its.context());
  },
  *Ask() {
    const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
    d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
    request.RequestType = d.constant("NdisRequestQueryInformation");
    request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_ID");
    request.DATA_QUERY_INFORMATION_InformationBuffer = its.context() + binding.packetFilter;
    request.DATA_QUERY_INFORMATION_InformationBufferLength = 4;
    yield* d.NdisOidRequest(its.get(binding.handle), request.address);
  },
});
const send = call(PROTOCOL, "Send");
const ask = call(PROTOCOL, "Ask");
const reaches = late("NdisSendNetBufferLists: the miniport is paused");
const stock = [PROTOCOL];

describe("A miniport adapter that pauses", () => {
  breaks("mp-pause-completes-sends", "completes its pause with a send that it still has", {
    by: MINIPORT,
    says: /completed its pause and still has 1 list\(s\) that were sent/,
    protocol: careless,
    stock,
    miniport: queuesSends,
    actions: [...started, send, pause, call(MINIPORT, "CompleteSends"), restart, ...takenDown],
  });

  allows("mp-pause-completes-sends", "completes in its pause what it still has", {
    protocol: careless,
    stock,
    miniport: (d, its) => {
      const queues = queuesSends(d, its);
      return {
        ...queues,
        *MiniportPause(context, parameters) {
          const rest = queues["CompleteSends"]?.();
          if (typeof rest === "object") yield* rest;
          return yield* its.inherited("MiniportPause", context, parameters);
        },
      };
    },
    actions: [...started, send, pause, restart, ...takenDown],
    answers: [atOnce],
  });
});

describe("A send to a miniport adapter that is paused", () => {
  const completesWith =
    (status: ConstantName): Change =>
    (d, its) => ({
      *MiniportSendNetBufferLists(_context, lists) {
        d.view("NET_BUFFER_LIST", lists).Status = d.constant(status);
        yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
      },
    });
  const sent: readonly Action[] = [...started, pause, send, call(MINIPORT, "CompleteSends"), restart, ...takenDown];

  breaks("mp-pause-reject-new-sends", "is kept until later", {
    by: MINIPORT,
    says: /of a paused adapter returned and kept 1 list\(s\)/,
    protocol: careless,
    stock,
    miniport: queuesSends,
    actions: sent,
    answers: [reaches],
  });

  breaks("mp-pause-reject-new-sends", "is completed as if it had failed", {
    by: MINIPORT,
    says: /sent to a paused adapter was completed with NDIS_STATUS_FAILURE/,
    protocol: careless,
    stock,
    miniport: completesWith("NDIS_STATUS_FAILURE"),
    actions: sent,
    answers: [reaches],
  });

  allows("mp-pause-reject-new-sends", "comes back at once, as the page says", {
    protocol: careless,
    stock,
    actions: sent,
    answers: [reaches, atOnce],
  });
});

describe("An OID request", () => {
  const answers =
    (status: ConstantName, states: readonly number[]): Change =>
    (d, its) => {
      const asked = d.statics(4);
      return {
        MiniportOidRequest(context, request) {
          if (d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_Oid !== d.constant("OID_GEN_VENDOR_ID"))
            return its.inherited("MiniportOidRequest", context, request);
          const count = d.memory.readU32(asked) + 1;
          d.memory.writeU32(asked, count);
          return states.includes(count) ? d.constant(status) >>> 0 : d.constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0;
        },
      };
    };
  const asking = [...started, ask, settle, pause, ask, settle, restart, ...takenDown];

  breaks("mp-pause-still-oids-status", "is refused by an adapter since it is paused", {
    by: MINIPORT,
    says: /answered with NDIS_STATUS_PAUSED by an adapter that is Paused/,
    protocol: careless,
    stock,
    miniport: answers("NDIS_STATUS_PAUSED", [2]),
    actions: asking,
  });

  allows("mp-pause-still-oids-status", "is answered by an adapter that is paused, which indicates status as well", {
    protocol: careless,
    stock,
    miniport: (d, its) => ({
      ...answers("NDIS_STATUS_PAUSED", [])(d, its),
      *Indicate() {
        const indication = d.local("NDIS_STATUS_INDICATION", { SourceHandle: its.get(adapter.handle) });
        d.header(indication.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
        yield* d.NdisMIndicateStatusEx(its.get(adapter.handle), indication.address);
      },
    }),
    actions: [...started, pause, ask, settle, call(MINIPORT, "Indicate"), restart, ...takenDown],
  });

  breaks("mp-send-oid-states", "is put off by an adapter that runs", {
    by: MINIPORT,
    says: /answered with NDIS_STATUS_ADAPTER_NOT_READY by an adapter that is Running/,
    protocol: careless,
    stock,
    miniport: answers("NDIS_STATUS_ADAPTER_NOT_READY", [1]),
    actions: asking,
  });

  allows("mp-send-oid-states", "is refused for what it asks", {
    protocol: careless,
    stock,
    miniport: answers("NDIS_STATUS_FAILURE", [1, 2]),
    actions: asking,
  });
});

describe("A reset", () => {
  const makeMiniport = miniportRegisteredWith((d) => ({
    ResetHandlerEx: d.handler("MiniportResetEx"),
    CheckForHangHandlerEx: d.handler("MiniportCheckForHangEx"),
  }));
  const dropsWith =
    (status: ConstantName): Change =>
    (d, its) => {
      const kept = d.statics(4);
      return {
        MiniportCheckForHangEx: () => 0,
        MiniportSendNetBufferLists: (_context, lists) => d.memory.writeU32(kept, lists),
        *MiniportResetEx() {
          const lists = d.memory.readU32(kept);
          d.view("NET_BUFFER_LIST", lists).Status = d.constant(status);
          yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
          return SUCCESS;
        },
      };
    };
  const dropping = [...started, send, reset, settle, ...takenDown];

  breaks("mp-reset-abort-queued-sends", "drops a queued send as if it had failed", {
    by: MINIPORT,
    says: /MiniportResetEx drops a send with NDIS_STATUS_FAILURE/,
    makeMiniport,
    protocol: careless,
    miniport: dropsWith("NDIS_STATUS_FAILURE"),
    actions: dropping,
  });

  allows("mp-reset-abort-queued-sends", "aborts the queued send", {
    makeMiniport,
    protocol: careless,
    miniport: dropsWith("NDIS_STATUS_REQUEST_ABORTED"),
    actions: dropping,
    answers: [atOnce],
  });
});

describe("MiniportShutdownEx in a bug check", () => {
  const WANTS_BUG_CHECKS = 0x400;
  const shuts =
    (act: "free" | "lock" | "nothing"): Change =>
    (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context, WANTS_BUG_CHECKS);
        return yield* setGeneralAttributes(d, handle);
      },
      *MiniportShutdownEx(context, action) {
        if (action === d.constant("NdisShutdownBugCheck") && act === "nothing") return;
        if (act === "free") yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + adapter.pool));
        if (act === "lock") yield* d.NdisAcquireSpinLock(context + adapter.lock);
        if (act === "lock") yield* d.NdisReleaseSpinLock(context + adapter.lock);
      },
    });
  const stopped: readonly Action[] = [...started, { do: "bug check" }];

  for (const [act, routine] of [
    ["free", "NdisFreeNetBufferListPool"],
    ["lock", "NdisAcquireSpinLock"],
  ] as const) {
    breaks("mp-shutdown-no-ndis-calls", `calls ${routine}`, {
      by: MINIPORT,
      says: new RegExp(`${routine} was called inside MiniportShutdownEx in a bug check`),
      miniport: shuts(act),
      actions: stopped,
    });
  }

  allows("mp-shutdown-no-ndis-calls", "returns without doing anything", { miniport: shuts("nothing"), actions: stopped });

  allows("mp-shutdown-no-ndis-calls", "frees its pool when the system shuts down in order", {
    miniport: shuts("free"),
    actions: [...started, { do: "shut down" }],
  });
});
