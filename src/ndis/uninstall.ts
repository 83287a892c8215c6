/**
 * Unbinding a protocol from all its adapters: when it deregisters, and when it is uninstalled.
 *
 * Pages: nf-ndis-ndisderegisterprotocoldriver, nc-ndis-protocol_uninstall.
 */
import { listOf } from "../kernel/lists.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { Adapter, Binding, ProtocolDriver } from "./objects.ts";
import { freeStack, unbind } from "./unbind.ts";

/** A binding of the protocol, on any adapter. */
function bindingOfProtocol(k: Kernel, protocol: number): Binding | undefined {
  return k.objects
    .all(Adapter)
    .flatMap((adapter) => listOf(k.memory, Binding, adapter.firstBinding))
    .find((binding) => binding.protocol?.address === protocol);
}

/** Unbinds the protocol driver from every adapter; nothing new is bound. It is over when no event for the driver is under way either. */
export const unbindEverywhere = plan(
  "unbind a protocol from all adapters",
  struct("UnbindEverywhere", { protocol: u32, adapter: u32 }),
  [
    step("nothing new is bound", (k, p) => {
      ProtocolDriver.at(k.memory, p.protocol).isDeregistering = true;
    }),
    until(
      "no other operation changes the stack of a binding",
      (k, p) => (bindingOfProtocol(k, p.protocol)?.adapter?.busy ?? 0) === 0,
    ),
    step("a binding is unbound", (k, p) => {
      const binding = bindingOfProtocol(k, p.protocol);
      if (binding === undefined) return goTo("no event for the driver is under way");
      p.adapter = binding.adapter?.address ?? 0;
      if (binding.adapter !== undefined) binding.adapter.busy = 1;
      return run(unbind, [binding.address]);
    }),
    step("its stack is free again", (k, p) => {
      freeStack(k, p.adapter);
      return goTo("no other operation changes the stack of a binding");
    }),
    until("no event for the driver is under way", (k, p) => ProtocolDriver.at(k.memory, p.protocol).eventsActive === 0),
    step("it is unbound", () => done()),
  ],
);

/** The user uninstalls the protocol: NDIS unbinds it from each adapter, then calls its ProtocolUninstall, if it has one. */
export const uninstallProtocol = plan("uninstall a protocol", struct("Uninstall", { protocol: u32 }), [
  step("the protocol is unbound from each adapter", (_k, p) => run(unbindEverywhere, [p.protocol])),
  step("the protocol cleans up", (k, p) => {
    const { uninstall } = ProtocolDriver.at(k.memory, p.protocol);
    return uninstall === 0 ? undefined : call(uninstall, "ProtocolUninstall", []);
  }),
  // The driver is unloaded next; it deregisters then.
  step("the protocol is uninstalled", () => done()),
]);

export const uninstallPlans = [unbindEverywhere, uninstallProtocol];
