/** What NDIS keeps of each thing: in kernel memory, as objects with handles. The states are those of the contract's state machines. */
import { interfaceObjectTypes } from "./interface-objects.ts";
import { portObjectTypes } from "./port-objects.ts";
import { resourceObjectTypes } from "./resource-objects.ts";
import { type ViewOf, boolean, oneOf, pointer, struct, u32, words } from "../kernel/struct.ts";

export const ADAPTER_STATES = ["Halted", "Initializing", "Paused", "Restarting", "Running", "Pausing", "Shutdown"] as const;
export const BINDING_STATES = ["Unbound", "Opening", "Paused", "Restarting", "Running", "Pausing", "Closing"] as const;

/** A miniport driver: between NdisMRegisterMiniportDriver and NdisMDeregisterMiniportDriver. */
export const MiniportDriver = struct("MiniportDriver", {
  slot: u32,
  /** MiniportDriverContext. */
  context: u32,
  /** The DRIVER_OBJECT that it registered with. */
  driverObject: u32,
  majorVersion: u32,
  minorVersion: u32,
  initialize: u32,
  halt: u32,
  unload: u32,
  pause: u32,
  restart: u32,
  oidRequest: u32,
  directOidRequest: u32,
  cancelDirectOidRequest: u32,
  synchronousOidRequest: u32,
  sendNetBufferLists: u32,
  returnNetBufferLists: u32,
  cancelSend: u32,
  checkForHang: u32,
  reset: u32,
  devicePnPEventNotify: u32,
  shutdown: u32,
  cancelOidRequest: u32,
  /** Optional handlers, of a miniport that takes part in Plug and Play. */
  addDevice: u32,
  removeDevice: u32,
  filterResourceRequirements: u32,
  startDevice: u32,
  /** MiniportSetOptions runs. */
  isSettingOptions: boolean,
});
export type MiniportDriver = ViewOf<typeof MiniportDriver>;

/** A miniport adapter, from its start to its halt. */
export const Adapter = struct("Adapter", {
  state: oneOf(...ADAPTER_STATES),
  miniport: pointer(() => MiniportDriver),
  /** MiniportAdapterContext, from the registration attributes. */
  context: u32,
  /** MiniportAddDeviceContext, from its own registration attributes. */
  addDeviceContext: u32,
  isDeviceAdded: boolean,
  /** Addresses of the DEVICE_OBJECTs. */
  physicalDevice: u32,
  functionalDevice: u32,
  /** Which adapter of the scenario it is; its name is made from that. */
  index: u32,
  /** Address of a UNICODE_STRING with its device name. */
  name: u32,
  hasRegistrationAttributes: boolean,
  hasGeneralAttributes: boolean,
  attributeFlags: u32,
  /** Address of NDIS's copy of the general attributes. */
  generalAttributes: u32,
  /** Address of NDIS's copy of the list of OIDs. */
  supportedOids: u32,
  /** Lowest layer of the stack: the miniport's. */
  bottom: u32,
  /** Highest layer of the stack: bindings send there. */
  top: u32,
  firstBinding: u32,
  firstPort: u32,
  /** The highest number that a port of it ever had: lower ones were all allocated at some time. */
  highestPort: u32,
  /** Ports are ready from the registration attributes on; port 0 is active by default. */
  isDefaultPortActive: boolean,
  /** An NDIS_PORT_STATE of the default port; zeros: the miniport has indicated none. */
  defaultPortState: words(12),
  /** Set when NdisMPauseComplete, NdisMRestartComplete came for the operation under way. */
  isPausePending: boolean,
  isRestartPending: boolean,
  restartStatus: u32,
  /** A reset: in the miniport's handler, pending there, complete, its settings being restored, the protocols being told. */
  reset: oneOf("none", "in-callback", "pending", "complete", "restoring", "ending"),
  resetStatus: u32,
  /** NDIS is to restore the address settings after the reset. */
  isAddressingReset: boolean,
  /** MiniportCheckForHangEx runs. */
  isCheckingForHang: boolean,
  /** Lists that were indicated and are not back. */
  receivesOutstanding: u32,
  /** Requests that wait for the one before them, in order. */
  firstOid: u32,
  /** Direct requests, which wait for nobody. */
  firstDirectOid: u32,
  /** Combined packet filter that the miniport was told. */
  packetFilter: u32,
  /** How many multicast addresses it was told. */
  multicastCount: u32,
  /** No check for hang and no reset begins any more. */
  isWatchOver: boolean,
  /** Asleep from the end of OID_PNP_SET_POWER to the beginning of the one that wakes it. */
  power: oneOf("awake", "falling asleep", "asleep", "waking"),
  /** Set from the call of MiniportHaltEx on. */
  isHalting: boolean,
  /** A stack is started, paused, bound or halted by one thread at a time. */
  busy: u32,
});
export type Adapter = ViewOf<typeof Adapter>;

/** One driver in the stack of an adapter. Sends and OID requests go down from layer to layer, receives and status up. */
export const Layer = struct("Layer", {
  kind: oneOf("Miniport", "Filter"),
  adapter: pointer(() => Adapter),
  /** What it takes part in: bits of PATHS in layers.ts. */
  paths: u32,
  above: u32,
  below: u32,
});
export type Layer = ViewOf<typeof Layer>;

/** A protocol driver: between NdisRegisterProtocolDriver and NdisDeregisterProtocolDriver. */
export const ProtocolDriver = struct("ProtocolDriver", {
  slot: u32,
  context: u32,
  majorVersion: u32,
  minorVersion: u32,
  /** Address of NDIS's copy of the name, a UNICODE_STRING. */
  name: u32,
  bindAdapterEx: u32,
  unbindAdapterEx: u32,
  openAdapterCompleteEx: u32,
  closeAdapterCompleteEx: u32,
  netPnPEvent: u32,
  uninstall: u32,
  oidRequestComplete: u32,
  directOidRequestComplete: u32,
  statusEx: u32,
  receiveNetBufferLists: u32,
  sendNetBufferListsComplete: u32,
  /** Events for the driver as a whole that are under way: deregistration waits for them. */
  eventsActive: u32,
  /** NdisDeregisterProtocolDriver was called, or the driver is being uninstalled: nothing new is bound. */
  isDeregistering: boolean,
});
export type ProtocolDriver = ViewOf<typeof ProtocolDriver>;

/** A binding of a protocol to an adapter, from the call of ProtocolBindAdapterEx until it is Unbound again. */
export const Binding = struct("Binding", {
  state: oneOf(...BINDING_STATES),
  protocol: pointer(() => ProtocolDriver),
  adapter: pointer(() => Adapter),
  /** ProtocolBindingContext, from NdisOpenAdapterEx. */
  context: u32,
  next: u32,
  /** The bind callback's part: NdisCompleteBindAdapterEx brings the status. */
  bind: oneOf("idle", "in-callback", "bind-pending", "complete"),
  bindStatus: u32,
  /** Address of the NDIS_BIND_PARAMETERS while the bind is under way. */
  bindParameters: u32,
  open: oneOf("not open", "opening", "open-pending", "open"),
  openStatus: u32,
  /** Which of the offered media fits. */
  mediumIndex: u32,
  close: oneOf("open", "closing-sync", "close-pending", "closed"),
  /** Set when NdisCloseAdapterEx is called: the handle is invalid from here. */
  isHandleClosed: boolean,
  /** "over": nothing is left of it but the bind that it came in place of. */
  unbind: oneOf("idle", "in-callback", "unbind-pending", "complete", "over"),
  /** An unbind was asked for, by whomever, and runs or will run. */
  isUnbindRequested: boolean,
  /** The stack restarts and has not told this binding yet. */
  isRestartDue: boolean,
  /** Lists sent and not completed. */
  sendsOutstanding: u32,
  /** Lists indicated to it that it has not returned. */
  receivesHeld: u32,
  oidsOutstanding: u32,
  /** Ports that it was told of: see port-objects.ts. */
  firstKnownPort: u32,
  /** Calls of its receive and status handlers under way: a close waits for them. */
  indicationsActive: u32,
  packetFilter: u32,
  lookahead: u32,
  /** Its multicast addresses: see multicast.ts. */
  multicast: u32,
  multicastCount: u32,
});
export type Binding = ViewOf<typeof Binding>;

/** Stands for one call of ProtocolBindAdapterEx; its handle is the BindContext. */
export const BindOperation = struct("BindOperation", { binding: pointer(() => Binding) });
/** Stands for one call of ProtocolUnbindAdapterEx; its handle is the UnbindContext. */
export const UnbindOperation = struct("UnbindOperation", { binding: pointer(() => Binding) });

/** One network PnP event on its way to one binding. */
export const PnPEvent = struct("PnPEvent", {
  binding: pointer(() => Binding),
  /** Address of the NET_PNP_EVENT_NOTIFICATION. */
  notification: u32,
  isComplete: boolean,
  status: u32,
});
export type PnPEvent = ViewOf<typeof PnPEvent>;

/** An OID request that NDIS has accepted, until it is completed to whoever made it. */
export const OidOperation = struct("OidOperation", {
  adapter: pointer(() => Adapter),
  /** None: NDIS itself asks. */
  binding: pointer(() => Binding),
  /** Address of the NDIS_OID_REQUEST. */
  request: u32,
  /** The request that the miniport gets: that one, or one of NDIS's own in its place. */
  handed: u32,
  state: oneOf("Queued", "Active", "Complete"),
  status: u32,
  isCancelled: boolean,
  /** The miniport has answered NDIS_STATUS_PENDING. */
  isPended: boolean,
  /** How often the miniport was asked whether it hangs since it has the request. */
  hangChecks: u32,
  /** The multicast list that the binding has when the request succeeds: see multicast.ts. */
  proposal: u32,
  proposalCount: u32,
  next: u32,
});
export type OidOperation = ViewOf<typeof OidOperation>;

/** A NET_BUFFER_LIST pool or a NET_BUFFER pool. */
export const BufferPool = struct("BufferPool", {
  kind: oneOf("NetBufferList", "NetBuffer"),
  slot: u32,
  /** The handle that it was allocated with. */
  owner: u32,
  contextBytes: u32,
  dataBytes: u32,
  allocatesNetBuffer: boolean,
  tag: u32,
  /** For what NDIS derives without a pool of the caller's. */
  isOfNdis: boolean,
  /** Of the lists of the pool; 0: no certain protocol. */
  protocolId: u32,
  /** Allocated and not freed. */
  outstanding: u32,
});
export type BufferPool = ViewOf<typeof BufferPool>;

/** A scatter/gather DMA channel of an adapter. */
export const ScatterGatherDma = struct("ScatterGatherDma", {
  slot: u32,
  adapter: pointer(() => Adapter),
  processList: u32,
  sharedMemoryComplete: u32,
  /** Lists that the driver has. */
  outstanding: u32,
});
export type ScatterGatherDma = ViewOf<typeof ScatterGatherDma>;

export const objectTypes = [
  MiniportDriver,
  Adapter,
  Layer,
  ProtocolDriver,
  Binding,
  BindOperation,
  UnbindOperation,
  PnPEvent,
  OidOperation,
  BufferPool,
  ScatterGatherDma,
  ...interfaceObjectTypes,
  ...portObjectTypes,
  ...resourceObjectTypes,
];
