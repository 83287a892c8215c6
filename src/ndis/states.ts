/**
 * The one setter of states: it looks the transition up in the contract's state machine, asserts that it is there, sets and tells.
 * A transition that the table does not have is our own defect: what a driver does wrong is refused before it gets here.
 */
import { states } from "../contract/index.ts";
import { assert } from "../kernel/assert.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Adapter, Binding } from "./objects.ts";

/** Object, state, states that may follow it. */
type Transitions = ReadonlyMap<string, ReadonlySet<string>>;

function transitionsOf(object: string): Transitions {
  const all = states().machines.find((machine) => machine.object === object)?.transitions ?? [];
  return new Map(all.map(({ from }) => [from, new Set(all.filter((each) => each.from === from).map(({ to }) => to))]));
}

const adapterTransitions = transitionsOf("miniport-adapter");
const bindingTransitions = transitionsOf("protocol-binding");

function check(object: string, transitions: Transitions, from: string, to: string): void {
  if (transitions.get(from)?.has(to) === true) return;
  assert(false, `${object} cannot go from ${from} to ${to}`);
}

export function setAdapterState(k: Kernel, adapter: Adapter, to: Adapter["state"]): void {
  const from = adapter.state;
  check("an adapter", adapterTransitions, from, to);
  adapter.state = to;
  k.emit("state", "adapter", () => ({ kind: "state", object: "adapter", address: adapter.address, from, to }));
}

export function setBindingState(k: Kernel, binding: Binding, to: Binding["state"]): void {
  const from = binding.state;
  check("a binding", bindingTransitions, from, to);
  binding.state = to;
  k.emit("state", "binding", () => ({ kind: "state", object: "binding", address: binding.address, from, to }));
}
