/**
 * A miniport that does with its ports what a test tells it, in TypeScript: the same driver as porter.c. It allocates ports in
 * MiniportInitializeEx, activates the first, and deactivates and frees all of them in MiniportHaltEx, or before a MiniportInitializeEx that
 * fails, unless `Exercise` has asked for something else.
 */
import { defineDriver } from "ndislab";

/** First argument of `Exercise`; the second is given in brackets. */
export const COMMAND = {
  /** [BEHAVIOUR flags] */
  Behave: 0,
  /** [how many ports MiniportInitializeEx allocates, not 0] */
  Ports: 1,
  /** [a port that is never freed] */
  Keep: 2,
  /** [the handler that frees the last port, if it is not active: one of HANDLER] */
  FreeIn: 3,
  /** a port more; its number */
  Allocate: 4,
  /** [a port] its status; so are those below */
  Free: 5,
  Activate: 6,
  Deactivate: 7,
  /** At DISPATCH_LEVEL. */
  FreeWithLock: 8,
} as const;

export const BEHAVIOUR = {
  /** After the ports are allocated. */
  FailsInitialize: 0x01,
  /** In MiniportHaltEx. */
  FreesDefaultPort: 0x02,
  /** Without deactivating them first. */
  FreesActivePorts: 0x04,
} as const;

/** Handlers that may free a port. */
export const HANDLER = { Initialize: 1, Restart: 2, Pause: 3, OidRequest: 4 } as const;

const TAG = 0x7872_7450;
const DEFAULT_PORT = 0;
const DEFAULT_PORTS = 2;
const MOST_PORTS = 8;

/** Fields of the adapter context, as offsets in bytes. */
const HANDLE = 0;
const COUNT = 4;
const LOCK = 8;
const PORTS = 16;
const ACTIVE = PORTS + MOST_PORTS * 4;
const CONTEXT_BYTES = ACTIVE + MOST_PORTS * 4;

export default defineDriver("porter", (d) => {
  const { memory } = d;
  const SUCCESS = d.constant("NDIS_STATUS_SUCCESS");
  const driverHandle = d.statics(4);
  const theAdapter = d.statics(4);
  const behaviour = d.statics(4);
  /** 0: DEFAULT_PORTS. */
  const initialPorts = d.statics(4);
  const keptPort = d.statics(4);
  const freeingHandler = d.statics(4);
  const get = (context: number, field: number): number => memory.readU32(context + field);
  const set = (context: number, field: number, value: number): void => memory.writeU32(context + field, value);
  const does = (what: keyof typeof BEHAVIOUR): boolean => (memory.readU32(behaviour) & BEHAVIOUR[what]) !== 0;

  function indexOf(context: number, number: number): number {
    let index = 0;
    while (index < get(context, COUNT) && get(context, PORTS + index * 4) !== number) index += 1;
    return index;
  }

  function* allocatePort(context: number) {
    const characteristics = d.local("NDIS_PORT_CHARACTERISTICS", {
      Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS",
      Type: "NdisPortTypeUndefined",
    });
    d.header(characteristics.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
    const status = yield* d.NdisMAllocatePort(get(context, HANDLE), characteristics.address);
    if (status !== SUCCESS) return status;
    const count = get(context, COUNT);
    set(context, PORTS + count * 4, characteristics.PortNumber);
    set(context, ACTIVE + count * 4, 0);
    set(context, COUNT, count + 1);
    return status;
  }

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

  function* activatePort(context: number, number: number) {
    const port = d.local("NDIS_PORT", {
      PortCharacteristics_PortNumber: number,
      PortCharacteristics_Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS",
    });
    const characteristics = d.addressOf("NDIS_PORT", port.address, "PortCharacteristics");
    d.header(characteristics, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
    const bytes = characteristics - port.address + d.constant("NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
    const status = yield* raisePortEvent(context, "NetEventPortActivation", port.address, bytes);
    if (status === SUCCESS) set(context, ACTIVE + indexOf(context, number) * 4, 1);
    return status;
  }

  function* deactivatePort(context: number, number: number) {
    const numbers = d.local("NDIS_PORT_CHARACTERISTICS").address;
    memory.writeU32(numbers, number);
    const status = yield* raisePortEvent(context, "NetEventPortDeactivation", numbers, 4);
    if (status === SUCCESS) set(context, ACTIVE + indexOf(context, number) * 4, 0);
    return status;
  }

  /** Frees the port, and takes it out of the adapter's list when NDIS has. */
  function* freePort(context: number, number: number) {
    const status = yield* d.NdisMFreePort(get(context, HANDLE), number); // MARK: free
    if (status !== SUCCESS) return status;
    const index = indexOf(context, number);
    const last = get(context, COUNT) - 1;
    set(context, COUNT, last);
    set(context, PORTS + index * 4, get(context, PORTS + last * 4));
    set(context, ACTIVE + index * 4, get(context, ACTIVE + last * 4));
    return status;
  }

  function* freePortIn(context: number, handler: keyof typeof HANDLER) {
    const count = get(context, COUNT);
    if (memory.readU32(freeingHandler) === HANDLER[handler] && count > 0)
      yield* freePort(context, get(context, PORTS + (count - 1) * 4));
  }

  /** Frees what is left of the ports, the last one first. */
  function* freePorts(context: number) {
    for (let index = get(context, COUNT) - 1; index >= 0; index -= 1) {
      const number = get(context, PORTS + index * 4);
      if (number === memory.readU32(keptPort)) continue;
      if (get(context, ACTIVE + index * 4) === 1 && !does("FreesActivePorts")) yield* deactivatePort(context, number);
      yield* freePort(context, number);
    }
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

  function* freeAdapter(context: number) {
    memory.writeU32(theAdapter, 0);
    yield* d.NdisFreeMemory(context, 0, 0);
  }

  function* freeWithLock(context: number, number: number) {
    yield* d.NdisAcquireSpinLock(context + LOCK);
    const status = yield* freePort(context, number);
    yield* d.NdisReleaseSpinLock(context + LOCK);
    return status;
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

    // MARK: initialize handler begins
    *MiniportInitializeEx(handle) {
      const context = yield* d.NdisAllocateMemoryWithTagPriority(handle, CONTEXT_BYTES, TAG, 0);
      if (context === 0) return "NDIS_STATUS_RESOURCES";
      yield* d.NdisAllocateSpinLock(context + LOCK);
      set(context, HANDLE, handle);
      memory.writeU32(theAdapter, context);
      let status = yield* setAttributes(context);
      const wanted = memory.readU32(initialPorts) || DEFAULT_PORTS;
      while (status === SUCCESS && get(context, COUNT) < wanted) status = yield* allocatePort(context);
      if (status === SUCCESS) status = yield* activatePort(context, get(context, PORTS));
      yield* freePortIn(context, "Initialize");
      if (status === SUCCESS && does("FailsInitialize")) status = d.constant("NDIS_STATUS_FAILURE");
      if (status !== SUCCESS) {
        yield* freePorts(context);
        yield* freeAdapter(context);
      }
      return status;
    },

    // MARK: halt handler begins
    *MiniportHaltEx(context) {
      yield* freePorts(context);
      if (does("FreesDefaultPort")) yield* d.NdisMFreePort(get(context, HANDLE), DEFAULT_PORT); // MARK: free the default port
      yield* freeAdapter(context);
    },

    *MiniportRestart(context) {
      yield* freePortIn(context, "Restart");
      return SUCCESS;
    },

    *MiniportPause(context) {
      yield* freePortIn(context, "Pause");
      return SUCCESS;
    },

    *MiniportOidRequest(context, request) {
      yield* freePortIn(context, "OidRequest");
      const given = d.view("NDIS_OID_REQUEST", request);
      if (given.RequestType !== d.constant("NdisRequestSetInformation")) return "NDIS_STATUS_NOT_SUPPORTED";
      given.DATA_SET_INFORMATION_BytesRead = given.DATA_SET_INFORMATION_InformationBufferLength;
      return SUCCESS;
    },

    *MiniportSendNetBufferLists(context, lists, _port, flags) {
      for (let list = lists; list !== 0; list = d.view("NET_BUFFER_LIST", list).Next)
        d.view("NET_BUFFER_LIST", list).Status = SUCCESS;
      const isDispatch = (flags & d.constant("NDIS_SEND_FLAGS_DISPATCH_LEVEL")) !== 0;
      const completeFlags = isDispatch ? d.constant("NDIS_SEND_COMPLETE_FLAGS_DISPATCH_LEVEL") : 0;
      yield* d.NdisMSendNetBufferListsComplete(get(context, HANDLE), lists, completeFlags);
    },

    MiniportReturnNetBufferLists() {},
    MiniportCancelSend() {},
    MiniportCancelOidRequest() {},
    MiniportDevicePnPEventNotify() {},
    MiniportShutdownEx() {},

    /** Called by the scenario. */
    *Exercise(what, value) {
      const context = memory.readU32(theAdapter);
      switch (what) {
        case COMMAND.Behave:
          memory.writeU32(behaviour, value);
          return 0;
        case COMMAND.Ports:
          memory.writeU32(initialPorts, value);
          return 0;
        case COMMAND.Keep:
          memory.writeU32(keptPort, value);
          return 0;
        case COMMAND.FreeIn:
          memory.writeU32(freeingHandler, value);
          return 0;
        case COMMAND.Allocate:
          yield* allocatePort(context);
          return get(context, PORTS + (get(context, COUNT) - 1) * 4);
        case COMMAND.Free:
          return yield* freePort(context, value);
        case COMMAND.Activate:
          return yield* activatePort(context, value);
        case COMMAND.Deactivate:
          return yield* deactivatePort(context, value);
        case COMMAND.FreeWithLock:
          return yield* freeWithLock(context, value);
        default:
          return 0;
      }
    },
  };
});
