/**
 * A protocol that binds and unbinds with everything pending, in TypeScript: the same driver as examples/c/pending-protocol.c. It shows the
 * sequence of the page "Unbinding from an Adapter": pause, unbind handler, close, close complete, unbind complete.
 */
import { type DriverEnvironment, type Handlers, defineDriver } from "ndislab";

const TAG = 0x5064_4578;
const FRAME_BYTES = 64;

/** Fields of the binding context, as offsets in bytes. What NDIS keeps beyond a call lies here, not on a handler's stack. */
const HANDLE = 0;
const BIND_CONTEXT = 4;
const UNBIND_CONTEXT = 8;
const POOL = 12;
const MEDIUM = 16;
const SELECTED_MEDIUM = 20;
const STATUS = 24;
const IS_RUNNING = 28;
const SENDS = 32;
const PAUSE = 36;
const PACKET_FILTER = 40;
/** Completes a pause: sends complete at up to DISPATCH_LEVEL, an event is completed at PASSIVE_LEVEL. */
const PAUSE_WORK = 44;
const LOCK = 48;
const READY = 56;
const OPEN = 72;
const REQUEST = 104;
const CONTEXT_BYTES = 256;

/** The protocol; `completesUnbind` false plants the mistake of pending-protocol-forgets.ts. */
export function pendingProtocol(d: DriverEnvironment, completesUnbind: boolean): Handlers {
  const { memory } = d;
  const SUCCESS = d.constant("NDIS_STATUS_SUCCESS");
  const PENDING = d.constant("NDIS_STATUS_PENDING");
  const protocolHandle = d.statics(4);
  const theBinding = d.statics(4);
  /** Whose the work items are: NdisAllocateIoWorkItem is not for protocols. */
  const theDriver = d.statics(4);
  const name = d.unicodeString("PENDING");
  const get = (context: number, field: number): number => memory.readU32(context + field);
  const set = (context: number, field: number, value: number): void => memory.writeU32(context + field, value);

  function* setPacketFilter(context: number, filter: number) {
    set(context, PACKET_FILTER, filter);
    const request = d.view("NDIS_OID_REQUEST", context + REQUEST);
    d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
    request.RequestType = d.constant("NdisRequestSetInformation");
    request.DATA_SET_INFORMATION_Oid = d.constant("OID_GEN_CURRENT_PACKET_FILTER");
    request.DATA_SET_INFORMATION_InformationBuffer = context + PACKET_FILTER;
    request.DATA_SET_INFORMATION_InformationBufferLength = 4;
    yield* d.NdisInitializeEvent(context + READY);
    const status = yield* d.NdisOidRequest(get(context, HANDLE), request.address);
    if (status !== PENDING) return status;
    yield* d.NdisWaitEvent(context + READY, 0);
    return get(context, STATUS);
  }

  function* freeBinding(context: number) {
    if (get(context, PAUSE_WORK) !== 0) yield* d.IoFreeWorkItem(get(context, PAUSE_WORK));
    if (get(context, POOL) !== 0) yield* d.NdisFreeNetBufferListPool(get(context, POOL));
    yield* d.NdisFreeMemory(context, 0, 0);
  }

  /** The open is complete: finish the bind, which pended. */
  function* finishBind(context: number, status: number) {
    const bindContext = get(context, BIND_CONTEXT);
    if (status === SUCCESS) memory.writeU32(theBinding, context);
    else yield* freeBinding(context);
    yield* d.NdisCompleteBindAdapterEx(bindContext, status);
  }

  /** Everything of the binding is closed: release it, then complete the unbind, after which nothing may be touched. */
  function* finishUnbind(context: number) {
    const unbindContext = get(context, UNBIND_CONTEXT);
    yield* freeBinding(context);
    yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
  }

  function* freeFrame(list: number) {
    const mdl = d.view("NET_BUFFER", d.view("NET_BUFFER_LIST", list).FirstNetBuffer).MdlChain;
    const data = d.view("MDL", mdl).MappedSystemVa;
    yield* d.NdisFreeMdl(mdl);
    yield* d.NdisFreeMemory(data, 0, 0);
    yield* d.NdisFreeNetBufferList(list);
  }

  /** A list with one frame of zeros; 0: there is no memory for it. */
  function* allocateFrame(context: number) {
    const protocol = memory.readU32(protocolHandle);
    const data = yield* d.NdisAllocateMemoryWithTagPriority(protocol, FRAME_BYTES, TAG, 0);
    const mdl = data === 0 ? 0 : yield* d.NdisAllocateMdl(protocol, data, FRAME_BYTES);
    const list = mdl === 0 ? 0 : yield* d.NdisAllocateNetBufferAndNetBufferList(get(context, POOL), 0, 0, mdl, 0, FRAME_BYTES);
    if (list === 0 && mdl !== 0) yield* d.NdisFreeMdl(mdl);
    if (list === 0 && data !== 0) yield* d.NdisFreeMemory(data, 0, 0);
    return list;
  }

  function* sendFrame(context: number) {
    const list = yield* allocateFrame(context);
    if (list === 0) return false;
    d.view("NET_BUFFER_LIST", list).SourceHandle = get(context, HANDLE);
    yield* d.NdisAcquireSpinLock(context + LOCK);
    const maySend = get(context, IS_RUNNING) === 1;
    if (maySend) set(context, SENDS, get(context, SENDS) + 1);
    yield* d.NdisReleaseSpinLock(context + LOCK);
    if (maySend) yield* d.NdisSendNetBufferLists(get(context, HANDLE), list, 0, 0);
    else yield* freeFrame(list);
    return maySend;
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
      const context = yield* d.NdisAllocateMemoryWithTagPriority(handle, CONTEXT_BYTES, TAG, 0);
      if (context === 0) return "NDIS_STATUS_RESOURCES";
      yield* d.NdisAllocateSpinLock(context + LOCK);
      yield* d.NdisInitializeEvent(context + READY);
      set(context, BIND_CONTEXT, bindContext);
      const pool = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { fAllocateNetBuffer: 1, PoolTag: TAG });
      d.header(pool.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
      set(context, POOL, yield* d.NdisAllocateNetBufferListPool(handle, pool.address));
      set(context, PAUSE_WORK, yield* d.IoAllocateWorkItem(memory.readU32(theDriver)));
      if (get(context, POOL) === 0 || get(context, PAUSE_WORK) === 0) {
        yield* freeBinding(context);
        return "NDIS_STATUS_RESOURCES";
      }
      set(context, MEDIUM, d.constant("NdisMedium802_3"));
      const open = d.view("NDIS_OPEN_PARAMETERS", context + OPEN);
      d.header(open.address, "NDIS_OBJECT_TYPE_OPEN_PARAMETERS", 1, "NDIS_SIZEOF_OPEN_PARAMETERS_REVISION_1");
      open.AdapterName = d.view("NDIS_BIND_PARAMETERS", parameters).AdapterName;
      open.MediumArray = context + MEDIUM;
      open.MediumArraySize = 1;
      open.SelectedMediumIndex = context + SELECTED_MEDIUM;
      const status = yield* d.NdisOpenAdapterEx(handle, context, open.address, bindContext, context + HANDLE);
      if (status !== PENDING) yield* finishBind(context, status);
      return PENDING;
    },

    *ProtocolOpenAdapterCompleteEx(context, status) {
      yield* finishBind(context, status);
    },

    *ProtocolUnbindAdapterEx(unbindContext, context) {
      memory.writeU32(theBinding, 0);
      set(context, UNBIND_CONTEXT, unbindContext);
      yield* setPacketFilter(context, 0);
      const status = yield* d.NdisCloseAdapterEx(get(context, HANDLE));
      if (status !== PENDING) yield* finishUnbind(context);
      return PENDING;
    },

    *ProtocolCloseAdapterCompleteEx(context) {
      if (completesUnbind) yield* finishUnbind(context);
      else yield* freeBinding(context);
    },

    *ProtocolNetPnPEvent(context, event) {
      const code = d.view("NET_PNP_EVENT_NOTIFICATION", event).NetPnPEvent_NetEvent;
      if (code === d.constant("NetEventRestart")) {
        yield* setPacketFilter(context, d.constant("NDIS_PACKET_TYPE_DIRECTED"));
        yield* d.NdisAcquireSpinLock(context + LOCK);
        set(context, IS_RUNNING, 1);
        yield* d.NdisReleaseSpinLock(context + LOCK);
      }
      if (code !== d.constant("NetEventPause")) return SUCCESS;
      yield* d.NdisAcquireSpinLock(context + LOCK);
      set(context, IS_RUNNING, 0);
      const mustWait = get(context, SENDS) > 0;
      if (mustWait) set(context, PAUSE, event);
      yield* d.NdisReleaseSpinLock(context + LOCK);
      return mustWait ? PENDING : SUCCESS;
    },

    *ProtocolOidRequestComplete(context, _request, status) {
      set(context, STATUS, status);
      yield* d.NdisSetEvent(context + READY);
    },

    *ProtocolSendNetBufferListsComplete(context, lists) {
      let count = 0;
      for (let list = lists; list !== 0; ) {
        const next = d.view("NET_BUFFER_LIST", list).Next;
        yield* freeFrame(list);
        count += 1;
        list = next;
      }
      yield* d.NdisAcquireSpinLock(context + LOCK);
      set(context, SENDS, get(context, SENDS) - count);
      const pauseIsOver = get(context, SENDS) === 0 && get(context, PAUSE) !== 0;
      yield* d.NdisReleaseSpinLock(context + LOCK);
      if (!pauseIsOver) return;
      const queue = d.constant("DelayedWorkQueue");
      yield* d.IoQueueWorkItemEx(get(context, PAUSE_WORK), d.handler("CompletePause"), queue, context);
    },

    *CompletePause(_driver, context) {
      const pause = get(context, PAUSE);
      set(context, PAUSE, 0);
      yield* d.NdisCompleteNetPnPEvent(get(context, HANDLE), pause, SUCCESS);
    },

    *ProtocolReceiveNetBufferLists(context, lists, _port, _count, flags) {
      if ((flags & d.constant("NDIS_RECEIVE_FLAGS_RESOURCES")) !== 0) return;
      const isDispatch = (flags & d.constant("NDIS_RECEIVE_FLAGS_DISPATCH_LEVEL")) !== 0;
      const returnFlags = isDispatch ? d.constant("NDIS_RETURN_FLAGS_DISPATCH_LEVEL") : 0;
      yield* d.NdisReturnNetBufferLists(get(context, HANDLE), lists, returnFlags);
    },

    ProtocolStatusEx() {},

    *Leave(_driver, handle, item) {
      yield* d.IoFreeWorkItem(item);
      yield* d.NdisUnbindAdapter(handle);
    },

    /** Called by the scenario: NDIS unbinds the protocol. In a work item, since NDIS may call the unbind handler before the call returns. */
    *UnbindItself() {
      const context = memory.readU32(theBinding);
      const item = context === 0 ? 0 : yield* d.IoAllocateWorkItem(memory.readU32(theDriver));
      if (item === 0) return 0;
      yield* d.IoQueueWorkItemEx(item, d.handler("Leave"), d.constant("DelayedWorkQueue"), get(context, HANDLE));
      return 1;
    },

    /** Called by the scenario: sends some frames while the binding runs. */
    *Exercise() {
      const context = memory.readU32(theBinding);
      let sent = 0;
      while (context !== 0 && sent < 3 && (yield* sendFrame(context))) sent += 1;
      return sent;
    },
  };
}

export default defineDriver("pending-protocol", (d) => pendingProtocol(d, true));
