/**
 * Restart attributes: what NDIS knows of an adapter, offered to its miniport when the stack restarts, and then told to everybody above it.
 *
 * Pages: ns-ndis-_ndis_restart_attributes, ns-ndis-_ndis_restart_general_attributes, nc-ndis-miniport_restart,
 * ns-ndis-_ndis_protocol_restart_parameters.
 */
import { constant } from "../contract/index.ts";
import { chainOf } from "../kernel/driver-chains.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, blockAt, free } from "../kernel/pool.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import type { Adapter } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";

const Attributes = windowsStruct("NDIS_RESTART_ATTRIBUTES");
const General = windowsStruct("NDIS_RESTART_GENERAL_ATTRIBUTES");
const Scaling = windowsStruct("NDIS_RECEIVE_SCALE_CAPABILITIES");
const AdapterAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const DATA = Attributes.offset("Data");
const GENERAL = constant("OID_GEN_MINIPORT_RESTART_ATTRIBUTES");

/** What a miniport sets with its general attributes, and may change when it restarts. */
const CHANGEABLE = [
  "MtuSize",
  "LookaheadSize",
  "MacOptions",
  "SupportedPacketFilters",
  "MaxMulticastListSize",
  "AccessType",
  "ConnectionType",
  "SupportedStatistics",
  "DataBackFillSize",
  "ContextBackFillSize",
] as const;
const SPEEDS = ["MaxXmitLinkSpeed", "MaxRcvLinkSpeed"] as const;

const entries = (k: Kernel, first: number): number[] =>
  chainOf("restart attributes", first, (address) => Attributes.at(k.memory, address).Next);

/** A list with the general attributes of the adapter as its only entry; 0: it has none. */
export function restartAttributes(k: Kernel, adapter: Adapter): number {
  if (adapter.generalAttributes === 0) return 0;
  const address = allocate(k, DATA + General.bytes + Scaling.bytes, NDIS_TAG, -1);
  const entry = Attributes.at(k.memory, address);
  entry.Oid = GENERAL;
  entry.DataLength = General.bytes;
  const data = address + DATA;
  // Revision 2 came with NDIS 6.20.
  const isOld = (adapter.miniport?.minorVersion ?? 0) < 20;
  writeHeader(
    k,
    data,
    "NDIS_OBJECT_TYPE_RESTART_GENERAL_ATTRIBUTES",
    isOld ? 1 : 2,
    isOld ? "NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_1" : "NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2",
  );
  const general = General.at(k.memory, data);
  const known = AdapterAttributes.at(k.memory, adapter.generalAttributes);
  for (const name of CHANGEABLE) general[name] = known[name];
  for (const name of SPEEDS) general[name] = known[name];
  general.SupportedOidList = adapter.supportedOids;
  general.SupportedOidListLength = known.SupportedOidListLength;
  // Without receive side scaling these are capabilities that are all zero.
  general.RecvScaleCapabilities = known.RecvScaleCapabilities === 0 ? data + General.bytes : known.RecvScaleCapabilities;
  return address;
}

/** What the miniport made of the list holds for the adapter from now on. */
export function takeRestartAttributes(k: Kernel, adapter: Adapter, first: number): void {
  const entry = entries(k, first).find((address) => Attributes.at(k.memory, address).Oid === GENERAL);
  if (entry === undefined || adapter.generalAttributes === 0) return;
  const general = General.at(k.memory, entry + DATA);
  const known = AdapterAttributes.at(k.memory, adapter.generalAttributes);
  for (const name of CHANGEABLE) known[name] = general[name];
  for (const name of SPEEDS) known[name] = general[name];
}

/** Frees the entries, whoever allocated them. */
export function freeRestartAttributes(k: Kernel, first: number): void {
  for (const address of entries(k, first)) {
    // Undocumented: what becomes of an entry that is not in memory from pool. It is the miniport's, and stays.
    if (blockAt(k, address)?.state === "Allocated") free(k, address);
  }
}
