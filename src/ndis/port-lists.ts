/** The list of active ports that bind parameters carry: NDIS_PORT structures in NDIS's memory, linked by Next. */
import { chainOf } from "../kernel/driver-chains.ts";
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

export const portStructures = (k: Kernel, first: number): number[] =>
  chainOf("NDIS_PORT structures", first, (address) => NdisPort.at(k.memory, address).Next);

/** Address of the first structure of a new list, default port first; the caller frees it with `freePortList`. */
export function activePorts(k: Kernel, adapter: Adapter): number {
  const active = listOf(k.memory, Port, adapter.firstPort).filter(({ state }) => state === "Activated");
  let first = 0;
  for (const port of active.toReversed()) first = portStructure(k, adapter, port, first);
  return adapter.isDefaultPortActive ? portStructure(k, adapter, undefined, first) : first;
}

function portStructure(k: Kernel, adapter: Adapter, port: Port | undefined, next: number): number {
  const address = allocate(k, NdisPort.bytes, NDIS_TAG, -1);
  writeCharacteristics(k, adapter, port, address + NdisPort.offset("PortCharacteristics_Header"));
  NdisPort.at(k.memory, address).Next = next;
  return address;
}

export function freePortList(k: Kernel, first: number): void {
  for (const address of portStructures(k, first)) free(k, address);
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
