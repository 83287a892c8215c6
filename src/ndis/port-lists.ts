/** The list of active ports that bind parameters carry: NDIS_PORT structures in NDIS's memory, linked by Next. */
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { listOf } from "../kernel/lists.ts";
import { learnPorts } from "./known-ports.ts";
import type { Adapter, Binding } from "./objects.ts";
import { Port } from "./port-objects.ts";
import { writeCharacteristics } from "./port-states.ts";
import { NDIS_TAG } from "./pnp-events.ts";

export const NdisPort = windowsStruct("NDIS_PORT");

/** Address of the first structure of a new list, default port first; the caller frees it with `freePortList`. */
export function activePorts(k: Kernel, adapter: Adapter): number {
  const active = listOf(k.memory, Port, adapter.firstPort).filter(({ state }) => state === "Activated");
  let first = 0;
  for (const port of active.toReversed()) first = portStructure(k, port, first);
  return adapter.isDefaultPortActive ? portStructure(k, undefined, first) : first;
}

function portStructure(k: Kernel, port: Port | undefined, next: number): number {
  const address = allocate(k, NdisPort.bytes, NDIS_TAG, -1);
  writeCharacteristics(k, port, address + NdisPort.offset("PortCharacteristics_Header"));
  NdisPort.at(k.memory, address).Next = next;
  return address;
}

export function freePortList(k: Kernel, first: number): void {
  for (let address = first; address !== 0; ) {
    const next = NdisPort.at(k.memory, address).Next;
    free(k, address);
    address = next;
  }
}

/** The bind parameters have told the protocol of them. */
export function learnActivePorts(k: Kernel, adapter: Adapter, binding: Binding): void {
  const active = listOf(k.memory, Port, adapter.firstPort).filter(({ state }) => state === "Activated");
  learnPorts(
    k,
    binding,
    active.map(({ number }) => number),
  );
}
