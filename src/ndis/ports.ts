/**
 * NDIS ports: allocated and freed. Port 0 is the default port; it belongs to NDIS and is never allocated or freed by a driver.
 *
 * Pages: allocating-an-ndis-port, freeing-an-ndis-port, default-ndis-port, nf-ndis-ndismallocateport, nf-ndis-ndismfreeport.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { leaf } from "../kernel/routine.ts";
import { hasHeader } from "../kernel/windows.ts";
import { append, remove } from "../kernel/lists.ts";
import type { Adapter } from "./objects.ts";
import { Port } from "./port-objects.ts";
import { DEFAULT_PORT, PortCharacteristics, describePort, portNumbered, portsOf } from "./port-states.ts";
import { NDIS_STATUS_SUCCESS, adapterOf } from "./stack.ts";

const LAST_PORT = 0xff_ffff;

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
  const port = k.objects.create(Port);
  port.number = number;
  describePort(k, adapter, port, characteristics);
  adapter.firstPort = append(k.memory, Port, adapter.firstPort, port);
  adapter.highestPort = Math.max(adapter.highestPort, number);
  PortCharacteristics.at(k.memory, characteristics).PortNumber = number;
  tellPortState(k, number, "Unallocated", "Allocated");
  return NDIS_STATUS_SUCCESS;
}

export function tellPortState(k: Kernel, number: number, from: string, to: string): void {
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
  // Only a port in the Allocated state can be freed; while its deactivation is not complete, it is active.
  if (port.state !== "Allocated") return "NDIS_STATUS_INVALID_PORT_STATE";
  adapter.firstPort = remove(k.memory, Port, adapter.firstPort, port);
  k.objects.release(port);
  tellPortState(k, number, "Allocated", "Unallocated");
  return NDIS_STATUS_SUCCESS;
}

/** NDIS has the default port of an adapter from its registration attributes on, and activates it unless the miniport controls it. */
export function allocateDefaultPort(k: Kernel, adapter: Adapter, isControlled: boolean): void {
  adapter.isDefaultPortActive = !isControlled;
  tellPortState(k, DEFAULT_PORT, "Unallocated", "Allocated");
  if (!isControlled) tellPortState(k, DEFAULT_PORT, "Allocated", "Activated");
}

/** NDIS frees the default port itself, when MiniportHaltEx has returned. */
export function freeDefaultPort(k: Kernel, adapter: Adapter): void {
  if (!adapter.hasRegistrationAttributes) return;
  if (adapter.isDefaultPortActive) tellPortState(k, DEFAULT_PORT, "Activated", "Allocated");
  adapter.isDefaultPortActive = false;
  tellPortState(k, DEFAULT_PORT, "Allocated", "Unallocated");
}

/** Ports that a driver left allocated when it may not: told to the rules, then freed. */
export function takeLeftPorts(k: Kernel, adapter: Adapter, when: string): void {
  for (const port of portsOf(k, adapter)) {
    k.note("port left", adapter.address, port.number, when);
    // Undocumented: what becomes of a port that is left, allocated or active. NDIS deactivates and frees it.
    if (port.state === "Activated") tellPortState(k, port.number, "Activated", "Allocated");
    tellPortState(k, port.number, "Allocated", "Unallocated");
    k.objects.release(port);
  }
  adapter.firstPort = 0;
}

export const portRoutines = [leaf("NdisMAllocatePort", allocatePort), leaf("NdisMFreePort", freePort)];
