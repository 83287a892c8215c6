/** The stock scenarios for miniports. */
import { constant } from "../contract/index.ts";
import type { Action } from "./actions.ts";
import { type StockScenario, application, call, forMiniport, inParallel, load, settle, takeDown, wait } from "./stock-support.ts";

/** Nothing is taken down: the system is at its end. */
const stoppedSystem = (name: string, summary: string, last: Action): StockScenario => ({
  name,
  summary,
  fits: "miniport",
  actions: (driver, protocol) => [
    load(protocol),
    load(driver),
    { do: "start adapter", driver, adapter: 0 },
    settle,
    call(protocol, "Send", 2),
    last,
  ],
});

export const miniportScenarios: readonly StockScenario[] = [
  {
    ...forMiniport(
      "miniport-application",
      "an application opens the miniport's device, sends it what it may, cancels, closes with a request pending, ends",
      (driver) => [...application(driver), settle],
    ),
    needsDevice: true,
  },
  forMiniport(
    "adapter-life",
    "load, initialize, bind a protocol, traffic in lists and chains of them, OID requests, device events, pause, restart, halt, unload",
    (driver, protocol) => [
      call(protocol, "Send", 3),
      call(protocol, "SendChain", 3, 2),
      { do: "device event", adapter: 0, event: "on battery" },
      { do: "device event", adapter: 0, event: "unknown" },
      call(protocol, "Ask"),
      settle,
      { do: "pause", adapter: 0 },
      { do: "restart", adapter: 0 },
      call(protocol, "Send", 2),
    ],
  ),
  {
    name: "failures",
    summary:
      "load, initialize, carry traffic, and each call that may find no resources fails once; then what failed is tried again",
    fits: "miniport",
    failures: "each",
    actions: (driver, protocol) => [
      load(protocol),
      { do: "load", driver, mayFail: true },
      { do: "load", driver, again: true },
      { do: "start adapter", driver, adapter: 0, mayFail: true },
      { do: "start adapter", driver, adapter: 0, again: true },
      settle,
      call(protocol, "Send", 2),
      call(protocol, "Ask"),
      settle,
      { do: "pause", adapter: 0 },
      { do: "restart", adapter: 0 },
      call(protocol, "Send", 1),
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
      call(protocol, "Send", 2),
      { do: "unbind", adapter: 0, driver: protocol },
      { do: "bind", adapter: 0 },
      call(protocol, "Send", 2),
      { do: "stop adapter", adapter: 0 },
      settle,
      { do: "start adapter", driver, adapter: 0 },
      call(protocol, "Send", 1),
      ...takeDown(driver, protocol),
    ],
  },
  forMiniport(
    "pause-twice",
    "pause and restart twice with a few milliseconds between, the second time in the middle of traffic",
    (_driver, protocol) => [
      { do: "pause", adapter: 0 },
      { do: "restart", adapter: 0 },
      wait(5),
      inParallel(call(protocol, "SendChain", 4, 2), call(protocol, "Send", 4)),
      { do: "pause", adapter: 0 },
      { do: "restart", adapter: 0 },
      settle,
      call(protocol, "Send", 1),
    ],
  ),
  forMiniport("resets", "the adapter is reset at rest and under traffic", (_driver, protocol) => [
    { do: "reset", adapter: 0 },
    inParallel(call(protocol, "Send", 5)),
    { do: "reset", adapter: 0 },
    settle,
    call(protocol, "Send", 1),
  ]),
  forMiniport(
    "supported-oids",
    "every OID that the miniport says it supports is asked for; the packet filter is cleared and set",
    (driver, protocol) => [
      call(protocol, "AskAll", 0),
      ...[0, constant("NDIS_PACKET_TYPE_DIRECTED") | constant("NDIS_PACKET_TYPE_BROADCAST")].map(
        (filter): Action => ({
          do: "request",
          driver: protocol,
          type: "set",
          oid: constant("OID_GEN_CURRENT_PACKET_FILTER"),
          input: [{ u32: filter }],
        }),
      ),
      call(protocol, "Send", 1),
    ],
  ),
  forMiniport(
    "adapter-removed",
    "the adapter is removed by surprise with sends and receives outstanding, and comes again",
    (driver, protocol) => [
      inParallel(call(protocol, "Send", 5)),
      { do: "stop adapter", adapter: 0, bySurprise: true },
      settle,
      { do: "start adapter", driver, adapter: 0 },
      settle,
      call(protocol, "Send", 1),
    ],
  ),
  forMiniport("power", "the adapter sleeps and wakes, with traffic before and after", (_driver, protocol) => [
    call(protocol, "Send", 2),
    { do: "power", adapter: 0, state: "D3" },
    { do: "power", adapter: 0, state: "D0" },
    settle,
    call(protocol, "Send", 2),
  ]),
  {
    name: "adapters-come-and-go",
    summary: "two adapters, of which one goes and comes while the other carries traffic",
    fits: "miniport",
    actions: (driver, protocol) => [
      load(protocol),
      load(driver),
      { do: "start adapter", driver, adapter: 0 },
      { do: "start adapter", driver, adapter: 1 },
      settle,
      call(protocol, "Send", 2),
      inParallel(call(protocol, "Send", 3)),
      { do: "stop adapter", adapter: 1 },
      { do: "start adapter", driver, adapter: 1 },
      settle,
      call(protocol, "Send", 1),
      { do: "stop adapter", adapter: 1 },
      ...takeDown(driver, protocol),
    ],
  },
  stoppedSystem("shutdown", "the system shuts down under traffic", { do: "shut down" }),
  stoppedSystem("bug-check", "the system stops with an error under traffic; the miniport hears of it if it has asked for that", {
    do: "bug check",
  }),
];
