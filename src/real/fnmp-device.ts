/**
 * The device of fnmp, the functional miniport of win-net-test: its control codes and structures, those of its user headers, as actions of an
 * application; and how its scenarios begin and end.
 */
import { constant } from "../contract/index.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import type { ApplicationAction } from "../machine/application-actions.ts";
import type { Data } from "../machine/user-data.ts";

export const MINIPORT = 0;
export const PROTOCOL = 1;
export const FILE_DEVICE_NETWORK = 0x12;
export const FILE_WRITE_ACCESS = 2;
export const control = (number: number): number => (FILE_DEVICE_NETWORK << 16) | (FILE_WRITE_ACCESS << 14) | (number << 2);
export const CODES = {
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

export const FILE_CREATE = 2;
export const DISPOSITION_SHIFT = 24;
export const SHARED = 0;
export const EXCLUSIVE = 1;
export const NO_QUEUE = 0xffff_ffff;
export const SET = 1;
export const QUERY = 0;
export const REGULAR = 0;
export const DIRECT = 1;
export const METHOD = 12;
export const DIRECT_NOP = constant("OID_TCP_TASK_IPSEC_OFFLOAD_V2_ADD_SA");
export const OID_SET_NOP = 0xff00_0001;
export const OFFLOAD_CURRENT = 0;
export const OFFLOAD_HARDWARE = 1;

export const load = (driver: number): Action => ({ do: "load", driver });
export const settle: Action = { do: "settle" };
export const pauseFor = (milliseconds: number): Action => ({ do: "wait", milliseconds });
export const protocolDoes = (name: string, ...args: number[]): Action => ({ do: "call", driver: PROTOCOL, function: name, args });

/** An open of the adapter with that interface index, as the library of fnmp does it. */
export const openAs = (file: string, type: number, ifIndex = 1, expect = "STATUS_SUCCESS"): ApplicationAction => ({
  do: "open",
  file,
  device: "\\Device\\FNMP",
  options: FILE_CREATE << DISPOSITION_SHIFT,
  attribute: { name: "FnMpOpenPacket0", value: [{ u32: 2 }, { u32: type }, { u32: ifIndex }] },
  expect,
});
export const close = (file: string): Action => ({ do: "close", file });
export const ioctl = (
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

export const start: readonly Action[] = [
  load(PROTOCOL),
  load(MINIPORT),
  { do: "start adapter", driver: MINIPORT, adapter: 0 },
  settle,
];
export const end: readonly Action[] = [
  { do: "stop adapter", adapter: 0 },
  settle,
  { do: "unload", driver: PROTOCOL },
  { do: "unload", driver: MINIPORT },
  settle,
];
export const scenario = (name: string, summary: string, ...actions: Action[]): Scenario => ({
  name,
  summary,
  actions: [...start, ...actions, ...end],
});

interface Buffer {
  readonly data: readonly number[];
  readonly offset?: number;
  readonly length?: number;
}
/** DATA_FRAME: buffers, their count, and what goes with the frame. */
export const dataFrame = (buffers: readonly Buffer[], queue = NO_QUEUE, flags = 0): Data => [
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
export const enqueue = (buffers: readonly Buffer[], queue?: number, expect?: string): ApplicationAction =>
  ioctl("shared", CODES.rxEnqueue, dataFrame(buffers, queue), expect);
export const flush = (options: number, queue = 0, expect?: string): ApplicationAction =>
  ioctl("shared", CODES.rxFlush, [{ u32: options }, { u32: queue }], expect);
export const bytes = (count: number, first = 0): number[] => Array.from({ length: count }, (_, index) => (first + index) & 0xff);
export const AT_DISPATCH = 1;
export const LOW_RESOURCES = 2;
export const ON_QUEUE = 4;

/** A filter for frames whose bytes under the mask are those of the pattern. */
export const filter = (pattern: readonly number[]): ApplicationAction =>
  ioctl("shared", CODES.txFilter, [{ pointerTo: pattern }, { pointerTo: pattern.map(() => 0xff) }, { u32: pattern.length }]);
export const clearFilter = ioctl("shared", CODES.txFilter, [{ u32: 0 }, { u32: 0 }, { u32: 0 }]);
export const BROADCAST = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

export const key = (oid: number, type: number, face = REGULAR): Data => [{ u32: oid }, { u32: type }, { u32: face }, { u32: 0 }];
export const complete = (oid: number, type: number, status: number, information: Data = []): Data => [
  { pointerTo: key(oid, type) },
  { u32: status },
  { u32: information.length },
  { pointerTo: information },
];
export const ask = (type: "query" | "set" | "method", oid: number, more: Partial<Action & { do: "request" }> = {}): Action => ({
  do: "request",
  driver: PROTOCOL,
  type,
  oid,
  ...more,
});
export const inParallel = (...actions: Action[]): Action => ({ do: "in parallel", actions });
