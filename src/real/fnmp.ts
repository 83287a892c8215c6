/**
 * What a test application does with fnmp, the functional miniport of win-net-test, through its device: NDIS ports made, activated, deactivated and
 * freed; frames injected; sends caught; OID requests held. Control codes and structures are those of its user headers.
 */
import { constant } from "../contract/index.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import type { ApplicationAction } from "../machine/application-actions.ts";
import type { Data } from "../machine/user-data.ts";

const MINIPORT = 0;
const PROTOCOL = 1;
const FILE_DEVICE_NETWORK = 0x12;
const FILE_WRITE_ACCESS = 2;
const control = (number: number): number => (FILE_DEVICE_NETWORK << 16) | (FILE_WRITE_ACCESS << 14) | (number << 2);
const CODES = {
  rxEnqueue: control(0),
  rxFlush: control(1),
  txFilter: control(4),
  txGetFrame: control(5),
  txDequeueFrame: control(6),
  txFlush: control(7),
  pauseTimestamp: control(8),
  setMtu: control(9),
  oidFilter: control(10),
  oidGetRequest: control(11),
  oidCompleteRequest: control(12),
  updateTaskOffload: control(13),
  allocatePort: control(14),
  freePort: control(15),
  activatePort: control(16),
  deactivatePort: control(17),
  txSetFrame: control(18),
  unknown: control(99),
} as const;

const FILE_CREATE = 2;
const DISPOSITION_SHIFT = 24;
const SHARED = 0;
const EXCLUSIVE = 1;
const NO_QUEUE = 0xffff_ffff;
const SET = 1;
const QUERY = 0;
const REGULAR = 0;
const OID_SET_NOP = 0xff00_0001;
const OFFLOAD_CURRENT = 0;
const OFFLOAD_HARDWARE = 1;

const load = (driver: number): Action => ({ do: "load", driver });
const settle: Action = { do: "settle" };
const pauseFor = (milliseconds: number): Action => ({ do: "wait", milliseconds });
const protocolDoes = (name: string, ...args: number[]): Action => ({ do: "call", driver: PROTOCOL, function: name, args });

/** An open of the adapter with that interface index, as the library of fnmp does it. */
const openAs = (file: string, type: number, ifIndex = 1, expect = "STATUS_SUCCESS"): ApplicationAction => ({
  do: "open",
  file,
  device: "\\Device\\FNMP",
  options: FILE_CREATE << DISPOSITION_SHIFT,
  attribute: { name: "FnMpOpenPacket0", value: [{ u32: 2 }, { u32: type }, { u32: ifIndex }] },
  expect,
});
const close = (file: string): Action => ({ do: "close", file });
const ioctl = (
  file: string,
  code: number,
  input: Data,
  expect = "STATUS_SUCCESS",
  outputBytes = 0,
  expectOutput?: readonly number[],
): ApplicationAction => ({
  do: "control",
  file,
  code,
  input,
  outputBytes,
  expect,
  ...(expectOutput === undefined ? {} : { expectOutput }),
});

const start: readonly Action[] = [load(PROTOCOL), load(MINIPORT), { do: "start adapter", driver: MINIPORT, adapter: 0 }, settle];
const end: readonly Action[] = [
  { do: "stop adapter", adapter: 0 },
  settle,
  { do: "unload", driver: PROTOCOL },
  { do: "unload", driver: MINIPORT },
  settle,
];
const scenario = (name: string, summary: string, ...actions: Action[]): Scenario => ({
  name,
  summary,
  actions: [...start, ...actions, ...end],
});

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

interface Buffer {
  readonly data: readonly number[];
  readonly offset?: number;
  readonly length?: number;
}
/** DATA_FRAME: buffers, their count, and what goes with the frame. */
const dataFrame = (buffers: readonly Buffer[], queue = NO_QUEUE, flags = 0): Data => [
  {
    pointerTo: buffers.flatMap(({ data, offset = 0, length = data.length - offset }) => [
      { pointerTo: data },
      { u32: offset },
      { u32: length },
      { u32: data.length },
    ]),
  },
  { u16: buffers.length },
  { align: 8 },
  { u32: queue },
  { u32: 0 },
  { u32: 0 },
  { align: 8 },
  { u64: 0x1234 },
  { u32: flags },
  { align: 8 },
];
const enqueue = (buffers: readonly Buffer[], queue?: number, expect?: string): ApplicationAction =>
  ioctl("shared", CODES.rxEnqueue, dataFrame(buffers, queue), expect);
const flush = (options: number, queue = 0, expect?: string): ApplicationAction =>
  ioctl("shared", CODES.rxFlush, [{ u32: options }, { u32: queue }], expect);
const bytes = (count: number, first = 0): number[] => Array.from({ length: count }, (_, index) => (first + index) & 0xff);
const AT_DISPATCH = 1;
const LOW_RESOURCES = 2;
const ON_QUEUE = 4;

/** A filter for frames whose bytes under the mask are those of the pattern. */
const filter = (pattern: readonly number[]): ApplicationAction =>
  ioctl("shared", CODES.txFilter, [{ pointerTo: pattern }, { pointerTo: pattern.map(() => 0xff) }, { u32: pattern.length }]);
const clearFilter = ioctl("shared", CODES.txFilter, [{ u32: 0 }, { u32: 0 }, { u32: 0 }]);
const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

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
    close("shared"),
    pauseFor(10),
  ),
];

// ---- OID requests

const key = (oid: number, type: number, face = REGULAR): Data => [{ u32: oid }, { u32: type }, { u32: face }, { u32: 0 }];
const complete = (oid: number, type: number, status: number, information: Data = []): Data => [
  { pointerTo: key(oid, type) },
  { u32: status },
  { u32: information.length },
  { pointerTo: information },
];
const ask = (type: "query" | "set" | "method", oid: number, more: Partial<Action & { do: "request" }> = {}): Action => ({
  do: "request",
  driver: PROTOCOL,
  type,
  oid,
  ...more,
});
const inParallel = (...actions: Action[]): Action => ({ do: "in parallel", actions });

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
  ),
];

const settings: readonly Scenario[] = [
  scenario(
    "settings",
    "the MTU is changed, offloads are read again, the time of the last pause is asked for; mistakes are refused",
    openAs("shared", SHARED),
    ioctl("shared", CODES.setMtu, [{ u32: 1300 }]),
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

export const fnmpScenarios: readonly Scenario[] = [...ports, ...frames, ...oids, ...settings];
