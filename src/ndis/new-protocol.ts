/**
 * What NDIS does about a protocol driver that has just registered: it binds it to the adapters that are there, and says when that is done.
 *
 * Pages: nf-ndis-ndisregisterprotocoldriver, handling-pnp-event-notifications-in-a-protocol-driver.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { type Obligation, call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { writeUtf16 } from "../kernel/strings.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { PnPEvent, ProtocolDriver } from "./objects.ts";
import { NDIS_TAG, NET_EVENT, tellComplete } from "./pnp-events.ts";
import { adapterName } from "./names.ts";
import { bindToRunningStack } from "./protocol-binding.ts";
import { NDIS_STATUS_PENDING, adapters, tellCompletedTwice } from "./stack.ts";

const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");

/** What a protocol has to do that answered NDIS_STATUS_PENDING to an event for the whole driver. */
const owed = (protocol: ProtocolDriver | undefined): Obligation => ({
  what: "NdisCompleteNetPnPEvent",
  driver: protocol?.slot ?? -1,
  target: protocol?.netPnPEvent ?? 0,
});

/** An event for the whole protocol driver, not for a binding: its ProtocolBindingContext is NULL. */
const deliverToDriver = plan(
  "deliver a PnP event to a protocol driver",
  struct("DeliverToDriver", { handle: u32, code: u32, buffer: u32, bufferLength: u32, event: u32, notification: u32 }),
  [
    step("the protocol gets the event", (k, p) => {
      const protocol = k.objects.resolve(p.handle, ProtocolDriver);
      if (protocol === undefined || protocol.isDeregistering) return done();
      p.notification = allocate(k, Notification.bytes, NDIS_TAG, -1);
      writeHeader(k, p.notification, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1");
      const notification = Notification.at(k.memory, p.notification);
      notification.NetPnPEvent_NetEvent = p.code;
      notification.NetPnPEvent_Buffer = p.buffer;
      notification.NetPnPEvent_BufferLength = p.bufferLength;
      const event = k.objects.create(PnPEvent);
      event.notification = p.notification;
      p.event = event.address;
      protocol.eventsActive += 1;
      return call(protocol.netPnPEvent, "ProtocolNetPnPEvent", [0, p.notification]);
    }),
    step("the protocol has answered", (k, p, result) => {
      const event = PnPEvent.at(k.memory, p.event);
      if (result === NDIS_STATUS_PENDING) return;
      if (event.isComplete) {
        tellCompletedTwice(k, owed(k.objects.resolve(p.handle, ProtocolDriver)));
        return;
      }
      event.isComplete = true;
      event.status = result;
    }),
    until("the event is complete", (k, p) => PnPEvent.at(k.memory, p.event).isComplete, {
      owes: (k, p) => owed(k.objects.resolve(p.handle, ProtocolDriver)),
    }),
    step("the event is over", (k, p) => {
      const event = PnPEvent.at(k.memory, p.event);
      const protocol = k.objects.resolve(p.handle, ProtocolDriver);
      tellComplete(k, protocol, p.notification, event.status);
      k.objects.release(event);
      free(k, p.notification);
      if (protocol !== undefined) protocol.eventsActive -= 1;
    }),
  ],
);

/**
 * Binds the protocol to each adapter that was there when it registered, then tells it that all binds are complete. An adapter that starts
 * later binds it by itself.
 */
export const welcomeProtocol = plan("welcome a protocol driver", struct("Welcome", { handle: u32, adapters: u32, index: u32 }), [
  step("the next adapter", (k, p) => {
    const adapter = p.index < p.adapters ? adapters(k)[p.index] : undefined;
    if (adapter === undefined || k.objects.resolve(p.handle, ProtocolDriver) === undefined) return goTo("all binds are complete");
    p.index += 1;
    return run(bindToRunningStack, [adapter.address, p.handle]);
  }),
  step("is there another adapter?", () => goTo("the next adapter")),
  step("all binds are complete", (_k, p) => run(deliverToDriver, [p.handle, NET_EVENT.BindsComplete, 0, 0])),
]);

/** The bind list of the protocols has changed: each gets the names of its adapters, in order, each ended by a zero and the list by another. */
export const announceBindList = plan("announce the bind list", struct("BindList", { buffer: u32, length: u32, after: u32 }), [
  step("the list is made", (k, p) => {
    const text = adapters(k)
      .map(({ index }) => `${adapterName(index)}\0`)
      .join("");
    p.length = (text.length + 1) * 2;
    p.buffer = allocate(k, p.length, NDIS_TAG, -1);
    writeUtf16(k.memory, p.buffer, text);
  }),
  step("the next protocol gets the list", (k, p) => {
    const protocol = nextProtocol(k, p.after);
    if (protocol === undefined) return goTo("every protocol has the list");
    p.after = protocol.address;
    return run(deliverToDriver, [k.objects.handleOf(protocol), NET_EVENT.BindList, p.buffer, p.length]);
  }),
  step("is there another protocol?", () => goTo("the next protocol gets the list")),
  step("every protocol has the list", (k, p) => free(k, p.buffer)),
]);

function nextProtocol(k: Kernel, after: number): ProtocolDriver | undefined {
  return k.objects
    .all(ProtocolDriver)
    .filter(({ address, isDeregistering }) => address > after && !isDeregistering)
    .toSorted((a, b) => a.address - b.address)[0];
}

export const newProtocolPlans = [welcomeProtocol, announceBindList, deliverToDriver];
