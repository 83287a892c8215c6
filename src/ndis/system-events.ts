/**
 * What a whole stack is told about its device and the system: that the device was removed by surprise, and that the system shuts down.
 *
 * Pages: processing-the-surprise-removal-of-a-nic--windows-7-and-later-versions-, nc-ndis-miniport_shutdown, miniport-adapter-shutdown.
 */
import { constant } from "../contract/index.ts";
import { call, done, goTo, plan, run, step } from "../kernel/plan.ts";
import { IRQL } from "../kernel/state.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { DEVICE_EVENTS, notifyDeviceEvent } from "./device-events.ts";
import type { Adapter } from "./objects.ts";
import { deliverEvent } from "./pnp-events.ts";
import { adapterAt, adapters, bindingsOf } from "./stack.ts";
import { setAdapterState } from "./states.ts";
import { unbind } from "./unbind.ts";

const SET_POWER = constant("NetEventSetPower");
const NOT_SUPPORTED = constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0;

/** Tells each protocol of a stack that the caller has to itself, one after the other. */
export const tellProtocols = plan(
  "tell the protocols of an event",
  struct("TellProtocols", { adapter: u32, code: u32, buffer: u32, bufferLength: u32, told: u32, binding: u32 }),
  [
    step("the next protocol is told", (k, p) => {
      const binding = bindingsOf(k, adapterAt(k, p.adapter))[p.told];
      if (binding === undefined) return done();
      p.binding = binding.address;
      return run(deliverEvent, [p.binding, p.code, p.buffer, p.bufferLength]);
    }),
    step("it has answered", (_k, p, status) => {
      // An old protocol that knows nothing of power says so, and is unbound.
      if (p.code === SET_POWER && status >>> 0 === NOT_SUPPORTED) return run(unbind, [p.binding]);
      // Undocumented: what NDIS makes of a protocol that fails such an event in another way. It goes on.
      p.told += 1;
    }),
    step("is there another protocol?", () => goTo("the next protocol is told")),
  ],
);

/** The first part of a surprise removal of an adapter whose stack the caller has to itself; then the stack is stopped. */
export const tellOfSurpriseRemoval = plan("tell of a surprise removal", struct("SurpriseRemoval", { adapter: u32 }), [
  step("the protocols hear that the device is to be removed", (_k, p) =>
    run(tellProtocols, [p.adapter, constant("NetEventQueryRemoveDevice"), 0, 0]),
  ),
  step("the miniport hears that it has been removed", (_k, p) =>
    run(notifyDeviceEvent, [p.adapter, DEVICE_EVENTS["surprise removed"]]),
  ),
]);

const BUG_CHECK = constant("NdisShutdownBugCheck");
const WANTS_BUG_CHECKS = constant("NDIS_MINIPORT_ATTRIBUTES_REGISTER_BUGCHECK_CALLBACK");
const NDIS_6_30 = 30;

/** From NDIS 6.30 on, a miniport hears of a bug check only if it has asked for that. */
const hearsOf = ({ miniport, attributeFlags }: Adapter, action: number): boolean =>
  action !== BUG_CHECK || (miniport?.minorVersion ?? 0) < NDIS_6_30 || (attributeFlags & WANTS_BUG_CHECKS) !== 0;

/**
 * The system shuts down, with that NDIS_SHUTDOWN_ACTION: after MiniportShutdownEx NDIS calls no handler of the miniport any more. In a bug check
 * nothing else runs on the processor.
 */
export const shutDownAdapters = plan("shut down the adapters", struct("ShutDown", { action: u32, irql: u32 }), [
  step("the next adapter is shut down", (k, p) => {
    const adapter = adapters(k).find(({ state }) => state !== "Halted" && state !== "Initializing" && state !== "Shutdown");
    if (adapter === undefined) return done();
    setAdapterState(k, adapter, "Shutdown");
    adapter.isWatchOver = true;
    if (!hearsOf(adapter, p.action)) return;
    p.irql = k.current.irql;
    if (p.action === BUG_CHECK) k.scheduler.setIrql(IRQL.HIGH);
    return call(adapter.miniport?.shutdown ?? 0, "MiniportShutdownEx", [adapter.context, p.action]);
  }),
  step("is there another adapter?", (k, p) => {
    k.scheduler.setIrql(p.irql);
    return goTo("the next adapter is shut down");
  }),
]);

export const systemEventPlans = [tellProtocols, tellOfSurpriseRemoval, shutDownAdapters];
