/** Two adapters of netvmini, the sample miniport of Windows, which are on one virtual wire: frames, OIDs, pause, restart, reset, halt. */
import { constant } from "../contract/index.ts";
import type { Action, Scenario } from "../machine/actions.ts";

const MINIPORT = 0;
const PROTOCOL = 1;
const load = (driver: number): Action => ({ do: "load", driver });
const settle: Action = { do: "settle" };
const protocolDoes = (name: string, ...args: number[]): Action => ({ do: "call", driver: PROTOCOL, function: name, args });

const start: readonly Action[] = [
  load(PROTOCOL),
  load(MINIPORT),
  { do: "start adapter", driver: MINIPORT, adapter: 0 },
  { do: "start adapter", driver: MINIPORT, adapter: 1 },
  settle,
];
const end: readonly Action[] = [
  { do: "stop adapter", adapter: 0 },
  { do: "stop adapter", adapter: 1 },
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

export const netvminiScenarios: readonly Scenario[] = [
  scenario(
    "two-adapters",
    "frames go from one adapter to the other, under pause and restart",
    protocolDoes("Send", 3),
    { do: "wait", milliseconds: 50 },
    settle,
    { do: "pause", adapter: 0 },
    protocolDoes("Send", 1),
    { do: "restart", adapter: 0 },
    protocolDoes("Send", 2),
    { do: "wait", milliseconds: 50 },
  ),
  scenario("all-oids", "every OID that the adapter supports is asked for, with room and without", protocolDoes("AskAll", 0), {
    do: "request",
    driver: PROTOCOL,
    type: "set",
    oid: constant("OID_GEN_CURRENT_LOOKAHEAD"),
    input: [{ u32: 128 }],
    expect: "NDIS_STATUS_SUCCESS",
  }),
  scenario(
    "reset",
    "the adapter is reset while frames are under way",
    protocolDoes("Send", 3),
    { do: "reset", adapter: 0 },
    protocolDoes("Send", 1),
  ),
];
