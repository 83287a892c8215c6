/**
 * Network PnP events on their way to protocols: ProtocolNetPnPEvent is called, and the event is complete when the handler returns
 * something other than NDIS_STATUS_PENDING, or when NdisCompleteNetPnPEvent is called.
 *
 * Pages: handling-pnp-event-notifications-in-a-protocol-driver, nf-ndis-ndiscompletenetpnpevent.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, plan, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { Binding, PnPEvent, ProtocolDriver } from "./objects.ts";
import { NDIS_STATUS_PENDING, bindingAt, bindingOf, owedByProtocol, tellCompletedTwice } from "./stack.ts";

const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");
export const NDIS_TAG = 0x7344_4e44;

/** Delivers one event to one binding and waits for its completion; the result is its status. */
export const deliverEvent = plan(
  "deliver a PnP event",
  struct("DeliverEvent", { binding: u32, code: u32, buffer: u32, bufferLength: u32, event: u32, notification: u32 }),
  [
    step("the protocol gets the event", (k, p) => {
      const binding = bindingAt(k, p.binding);
      p.notification = allocate(k, Notification.bytes, NDIS_TAG, -1);
      const notification = Notification.at(k.memory, p.notification);
      writeHeader(k, p.notification, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1");
      notification.NetPnPEvent_NetEvent = p.code;
      notification.NetPnPEvent_Buffer = p.buffer;
      notification.NetPnPEvent_BufferLength = p.bufferLength;
      const event = k.objects.create(PnPEvent);
      event.binding = binding;
      event.notification = p.notification;
      p.event = event.address;
      return call(binding.protocol?.netPnPEvent ?? 0, "ProtocolNetPnPEvent", [binding.context, p.notification]);
    }),
    step("the protocol has answered", (k, p, result) => {
      const event = PnPEvent.at(k.memory, p.event);
      if (result === NDIS_STATUS_PENDING) return;
      if (event.isComplete) {
        tellCompletedTwice(k, owedByProtocol(bindingAt(k, p.binding), "NdisCompleteNetPnPEvent", "netPnPEvent"));
        return;
      }
      event.isComplete = true;
      event.status = result;
    }),
    until("the event is complete", (k, p) => PnPEvent.at(k.memory, p.event).isComplete, {
      owes: (k, p) => owedByProtocol(bindingAt(k, p.binding), "NdisCompleteNetPnPEvent", "netPnPEvent"),
    }),
    step("the event is over", (k, p) => {
      const event = PnPEvent.at(k.memory, p.event);
      const { status } = event;
      tellComplete(k, bindingAt(k, p.binding).protocol, p.notification, status);
      k.objects.release(event);
      free(k, p.notification);
      return done(status);
    }),
  ],
);

/** The protocol has completed an event of that notification. */
export function tellComplete(k: Kernel, protocol: ProtocolDriver | undefined, notification: number, status: number): void {
  const { NetPnPEvent_NetEvent: code } = Notification.at(k.memory, notification);
  k.note("PnP event complete", protocol?.address ?? 0, status, String(code));
}

/** The event that a notification belongs to. */
export function eventOf(k: Kernel, notification: number): PnPEvent | undefined {
  return k.objects.all(PnPEvent).find((event) => event.notification === notification);
}

export const pnpEventRoutines = [
  leaf("NdisCompleteNetPnPEvent", (k, bindingHandle, notification, status) => {
    const forDriver = bindingHandle === 0 || k.objects.resolve(bindingHandle, ProtocolDriver) !== undefined;
    if (!forDriver && bindingOf(k, bindingHandle) === undefined) return;
    const event = eventOf(k, notification);
    const ofOther = !forDriver && event?.binding?.address !== k.objects.resolve(bindingHandle, Binding)?.address;
    if (event === undefined || event.isComplete || ofOther) {
      k.note("completed without pending", notification, 0, "NdisCompleteNetPnPEvent");
      return;
    }
    event.isComplete = true;
    event.status = status;
  }),
];

export const NET_EVENT = {
  Pause: constant("NetEventPause"),
  Restart: constant("NetEventRestart"),
  PortActivation: constant("NetEventPortActivation"),
  PortDeactivation: constant("NetEventPortDeactivation"),
  BindList: constant("NetEventBindList"),
  BindsComplete: constant("NetEventBindsComplete"),
  Reconfigure: constant("NetEventReconfigure"),
} as const;
