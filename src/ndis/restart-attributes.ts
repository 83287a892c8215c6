/**
 * What a protocol is told about its adapter when its binding restarts.
 *
 * Pages: ns-ndis-_ndis_protocol_restart_parameters, ns-ndis-_ndis_restart_attributes, ns-ndis-_ndis_restart_general_attributes,
 * ns-netpnp-_net_pnp_event.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { interfaceIndex, writeAdapterLuid } from "./interfaces.ts";
import type { Adapter, Binding } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";

const Parameters = windowsStruct("NDIS_PROTOCOL_RESTART_PARAMETERS");
const Attributes = windowsStruct("NDIS_RESTART_ATTRIBUTES");
const General = windowsStruct("NDIS_RESTART_GENERAL_ATTRIBUTES");
const Given = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");

const DATA = Attributes.offset("Data");
const BLOCK_BYTES = DATA + General.bytes;

/** Fields that the restart attributes take over from the miniport's general attributes. */
const COPIED = [
  "MtuSize",
  "LookaheadSize",
  "MacOptions",
  "SupportedPacketFilters",
  "MaxMulticastListSize",
  "RecvScaleCapabilities",
  "AccessType",
  "ConnectionType",
  "SupportedStatistics",
  "DataBackFillSize",
  "ContextBackFillSize",
  "SupportedOidListLength",
] as const;

/** One entry with the general attributes, as they are now; 0: the miniport has set none. */
function attributesNow(k: Kernel, adapter: Adapter): number {
  if (adapter.generalAttributes === 0) return 0;
  const address = allocate(k, BLOCK_BYTES, NDIS_TAG, -1);
  const entry = Attributes.at(k.memory, address);
  entry.Oid = constant("OID_GEN_MINIPORT_RESTART_ATTRIBUTES");
  entry.DataLength = General.bytes;
  writeHeader(
    k,
    address + DATA,
    "NDIS_OBJECT_TYPE_RESTART_GENERAL_ATTRIBUTES",
    2,
    "NDIS_SIZEOF_RESTART_GENERAL_ATTRIBUTES_REVISION_2",
  );
  const general = General.at(k.memory, address + DATA);
  const given = Given.at(k.memory, adapter.generalAttributes);
  for (const name of COPIED) general[name] = given[name];
  general.MaxXmitLinkSpeed = given.MaxXmitLinkSpeed;
  general.MaxRcvLinkSpeed = given.MaxRcvLinkSpeed;
  general.SupportedOidList = adapter.supportedOids;
  return address;
}

function isSame(k: Kernel, one: number, other: number): boolean {
  if (one === 0 || other === 0) return one === other;
  for (let offset = 0; offset < BLOCK_BYTES; offset += 4) {
    if (k.memory.readU32(one + offset) !== k.memory.readU32(other + offset)) return false;
  }
  return true;
}

/** The NDIS_PROTOCOL_RESTART_PARAMETERS for the restart of the binding; 0: the attributes are those of its restart before. */
export function restartParameters(k: Kernel, binding: Binding): number {
  const { adapter } = binding;
  if (adapter === undefined) return 0;
  const now = attributesNow(k, adapter);
  if (binding.hasRestarted && isSame(k, now, binding.restartAttributes)) {
    if (now !== 0) free(k, now);
    return 0;
  }
  forgetRestartAttributes(k, binding);
  binding.hasRestarted = true;
  binding.restartAttributes = now;
  const address = allocate(k, Parameters.bytes, NDIS_TAG, -1);
  writeHeader(
    k,
    address,
    "NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS",
    1,
    "NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1",
  );
  const parameters = Parameters.at(k.memory, address);
  parameters.RestartAttributes = now;
  parameters.BoundIfIndex = interfaceIndex(adapter);
  writeAdapterLuid(k, address + Parameters.offset("BoundIfNetluid"), adapter);
  return address;
}

/** What was told at the last restart goes with the binding. */
export function forgetRestartAttributes(k: Kernel, binding: Binding): void {
  if (binding.restartAttributes !== 0) free(k, binding.restartAttributes);
  binding.restartAttributes = 0;
}
