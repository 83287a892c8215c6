/** The list of active ports that bind parameters carry: NDIS_PORT structures in NDIS's memory, linked by Next. */
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { listOf } from "../kernel/lists.ts";
import { type Adapter, Port } from "./objects.ts";
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
  const structure = NdisPort.at(k.memory, address);
  const characteristics = address + NdisPort.offset("PortCharacteristics_Header");
  writeHeader(k, characteristics, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1");
  structure.Next = next;
  structure.PortCharacteristics_PortNumber = port?.number ?? 0;
  structure.PortCharacteristics_Type = port?.type ?? 0;
  structure.PortCharacteristics_Flags = port?.flags ?? 0;
  structure.PortCharacteristics_SendControlState = port?.sendControlState ?? 0;
  structure.PortCharacteristics_RcvControlState = port?.receiveControlState ?? 0;
  return address;
}

export function freePortList(k: Kernel, first: number): void {
  for (let address = first; address !== 0; ) {
    const next = NdisPort.at(k.memory, address).Next;
    free(k, address);
    address = next;
  }
}
