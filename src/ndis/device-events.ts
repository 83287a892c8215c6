/**
 * What a miniport and the protocols above it are told about the device and the system: events of the device, its surprise removal, and the end of
 * the system.
 *
 * Pages: nc-ndis-miniport_device_pnp_event_notify, ns-ndis-_net_device_pnp_event, nc-ndis-miniport_shutdown, miniport-adapter-shutdown,
 * processing-the-surprise-removal-of-a-nic--windows-7-and-later-versions-.
 */
import { constant } from "../contract/index.ts";
import { call, done, goTo, plan, run, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { NDIS_TAG, deliverEvent } from "./pnp-events.ts";
import { adapterAt, adapters, bindingsOf } from "./stack.ts";
import { setAdapterState } from "./states.ts";

const DeviceEvent = windowsStruct("NET_DEVICE_PNP_EVENT");

/** Tells the miniport, at PASSIVE_LEVEL; `profile` goes with a change of the power profile. */
export const tellMiniport = plan(
  "tell a miniport of a device event",
  struct("TellMiniport", { adapter: u32, code: u32, profile: u32, event: u32 }),
  [
    step("the miniport is told", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      p.event = allocate(k, DeviceEvent.bytes + 4, NDIS_TAG, -1);
      writeHeader(k, p.event, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1");
      const event = DeviceEvent.at(k.memory, p.event);
      event.DevicePnPEvent = p.code;
      if (p.code === constant("NdisDevicePnPEventPowerProfileChanged")) {
        event.InformationBuffer = p.event + DeviceEvent.bytes;
        event.InformationBufferLength = 4;
        k.memory.writeU32(event.InformationBuffer, p.profile);
      }
      return call(adapter.miniport?.devicePnPEventNotify ?? 0, "MiniportDevicePnPEventNotify", [adapter.context, p.event]);
    }),
    step("it knows", (k, p) => free(k, p.event)),
  ],
);

/** The arguments of `tellMiniport` that say on what power the system runs. Undocumented: which it is. A machine here hangs on the mains. */
export const powerProfile = [constant("NdisDevicePnPEventPowerProfileChanged"), constant("NdisPowerProfileAcOnLine")] as const;

/** Tells each protocol of a stack that the caller has to itself, one after the other. */
export const tellProtocols = plan(
  "tell the protocols of an event",
  struct("TellProtocols", { adapter: u32, code: u32, buffer: u32, bufferLength: u32, told: u32 }),
  [
    step("the next protocol is told", (k, p) => {
      const binding = bindingsOf(k, adapterAt(k, p.adapter))[p.told];
      if (binding === undefined) return done();
      p.told += 1;
      // Undocumented: what NDIS makes of a protocol that fails such an event. It goes on.
      return run(deliverEvent, [binding.address, p.code, p.buffer, p.bufferLength]);
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
    run(tellMiniport, [p.adapter, constant("NdisDevicePnPEventSurpriseRemoved")]),
  ),
]);

/** The system shuts down: after MiniportShutdownEx NDIS calls no handler of the miniport any more. */
export const shutDownAdapters = plan("shut down the adapters", struct("ShutDown", {}), [
  step("the next adapter is shut down", (k) => {
    const adapter = adapters(k).find(({ state }) => state !== "Halted" && state !== "Initializing" && state !== "Shutdown");
    if (adapter === undefined) return done();
    setAdapterState(k, adapter, "Shutdown");
    adapter.isWatchOver = true;
    return call(adapter.miniport?.shutdown ?? 0, "MiniportShutdownEx", [adapter.context, constant("NdisShutdownPowerOff")]);
  }),
  step("is there another adapter?", () => goTo("the next adapter is shut down")),
]);

export const deviceEventPlans = [tellMiniport, tellProtocols, tellOfSurpriseRemoval, shutDownAdapters];
