/** What several topics ask about an adapter's stack: its bindings, its lock, the objects behind handles. */
import type { Kernel } from "../kernel/kernel.ts";
import type { Obligation, UntilStep } from "../kernel/plan.ts";
import { listOf } from "../kernel/lists.ts";
import { Adapter, Binding, MiniportDriver } from "./objects.ts";

export const NDIS_STATUS_SUCCESS = 0;
export const NDIS_STATUS_PENDING = 0x103;

export const adapterAt = (k: Kernel, address: number): Adapter => Adapter.at(k.memory, address);
export const bindingAt = (k: Kernel, address: number): Binding => Binding.at(k.memory, address);

/** The adapter behind a MiniportAdapterHandle; a wrong handle is told to the rules. */
export function adapterOf(k: Kernel, handle: number): Adapter | undefined {
  const adapter = k.objects.resolve(handle, Adapter);
  if (adapter === undefined)
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Adapter)}: a miniport adapter handle was expected`);
  return adapter;
}

/** The binding behind an NdisBindingHandle that may be used: one that was closed is dead, even before the close is complete. */
export function bindingOf(k: Kernel, handle: number): Binding | undefined {
  const binding = k.objects.resolve(handle, Binding);
  if (binding === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Binding)}: a binding handle was expected`);
    return undefined;
  }
  if (!binding.isHandleClosed) return binding;
  k.note("closed handle", handle, binding.address);
  return undefined;
}

export const bindingsOf = (k: Kernel, adapter: Adapter): Binding[] => listOf(k.memory, Binding, adapter.firstBinding);

export const adapters = (k: Kernel): Adapter[] => k.objects.all(Adapter);
export const miniportDrivers = (k: Kernel): MiniportDriver[] => k.objects.all(MiniportDriver);

/** What the binding's protocol has to do, since that handler of it answered NDIS_STATUS_PENDING. */
export function owedByProtocol(
  binding: Binding,
  what: string,
  handler: "bindAdapterEx" | "unbindAdapterEx" | "netPnPEvent",
): Obligation {
  return { what, driver: binding.protocol?.slot ?? -1, target: binding.protocol?.[handler] ?? 0 };
}

/** What the adapter's miniport has to do, since that handler of it answered NDIS_STATUS_PENDING. */
export function owedByMiniport(
  adapter: Adapter | undefined,
  what: string,
  handler: "pause" | "restart" | "oidRequest" | "reset" | "directOidRequest",
): Obligation {
  return { what, driver: adapter?.miniport?.slot ?? -1, target: adapter?.miniport?.[handler] ?? 0 };
}

/** A handler has called its completion routine, and then answered with a final status too: that is told to the rules, and changes nothing. */
export function tellCompletedTwice(k: Kernel, { what, driver, target }: Obligation): void {
  k.note("completed and answered", target, driver, what);
}

/** Sends and OID requests are not accepted while a reset is in progress. */
export const isResetting = ({ reset }: Adapter): boolean => reset !== "none" && reset !== "ending";

/**
 * Whether the binding's bind pends or has failed with the adapter open: then its protocol may have asked NDIS to unbind it, and closes the
 * adapter in ProtocolUnbindAdapterEx.
 */
export function isBindUndone({ state, open, bind, bindStatus }: Binding): boolean {
  if (state !== "Opening" || open !== "open") return false;
  return bind === "bind-pending" || (bind === "complete" && bindStatus !== NDIS_STATUS_SUCCESS);
}

/** A stack is changed by one operation at a time. */
export function untilStackIsFree<L>(adapterAddress: (locals: L) => number): UntilStep<L> {
  return {
    kind: "until",
    sentence: "no other operation changes the stack",
    ready: (k, locals) => adapterAt(k, adapterAddress(locals)).busy === 0,
  };
}
