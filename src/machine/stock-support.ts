/** What the stock scenarios are made of. Drivers are named by role and get their slots when a stack is put together. */
import type { Action, Scenario } from "./actions.ts";

export interface StockScenario {
  readonly name: string;
  readonly summary: string;
  readonly fits: "protocol" | "miniport";
  /** Only for drivers that make a device for applications. */
  readonly needsDevice?: boolean;
  /** Default: "common". */
  readonly failures?: Scenario["failures"];
  /** Slots: the driver under test, and the counterpart. */
  readonly actions: (driver: number, counterpart: number) => readonly Action[];
}

export const load = (driver: number): Action => ({ do: "load", driver });
export const unload = (driver: number): Action => ({ do: "unload", driver });
export const settle: Action = { do: "settle" };

/** Everything is taken down: the adapter, then both drivers. */
export const takeDown = (first: number, second: number): Action[] => [
  { do: "stop adapter", adapter: 0 },
  settle,
  unload(first),
  unload(second),
  settle,
];

const file = "device";
export const openDevice = (driver: number): Action => ({ do: "open", file, device: { ofDriver: driver }, overlapped: true });
export const readDevice = (request: string): Action => ({ do: "read", file, bytes: 64, request });
export const closeDevice: Action = { do: "close", file };

/** Codes that no driver knows, by each method, with no buffers, short ones, long ones, and ones at odd addresses. */
const unknownCodes: readonly Action[] = [0, 1, 2, 3].flatMap((method) =>
  [
    { bytes: 0, isMisaligned: false },
    { bytes: 3, isMisaligned: false },
    { bytes: 16, isMisaligned: false },
    { bytes: 5000, isMisaligned: false },
    { bytes: 16, isMisaligned: true },
  ].map(
    ({ bytes, isMisaligned }): Action => ({
      do: "control",
      file,
      code: 0x22_3ffc | method,
      input: new Uint8Array(bytes),
      outputBytes: bytes,
      isMisaligned,
    }),
  ),
);

/** What an application may do to any device: codes that no driver knows, a read that is cancelled, one that is left, and its end. */
export function application(driver: number): Action[] {
  return [
    openDevice(driver),
    ...unknownCodes,
    readDevice("first"),
    ...[0, 3, 64, 5000].map((bytes): Action => ({ do: "write", file, data: new Uint8Array(bytes) })),
    { do: "write", file, data: new Uint8Array(64), isMisaligned: true },
    { do: "cancel", request: "first" },
    readDevice("second"),
    closeDevice,
    { do: "await", request: "first" },
    { do: "await", request: "second" },
    openDevice(driver),
    readDevice("third"),
    { do: "exit" },
  ];
}

export const wait = (milliseconds: number): Action => ({ do: "wait", milliseconds });
export const call = (driver: number, name: string, ...args: number[]): Action => ({ do: "call", driver, function: name, args });
export const inParallel = (...actions: Action[]): Action => ({ do: "in parallel", actions });

type Actions = (driver: number, counterpart: number) => readonly Action[];

/** A scenario that begins with everything running and ends with everything taken down. */
function whole(fits: StockScenario["fits"], name: string, summary: string, actions: Actions): StockScenario {
  return {
    name,
    summary,
    fits,
    actions: (driver, counterpart) => [
      load(counterpart),
      load(driver),
      { do: "start adapter", driver: fits === "miniport" ? driver : counterpart, adapter: 0 },
      settle,
      ...actions(driver, counterpart),
      ...takeDown(driver, counterpart),
    ],
  };
}

export const forProtocol = (name: string, summary: string, actions: Actions): StockScenario =>
  whole("protocol", name, summary, actions);
export const forMiniport = (name: string, summary: string, actions: Actions): StockScenario =>
  whole("miniport", name, summary, actions);
