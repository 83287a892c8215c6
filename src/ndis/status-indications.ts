/**
 * Status indications: from the miniport up to every protocol that is bound.
 *
 * Pages: nf-ndis-ndismindicatestatusex, nc-ndis-protocol_status_ex.
 */
import { call, done, goTo, plan, step } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { bindingsAbove } from "./layers.ts";
import { adapterAt, adapterOf, bindingAt } from "./stack.ts";

/** Tells the protocols over the adapter behind the handle. */
export const indicateStatus = plan(
  "NdisMIndicateStatusEx",
  struct("IndicateStatus", { handle: u32, indication: u32, adapter: u32, index: u32, binding: u32 }),
  [
    step("the status comes up the stack", (k, p) => {
      const adapter = adapterOf(k, p.handle);
      if (adapter === undefined) return done();
      p.adapter = adapter.address;
    }),
    step("the next protocol gets the status", (k, p) => {
      const binding = bindingsAbove(k, adapterAt(k, p.adapter), "status")[p.index];
      if (binding === undefined) return done();
      p.index += 1;
      // Status goes to a binding from its open until its close is complete.
      const handler = binding.protocol?.statusEx ?? 0;
      if (handler === 0 || binding.open !== "open" || binding.close === "closed")
        return goTo("the next protocol gets the status");
      p.binding = binding.address;
      binding.indicationsActive += 1;
      return call(handler, "ProtocolStatusEx", [binding.context, p.indication]);
    }),
    step("the protocol has seen the status", (k, p) => {
      bindingAt(k, p.binding).indicationsActive -= 1;
      return goTo("the next protocol gets the status");
    }),
  ],
);

export const statusRoutines = [planned("NdisMIndicateStatusEx", indicateStatus)];
