/**
 * Queries of single statistics: NDIS asks the miniport for OID_GEN_STATISTICS in their place, and gives the one that was asked for.
 *
 * Pages: oid-gen-statistics, oid-gen-bytes-rcv, oid-gen-rcv-discards, ...
 */
import { type ConstantName, constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { free } from "../kernel/pool.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { Request, writeAnswer } from "./oid-answers.ts";
import type { OidOperation } from "./objects.ts";
import { ownRequest } from "./shared-settings.ts";
import { NDIS_STATUS_SUCCESS } from "./stack.ts";

const Statistics = windowsStruct("NDIS_STATISTICS_INFO");

const FIELDS: Partial<Record<ConstantName, string>> = {
  OID_GEN_BYTES_RCV: "ifHCInOctets",
  OID_GEN_BYTES_XMIT: "ifHCOutOctets",
  OID_GEN_RCV_DISCARDS: "ifInDiscards",
  OID_GEN_XMIT_DISCARDS: "ifOutDiscards",
  OID_GEN_RCV_ERROR: "ifInErrors",
  OID_GEN_XMIT_ERROR: "ifOutErrors",
  OID_GEN_DIRECTED_BYTES_RCV: "ifHCInUcastOctets",
  OID_GEN_DIRECTED_BYTES_XMIT: "ifHCOutUcastOctets",
  OID_GEN_DIRECTED_FRAMES_RCV: "ifHCInUcastPkts",
  OID_GEN_DIRECTED_FRAMES_XMIT: "ifHCOutUcastPkts",
  OID_GEN_MULTICAST_BYTES_RCV: "ifHCInMulticastOctets",
  OID_GEN_MULTICAST_BYTES_XMIT: "ifHCOutMulticastOctets",
  OID_GEN_MULTICAST_FRAMES_RCV: "ifHCInMulticastPkts",
  OID_GEN_MULTICAST_FRAMES_XMIT: "ifHCOutMulticastPkts",
  OID_GEN_BROADCAST_BYTES_RCV: "ifHCInBroadcastOctets",
  OID_GEN_BROADCAST_BYTES_XMIT: "ifHCOutBroadcastOctets",
  OID_GEN_BROADCAST_FRAMES_RCV: "ifHCInBroadcastPkts",
  OID_GEN_BROADCAST_FRAMES_XMIT: "ifHCOutBroadcastPkts",
};
const OFFSETS: ReadonlyMap<number, number> = new Map(
  Object.entries(FIELDS).map(([name, field]) => [constant(name) >>> 0, Statistics.offset(field)]),
);

/** Puts the query of all statistics in the place of a query of one. */
export function prepareStatistic(k: Kernel, operation: OidOperation): void {
  const { request } = operation;
  if (!OFFSETS.has(Request.at(k.memory, request).DATA_QUERY_INFORMATION_Oid >>> 0)) return;
  operation.handed = ownRequest(k, request, constant("OID_GEN_STATISTICS"), new Uint8Array(Statistics.bytes));
  const buffer = operation.handed + Request.bytes;
  writeHeader(k, buffer, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_STATISTICS_INFO_REVISION_1");
}

/** The final status of a query: with one statistic the miniport's success may still find too small a buffer. */
export function finishQuery(k: Kernel, { request, handed }: OidOperation, status: number): number {
  if (handed === 0 || handed === request) return status;
  const given = Request.at(k.memory, request);
  const offset = OFFSETS.get(given.DATA_QUERY_INFORMATION_Oid >>> 0) ?? 0;
  const value = handed + Request.bytes + offset;
  // A buffer of four bytes gets the low half, as from before there were 64-bit counters.
  const length = given.DATA_QUERY_INFORMATION_InformationBufferLength >= 8 ? 8 : 4;
  const bytes = k.memory.u8.slice(value, value + length);
  free(k, handed);
  return status === NDIS_STATUS_SUCCESS ? writeAnswer(k, given, bytes) : status;
}
