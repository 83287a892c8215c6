/**
 * NDIS ports: allocate, activate, deactivate, free. Port 0 is the default port; it belongs to NDIS and is never allocated or freed by a driver.
 *
 * Pages: allocating-an-ndis-port, activating-an-ndis-port, deactivating-an-ndis-port, freeing-an-ndis-port, default-ndis-port,
 * nf-ndis-ndismallocateport, nf-ndis-ndismfreeport, nf-ndis-ndismnetpnpevent.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { bindingsAbove } from "./layers.ts";
import { append, listOf, remove } from "../kernel/lists.ts";
import { type Adapter, Port } from "./objects.ts";
import { NET_EVENT, deliverEvent } from "./pnp-events.ts";
import { NdisPort } from "./port-lists.ts";
import { bindToRunningStack } from "./protocol-binding.ts";
import { NDIS_STATUS_SUCCESS, adapterAt, adapterOf, bindingsOf } from "./stack.ts";
import { freeStack, unbind } from "./unbind.ts";

export const DEFAULT_PORT = 0;
const LAST_PORT = 0xff_ffff;
const Characteristics = windowsStruct("NDIS_PORT_CHARACTERISTICS");
const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");
const USE_DEFAULT_AUTH_SETTINGS = constant("NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS");

export const portsOf = (k: Kernel, adapter: Adapter): Port[] => listOf(k.memory, Port, adapter.firstPort);

export function portNumbered(k: Kernel, adapter: Adapter, number: number): Port | undefined {
  return portsOf(k, adapter).find((port) => port.number === number);
}

/** Whether the port may be used for sends, receives, status and OID requests. */
export function isPortActive(k: Kernel, adapter: Adapter, number: number): boolean {
  return number === DEFAULT_PORT ? adapter.isDefaultPortActive : portNumbered(k, adapter, number)?.state === "Activated";
}

/** NDIS assigns the lowest number that is free. */
function lowestFreeNumber(k: Kernel, adapter: Adapter): number {
  const taken = new Set(portsOf(k, adapter).map(({ number }) => number));
  let number = 1;
  while (taken.has(number)) number += 1;
  return number;
}

function allocatePort(k: Kernel, handle: number, characteristics: number): number | string {
  const adapter = adapterOf(k, handle);
  if (adapter === undefined) return "NDIS_STATUS_INVALID_DATA";
  // Ports may be allocated only until MiniportHaltEx is called.
  if (adapter.isHalting) return "NDIS_STATUS_CLOSING";
  // A port may be allocated only after the registration attributes are set. Undocumented: which status a call before that gets.
  if (!adapter.hasRegistrationAttributes) return "NDIS_STATUS_INVALID_DATA";
  // The pages use NDIS_OBJECT_TYPE_DEFAULT for the header, the headers declare NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS: both are taken.
  const types = ["NDIS_OBJECT_TYPE_DEFAULT", "NDIS_OBJECT_TYPE_PORT_CHARACTERISTICS"] as const;
  if (!hasHeader(k, characteristics, types, ["NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1"])) return "NDIS_STATUS_INVALID_DATA";
  if (k.choose(2, "NdisMAllocatePort: no resources") === 1) return "NDIS_STATUS_RESOURCES";
  const number = lowestFreeNumber(k, adapter);
  if (number > LAST_PORT) return "NDIS_STATUS_RESOURCES";
  const given = Characteristics.at(k.memory, characteristics);
  const port = k.objects.create(Port);
  port.number = number;
  describe(port, given);
  adapter.firstPort = append(k.memory, Port, adapter.firstPort, port);
  given.PortNumber = number;
  tellState(k, number, "Unallocated", "Allocated");
  return NDIS_STATUS_SUCCESS;
}

function describe(port: Port, given: { Type: number; Flags: number; SendControlState: number; RcvControlState: number }): void {
  port.type = given.Type;
  port.flags = given.Flags;
  // With default authentication settings NDIS assigns the states and ignores those that were passed.
  const isDefault = (given.Flags & USE_DEFAULT_AUTH_SETTINGS) !== 0;
  port.sendControlState = isDefault ? constant("NdisPortControlStateUncontrolled") : given.SendControlState;
  port.receiveControlState = isDefault ? constant("NdisPortControlStateUncontrolled") : given.RcvControlState;
}

function tellState(k: Kernel, number: number, from: string, to: string): void {
  k.emit("state", "port", () => ({ kind: "state", object: "port", address: number, from, to }));
}

function freePort(k: Kernel, handle: number, number: number): number | string {
  const adapter = adapterOf(k, handle);
  if (adapter === undefined) return "NDIS_STATUS_INVALID_PORT";
  // NDIS frees the default port itself: a driver that tries is refused.
  if (number === DEFAULT_PORT) return "NDIS_STATUS_INVALID_PORT";
  // Undocumented: the page lists INVALID_PORT and INVALID_DATA for a bad number without saying which applies when. A number that no
  // port can have is bad data; one that is merely not allocated is an invalid port.
  if (number > LAST_PORT) return "NDIS_STATUS_INVALID_DATA";
  const port = portNumbered(k, adapter, number);
  if (port === undefined) return "NDIS_STATUS_INVALID_PORT";
  // Only a port in the Allocated state can be freed.
  if (port.state !== "Allocated") return "NDIS_STATUS_INVALID_PORT_STATE";
  adapter.firstPort = remove(k.memory, Port, adapter.firstPort, port);
  k.objects.release(port);
  tellState(k, number, "Allocated", "Unallocated");
  return NDIS_STATUS_SUCCESS;
}

/** NDIS has the default port of an adapter from its registration attributes on, and activates it unless the miniport controls it. */
export function allocateDefaultPort(k: Kernel, adapter: Adapter, isControlled: boolean): void {
  adapter.isDefaultPortActive = !isControlled;
  tellState(k, DEFAULT_PORT, "Unallocated", "Allocated");
  if (!isControlled) tellState(k, DEFAULT_PORT, "Allocated", "Activated");
}

/** NDIS frees the default port itself, when MiniportHaltEx has returned. */
export function freeDefaultPort(k: Kernel, adapter: Adapter): void {
  if (!adapter.hasRegistrationAttributes) return;
  if (adapter.isDefaultPortActive) tellState(k, DEFAULT_PORT, "Activated", "Allocated");
  adapter.isDefaultPortActive = false;
  tellState(k, DEFAULT_PORT, "Allocated", "Unallocated");
}

/** Port numbers that an event of the miniport names; undefined: the event is malformed. */
function namedPorts(k: Kernel, notification: number): number[] | undefined {
  const given = Notification.at(k.memory, notification);
  const { NetPnPEvent_Buffer: buffer, NetPnPEvent_BufferLength: length } = given;
  // Undocumented: what becomes of an event whose own PortNumber is not zero, as the pages demand. It is carried out; a rule tells.
  if (buffer === 0 || length === 0) return undefined;
  if (given.NetPnPEvent_NetEvent === NET_EVENT.PortDeactivation) {
    return Array.from({ length: Math.floor(length / 4) }, (_, index) => k.memory.readU32(buffer + index * 4));
  }
  const numbers: number[] = [];
  for (let address = buffer; address !== 0 && numbers.length <= LAST_PORT; ) {
    const structure = NdisPort.at(k.memory, address);
    numbers.push(structure.PortCharacteristics_PortNumber);
    address = structure.Next;
  }
  return numbers;
}

interface Refusal {
  readonly status: string;
  /** The port that stands in the way. */
  readonly number: number;
}

/** Why not all of the listed ports can go to that state; undefined: they can. If one cannot, none changes. */
function refusal(
  k: Kernel,
  adapter: Adapter,
  numbers: readonly number[],
  wanted: "Activated" | "Allocated",
): Refusal | undefined {
  // The default port may only be alone in its list.
  if (numbers.includes(DEFAULT_PORT)) {
    if (numbers.length > 1) return { status: "NDIS_STATUS_INVALID_PORT", number: DEFAULT_PORT };
    const isThere = adapter.isDefaultPortActive === (wanted === "Activated");
    return isThere ? { status: "NDIS_STATUS_INVALID_PORT_STATE", number: DEFAULT_PORT } : undefined;
  }
  const missing = numbers.find((number) => portNumbered(k, adapter, number) === undefined);
  if (missing !== undefined) return { status: "NDIS_STATUS_INVALID_PORT", number: missing };
  const inState = numbers.find((number) => portNumbered(k, adapter, number)?.state === wanted);
  return inState === undefined ? undefined : { status: "NDIS_STATUS_INVALID_PORT_STATE", number: inState };
}

function setPorts(k: Kernel, adapter: Adapter, numbers: readonly number[], to: "Activated" | "Allocated"): void {
  for (const number of numbers) {
    const port = portNumbered(k, adapter, number);
    const from = to === "Activated" ? "Allocated" : "Activated";
    if (number === DEFAULT_PORT) adapter.isDefaultPortActive = to === "Activated";
    else if (port !== undefined) port.state = to;
    tellState(k, number, from, to);
  }
}

const EventLocals = struct("NetPnPEventCall", {
  handle: u32,
  notification: u32,
  adapter: u32,
  index: u32,
  hasStack: boolean,
});

const netPnPEvent = plan("NdisMNetPnPEvent", EventLocals, [
  step("the event is looked at", (k, p): Next | undefined => {
    const adapter = adapterOf(k, p.handle);
    if (adapter === undefined) return done(constant("NDIS_STATUS_INVALID_PARAMETER"));
    p.adapter = adapter.address;
    const { NetPnPEvent_NetEvent: code } = Notification.at(k.memory, p.notification);
    if (code !== NET_EVENT.PortActivation && code !== NET_EVENT.PortDeactivation) return goTo("the next protocol gets the event");
    const numbers = namedPorts(k, p.notification);
    const wanted = code === NET_EVENT.PortActivation ? "Activated" : "Allocated";
    const malformed = { status: "NDIS_STATUS_INVALID_PARAMETER", number: DEFAULT_PORT };
    const refused = numbers === undefined ? malformed : refusal(k, adapter, numbers, wanted);
    if (numbers === undefined || refused !== undefined) {
      const { status, number } = refused ?? malformed;
      k.note("port event refused", number, wanted === "Activated" ? 1 : 0, status);
      return done(constant(status));
    }
    if (wanted === "Activated") {
      for (let at = Notification.at(k.memory, p.notification).NetPnPEvent_Buffer; at !== 0; at = NdisPort.at(k.memory, at).Next) {
        const port = portNumbered(k, adapter, NdisPort.at(k.memory, at).PortCharacteristics_PortNumber);
        if (port !== undefined) describe(port, Characteristics.at(k.memory, at + NdisPort.offset("PortCharacteristics_Header")));
      }
      setPorts(k, adapter, numbers, "Activated");
      // NDIS starts bindings when the default port becomes active; overlying drivers learn of active ports only after that.
      if (numbers.includes(DEFAULT_PORT)) {
        k.startThread("WorkItem", { kind: "plan", plan: bindToRunningStack, args: [p.adapter] });
        return done(NDIS_STATUS_SUCCESS);
      }
      return adapter.isDefaultPortActive ? goTo("the next protocol gets the event") : done(NDIS_STATUS_SUCCESS);
    }
    return numbers.includes(DEFAULT_PORT) ? undefined : goTo("the next protocol gets the event");
  }),
  until("no other operation changes the stack, or it is this one", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    return p.hasStack || adapter.isHalting || adapter.busy === 0;
  }),
  step("deactivating the default port closes every binding", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    if (!adapter.isHalting) {
      adapter.busy = 1;
      p.hasStack = true;
    }
    const binding = bindingsOf(k, adapter)[0];
    return binding === undefined ? goTo("the listed ports have changed") : run(unbind, [binding.address]);
  }),
  step("is there another binding?", () => goTo("deactivating the default port closes every binding")),
  step("the next protocol gets the event", (k, p) => {
    const binding = bindingsAbove(k, adapterAt(k, p.adapter), "pnpEvent")[p.index];
    if (binding === undefined) return goTo("the listed ports have changed");
    p.index += 1;
    if (binding.open !== "open" || binding.isHandleClosed) return goTo("the next protocol gets the event");
    const {
      NetPnPEvent_NetEvent: code,
      NetPnPEvent_Buffer: buffer,
      NetPnPEvent_BufferLength: length,
    } = Notification.at(k.memory, p.notification);
    return run(deliverEvent, [binding.address, code, buffer, length]);
  }),
  step("is there another protocol?", () => goTo("the next protocol gets the event")),
  step("the listed ports have changed", (k, p) => {
    if (p.hasStack) freeStack(k, p.adapter);
    // Until the deactivation call returns the ports are still active.
    if (Notification.at(k.memory, p.notification).NetPnPEvent_NetEvent === NET_EVENT.PortDeactivation) {
      setPorts(k, adapterAt(k, p.adapter), namedPorts(k, p.notification) ?? [], "Allocated");
    }
    return done(NDIS_STATUS_SUCCESS);
  }),
]);

export const portRoutines = [
  leaf("NdisMAllocatePort", allocatePort),
  leaf("NdisMFreePort", freePort),
  planned("NdisMNetPnPEvent", netPnPEvent),
];
