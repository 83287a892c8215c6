/**
 * Plug-and-Play events of the device, as the miniport is told of them.
 *
 * Pages: nc-ndis-miniport_device_pnp_event_notify, ns-ndis-_net_device_pnp_event.
 */
import { constant } from "../contract/index.ts";
import { call, plan, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { adapterAt } from "./stack.ts";

const Event = windowsStruct("NET_DEVICE_PNP_EVENT");

export const DEVICE_EVENTS = {
  "query removed": constant("NdisDevicePnPEventQueryRemoved"),
  removed: constant("NdisDevicePnPEventRemoved"),
  "surprise removed": constant("NdisDevicePnPEventSurpriseRemoved"),
  "query stopped": constant("NdisDevicePnPEventQueryStopped"),
  stopped: constant("NdisDevicePnPEventStopped"),
  "on battery": constant("NdisDevicePnPEventPowerProfileChanged"),
  "on mains": constant("NdisDevicePnPEventPowerProfileChanged"),
  /** One that no driver knows: a later Windows may have more. */
  unknown: constant("NdisDevicePnPEventMaximum") + 0x100,
} as const;
export type DeviceEvent = keyof typeof DEVICE_EVENTS;

/** What the buffer of an event says: only a change of the power profile has one. */
export const powerProfile = (event: DeviceEvent): number =>
  constant(event === "on battery" ? "NdisPowerProfileBattery" : "NdisPowerProfileAcOnLine");

/** Tells the miniport. The event and its buffer are one block of NDIS's memory. */
export const notifyDeviceEvent = plan(
  "notify a miniport of a device event",
  struct("DeviceEvent", { adapter: u32, code: u32, profile: u32, event: u32 }),
  [
    step("the miniport is told", (k, p) => {
      const { miniport, context } = adapterAt(k, p.adapter);
      p.event = allocate(k, Event.bytes + 4, NDIS_TAG, -1);
      writeHeader(k, p.event, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1");
      const event = Event.at(k.memory, p.event);
      event.DevicePnPEvent = p.code;
      if (p.code === DEVICE_EVENTS["on mains"]) {
        event.InformationBuffer = p.event + Event.bytes;
        event.InformationBufferLength = 4;
        k.memory.writeU32(event.InformationBuffer, p.profile);
      }
      return call(miniport?.devicePnPEventNotify ?? 0, "MiniportDevicePnPEventNotify", [context, p.event]);
    }),
    step("the miniport knows", (k, p) => free(k, p.event)),
  ],
);
export const deviceEventPlans = [notifyDeviceEvent];
