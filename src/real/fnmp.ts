/** What a test application does with fnmp: NDIS ports made, activated, deactivated and freed; frames injected; sends caught; OID requests held. */
import type { Scenario } from "../machine/actions.ts";
import type { ApplicationAction } from "../machine/application-actions.ts";
import {
  PROTOCOL,
  CODES,
  SHARED,
  EXCLUSIVE,
  NO_QUEUE,
  OFFLOAD_CURRENT,
  OFFLOAD_HARDWARE,
  pauseFor,
  protocolDoes,
  openAs,
  close,
  ioctl,
  start,
  scenario,
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
} from "./fnmp-device.ts";
import { oidScenarios } from "./fnmp-oids.ts";

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
  ...oidScenarios,
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
