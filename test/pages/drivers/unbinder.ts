/**
 * A protocol that does what a test tells it, in TypeScript: the same driver as unbinder.c. It binds, pauses, closes and unbinds correctly,
 * unless `Exercise(COMMAND.Behave, flags)` has asked for something else.
 */
import { defineDriver } from "ndislab";

/** First argument of `Exercise`; the second is given in brackets. Bindings are numbered in the order of their binds. */
export const COMMAND = {
  /** [BEHAVIOUR flags] */
  Behave: 0,
  /** [number of a binding] its handle, as NdisOpenAdapterEx wrote it */
  HandleOf: 1,
  /** [number of a binding] asks NDIS to unbind it */
  UnbindItself: 2,
  /** [number of a binding] asks NDIS to unbind it, then uses its handle */
  UnbindAndUse: 3,
  /** [number of a binding] closes it here and now */
  CloseOutside: 4,
} as const;

export const BEHAVIOUR = {
  /** Answers NDIS_STATUS_PENDING to the unbind and completes it when the close is complete. */
  PendsUnbind: 0x0001,
  /** ... and completes it on a thread of its own. */
  CompletesOnWorker: 0x0002,
  /** ... and never completes it. */
  ForgetsComplete: 0x0004,
  CompletesTwice: 0x0008,
  /** ... and completes it without waiting for a close that pends. */
  CompletesBeforeClose: 0x0010,
  CompletesWithoutPending: 0x0020,
  DoesNotClose: 0x0040,
  /** Closes binding 0, whichever is to be unbound. */
  ClosesFirstBinding: 0x0080,
  /** Closes with the UnbindContext in place of the binding handle. */
  ClosesWrongHandle: 0x0100,
  DoesNotWaitForClose: 0x0200,
  FreesBeforeCloseIsComplete: 0x0400,
  KeepsMemory: 0x0800,
  ClosesInPause: 0x1000,
  PendsPause: 0x2000,
  /** Opens the adapter, closes it and fails the bind. */
  FailsBind: 0x4000,
  FailsUnbind: 0x8000,
} as const;

const TAG = 0x7862_6e55;

/** Fields of the binding context, as offsets in bytes. What NDIS keeps beyond a call lies here, not on a handler's stack. */
const HANDLE = 0;
const UNBIND_CONTEXT = 4;
const IS_CLOSED = 8;
const PAUSE = 12;
const STATUS = 16;
const MEDIUM = 20;
const SELECTED_MEDIUM = 24;
const DONE = 32;
const OPEN = 48;
const CONTEXT_BYTES = 128;
const MOST_BINDINGS = 4;

export default defineDriver("unbinder", (d) => {
  const { memory } = d;
  const SUCCESS = d.constant("NDIS_STATUS_SUCCESS");
  const PENDING = d.constant("NDIS_STATUS_PENDING");
  const protocolHandle = d.statics(4);
  const theDriver = d.statics(4);
  const behaviour = d.statics(4);
  const bindings = d.statics(MOST_BINDINGS * 4);
  const request = d.staticStruct("NDIS_OID_REQUEST");
  const packetFilter = d.statics(4);
  /** The UnbindContext of a binding whose memory was freed too early. */
  const orphan = d.statics(4);
  const name = d.unicodeString("UNBINDER");
  const get = (context: number, field: number): number => memory.readU32(context + field);
  const set = (context: number, field: number, value: number): void => memory.writeU32(context + field, value);
  const does = (what: keyof typeof BEHAVIOUR): boolean => (memory.readU32(behaviour) & BEHAVIOUR[what]) !== 0;

  const bindingNumbered = (number: number): number => memory.readU32(bindings + number * 4);

  function replace(from: number, to: number): void {
    for (let number = 0; number < MOST_BINDINGS; number += 1) {
      if (bindingNumbered(number) !== from) continue;
      memory.writeU32(bindings + number * 4, to);
      return;
    }
  }

  function* later(routine: string, context: number) {
    const item = yield* d.IoAllocateWorkItem(memory.readU32(theDriver));
    yield* d.IoQueueWorkItemEx(item, d.handler(routine), d.constant("DelayedWorkQueue"), context);
  }

  function* freeBinding(context: number) {
    if (!does("KeepsMemory")) yield* d.NdisFreeMemory(context, 0, 0); // MARK: free
  }

  function* completeUnbind(unbindContext: number) {
    if (does("ForgetsComplete")) return;
    yield* d.NdisCompleteUnbindAdapterEx(unbindContext); // MARK: complete
    if (does("CompletesTwice")) yield* d.NdisCompleteUnbindAdapterEx(unbindContext); // MARK: complete again
  }

  /** Everything of a binding whose unbind pends is closed: release it, then complete the unbind. */
  function* finishUnbind(context: number) {
    const unbindContext = get(context, UNBIND_CONTEXT);
    yield* freeBinding(context);
    if (does("CompletesOnWorker")) yield* later("CompleteUnbindLater", unbindContext);
    else yield* completeUnbind(unbindContext);
  }

  function* waitUntilClosed(context: number) {
    yield* d.NdisWaitEvent(context + DONE, 0);
  }

  function* closeInUnbind(unbindContext: number, context: number) {
    if (does("DoesNotClose") || get(context, IS_CLOSED) === 1) return SUCCESS;
    if (does("ClosesFirstBinding") && bindingNumbered(0) !== context && bindingNumbered(0) !== 0) {
      set(bindingNumbered(0), IS_CLOSED, 1);
      return yield* d.NdisCloseAdapterEx(get(bindingNumbered(0), HANDLE)); // MARK: close another binding
    }
    if (does("ClosesWrongHandle")) return yield* d.NdisCloseAdapterEx(unbindContext); // MARK: close a wrong handle
    return yield* d.NdisCloseAdapterEx(get(context, HANDLE)); // MARK: close in unbind
  }

  return {
    *DriverEntry(driverObject) {
      d.view("DRIVER_OBJECT", driverObject).DriverUnload = d.handler("DriverUnload");
      memory.writeU32(theDriver, driverObject);
      const protocol = d.local("NDIS_PROTOCOL_DRIVER_CHARACTERISTICS", {
        MajorNdisVersion: 6,
        Name_Length: d.view("UNICODE_STRING", name).Length,
        Name_MaximumLength: d.view("UNICODE_STRING", name).MaximumLength,
        Name_Buffer: d.view("UNICODE_STRING", name).Buffer,
        BindAdapterHandlerEx: d.handler("ProtocolBindAdapterEx"),
        UnbindAdapterHandlerEx: d.handler("ProtocolUnbindAdapterEx"),
        OpenAdapterCompleteHandlerEx: d.handler("ProtocolOpenAdapterCompleteEx"),
        CloseAdapterCompleteHandlerEx: d.handler("ProtocolCloseAdapterCompleteEx"),
        NetPnPEventHandler: d.handler("ProtocolNetPnPEvent"),
        OidRequestCompleteHandler: d.handler("ProtocolOidRequestComplete"),
        StatusHandlerEx: d.handler("ProtocolStatusEx"),
        ReceiveNetBufferListsHandler: d.handler("ProtocolReceiveNetBufferLists"),
        SendNetBufferListsCompleteHandler: d.handler("ProtocolSendNetBufferListsComplete"),
      });
      d.header(
        protocol.address,
        "NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS",
        1,
        "NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1",
      );
      return yield* d.NdisRegisterProtocolDriver(0, protocol.address, protocolHandle);
    },

    *DriverUnload() {
      yield* d.NdisDeregisterProtocolDriver(memory.readU32(protocolHandle));
    },

    *ProtocolBindAdapterEx(_driverContext, bindContext, parameters) {
      const handle = memory.readU32(protocolHandle);
      const context = yield* d.NdisAllocateMemoryWithTagPriority(handle, CONTEXT_BYTES, TAG, 0); // MARK: allocate
      if (context === 0) return "NDIS_STATUS_RESOURCES";
      yield* d.NdisInitializeEvent(context + DONE);
      set(context, MEDIUM, d.constant("NdisMedium802_3"));
      const open = d.view("NDIS_OPEN_PARAMETERS", context + OPEN);
      d.header(open.address, "NDIS_OBJECT_TYPE_OPEN_PARAMETERS", 1, "NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1");
      open.AdapterName = d.view("NDIS_BIND_PARAMETERS", parameters).AdapterName;
      open.MediumArray = context + MEDIUM;
      open.MediumArraySize = 1;
      open.SelectedMediumIndex = context + SELECTED_MEDIUM;
      let status = yield* d.NdisOpenAdapterEx(handle, context, open.address, bindContext, context + HANDLE);
      if (status === PENDING) {
        yield* d.NdisWaitEvent(context + DONE, 0);
        status = get(context, STATUS);
      }
      if (status === SUCCESS && does("FailsBind")) {
        yield* d.NdisInitializeEvent(context + DONE);
        const closing = yield* d.NdisCloseAdapterEx(get(context, HANDLE)); // MARK: close in bind
        if (closing === PENDING) yield* waitUntilClosed(context);
        status = d.constant("NDIS_STATUS_FAILURE");
      }
      if (status === SUCCESS) replace(0, context);
      else yield* freeBinding(context);
      return status;
    },

    *ProtocolOpenAdapterCompleteEx(context, status) {
      set(context, STATUS, status);
      yield* d.NdisSetEvent(context + DONE);
    },

    // MARK: unbind handler begins
    *ProtocolUnbindAdapterEx(unbindContext, context) {
      replace(context, 0);
      if (does("PendsUnbind")) set(context, UNBIND_CONTEXT, unbindContext);
      yield* d.NdisInitializeEvent(context + DONE);
      const status = yield* closeInUnbind(unbindContext, context);
      if (does("CompletesWithoutPending")) yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
      if (status === PENDING && does("FreesBeforeCloseIsComplete")) {
        memory.writeU32(orphan, unbindContext);
        yield* d.NdisFreeMemory(context, 0, 0); // MARK: free before the close is complete
        return PENDING;
      }
      if (does("PendsUnbind")) {
        if (status === PENDING && does("CompletesBeforeClose")) yield* completeUnbind(unbindContext);
        else if (status !== PENDING) yield* finishUnbind(context);
        return PENDING;
      }
      if (status === PENDING && does("DoesNotWaitForClose")) return SUCCESS;
      if (status === PENDING) yield* waitUntilClosed(context);
      yield* freeBinding(context);
      return does("FailsUnbind") ? "NDIS_STATUS_FAILURE" : SUCCESS;
    },

    *ProtocolCloseAdapterCompleteEx(context) {
      const orphaned = memory.readU32(orphan);
      if (orphaned !== 0) {
        memory.writeU32(orphan, 0);
        yield* d.NdisCompleteUnbindAdapterEx(orphaned);
      } else if (does("CompletesBeforeClose") || does("DoesNotWaitForClose")) {
        yield* freeBinding(context);
      } else if (get(context, UNBIND_CONTEXT) !== 0) {
        yield* finishUnbind(context);
      } else {
        yield* d.NdisSetEvent(context + DONE);
      }
    },

    *ProtocolNetPnPEvent(context, event) {
      if (d.view("NET_PNP_EVENT_NOTIFICATION", event).NetPnPEvent_NetEvent !== d.constant("NetEventPause")) return SUCCESS;
      if (does("ClosesInPause") && get(context, IS_CLOSED) === 0) {
        set(context, IS_CLOSED, 1);
        const status = yield* d.NdisCloseAdapterEx(get(context, HANDLE)); // MARK: close in pause
        if (status === PENDING) yield* waitUntilClosed(context);
      }
      if (!does("PendsPause")) return SUCCESS;
      set(context, PAUSE, event);
      yield* later("CompletePauseLater", context);
      return PENDING;
    },

    *CompleteUnbindLater(_driver, unbindContext, item) {
      yield* d.IoFreeWorkItem(item);
      yield* completeUnbind(unbindContext);
    },

    *CompletePauseLater(_driver, context, item) {
      yield* d.IoFreeWorkItem(item);
      yield* d.NdisCompleteNetPnPEvent(get(context, HANDLE), get(context, PAUSE), SUCCESS);
    },

    ProtocolOidRequestComplete() {},
    ProtocolSendNetBufferListsComplete() {},
    ProtocolStatusEx() {},

    *ProtocolReceiveNetBufferLists(context, lists, _port, _count, flags) {
      if ((flags & d.constant("NDIS_RECEIVE_FLAGS_RESOURCES")) !== 0) return;
      yield* d.NdisReturnNetBufferLists(get(context, HANDLE), lists, 0);
    },

    /** Called by the scenario. */
    *Exercise(what, value) {
      if (what === COMMAND.Behave) {
        memory.writeU32(behaviour, value);
        return 0;
      }
      const context = bindingNumbered(value);
      switch (what) {
        case COMMAND.HandleOf:
          return get(context, HANDLE);
        case COMMAND.UnbindItself:
          return yield* d.NdisUnbindAdapter(get(context, HANDLE));
        case COMMAND.UnbindAndUse: {
          const handle = get(context, HANDLE);
          d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          request.RequestType = d.constant("NdisRequestSetInformation");
          request.DATA_SET_INFORMATION_Oid = d.constant("OID_GEN_CURRENT_PACKET_FILTER");
          request.DATA_SET_INFORMATION_InformationBuffer = packetFilter;
          request.DATA_SET_INFORMATION_InformationBufferLength = 4;
          yield* d.NdisUnbindAdapter(handle);
          return yield* d.NdisOidRequest(handle, request.address); // MARK: use the handle after the unbind was asked for
        }
        case COMMAND.CloseOutside: {
          yield* d.NdisInitializeEvent(context + DONE);
          set(context, IS_CLOSED, 1);
          const status = yield* d.NdisCloseAdapterEx(get(context, HANDLE)); // MARK: close outside
          if (status === PENDING) yield* waitUntilClosed(context);
          return status;
        }
        default:
          return 0;
      }
    },
  };
});
