/** What the scenarios of netvmini share: two of its adapters, 0 and 1, on one virtual wire, with a binding each. */
import { constant } from "../contract/index.ts";
import type { Action, RegistryValues, Scenario } from "../machine/actions.ts";
import type { OidAction } from "../machine/oid-actions.ts";
import type { Data } from "../machine/user-data.ts";

const MINIPORT = 0;
const PROTOCOL = 1;
const load = (driver: number): Action => ({ do: "load", driver });
export const settle: Action = { do: "settle" };
export const wait = (milliseconds: number): Action => ({ do: "wait", milliseconds });
export const protocolDoes = (name: string, ...args: number[]): Action => ({
  do: "call",
  driver: PROTOCOL,
  function: name,
  args,
});
const returns = (result: number, name: string, ...args: number[]): Action => ({
  do: "call",
  driver: PROTOCOL,
  function: name,
  args,
  result,
});

/** Sends frames from the binding of that number, in a VLAN if it is not 0; `sent` are expected to go. */
export function send(
  from: number,
  frames: number,
  to: readonly number[],
  { vlan = 0, sent = frames }: { vlan?: number; sent?: number } = {},
): Action {
  const word = (bytes: readonly number[]): number => bytes.reduce((value, byte) => value * 256 + byte, 0);
  return returns(sent, "SendTo", from, frames, word(to.slice(0, 2)), word(to.slice(2)), vlan);
}
/** When all is quiet, the binding of that number has received so many frames since it was bound. */
export const received = (binding: number, frames: number): Action[] => [
  wait(100),
  settle,
  returns(frames, "ReceivedOn", binding),
];
export const EVERYBODY = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
export const keepReceives = (keeps: boolean): Action => protocolDoes("HoldReceives", keeps ? 1 : 0);

/** An OID request of binding 0, with its status. */
export const request = (
  type: OidAction["type"],
  oid: string,
  input: Data,
  expect: string,
  more: Partial<OidAction> = {},
): OidAction => ({
  do: "request",
  driver: PROTOCOL,
  type,
  oid: constant(oid),
  input,
  expect,
  ...more,
});

const start: readonly Action[] = [
  load(PROTOCOL),
  load(MINIPORT),
  { do: "start adapter", driver: MINIPORT, adapter: 0 },
  { do: "start adapter", driver: MINIPORT, adapter: 1 },
  settle,
];
const stop: readonly Action[] = [
  { do: "stop adapter", adapter: 0 },
  { do: "stop adapter", adapter: 1 },
];
const unload: readonly Action[] = [settle, { do: "unload", driver: PROTOCOL }, { do: "unload", driver: MINIPORT }, settle];

export const scenario = (name: string, summary: string, actions: readonly Action[], registry: RegistryValues = {}): Scenario => ({
  name,
  summary,
  actions: [...start, ...actions, ...stop, ...unload],
  registry,
});

/** One that stops the adapters itself. */
export const stoppingScenario = (name: string, summary: string, ...actions: readonly Action[]): Scenario => ({
  name,
  summary,
  actions: [...start, ...actions, ...unload],
});

/** One after which the machine is off. */
export const lastScenario = (name: string, summary: string, ...actions: readonly Action[]): Scenario => ({
  name,
  summary,
  actions: [...start, ...actions],
});
