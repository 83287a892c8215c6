/** Two adapters of netvmini, the sample miniport of Windows, which are on one virtual wire: frames, OIDs, pause, restart, reset, power, halt. */
import { constant } from "../contract/index.ts";
import type { Scenario } from "../machine/actions.ts";
import {
  EVERYBODY,
  keepReceives,
  lastScenario,
  protocolDoes,
  received,
  request,
  scenario,
  send,
  settle,
  stoppingScenario,
  wait,
} from "./netvmini-support.ts";
import { queueScenarios, trafficClassScenarios } from "./netvmini-queues.ts";
import { scalingScenarios } from "./netvmini-rss.ts";

/** The address of adapter 0, as its key says, and a group that it is in. */
const FIRST = [0x02, 0x00, 0x5e, 0x10, 0x00, 0x01];
const GROUP = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x0a];
const STRANGER = [0x02, 0x00, 0x5e, 0x10, 0x00, 0x99];
const addresses = { 0: { NetworkAddress: FIRST.map((byte) => byte.toString(16).padStart(2, "0")).join("") } };

const filter = (...types: string[]): { u32: number }[] => [
  { u32: types.reduce((bits, type) => bits | constant(`NDIS_PACKET_TYPE_${type}`), 0) },
];

const frames: readonly Scenario[] = [
  scenario("two-adapters", "frames go from one adapter to the other, under pause and restart", [
    protocolDoes("Send", 3),
    ...received(0, 3),
    ...received(1, 3),
    { do: "pause", adapter: 0 },
    send(0, 1, EVERYBODY, { sent: 0 }),
    send(1, 1, EVERYBODY),
    { do: "restart", adapter: 0 },
    protocolDoes("Send", 2),
    ...received(0, 5),
    ...received(1, 5),
  ]),
  scenario(
    "addresses",
    "an adapter takes what is sent to it, to its groups, to everybody, and nothing else unless it is promiscuous",
    [
      request("set", "OID_802_3_MULTICAST_LIST", GROUP, "NDIS_STATUS_SUCCESS"),
      request("set", "OID_GEN_CURRENT_PACKET_FILTER", filter("DIRECTED", "BROADCAST", "MULTICAST"), "NDIS_STATUS_SUCCESS"),
      send(1, 1, FIRST),
      send(1, 2, GROUP),
      send(1, 4, STRANGER),
      ...received(0, 3),
      request("set", "OID_GEN_CURRENT_PACKET_FILTER", filter("ALL_MULTICAST"), "NDIS_STATUS_SUCCESS"),
      send(1, 1, FIRST),
      send(1, 1, GROUP),
      ...received(0, 4),
      request("set", "OID_GEN_CURRENT_PACKET_FILTER", filter("PROMISCUOUS"), "NDIS_STATUS_SUCCESS"),
      send(1, 1, STRANGER, { vlan: 7 }),
      ...received(0, 5),
    ],
    addresses,
  ),
  scenario("many-frames", "more frames than the adapter has buffers for are sent, while none is returned", [
    keepReceives(true),
    send(1, 300, EVERYBODY),
    ...received(0, 256),
    keepReceives(false),
    send(1, 1, EVERYBODY),
    ...received(0, 257),
  ]),
  scenario("cancel", "sends are cancelled, of which the adapter keeps none", [
    send(0, 3, EVERYBODY),
    protocolDoes("CancelSends", 0),
    ...received(1, 3),
  ]),
];

const oids: readonly Scenario[] = [
  scenario("all-oids", "every OID that the adapter supports is asked for, with room and without", [
    protocolDoes("AskAll", 0),
    request("set", "OID_GEN_CURRENT_LOOKAHEAD", [{ u32: 128 }], "NDIS_STATUS_SUCCESS"),
    request("query", "OID_PNP_QUERY_POWER", [{ u32: constant("NdisDeviceStateD3") }], "NDIS_STATUS_SUCCESS", { outputBytes: 4 }),
    request("method", "OID_GEN_SUPPORTED_GUIDS", [{ u32: 0 }], "NDIS_STATUS_NOT_SUPPORTED", { outputBytes: 4 }),
    request("set", "OID_GEN_MACHINE_NAME", [{ u32: 0 }], "NDIS_STATUS_NOT_SUPPORTED"),
  ]),
];

const life: readonly Scenario[] = [
  scenario("reset", "the adapter is reset while frames are under way", [
    { do: "in parallel", actions: [protocolDoes("Send", 30)] },
    { do: "reset", adapter: 0 },
    settle,
    protocolDoes("Send", 1),
  ]),
  scenario("reset-with-receives", "the adapter is reset while a protocol has its frames", [
    keepReceives(true),
    send(1, 3, EVERYBODY),
    wait(10),
    { do: "in parallel", actions: [{ do: "reset", adapter: 0 }] },
    wait(150),
    keepReceives(false),
    settle,
    send(1, 1, EVERYBODY),
    ...received(0, 4),
  ]),
  scenario("hang", "NDIS asks the adapters whether they hang", [wait(10_000)]),
  scenario("pause-under-traffic", "the stack is paused while frames go both ways", [
    { do: "in parallel", actions: [protocolDoes("Send", 40)] },
    { do: "pause", adapter: 0 },
    { do: "restart", adapter: 0 },
    settle,
    protocolDoes("Send", 1),
  ]),
  scenario("halt-under-traffic", "both adapters go while frames go both ways", [keepReceives(true), protocolDoes("Send", 40)]),
  scenario("sleep", "an adapter sleeps and wakes, with frames before and after", [
    protocolDoes("Send", 5),
    ...received(0, 5),
    { do: "power", adapter: 0, state: "D3" },
    send(0, 1, EVERYBODY, { sent: 0 }),
    send(1, 1, EVERYBODY),
    request("query", "OID_GEN_XMIT_OK", [], "NDIS_STATUS_LOW_POWER_STATE", { outputBytes: 8 }),
    { do: "power", adapter: 0, state: "D0" },
    settle,
    send(0, 1, EVERYBODY),
    ...received(0, 5),
    ...received(1, 6),
    { do: "device event", adapter: 0, event: "on battery" },
  ]),
  scenario("sleep-under-traffic", "an adapter goes to sleep while frames go both ways and a protocol has some", [
    keepReceives(true),
    { do: "in parallel", actions: [protocolDoes("Send", 40)] },
    { do: "power", adapter: 0, state: "D3" },
    { do: "power", adapter: 0, state: "D0" },
    settle,
    protocolDoes("Send", 1),
  ]),
  scenario("stop-asleep", "an adapter is stopped while it sleeps", [{ do: "power", adapter: 0, state: "D2" }]),
  stoppingScenario(
    "surprise",
    "an adapter is gone all of a sudden",
    protocolDoes("Send", 5),
    { do: "stop adapter", adapter: 0, bySurprise: true },
    protocolDoes("Send", 1),
    { do: "stop adapter", adapter: 1 },
  ),
  lastScenario("shutdown", "the system shuts down while frames are under way", protocolDoes("Send", 5), { do: "shut down" }),
];

const always: readonly Scenario[] = [...frames, ...oids, ...life];
const NO_MAP =
  "comes after an access to the map of queues, which is a null pointer: NICSetRSSv2InitializeVPortRSS makes it, and nobody calls that";
export const netvminiReasons: Readonly<Record<string, string>> = {
  MPCancelOidRequest:
    "NDIS cancels requests that the miniport has and has not completed, and below NDIS 6.20 it completes each at once",
  FreeRxQueuesWorkItem: "the run in which it is queued ends before it, with the use after free in MPReturnNetBufferLists",
  RssV2NQEnforceGetReference: NO_MAP,
  RssV2NQEnforcerDereference: NO_MAP,
  RssV2NQEnforcerGetBitfield: NO_MAP,
  RssV2NQEnforcerGetNumberOfProcs: NO_MAP,
  RssV2NQEnforcerLeave: NO_MAP,
  RssV2NQEnforcerReference: NO_MAP,
  RssV2NQEnforcerUpdate: NO_MAP,
  RssV2RestartCommandIterator: NO_MAP,
  RssV2SetCommandRangeStatus:
    "is for virtual ports, which nothing creates (IsNicSwitchCreated is set nowhere), or comes after an access to the map of queues",
};

/** By the NDIS version of the build. */
export const netvminiScenarios = {
  "60": always,
  "630": [...always, ...queueScenarios, ...trafficClassScenarios],
  "680": [...always, ...queueScenarios, ...trafficClassScenarios, ...scalingScenarios],
} as const;
