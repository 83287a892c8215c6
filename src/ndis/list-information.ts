/**
 * What a NET_BUFFER_LIST carries beside its data: offload settings, priorities, the cancel id, whose protocol it is of.
 *
 * Pages: nf-nblapi-ndiscopysendnetbufferlistinfo, nf-nblapi-ndiscopyreceivenetbufferlistinfo, nf-nblapi-ndisgetnetbufferlistprotocolid,
 * nf-nblapi-ndisquerynetbufferphysicalcount.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { Mdl, mdlsOf } from "../kernel/mdl.ts";
import { PAGE_BYTES } from "../kernel/memory.ts";
import { local } from "../kernel/routine.ts";
import { NetBufferList } from "./chains.ts";
import { NetBuffer, PROTOCOL_ID } from "./net-buffers.ts";

const INFORMATION = NetBufferList.offset("NetBufferListInfo");

const BOTH_WAYS = [
  "TcpIpChecksumNetBufferListInfo",
  "IPsecOffloadV1NetBufferListInfo",
  "Ieee8021QNetBufferListInfo",
  "MediaSpecificInformation",
  "IPsecOffloadV2TunnelNetBufferListInfo",
  "IPsecOffloadV2HeaderNetBufferListInfo",
  "VirtualSubnetInfo",
  "NetBufferListFilteringInfo",
] as const;
const SENT = [...BOTH_WAYS, "TcpLargeSendNetBufferListInfo", "NetBufferListCancelId", "NetBufferListProtocolId"] as const;
const RECEIVED = [
  ...BOTH_WAYS,
  "TcpReceiveNoPush",
  "NetBufferListFrameType",
  "NetBufferListHashValue",
  "NetBufferListHashInfo",
] as const;

/** Data that only a copy brings into a derived list: a driver makes none of it for a list whose data is another's. */
export const COPIED_SLOTS: readonly number[] = [...BOTH_WAYS, "TcpLargeSendNetBufferListInfo" as const].map((name) =>
  constant(name),
);

const copies = (names: typeof SENT | typeof RECEIVED) => {
  const slots = names.map((name) => INFORMATION + constant(name) * 4);
  return (k: Kernel, destination: number, source: number): void => {
    for (const slot of slots) k.memory.writeU32(destination + slot, k.memory.readU32(source + slot));
  };
};

export const copySendInformation = copies(SENT);

/** The pages that the MDLs touch, from the one with the start of the data on: no two of them need lie side by side. */
function physicalCount(k: Kernel, netBuffer: number): number {
  let count = 0;
  for (const mdl of mdlsOf(k, NetBuffer.at(k.memory, netBuffer).CurrentMdl)) {
    const { ByteOffset, ByteCount } = Mdl.at(k.memory, mdl);
    count += Math.ceil((ByteOffset + ByteCount) / PAGE_BYTES);
  }
  return count;
}

export const listInformationRoutines = [
  local("NdisCopySendNetBufferListInfo", copySendInformation),
  local("NdisCopyReceiveNetBufferListInfo", copies(RECEIVED)),
  local("NdisGetNetBufferListProtocolId", (k, list) => k.memory.u8[list + PROTOCOL_ID] ?? 0),
  local("NdisQueryNetBufferPhysicalCount", physicalCount),
];
