/** Events of a miniport for its whole stack, from NDIS 6.50 on. */
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { miniportRegisteredWith } from "./registration.ts";
import { type Change, type Running, adapter } from "./support.ts";

/** A miniport of NDIS 6.50. */
export const make650 = miniportRegisteredWith(() => ({ MinorNdisVersion: 50 }));

const EVENTS = {
  inhibit: "NetEventInhibitBindsAbove",
  allow: "NetEventAllowBindsAbove",
  requirePause: "NetEventRequirePause",
  allowStart: "NetEventAllowStart",
} as const satisfies Record<string, ConstantName>;
export type StackEvent = keyof typeof EVENTS;

export function* raiseForStack(d: DriverEnvironment, handle: number, event: StackEvent): Running<number> {
  const notification = d.local("NET_PNP_EVENT_NOTIFICATION", { NetPnPEvent_NetEvent: EVENTS[event] });
  d.header(notification.address, "NDIS_OBJECT_TYPE_DEFAULT", 2, "NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2");
  return yield* d.NdisMNetPnPEvent(handle, notification.address);
}

/** One function for each of the events. */
export const stackEvents: Change = (d, its) =>
  Object.fromEntries(
    (Object.keys(EVENTS) as StackEvent[]).map((event) => [
      event,
      function* (): Running<number> {
        return yield* raiseForStack(d, its.get(adapter.handle), event);
      },
    ]),
  );
