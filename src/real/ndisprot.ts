/**
 * What an application does with NDISPROT, the sample protocol driver of Windows: over a miniport that loops back what is sent. Control codes and
 * structures are those of its user header.
 */
import { constant } from "../contract/index.ts";
import type { ApplicationAction } from "../machine/application-actions.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import type { Data } from "../machine/user-data.ts";
import { adapterName } from "../ndis/names.ts";

const PROT = 0;
const MINIPORT = 1;
const FILE_DEVICE_NETWORK = 0x12;
const READ_AND_WRITE = 3;
const control = (number: number): number => (FILE_DEVICE_NETWORK << 16) | (READ_AND_WRITE << 14) | (number << 2);
const CODES = {
  openDevice: control(0x200),
  queryOid: control(0x201),
  queryBinding: control(0x203),
  bindWait: control(0x204),
  setOid: control(0x205),
  unknown: control(0x2ff),
} as const;

const HEADER_BYTES = 14;
const ADDRESS = [0x02, 0x00, 0x5e, 0x00, 0x00, 0xff];
const ETHER_TYPE = [0x88, 0x8e];
/** An Ethernet frame from and to the adapter, of so many bytes. */
const frame = (bytes: number, type: readonly number[] = ETHER_TYPE, from: readonly number[] = ADDRESS): number[] => [
  ...ADDRESS,
  ...from,
  ...type,
  ...Array.from({ length: bytes - HEADER_BYTES }, (_, index) => index & 0xff),
];

const file = "prot";
const load = (driver: number): Action => ({ do: "load", driver });
const settle: Action = { do: "settle" };
const ioctl = (code: number, input: Data, outputBytes: number, expect: string): ApplicationAction => ({
  do: "control",
  file,
  code,
  input,
  outputBytes,
  expect,
});
const read = (request: string, bytes = 1514): ApplicationAction => ({
  do: "read",
  file,
  bytes,
  request,
  expect: "STATUS_PENDING",
});
const write = (data: Data, expect: string): ApplicationAction => ({ do: "write", file, data, expect });
const awaited = (request: string, expect: string, expectOutput?: readonly number[]): ApplicationAction => ({
  do: "await",
  request,
  expect,
  ...(expectOutput === undefined ? {} : { expectOutput }),
});
const open = (overlapped = true): ApplicationAction => ({
  do: "open",
  file,
  device: "\\\\.\\Ndisprot",
  overlapped,
  expect: "STATUS_SUCCESS",
});
const openAdapter = ioctl(CODES.openDevice, [{ text: adapterName(0) }], 0, "STATUS_SUCCESS");
const miniportDoes = (name: string, ...args: number[]): Action => ({ do: "call", driver: MINIPORT, function: name, args });

const start: readonly Action[] = [
  load(MINIPORT),
  load(PROT),
  { do: "start adapter", driver: MINIPORT, adapter: 0 },
  open(),
  ioctl(CODES.bindWait, [], 0, "STATUS_SUCCESS"),
];
const end: readonly Action[] = [
  { do: "stop adapter", adapter: 0 },
  settle,
  { do: "unload", driver: PROT },
  { do: "unload", driver: MINIPORT },
  settle,
];
const close: Action = { do: "close", file };

const scenario = (name: string, summary: string, ...actions: Action[]): Scenario => ({
  name,
  summary,
  actions: [...start, ...actions, ...end],
});

export const ndisprotScenarios: readonly Scenario[] = [
  scenario(
    "application",
    "binds are awaited, the adapter is opened, OIDs asked and set, frames written and read back",
    ioctl(CODES.queryBinding, [{ u32: 0 }, { zeros: 16 }], 512, "STATUS_SUCCESS"),
    openAdapter,
    ioctl(CODES.queryOid, [{ u32: constant("OID_GEN_MAXIMUM_FRAME_SIZE") }, { u32: 0 }, { u32: 0 }], 12, "STATUS_SUCCESS"),
    ioctl(CODES.setOid, [{ u32: constant("OID_802_11_CONFIGURATION") }, { u32: 0 }, { u32: 5 }], 0, "STATUS_NOT_SUPPORTED"),
    read("first"),
    write(frame(80), "STATUS_SUCCESS"),
    awaited("first", "STATUS_SUCCESS", frame(80)),
    // The frame waits for its reader.
    write(frame(1514), "STATUS_SUCCESS"),
    { do: "wait", milliseconds: 10 },
    { do: "read", file, bytes: 1514, expect: "STATUS_SUCCESS", expectOutput: frame(1514) },
    close,
  ),
  scenario(
    "cancel",
    "a pending read and a pending write are cancelled",
    openAdapter,
    read("read"),
    { do: "cancel", request: "read", expect: "STATUS_SUCCESS" },
    awaited("read", "STATUS_CANCELLED"),
    miniportDoes("HoldSends", 1),
    { do: "write", file, data: frame(60), request: "write", expect: "STATUS_PENDING" },
    { do: "write", file, data: frame(70), request: "other", expect: "STATUS_PENDING" },
    { do: "cancel", request: "write", expect: "STATUS_SUCCESS" },
    { do: "await", request: "write" },
    miniportDoes("HoldSends", 0),
    awaited("other", "STATUS_SUCCESS"),
    close,
  ),
  scenario(
    "close-with-reads",
    "the file is closed while reads are pending and frames wait, and opened again",
    openAdapter,
    read("one"),
    read("two"),
    close,
    awaited("one", "STATUS_CANCELLED"),
    awaited("two", "STATUS_CANCELLED"),
    open(false),
    openAdapter,
    miniportDoes("Inject", 20),
    close,
  ),
  scenario(
    "close-while-unbinding",
    "the file is closed while the adapter goes, with a read pending and a write under way",
    openAdapter,
    read("read"),
    miniportDoes("HoldSends", 1),
    { do: "write", file, data: frame(60), request: "write", expect: "STATUS_PENDING" },
    { do: "in parallel", actions: [{ do: "unbind", adapter: 0, driver: PROT }] },
    close,
    miniportDoes("HoldSends", 0),
    { do: "await", request: "read" },
    { do: "await", request: "write" },
    settle,
    { do: "bind", adapter: 0 },
    settle,
  ),
  scenario(
    "status",
    "the link goes and comes back, the adapter resets, the stack pauses and restarts, requests are refused meanwhile",
    openAdapter,
    miniportDoes("Tell", constant("NDIS_STATUS_LINK_STATE"), 0),
    miniportDoes("Tell", constant("NDIS_STATUS_LINK_STATE"), 1),
    miniportDoes("Tell", constant("NDIS_STATUS_RESET_START")),
    miniportDoes("Tell", constant("NDIS_STATUS_RESET_END")),
    { do: "pause", adapter: 0 },
    write(frame(60), "STATUS_UNSUCCESSFUL"),
    { do: "restart", adapter: 0 },
    read("read"),
    write(frame(60), "STATUS_SUCCESS"),
    awaited("read", "STATUS_SUCCESS", frame(60)),
    close,
  ),
  scenario(
    "mistakes",
    "an application asks for what it cannot have",
    write(frame(60), "STATUS_INVALID_HANDLE"),
    { do: "read", file, bytes: 60, expect: "STATUS_INVALID_HANDLE" },
    ioctl(CODES.queryOid, [{ u32: 0 }, { u32: 0 }, { u32: 0 }], 12, "STATUS_DEVICE_NOT_CONNECTED"),
    ioctl(CODES.setOid, [{ u32: 0 }, { u32: 0 }, { u32: 0 }], 0, "STATUS_DEVICE_NOT_CONNECTED"),
    ioctl(CODES.queryBinding, [{ u32: 7 }, { zeros: 16 }], 512, "STATUS_NO_MORE_ENTRIES"),
    ioctl(CODES.queryBinding, [{ u32: 0 }], 512, "STATUS_INSUFFICIENT_RESOURCES"),
    ioctl(CODES.openDevice, [{ text: "\\DEVICE\\{NOTHING}" }], 0, "STATUS_OBJECT_NAME_NOT_FOUND"),
    openAdapter,
    ioctl(CODES.openDevice, [{ text: adapterName(0) }], 0, "STATUS_DEVICE_BUSY"),
    ioctl(CODES.unknown, [], 0, "STATUS_NOT_SUPPORTED"),
    write([], "STATUS_INVALID_PARAMETER"),
    write(frame(HEADER_BYTES).slice(1), "STATUS_BUFFER_TOO_SMALL"),
    write(frame(1600), "STATUS_INVALID_BUFFER_SIZE"),
    write(frame(60, [8, 0]), "STATUS_INVALID_PARAMETER"),
    ioctl(
      CODES.setOid,
      [{ u32: constant("OID_GEN_CURRENT_PACKET_FILTER") }, { u32: 0 }, { u32: 1 }],
      0,
      "STATUS_INVALID_PARAMETER",
    ),
    close,
  ),
];

/** Frames written and read back one after the other, for the benchmark. */
export const framesThroughNdisprot = (frames: number): Scenario =>
  scenario(
    "frames",
    "frames are written and read back",
    openAdapter,
    {
      do: "repeat",
      times: frames,
      actions: [write(frame(60), "STATUS_SUCCESS"), { do: "read", file, bytes: 1514, expect: "STATUS_SUCCESS" }],
    },
    close,
  );
