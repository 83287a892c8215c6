/**
 * The characteristics of a port, and its link and authentication state, as they are told to protocols: NDIS_PORT structures, NDIS_PORT_STATE.
 *
 * Pages: ns-ntddndis-_ndis_port_characteristics, ns-ntddndis-_ndis_port_state, oid-gen-port-state, ndis-status-port-state.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { listOf } from "../kernel/lists.ts";
import type { Adapter } from "./objects.ts";
import { Port } from "./port-objects.ts";

export const PortCharacteristics = windowsStruct("NDIS_PORT_CHARACTERISTICS");
export const PortState = windowsStruct("NDIS_PORT_STATE");
export const Authentication = windowsStruct("NDIS_PORT_AUTHENTICATION_PARAMETERS");
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const USE_DEFAULT_AUTH_SETTINGS = constant("NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS");

export const DEFAULT_PORT = 0;
/** What both structures have. */
const COMMON = [
  "Flags",
  "MediaConnectState",
  "XmitLinkSpeed",
  "RcvLinkSpeed",
  "Direction",
  "SendControlState",
  "RcvControlState",
  "SendAuthorizationState",
  "RcvAuthorizationState",
] as const;

export const portsOf = (k: Kernel, adapter: Adapter): Port[] => listOf(k.memory, Port, adapter.firstPort);

export function portNumbered(k: Kernel, adapter: Adapter, number: number): Port | undefined {
  return portsOf(k, adapter).find((port) => port.number === number);
}

/** Whether the port may be used for sends, receives, status and OID requests. */
export function isPortActive(k: Kernel, adapter: Adapter, number: number): boolean {
  return number === DEFAULT_PORT ? adapter.isDefaultPortActive : portNumbered(k, adapter, number)?.state === "Activated";
}

/** An indication for the port begins (1) or is over (-1). What is indicated for no port that there is counts for none. */
export function countIndication(k: Kernel, adapter: Adapter, number: number, change: 1 | -1): void {
  const port = number === DEFAULT_PORT ? undefined : portNumbered(k, adapter, number);
  if (port !== undefined) port.indicationsActive = Math.max(0, port.indicationsActive + change);
}

/**
 * Takes over what the driver says about the port at its allocation or activation; undefined: about the default port. The authorization of a
 * controlled port is the miniport's to enforce: NDIS keeps the states and blocks no data.
 */
export function describePort(k: Kernel, adapter: Adapter, port: Port | undefined, characteristics: number): void {
  const given = PortCharacteristics.at(k.memory, characteristics);
  const state = PortState.at(k.memory, port?.portState ?? adapter.defaultPortState);
  writeHeader(k, state.address, "NDIS_OBJECT_TYPE_PORT_STATE", 1, "NDIS_SIZEOF_PORT_STATE_REVISION_1");
  if (port !== undefined) port.type = given.Type;
  for (const name of COMMON) copyField(state, given, name);
  // With default authentication settings NDIS assigns the states and ignores those that were passed.
  if ((given.Flags & USE_DEFAULT_AUTH_SETTINGS) !== 0) setDefaultAuthentication(state);
}

/** Undocumented: what the default authentication settings are. A port is not controlled. */
function setDefaultAuthentication(states: ReturnType<typeof Authentication.at> | ReturnType<typeof PortState.at>): void {
  states.SendControlState = constant("NdisPortControlStateUncontrolled");
  states.RcvControlState = constant("NdisPortControlStateUncontrolled");
  states.SendAuthorizationState = constant("NdisPortAuthorizationUnknown");
  states.RcvAuthorizationState = constant("NdisPortAuthorizationUnknown");
}

/** The authentication states of the default port, as MiniportInitializeEx is told them. */
export function writeDefaultAuthentication(k: Kernel, address: number): void {
  writeHeader(k, address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_AUTHENTICATION_PARAMETERS_REVISION_1");
  setDefaultAuthentication(Authentication.at(k.memory, address));
}

type Described = ReturnType<typeof PortState.at> | ReturnType<typeof PortCharacteristics.at>;
function copyField<N extends (typeof COMMON)[number]>(to: Described, from: Described, name: N): void {
  (to as Described)[name] = from[name];
}

/** Writes the characteristics of the port; undefined: of the default port, of which only a driver that controls it says something. */
export function writeCharacteristics(k: Kernel, adapter: Adapter, port: Port | undefined, address: number): void {
  writeHeader(k, address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
  const structure = PortCharacteristics.at(k.memory, address);
  structure.PortNumber = port?.number ?? DEFAULT_PORT;
  structure.Type = port?.type ?? constant("NdisPortTypeUndefined");
  for (const name of COMMON) copyField(structure, PortState.at(k.memory, port?.portState ?? adapter.defaultPortState), name);
}

/** The NDIS_PORT_STATE of an active port. The default port's is the adapter's link state until the miniport has indicated another. */
export function portStateBytes(k: Kernel, adapter: Adapter, number: number): Uint8Array | undefined {
  const address = number === DEFAULT_PORT ? adapter.defaultPortState : portNumbered(k, adapter, number)?.portState;
  if (address === undefined || !isPortActive(k, adapter, number)) return undefined;
  const isDerived = number === DEFAULT_PORT && k.memory.readU32(address) === 0;
  if (isDerived) describeDefaultPort(k, adapter);
  const bytes = k.memory.u8.slice(address, address + PortState.bytes);
  // The link state may be another one at the next query.
  if (isDerived) k.memory.u8.fill(0, address, address + PortState.bytes);
  return bytes;
}

function describeDefaultPort(k: Kernel, adapter: Adapter): void {
  const state = PortState.at(k.memory, adapter.defaultPortState);
  if (adapter.generalAttributes === 0) return;
  const attributes = GeneralAttributes.at(k.memory, adapter.generalAttributes);
  writeHeader(k, state.address, "NDIS_OBJECT_TYPE_PORT_STATE", 1, "NDIS_SIZEOF_PORT_STATE_REVISION_1");
  state.MediaConnectState = attributes.MediaConnectState;
  state.XmitLinkSpeed = attributes.XmitLinkSpeed;
  state.RcvLinkSpeed = attributes.RcvLinkSpeed;
  state.Direction = attributes.DirectionType;
}

/** The miniport has indicated NDIS_STATUS_PORT_STATE: from now on that is the port's state. */
export function rememberPortState(k: Kernel, adapter: Adapter, number: number, buffer: number): void {
  const address = number === DEFAULT_PORT ? adapter.defaultPortState : portNumbered(k, adapter, number)?.portState;
  if (address !== undefined) k.memory.copy(address, buffer, PortState.bytes);
}
