/**
 * Status indications: from the miniport up to every protocol that is bound.
 *
 * Pages: nf-ndis-ndismindicatestatusex, nc-ndis-protocol_status_ex.
 */
import { constant } from "../contract/index.ts";
import { call, done, goTo, plan, step } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { bindingsAbove } from "./layers.ts";
import { rememberLinkState } from "./oid-answers.ts";
import { PortState, countIndication, rememberPortState } from "./port-states.ts";
import { adapterAt, adapterOf, bindingAt } from "./stack.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const LinkState = windowsStruct("NDIS_LINK_STATE");
const LINK_STATE = constant("NDIS_STATUS_LINK_STATE");
const PORT_STATE = constant("NDIS_STATUS_PORT_STATE");

/** Tells the protocols over the adapter behind the handle. */
export const indicateStatus = plan(
  "NdisMIndicateStatusEx",
  struct("IndicateStatus", { handle: u32, indication: u32, adapter: u32, index: u32, binding: u32, port: u32, destination: u32 }),
  [
    step("the status comes up the stack", (k, p) => {
      const adapter = adapterOf(k, p.handle);
      if (adapter === undefined) return done();
      p.adapter = adapter.address;
      const { StatusCode, StatusBuffer, StatusBufferSize, PortNumber, DestinationHandle } = Indication.at(k.memory, p.indication);
      p.port = PortNumber;
      p.destination = DestinationHandle;
      countIndication(k, adapter, PortNumber, 1);
      if (StatusCode === LINK_STATE && StatusBufferSize >= LinkState.bytes) rememberLinkState(k, adapter, StatusBuffer);
      if (StatusCode === PORT_STATE && StatusBufferSize >= PortState.bytes) {
        rememberPortState(k, adapter, PortNumber, StatusBuffer);
      }
    }),
    step("the next protocol gets the status", (k, p) => {
      const binding = bindingsAbove(k, adapterAt(k, p.adapter), "status")[p.index];
      if (binding === undefined) {
        countIndication(k, adapterAt(k, p.adapter), p.port, -1);
        return done();
      }
      p.index += 1;
      // Status goes to a binding from its open until its close is complete.
      const handler = binding.protocol?.statusEx ?? 0;
      // One that answers a request goes only to whoever made it.
      const isForOther = p.destination !== 0 && k.objects.handleOf(binding) !== p.destination;
      if (handler === 0 || isForOther || binding.open !== "open" || binding.close === "closed")
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
