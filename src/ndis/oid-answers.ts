/**
 * Queries that NDIS answers for a miniport, which never gets them: from its general attributes, the link state that it indicated, the ports,
 * and what the bindings have set.
 *
 * Pages: mandatory-oids-for-miniport-drivers and the page of each OID. Where a page says that an OID is "not requested" and names the attribute
 * that holds the answer, NDIS answers it too.
 */
import { type ConstantName, constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { listOf } from "../kernel/lists.ts";
import { multicastUnion } from "./multicast.ts";
import type { Adapter } from "./objects.ts";
import { Port } from "./port-objects.ts";
import { PortCharacteristics, portStateBytes, writeCharacteristics } from "./port-states.ts";
import { combinedFilter, largestLookahead } from "./shared-settings.ts";

export const Request = windowsStruct("NDIS_OID_REQUEST");
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const LinkState = windowsStruct("NDIS_LINK_STATE");
const PortArray = windowsStruct("NDIS_PORT_ARRAY");
type Attributes = ReturnType<typeof GeneralAttributes.at>;

/** A word of the answer: 32 bits, or a bigint of 64. */
type Word = number | bigint;
type Answer = (k: Kernel, adapter: Adapter, attributes: Attributes) => readonly Word[] | Uint8Array;

const connected = ({ MediaConnectState }: Attributes): number =>
  constant(
    MediaConnectState === constant("MediaConnectStateDisconnected") ? "NdisMediaStateDisconnected" : "NdisMediaStateConnected",
  );

const header = (type: ConstantName, size: ConstantName): number => constant(type) | (1 << 8) | (constant(size) << 16);

/** The older of the two OIDs does not know NdisPhysicalMedium802_3. */
function oldPhysicalMedium({ PhysicalMediumType }: Attributes): number {
  return PhysicalMediumType === constant("NdisPhysicalMedium802_3")
    ? constant("NdisPhysicalMediumUnspecified")
    : PhysicalMediumType;
}

/** The active ports; undefined: the default port. */
function activePorts(k: Kernel, { isDefaultPortActive, firstPort }: Adapter): (Port | undefined)[] {
  const ports = listOf(k.memory, Port, firstPort).filter(({ state }) => state === "Activated");
  return isDefaultPortActive ? [undefined, ...ports] : ports;
}

/** OIDs whose answer has a fixed place. */
const ANSWERS: Partial<Record<ConstantName, Answer>> = {
  OID_GEN_SUPPORTED_LIST: (k, { supportedOids }, { SupportedOidListLength }) =>
    k.memory.u8.slice(supportedOids, supportedOids + (supportedOids === 0 ? 0 : SupportedOidListLength)),
  OID_GEN_MEDIA_SUPPORTED: (_k, _adapter, { MediaType }) => [MediaType],
  OID_GEN_MEDIA_IN_USE: (_k, _adapter, { MediaType }) => [MediaType],
  OID_GEN_MAXIMUM_LOOKAHEAD: (_k, _adapter, { LookaheadSize }) => [LookaheadSize],
  OID_GEN_CURRENT_LOOKAHEAD: (k, adapter) => [largestLookahead(k, adapter)],
  OID_GEN_MAXIMUM_FRAME_SIZE: (_k, _adapter, { MtuSize }) => [MtuSize],
  OID_GEN_LINK_SPEED: (_k, _adapter, { XmitLinkSpeed }) => [Number(BigInt.asUintN(64, XmitLinkSpeed) / 100n) >>> 0],
  OID_GEN_MAC_OPTIONS: (_k, _adapter, { MacOptions }) => [MacOptions],
  OID_GEN_DRIVER_VERSION: (_k, { miniport }) => Uint8Array.of(miniport?.minorVersion ?? 0, miniport?.majorVersion ?? 0),
  OID_GEN_MEDIA_CONNECT_STATUS: (_k, _adapter, attributes) => [connected(attributes)],
  OID_GEN_PHYSICAL_MEDIUM: (_k, _adapter, attributes) => [oldPhysicalMedium(attributes)],
  OID_GEN_PHYSICAL_MEDIUM_EX: (_k, _adapter, { PhysicalMediumType }) => [PhysicalMediumType],
  OID_GEN_CURRENT_PACKET_FILTER: (k, adapter) => [combinedFilter(k, adapter)],
  OID_GEN_MAX_LINK_SPEED: (_k, _adapter, { MaxXmitLinkSpeed, MaxRcvLinkSpeed }) => [MaxXmitLinkSpeed, MaxRcvLinkSpeed],
  OID_GEN_LINK_STATE: (_k, _adapter, attributes) => [
    header("NDIS_OBJECT_TYPE_DEFAULT", "NDIS_SIZEOF_LINK_STATE_REVISION_1"),
    attributes.MediaConnectState,
    attributes.MediaDuplexState,
    0,
    attributes.XmitLinkSpeed,
    attributes.RcvLinkSpeed,
    attributes.SupportedPauseFunctions,
    attributes.AutoNegotiationFlags,
  ],
  OID_802_3_MULTICAST_LIST: (k, adapter) => multicastUnion(k, adapter),
};
const BY_OID: ReadonlyMap<number, Answer> = new Map(
  Object.entries(ANSWERS).map(([name, answer]) => [constant(name) >>> 0, answer]),
);
const ENUMERATE_PORTS = constant("OID_GEN_ENUMERATE_PORTS");
const PORT_STATE = constant("OID_GEN_PORT_STATE");

function bytesOf(words: readonly Word[] | Uint8Array): Uint8Array {
  if (words instanceof Uint8Array) return words;
  const bytes = new Uint8Array(words.reduce<number>((sum, word) => sum + (typeof word === "bigint" ? 8 : 4), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const word of words) {
    if (typeof word === "bigint") view.setBigInt64(at, word, true);
    else view.setUint32(at, word, true);
    at += typeof word === "bigint" ? 8 : 4;
  }
  return bytes;
}

/** Answers with an NDIS_PORT_ARRAY in the query's buffer, with its pointers and the characteristics behind it. */
function answerPortArray(k: Kernel, adapter: Adapter, request: ReturnType<typeof Request.at>): number {
  const address = request.DATA_QUERY_INFORMATION_InformationBuffer;
  const ports = activePorts(k, adapter);
  const start = PortArray.offset("Ports");
  const first = start + ports.length * 4;
  const words: number[] = [
    header("NDIS_OBJECT_TYPE_DEFAULT", "NDIS_SIZEOF_PORT_ARRAY_REVISION_1"),
    ports.length,
    first,
    PortCharacteristics.bytes,
    ...ports.map((_port, index) => address + first + index * PortCharacteristics.bytes),
  ];
  const room = new Uint8Array(first + ports.length * PortCharacteristics.bytes);
  room.set(bytesOf(words));
  const status = writeAnswer(k, request, room);
  if (status !== constant("NDIS_STATUS_SUCCESS")) return status;
  for (const [index, port] of ports.entries())
    writeCharacteristics(k, adapter, port, address + first + index * PortCharacteristics.bytes);
  return status;
}

/** Writes the answer into the query's buffer, or how much room it needs. The result is the status. */
export function writeAnswer(k: Kernel, request: ReturnType<typeof Request.at>, bytes: Uint8Array): number {
  if (request.DATA_QUERY_INFORMATION_InformationBufferLength < bytes.length) {
    request.DATA_QUERY_INFORMATION_BytesWritten = 0;
    request.DATA_QUERY_INFORMATION_BytesNeeded = bytes.length;
    return constant("NDIS_STATUS_BUFFER_TOO_SHORT");
  }
  k.memory.u8.set(bytes, request.DATA_QUERY_INFORMATION_InformationBuffer);
  request.DATA_QUERY_INFORMATION_BytesWritten = bytes.length;
  return constant("NDIS_STATUS_SUCCESS");
}

/** Answers the query; undefined: it is for the miniport to answer. */
export function answerQuery(k: Kernel, adapter: Adapter, address: number): number | undefined {
  if (adapter.generalAttributes === 0) return undefined;
  const request = Request.at(k.memory, address);
  const oid = request.DATA_QUERY_INFORMATION_Oid >>> 0;
  if (oid === ENUMERATE_PORTS) return answerPortArray(k, adapter, request);
  if (oid === PORT_STATE) {
    const state = portStateBytes(k, adapter, request.PortNumber);
    // A port that is not active takes no request: it can become so while the request waits for its turn.
    return state === undefined ? constant("NDIS_STATUS_INVALID_PORT") : writeAnswer(k, request, state);
  }
  const answer = BY_OID.get(oid);
  if (answer === undefined) return undefined;
  return writeAnswer(k, request, bytesOf(answer(k, adapter, GeneralAttributes.at(k.memory, adapter.generalAttributes))));
}

/** The miniport has indicated another link state: from now on it is the answer. */
export function rememberLinkState(k: Kernel, adapter: Adapter, stateAddress: number): void {
  if (adapter.generalAttributes === 0) return;
  const state = LinkState.at(k.memory, stateAddress);
  const attributes = GeneralAttributes.at(k.memory, adapter.generalAttributes);
  attributes.MediaConnectState = state.MediaConnectState;
  attributes.MediaDuplexState = state.MediaDuplexState;
  attributes.XmitLinkSpeed = state.XmitLinkSpeed;
  attributes.RcvLinkSpeed = state.RcvLinkSpeed;
  attributes.SupportedPauseFunctions = state.PauseFunctions;
  attributes.AutoNegotiationFlags = state.AutoNegotiationFlags;
}
