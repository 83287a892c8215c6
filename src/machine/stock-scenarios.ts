/** The scenarios that `check` runs, by what they are for. Drivers are named by role and get their slots when a stack is put together. */
import type { Action, Scenario } from "./actions.ts";

export interface StockScenario {
  readonly name: string;
  readonly summary: string;
  readonly fits: "protocol" | "miniport";
  /** Only for drivers that make a device for applications. */
  readonly needsDevice?: boolean;
  /** Slots: the driver under test, and the counterpart. */
  readonly actions: (driver: number, counterpart: number) => readonly Action[];
}

const load = (driver: number): Action => ({ do: "load", driver });
const unload = (driver: number): Action => ({ do: "unload", driver });
const settle: Action = { do: "settle" };

/** Everything is taken down: the adapter, then both drivers. */
const takeDown = (first: number, second: number): Action[] => [
  { do: "stop adapter", adapter: 0 },
  settle,
  unload(first),
  unload(second),
  settle,
];

export const stockScenarios: readonly StockScenario[] = [
  {
    name: "bind-and-unbind",
    summary: "load, bind, receive and send, unbind, bind again, stop the adapter, unload",
    fits: "protocol",
    actions: (driver, miniport) => [
      load(miniport),
      load(driver),
      { do: "start adapter", driver: miniport, adapter: 0 },
      settle,
      { do: "call", driver: miniport, function: "Inject", args: [3] },
      { do: "call", driver, function: "Exercise" },
      settle,
      { do: "unbind", adapter: 0, driver },
      settle,
      { do: "bind", adapter: 0 },
      settle,
      { do: "call", driver: miniport, function: "Inject", args: [2] },
      settle,
      ...takeDown(driver, miniport),
    ],
  },
  {
    name: "pause-and-restart",
    summary: "load, bind, pause and restart the stack under traffic, stop the adapter, unload",
    fits: "protocol",
    actions: (driver, miniport) => [
      load(miniport),
      load(driver),
      { do: "start adapter", driver: miniport, adapter: 0 },
      { do: "call", driver, function: "Exercise" },
      { do: "pause", adapter: 0 },
      { do: "call", driver, function: "Exercise" },
      { do: "call", driver: miniport, function: "Inject", args: [1] },
      { do: "restart", adapter: 0 },
      { do: "call", driver, function: "Exercise" },
      { do: "call", driver: miniport, function: "Inject", args: [2] },
      ...takeDown(driver, miniport),
    ],
  },
  {
    name: "unload-while-bound",
    summary: "load, bind, traffic, unload the protocol while it is bound: NdisDeregisterProtocolDriver unbinds",
    fits: "protocol",
    actions: (driver, miniport) => [
      load(driver),
      load(miniport),
      { do: "start adapter", driver: miniport, adapter: 0 },
      { do: "call", driver, function: "Exercise" },
      unload(driver),
      settle,
      { do: "stop adapter", adapter: 0 },
      unload(miniport),
      settle,
    ],
  },
  {
    name: "protocol-application",
    summary: "an application opens the protocol's device, sends it what it may, cancels, closes with a request pending, ends",
    fits: "protocol",
    needsDevice: true,
    actions: (driver, miniport) => [
      load(miniport),
      load(driver),
      { do: "start adapter", driver: miniport, adapter: 0 },
      settle,
      ...application(driver),
      settle,
      ...takeDown(driver, miniport),
    ],
  },
  {
    name: "miniport-application",
    summary: "an application opens the miniport's device, sends it what it may, cancels, closes with a request pending, ends",
    fits: "miniport",
    needsDevice: true,
    actions: (driver, protocol) => [
      load(protocol),
      load(driver),
      { do: "start adapter", driver, adapter: 0 },
      settle,
      ...application(driver),
      settle,
      ...takeDown(driver, protocol),
    ],
  },
  {
    name: "adapter-life",
    summary: "load, initialize, bind a protocol, traffic and OID requests, pause, restart, halt, unload",
    fits: "miniport",
    actions: (driver, protocol) => [
      load(protocol),
      load(driver),
      { do: "start adapter", driver, adapter: 0 },
      settle,
      { do: "call", driver: protocol, function: "Send", args: [3] },
      { do: "call", driver: protocol, function: "Ask" },
      settle,
      { do: "pause", adapter: 0 },
      { do: "restart", adapter: 0 },
      { do: "call", driver: protocol, function: "Send", args: [2] },
      ...takeDown(driver, protocol),
    ],
  },
  {
    name: "port-life",
    summary: "ports: allocate, activate, send on them, unbind and bind again, deactivate, free, twice over",
    fits: "miniport",
    actions: (driver, protocol) => [
      load(driver),
      load(protocol),
      { do: "start adapter", driver, adapter: 0 },
      { do: "call", driver: protocol, function: "Send", args: [2] },
      { do: "unbind", adapter: 0, driver: protocol },
      { do: "bind", adapter: 0 },
      { do: "call", driver: protocol, function: "Send", args: [2] },
      { do: "stop adapter", adapter: 0 },
      settle,
      { do: "start adapter", driver, adapter: 0 },
      { do: "call", driver: protocol, function: "Send", args: [1] },
      ...takeDown(driver, protocol),
    ],
  },
];

/** What an application may do to any device: codes that no driver knows, a read that is cancelled, one that is left, and its end. */
function application(driver: number): Action[] {
  const file = "device";
  const unknown = (method: number): Action => ({
    do: "control",
    file,
    code: 0x22_3ffc | method,
    input: new Uint8Array(16),
    outputBytes: 16,
  });
  const open: Action = { do: "open", file, device: { ofDriver: driver }, overlapped: true };
  const read = (request: string): Action => ({ do: "read", file, bytes: 64, request });
  return [
    open,
    ...[0, 1, 2, 3].map(unknown),
    read("first"),
    { do: "write", file, data: new Uint8Array(64) },
    { do: "cancel", request: "first" },
    read("second"),
    { do: "close", file },
    { do: "await", request: "first" },
    { do: "await", request: "second" },
    open,
    read("third"),
    { do: "exit" },
  ];
}

export function scenarioFor(stock: StockScenario, driver: number, counterpart: number): Scenario {
  return { name: stock.name, summary: stock.summary, actions: stock.actions(driver, counterpart) };
}
