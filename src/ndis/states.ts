/**
 * The one setter of states: it looks the transition up in the contract's state machine, asserts that it is there, sets and tells.
 * A transition that the table does not have is our own defect: what a driver does wrong is refused before it gets here.
 */
import { states } from "../contract/index.ts";
import { assert } from "../kernel/assert.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Adapter, Binding } from "./objects.ts";

const transitions: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  states().machines.map(({ object, transitions: all }) => [object, new Set(all.map(({ from, to }) => `${from} -> ${to}`))]),
);

function check(object: string, from: string, to: string): void {
  assert(transitions.get(object)?.has(`${from} -> ${to}`) === true, `${object} cannot go from ${from} to ${to}`);
}

export function setAdapterState(k: Kernel, adapter: Adapter, to: Adapter["state"]): void {
  const from = adapter.state;
  check("miniport-adapter", from, to);
  adapter.state = to;
  k.emit("state", "adapter", () => ({ kind: "state", object: "adapter", address: adapter.address, from, to }));
}

export function setBindingState(k: Kernel, binding: Binding, to: Binding["state"]): void {
  const from = binding.state;
  check("protocol-binding", from, to);
  binding.state = to;
  k.emit("state", "binding", () => ({ kind: "state", object: "binding", address: binding.address, from, to }));
}
