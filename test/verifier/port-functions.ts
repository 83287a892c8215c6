/** What scenarios tell changed drivers to do with ports. The port of the right miniport is number 1, and active. */
import {
  type Change,
  type Running,
  SUCCESS,
  activatePorts,
  adapter,
  binding,
  createFrame,
  deactivatePorts,
  freeFrames,
  isEvent,
  raise,
  sendOne,
  setGeneralAttributes,
  setRegistrationAttributes,
  createAdapterContext,
  freeAdapterContext,
} from "./support.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";

/** Allocates a port of that type; the number, or 0. */
export function* allocateOf(d: DriverEnvironment, handle: number, type: number): Running<number> {
  const characteristics = d.local("NDIS_PORT_CHARACTERISTICS", { Flags: "NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS", Type: type });
  d.header(characteristics.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
  const status = yield* d.NdisMAllocatePort(handle, characteristics.address);
  return status === SUCCESS ? characteristics.PortNumber : 0;
}

export const portFunctions: Change = (d, its) => {
  const handle = (): number => its.get(adapter.handle);
  function* indicateStatus(number: number, code: number, buffer: number, bytes: number) {
    const indication = d.local("NDIS_STATUS_INDICATION", {
      PortNumber: number,
      SourceHandle: handle(),
      StatusCode: code,
      StatusBuffer: buffer,
      StatusBufferSize: bytes,
    });
    d.header(indication.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
    yield* d.NdisMIndicateStatusEx(handle(), indication.address);
  }
  return {
    *Allocate(type) {
      yield* allocateOf(d, handle(), type ?? 0);
    },
    *Activate(...numbers) {
      yield* activatePorts(d, handle(), numbers);
    },
    *ActivateOf(portNumber, ...numbers) {
      yield* activatePorts(d, handle(), numbers, portNumber);
    },
    *Deactivate(...numbers) {
      yield* deactivatePorts(d, handle(), numbers);
    },
    *Free(number) {
      yield* d.NdisMFreePort(handle(), number);
    },
    /** The right miniport's halt leaves its port to the scenario. */
    Forget() {
      d.memory.writeU32(its.context() + adapter.port, 0);
    },
    *Indicate(number) {
      const list = yield* createFrame(d, its.context());
      yield* d.NdisMIndicateReceiveNetBufferLists(handle(), list, number, 1, d.constant("NDIS_RECEIVE_FLAGS_RESOURCES"));
      yield* freeFrames(d, list);
    },
    *IndicateStatus(number) {
      yield* indicateStatus(number, 0, 0, 0);
    },
    *IndicatePortState(number, bytes) {
      const state = d.local("NDIS_PORT_STATE", { MediaConnectState: "MediaConnectStateConnected" });
      d.header(state.address, "NDIS_OBJECT_TYPE_PORT_STATE", 1, "NDIS_SIZEOF_PORT_STATE_REVISION_1");
      yield* indicateStatus(number, d.constant("NDIS_STATUS_PORT_STATE"), state.address, bytes);
    },
    /** An event that is not about ports, from a port. */
    *EventFrom(number) {
      yield* raise(d, handle(), "NetEventNDKEnable", 0, 0, number);
    },
  };
};

/** A miniport that takes no notice of what it sends. */
export const completesSends: Change = (d, its) => ({
  *MiniportSendNetBufferLists(_context, lists) {
    yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
  },
});

/** A miniport without ports of its own. */
export const withoutPorts: Change = (d, its) => ({
  ...portFunctions(d, its),
  *MiniportInitializeEx(handle) {
    const context = yield* createAdapterContext(d, handle);
    yield* setRegistrationAttributes(d, handle, context);
    return yield* setGeneralAttributes(d, handle);
  },
  *MiniportHaltEx(context) {
    yield* freeAdapterContext(d, context);
  },
});

/** A protocol that sends and asks on ports. */
export const usesPorts: Change = (d, its) => {
  function* ask(port: number, isSet: boolean, oid: ConstantName) {
    const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
    d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
    request.RequestType = d.constant(isSet ? "NdisRequestSetInformation" : "NdisRequestQueryInformation");
    request.PortNumber = port;
    request.DATA_QUERY_INFORMATION_Oid = d.constant(oid);
    request.DATA_QUERY_INFORMATION_InformationBuffer = 0;
    request.DATA_QUERY_INFORMATION_InformationBufferLength = 0;
    yield* d.NdisOidRequest(its.get(binding.handle), request.address);
    return SUCCESS;
  }
  return {
    *SendOn(number) {
      yield* sendOne(d, its.context(), number);
    },
    AskOn: (number) => ask(number, false, "OID_GEN_VENDOR_ID"),
    SetAuthentication: (number) => ask(number, true, "OID_GEN_PORT_AUTHENTICATION_PARAMETERS"),
  };
};

/** A protocol whose handler of that event takes 20 ms. */
export const slowlyHandles =
  (event: ConstantName): Change =>
  (d, its) => ({
    ...usesPorts(d, its),
    *ProtocolNetPnPEvent(context, notification) {
      if (isEvent(d, notification, event)) yield* d.NdisMSleep(20_000);
      return yield* its.inherited("ProtocolNetPnPEvent", context, notification);
    },
  });

/** A protocol that sends on the port in its handler of that event. */
export const sendsDuring =
  (event: ConstantName, port: number): Change =>
  (d, its) => ({
    ...usesPorts(d, its),
    *ProtocolNetPnPEvent(context, notification) {
      if (isEvent(d, notification, event)) yield* sendOne(d, context, port);
      return yield* its.inherited("ProtocolNetPnPEvent", context, notification);
    },
  });

/** A protocol that answers that event with the status. */
export const answers =
  (event: ConstantName, status: number): Change =>
  (d, its) => ({
    ...usesPorts(d, its),
    *ProtocolNetPnPEvent(context, notification) {
      const right = yield* its.inherited("ProtocolNetPnPEvent", context, notification);
      return isEvent(d, notification, event) ? status : right;
    },
  });
