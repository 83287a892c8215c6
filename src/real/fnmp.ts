/** What a test application does with fnmp: NDIS ports made, activated, deactivated and freed; frames injected; sends caught; OID requests held. */
import { constant } from "../contract/index.ts";
import type { Scenario } from "../machine/actions.ts";
import type { ApplicationAction } from "../machine/application-actions.ts";
import {
  PROTOCOL,
  CODES,
  SHARED,
  EXCLUSIVE,
  NO_QUEUE,
  SET,
  QUERY,
  OID_SET_NOP,
  DIRECT,
  DIRECT_NOP,
  METHOD,
  OFFLOAD_CURRENT,
  OFFLOAD_HARDWARE,
  pauseFor,
  protocolDoes,
  openAs,
  close,
  ioctl,
  scenario,
  start,
  dataFrame,
  enqueue,
  flush,
  bytes,
  AT_DISPATCH,
  LOW_RESOURCES,
  ON_QUEUE,
  filter,
  clearFilter,
  BROADCAST,
  key,
  complete,
  ask,
  inParallel,
} from "./fnmp-device.ts";
import { header, structureData } from "./structure-data.ts";

// ---- ports

const port = (code: number, number: number, expect?: string): ApplicationAction =>
  ioctl("exclusive", code, [{ u32: number }], expect);
const allocatePort = (number: number): ApplicationAction =>
  ioctl("exclusive", CODES.allocatePort, [], "STATUS_SUCCESS", 4, [number, 0, 0, 0]);

const ports: readonly Scenario[] = [
  scenario(
    "ports",
    "two NDIS ports are allocated, activated, used, deactivated and freed through IOCTLs; wrong orders are refused",
    openAs("exclusive", EXCLUSIVE),
    allocatePort(1),
    allocatePort(2),
    port(CODES.activatePort, 1),
    protocolDoes("Send", 2),
    pauseFor(10),
    port(CODES.activatePort, 1, "STATUS_INVALID_DEVICE_STATE"),
    port(CODES.freePort, 1, "STATUS_INVALID_DEVICE_STATE"),
    port(CODES.freePort, 9, "STATUS_NOT_FOUND"),
    port(CODES.activatePort, 9, "STATUS_NOT_FOUND"),
    port(CODES.deactivatePort, 9, "STATUS_NOT_FOUND"),
    port(CODES.deactivatePort, 2, "STATUS_INVALID_DEVICE_STATE"),
    port(CODES.activatePort, 2),
    protocolDoes("Send", 1),
    pauseFor(10),
    port(CODES.deactivatePort, 1),
    port(CODES.activatePort, 1),
    port(CODES.deactivatePort, 1),
    port(CODES.freePort, 1),
    port(CODES.freePort, 1, "STATUS_NOT_FOUND"),
    // A number is free again.
    allocatePort(1),
    close("exclusive"),
  ),
  scenario(
    "ports-left",
    "the adapter halts while a port is active and one allocated: the driver gives both back",
    openAs("exclusive", EXCLUSIVE),
    allocatePort(1),
    allocatePort(2),
    port(CODES.activatePort, 2),
    close("exclusive"),
  ),
  scenario(
    "ports-and-bindings",
    "a protocol is unbound and bound again while a port is active, and the stack pauses and restarts",
    openAs("exclusive", EXCLUSIVE),
    allocatePort(1),
    port(CODES.activatePort, 1),
    { do: "unbind", adapter: 0, driver: PROTOCOL },
    { do: "bind", adapter: 0 },
    protocolDoes("Send", 1),
    pauseFor(10),
    { do: "pause", adapter: 0 },
    { do: "restart", adapter: 0 },
    protocolDoes("Send", 1),
    pauseFor(10),
    port(CODES.deactivatePort, 1),
    port(CODES.freePort, 1),
    close("exclusive"),
  ),
];

// ---- frames

const frames: readonly Scenario[] = [
  scenario(
    "receive",
    "frames of one and of two buffers are injected, at every level and on a processor of receive side scaling",
    openAs("shared", SHARED),
    flush(0),
    enqueue([{ data: bytes(64) }]),
    enqueue([
      { data: bytes(40), offset: 8 },
      { data: bytes(60, 40), length: 50 },
    ]),
    flush(0),
    pauseFor(10),
    enqueue([{ data: bytes(64) }]),
    flush(AT_DISPATCH),
    enqueue([{ data: bytes(64) }]),
    flush(LOW_RESOURCES),
    enqueue([{ data: bytes(64) }], 0),
    flush(ON_QUEUE, 0),
    pauseFor(10),
    flush(ON_QUEUE, 99, "STATUS_INVALID_PARAMETER"),
    enqueue([{ data: bytes(64) }], 99, "STATUS_INVALID_PARAMETER"),
    enqueue([{ data: bytes(20) }, { data: bytes(20), offset: 4 }], undefined, "STATUS_INVALID_PARAMETER"),
    // Left in the driver's backlog when the file is closed.
    enqueue([{ data: bytes(64) }]),
    close("shared"),
  ),
  scenario(
    "send",
    "sends that match a filter are held, looked at, changed, let go one by one and all together",
    openAs("shared", SHARED),
    ioctl("shared", CODES.txGetFrame, [{ u32: 0 }, { u32: 0 }], "STATUS_NOT_FOUND", 512),
    filter(BROADCAST),
    protocolDoes("Send", 3),
    ioctl("shared", CODES.txGetFrame, [{ u32: 0 }, { u32: 0 }], "STATUS_SUCCESS", 512),
    ioctl("shared", CODES.txGetFrame, [{ u32: 0 }, { u32: 0 }], "STATUS_BUFFER_TOO_SMALL", 8),
    ioctl("shared", CODES.txGetFrame, [{ u32: 0 }, { u32: 9 }], "STATUS_NOT_FOUND", 512),
    ioctl("shared", CODES.txGetFrame, [{ u32: 9 }, { u32: 0 }], "STATUS_NOT_FOUND", 512),
    ioctl("shared", CODES.txSetFrame, [{ u32: 0 }, { u32: 0 }, ...dataFrame([], NO_QUEUE, 8)]),
    ioctl("shared", CODES.txDequeueFrame, [{ u32: 1 }]),
    ioctl("shared", CODES.txDequeueFrame, [{ u32: 7 }], "STATUS_NOT_FOUND"),
    ioctl("shared", CODES.txFlush, []),
    pauseFor(10),
    protocolDoes("Send", 1),
    clearFilter,
    protocolDoes("Send", 1),
    pauseFor(10),
    filter([0x01, 0x02]),
    protocolDoes("Send", 1),
    filter(BROADCAST),
    protocolDoes("Send", 2),
    // Longer than the driver's watchdog allows.
    pauseFor(20_000),
    protocolDoes("Send", 2),
    close("shared"),
    pauseFor(10),
  ),
];

// ---- OID requests

const PROCESSOR_NUMBER_BYTES = 4;
const indirection = [0, 0, 0, 0, 0, 0, 1, 0];
const receiveScaling = structureData(
  "NDIS_RECEIVE_SCALE_PARAMETERS",
  {
    ...header("NDIS_OBJECT_TYPE_RSS_PARAMETERS", 2, "NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2"),
    HashInformation: constant("NdisHashFunctionToeplitz") | constant("NDIS_HASH_IPV4"),
    IndirectionTableSize: 2 * PROCESSOR_NUMBER_BYTES,
    IndirectionTableOffset: constant("NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2"),
  },
  indirection,
  constant("NDIS_SIZEOF_RECEIVE_SCALE_PARAMETERS_REVISION_2"),
);
const ON = constant("NDIS_OFFLOAD_PARAMETERS_TX_RX_ENABLED");
const offloads = structureData("NDIS_OFFLOAD_PARAMETERS", {
  ...header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_1"),
  IPv4Checksum: ON,
  TCPIPv4Checksum: ON,
  UDPIPv4Checksum: ON,
  LsoV2IPv4: constant("NDIS_OFFLOAD_PARAMETERS_LSOV2_ENABLED"),
});

const oids: readonly Scenario[] = [
  scenario(
    "held-oids",
    "OID requests that match a filter are held, read, and completed with a status of the application's or as the driver would",
    openAs("exclusive", EXCLUSIVE),
    openAs("second", EXCLUSIVE, 1, "STATUS_DUPLICATE_OBJECTID"),
    ioctl("exclusive", CODES.oidFilter, [
      ...key(OID_SET_NOP, SET),
      ...key(constant("OID_GEN_STATISTICS"), QUERY),
      ...key(constant("OID_802_3_MULTICAST_LIST"), SET),
      ...key(DIRECT_NOP, METHOD, DIRECT),
    ]),
    ioctl("exclusive", CODES.oidFilter, key(OID_SET_NOP, SET), "STATUS_INVALID_DEVICE_REQUEST"),
    ioctl("exclusive", CODES.oidFilter, [1, 2, 3], "STATUS_INVALID_PARAMETER"),
    ioctl("exclusive", CODES.oidGetRequest, key(OID_SET_NOP, SET), "STATUS_NOT_FOUND", 16),
    inParallel(ask("set", OID_SET_NOP, { input: [1, 2, 3, 4], expect: "NDIS_STATUS_SUCCESS" })),
    pauseFor(5),
    ioctl("exclusive", CODES.oidGetRequest, key(OID_SET_NOP, SET), "STATUS_BUFFER_OVERFLOW"),
    ioctl("exclusive", CODES.oidGetRequest, key(OID_SET_NOP, SET), "STATUS_SUCCESS", 16, [1, 2, 3, 4]),
    ioctl("exclusive", CODES.oidCompleteRequest, complete(OID_SET_NOP, SET, constant("NDIS_STATUS_PENDING"))),
    pauseFor(5),
    inParallel(ask("query", constant("OID_GEN_STATISTICS"), { outputBytes: 256, expect: "NDIS_STATUS_FAILURE" })),
    pauseFor(5),
    ioctl(
      "exclusive",
      CODES.oidCompleteRequest,
      complete(constant("OID_GEN_STATISTICS"), QUERY, constant("NDIS_STATUS_FAILURE")),
    ),
    pauseFor(5),
    // Held and cancelled, which the driver takes no notice of: the application lets it go.
    inParallel(ask("set", OID_SET_NOP, { input: [1, 1, 1, 1] })),
    pauseFor(5),
    protocolDoes("CancelRequest", 0),
    ioctl("exclusive", CODES.oidCompleteRequest, complete(OID_SET_NOP, SET, constant("NDIS_STATUS_SUCCESS"))),
    pauseFor(5),
    inParallel(ask("method", DIRECT_NOP, { way: "direct", input: [1, 2, 3, 4], outputBytes: 4 })),
    pauseFor(5),
    protocolDoes("CancelRequest", 0),
    ioctl("exclusive", CODES.oidCompleteRequest, [
      { pointerTo: key(DIRECT_NOP, METHOD, DIRECT) },
      { u32: constant("NDIS_STATUS_SUCCESS") },
      { u32: 0 },
      { u32: 0 },
    ]),
    pauseFor(5),
    // Held for longer than the driver's watchdog allows: it lets the request go.
    inParallel(ask("set", OID_SET_NOP, { input: [9, 9, 9, 9] })),
    pauseFor(20_000),
    // Held when the file is closed: the driver completes it.
    inParallel(ask("set", OID_SET_NOP, { input: [5, 6, 7, 8] })),
    pauseFor(5),
    close("exclusive"),
    pauseFor(5),
  ),
  scenario(
    "all-oids",
    "every OID that the adapter supports is asked for; some are set",
    protocolDoes("AskAll", 0),
    ask("set", constant("OID_GEN_CURRENT_LOOKAHEAD"), { input: [{ u32: 256 }], expect: "NDIS_STATUS_SUCCESS" }),
    ask("set", OID_SET_NOP, { input: [1], expect: "NDIS_STATUS_SUCCESS" }),
    ask("set", 0xff00_0002, { input: [1] }),
    ask("method", DIRECT_NOP, { way: "direct", input: [1, 2, 3, 4], outputBytes: 4, expect: "NDIS_STATUS_SUCCESS" }),
    protocolDoes("CancelSends", 0),
    ask("set", constant("OID_GEN_RECEIVE_SCALE_PARAMETERS"), { input: receiveScaling, expect: "NDIS_STATUS_SUCCESS" }),
    ask("set", constant("OID_TCP_OFFLOAD_PARAMETERS"), { input: offloads, expect: "NDIS_STATUS_SUCCESS" }),
    ask("method", constant("OID_GEN_STATISTICS"), { outputBytes: 16 }),
  ),
];

const settings: readonly Scenario[] = [
  scenario(
    "settings",
    "the MTU is changed, offloads are read again, the time of the last pause is asked for; mistakes are refused",
    openAs("shared", SHARED),
    ioctl("shared", CODES.setMtu, [{ u32: 1600 }]),
    ioctl("shared", CODES.setMtu, [{ u32: 1 }], "STATUS_INVALID_PARAMETER"),
    { do: "pause", adapter: 0 },
    { do: "restart", adapter: 0 },
    ioctl("shared", CODES.pauseTimestamp, [], "STATUS_SUCCESS", 8),
    ioctl("shared", CODES.pauseTimestamp, [], "STATUS_BUFFER_TOO_SMALL", 4),
    ...[OFFLOAD_CURRENT, OFFLOAD_HARDWARE].map((type) =>
      ioctl("shared", CODES.updateTaskOffload, [{ u32: type }, { u32: 0 }, { u32: 0 }, { pointerTo: [{ u32: 0x1_0000 }] }]),
    ),
    ioctl("shared", CODES.updateTaskOffload, [{ u32: 7 }, { zeros: 12 }], "STATUS_INVALID_PARAMETER"),
    ioctl("shared", CODES.unknown, [], "STATUS_NOT_SUPPORTED"),
    close("shared"),
    openAs("shared", SHARED, 77, "STATUS_NOT_FOUND"),
    openAs("other", EXCLUSIVE, 77, "STATUS_NOT_FOUND"),
    openAs("other", 9, 1, "STATUS_INVALID_PARAMETER"),
    { do: "open", file: "plain", device: "\\Device\\FNMP", expect: "STATUS_SUCCESS" },
    ioctl("plain", CODES.rxFlush, [{ zeros: 8 }], "STATUS_NOT_SUPPORTED"),
    close("plain"),
  ),
];

export const fnmpScenarios: readonly Scenario[] = [
  ...ports,
  ...frames,
  ...oids,
  ...settings,
  {
    name: "shutdown",
    summary: "the system shuts down while the adapter runs",
    actions: [...start, protocolDoes("Send", 1), pauseFor(10), { do: "shut down" }],
  },
];

export const fnmpReasons = {
  FnConvertNdisStatusToNtStatus: "is for a call about a port that NDIS refuses: the driver itself refuses those before",
};
