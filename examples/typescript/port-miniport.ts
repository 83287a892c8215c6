/**
 * A loopback miniport with an NDIS port, in TypeScript: the port is allocated and activated in MiniportInitializeEx, used, and deactivated and
 * freed in MiniportHaltEx. The same driver as examples/c/port-miniport.c.
 */
import { type DriverEnvironment, type Handlers, defineDriver } from "ndislab";

const TAG = 0x5074_4578;

/** Fields of the adapter context, as offsets in bytes. */
const HANDLE = 0;
const PORT = 4;
const IS_ACTIVE = 8;
const POOL = 12;
const IS_RUNNING = 16;
const LOCK = 24;
const CONTEXT_BYTES = 32;

/** The miniport; `deactivatesFirst` false plants the mistake of port-miniport-frees-active.ts. */
export function portMiniport(d: DriverEnvironment, deactivatesFirst: boolean): Handlers {
  const { memory } = d;
  const SUCCESS = d.constant("NDIS_STATUS_SUCCESS");
  const driverHandle = d.statics(4);
  const get = (context: number, field: number): number => memory.readU32(context + field);
  const set = (context: number, field: number, value: number): void => memory.writeU32(context + field, value);

  function* raisePortEvent(
    context: number,
    event: "NetEventPortActivation" | "NetEventPortDeactivation",
    buffer: number,
    bytes: number,
  ) {
    const notification = d.local("NET_PNP_EVENT_NOTIFICATION", {
      NetPnPEvent_NetEvent: event,
      NetPnPEvent_Buffer: buffer,
      NetPnPEvent_BufferLength: bytes,
    });
    d.header(notification.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1");
    return yield* d.NdisMNetPnPEvent(get(context, HANDLE), notification.address);
  }

  function* allocatePort(context: number) {
    const characteristics = d.local("NDIS_PORT_CHARACTERISTICS", {
      Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS",
      Type: "NdisPortTypeUndefined",
    });
    d.header(characteristics.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
    const status = yield* d.NdisMAllocatePort(get(context, HANDLE), characteristics.address);
    if (status === SUCCESS) set(context, PORT, characteristics.PortNumber);
    return status;
  }

  function* activatePort(context: number) {
    const port = d.local("NDIS_PORT", {
      PortCharacteristics_PortNumber: get(context, PORT),
      PortCharacteristics_Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS",
    });
    d.header(
      d.addressOf("NDIS_PORT", port.address, "PortCharacteristics"),
      "NDIS_OBJECT_TYPE_DEFAULT",
      1,
      "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1",
    );
    const status = yield* raisePortEvent(context, "NetEventPortActivation", port.address, 80);
    set(context, IS_ACTIVE, status === SUCCESS ? 1 : 0);
    return status;
  }

  function* releasePort(context: number) {
    if (get(context, PORT) === 0) return;
    if (deactivatesFirst && get(context, IS_ACTIVE) === 1) {
      yield* raisePortEvent(context, "NetEventPortDeactivation", context + PORT, 4);
      set(context, IS_ACTIVE, 0);
    }
    yield* d.NdisMFreePort(get(context, HANDLE), get(context, PORT));
    set(context, PORT, 0);
  }

  function* freeAdapter(context: number) {
    yield* releasePort(context);
    if (get(context, POOL) !== 0) yield* d.NdisFreeNetBufferListPool(get(context, POOL));
    yield* d.NdisFreeMemory(context, 0, 0);
  }

  function* setAttributes(context: number) {
    const registration = d.local("NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES", { MiniportAdapterContext: context });
    d.header(
      registration.address,
      "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES",
      1,
      "NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1",
    );
    const status = yield* d.NdisMSetMiniportAttributes(get(context, HANDLE), registration.address);
    if (status !== SUCCESS) return status;
    const general = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
      MediaType: "NdisMedium802_3",
      MtuSize: 1500,
      LookaheadSize: 1500,
      MediaConnectState: "MediaConnectStateConnected",
      MacAddressLength: 6,
    });
    d.header(
      general.address,
      "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
      1,
      "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1",
    );
    return yield* d.NdisMSetMiniportAttributes(get(context, HANDLE), general.address);
  }

  return {
    *DriverEntry(driverObject, registryPath) {
      const miniport = d.local("NDIS_MINIPORT_DRIVER_CHARACTERISTICS", {
        MajorNdisVersion: 6,
        InitializeHandlerEx: d.handler("MiniportInitializeEx"),
        HaltHandlerEx: d.handler("MiniportHaltEx"),
        UnloadHandler: d.handler("MiniportDriverUnload"),
        PauseHandler: d.handler("MiniportPause"),
        RestartHandler: d.handler("MiniportRestart"),
        OidRequestHandler: d.handler("MiniportOidRequest"),
        SendNetBufferListsHandler: d.handler("MiniportSendNetBufferLists"),
        ReturnNetBufferListsHandler: d.handler("MiniportReturnNetBufferLists"),
        CancelSendHandler: d.handler("MiniportCancelSend"),
        CancelOidRequestHandler: d.handler("MiniportCancelOidRequest"),
        DevicePnPEventNotifyHandler: d.handler("MiniportDevicePnPEventNotify"),
        ShutdownHandlerEx: d.handler("MiniportShutdownEx"),
      });
      d.header(
        miniport.address,
        "NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS",
        1,
        "NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1",
      );
      return yield* d.NdisMRegisterMiniportDriver(driverObject, registryPath, 0, miniport.address, driverHandle);
    },

    *MiniportDriverUnload() {
      yield* d.NdisMDeregisterMiniportDriver(memory.readU32(driverHandle));
    },

    *MiniportInitializeEx(handle) {
      const context = yield* d.NdisAllocateMemoryWithTagPriority(handle, CONTEXT_BYTES, TAG, 0);
      if (context === 0) return "NDIS_STATUS_RESOURCES";
      set(context, HANDLE, handle);
      yield* d.NdisAllocateSpinLock(context + LOCK);
      let status = yield* setAttributes(context);
      if (status === SUCCESS) {
        const pool = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { fAllocateNetBuffer: 1, PoolTag: TAG });
        d.header(pool.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
        set(context, POOL, yield* d.NdisAllocateNetBufferListPool(handle, pool.address));
        status = get(context, POOL) === 0 ? d.constant("NDIS_STATUS_RESOURCES") : yield* allocatePort(context);
      }
      if (status === SUCCESS) status = yield* activatePort(context);
      if (status !== SUCCESS) yield* freeAdapter(context);
      return status;
    },

    *MiniportHaltEx(context) {
      yield* freeAdapter(context);
    },

    *MiniportRestart(context) {
      yield* d.NdisAcquireSpinLock(context + LOCK);
      set(context, IS_RUNNING, 1);
      yield* d.NdisReleaseSpinLock(context + LOCK);
      return SUCCESS;
    },

    *MiniportPause(context) {
      // Every receive is indicated with the RESOURCES flag, so that none is out when the indication returns.
      yield* d.NdisAcquireSpinLock(context + LOCK);
      set(context, IS_RUNNING, 0);
      yield* d.NdisReleaseSpinLock(context + LOCK);
      return SUCCESS;
    },

    *MiniportSendNetBufferLists(context, lists, port, flags) {
      yield* d.NdisAcquireSpinLock(context + LOCK);
      const isRunning = get(context, IS_RUNNING) === 1;
      yield* d.NdisReleaseSpinLock(context + LOCK);
      for (let list = lists; list !== 0; list = d.view("NET_BUFFER_LIST", list).Next) {
        const sent = d.view("NET_BUFFER", d.view("NET_BUFFER_LIST", list).FirstNetBuffer);
        if (isRunning) {
          const copy = yield* d.NdisAllocateNetBufferAndNetBufferList(
            get(context, POOL),
            0,
            0,
            sent.MdlChain,
            sent.DataOffset,
            sent.DataLength,
          );
          if (copy !== 0) {
            const RESOURCES = d.constant("NDIS_RECEIVE_FLAGS_RESOURCES");
            yield* d.NdisMIndicateReceiveNetBufferLists(get(context, HANDLE), copy, port, 1, RESOURCES);
            yield* d.NdisFreeNetBufferList(copy);
          }
        }
        d.view("NET_BUFFER_LIST", list).Status = isRunning ? SUCCESS : d.constant("NDIS_STATUS_PAUSED");
      }
      const isDispatch = (flags & d.constant("NDIS_SEND_FLAGS_DISPATCH_LEVEL")) !== 0;
      const completeFlags = isDispatch ? d.constant("NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL") : 0;
      yield* d.NdisMSendNetBufferListsComplete(get(context, HANDLE), lists, completeFlags);
    },

    MiniportOidRequest(_context, request) {
      const given = d.view("NDIS_OID_REQUEST", request);
      const isSet = given.RequestType === d.constant("NdisRequestSetInformation");
      const oid = given.DATA_SET_INFORMATION_Oid;
      const isKnown = oid === d.constant("OID_GEN_CURRENT_PACKET_FILTER") || oid === d.constant("OID_GEN_CURRENT_LOOKAHEAD");
      if (!isSet || !isKnown) return "NDIS_STATUS_NOT_SUPPORTED";
      given.DATA_SET_INFORMATION_BytesRead = 4;
      return SUCCESS;
    },

    MiniportReturnNetBufferLists() {},
    MiniportCancelSend() {},
    MiniportCancelOidRequest() {},
    MiniportDevicePnPEventNotify() {},
    MiniportShutdownEx() {},
  };
}

export default defineDriver("port-miniport", (d) => portMiniport(d, true));
