/**
 * The stack of an adapter: its miniport at the bottom, filter modules above it, the protocols on top. Sends and OID requests go down from layer
 * to layer; receives, status and network PnP events go up. A layer that has no handler for a path is passed by, as NDIS does with filters.
 */
import { assert } from "../kernel/assert.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, call } from "../kernel/plan.ts";
import { type Adapter, type Binding, Layer } from "./objects.ts";
import { bindingsOf } from "./stack.ts";

/** What a layer can take part in; a bit of `Layer.paths` each. */
export const PATHS = { send: 1, oid: 2, receive: 4, status: 8, pnpEvent: 16 } as const;
export type Path = keyof typeof PATHS;

/** A miniport takes what comes down to it; nothing comes up to it from below. */
export const MINIPORT_PATHS = PATHS.send | PATHS.oid;

/** The first layer from that one on downward that takes part; the miniport always does. */
export function takerBelow(k: Kernel, from: number, path: Path): Layer {
  let layer = Layer.at(k.memory, from);
  while ((layer.paths & PATHS[path]) === 0) {
    assert(layer.below !== 0, `nobody at the bottom of the stack takes ${path}`);
    layer = Layer.at(k.memory, layer.below);
  }
  return layer;
}

/** The first layer above that one that takes part; undefined: the protocols are next. */
export function takerAbove(k: Kernel, from: number, path: Path): Layer | undefined {
  for (let address = Layer.at(k.memory, from).above; address !== 0; ) {
    const layer = Layer.at(k.memory, address);
    if ((layer.paths & PATHS[path]) !== 0) return layer;
    address = layer.above;
  }
  return undefined;
}

/** Calls the layer's handler for what goes down: its first argument is the layer's context. */
export function callBelow(layer: Layer, path: "send" | "oid", args: readonly number[]): Next {
  const { adapter } = layer;
  const miniport = adapter?.miniport;
  switch (layer.kind) {
    case "Miniport":
      return path === "send"
        ? call(miniport?.sendNetBufferLists ?? 0, "MiniportSendNetBufferLists", [adapter?.context ?? 0, ...args])
        : call(miniport?.oidRequest ?? 0, "MiniportOidRequest", [adapter?.context ?? 0, ...args]);
    default:
      return assert(false, `a layer of kind ${layer.kind} cannot be in a stack yet`) as never;
  }
}

/** The bindings that get what comes up from the miniport, once it has passed every layer above it. */
export function bindingsAbove(k: Kernel, adapter: Adapter, path: "receive" | "status" | "pnpEvent"): Binding[] {
  assert(takerAbove(k, adapter.bottom, path) === undefined, "a filter module cannot be in a stack yet");
  return bindingsOf(k, adapter);
}
