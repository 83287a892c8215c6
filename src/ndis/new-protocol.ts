/**
 * What NDIS does about a protocol driver that has just registered: it binds it to the adapters that are there, and says when that is done.
 *
 * Pages: nf-ndis-ndisregisterprotocoldriver, handling-pnp-event-notifications-in-a-protocol-driver.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { type Obligation, call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
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
  struct("DeliverToDriver", {
    handle: u32,
    code: u32,
    buffer: u32,
    bufferLength: u32,
    isMalformed: boolean,
    event: u32,
    notification: u32,
  }),
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
      event.isMalformed = p.isMalformed;
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
  step("all binds are complete", (k, p) => {
    const protocol = k.objects.resolve(p.handle, ProtocolDriver);
    if (protocol !== undefined) protocol.isWelcomed = true;
    return run(deliverToDriver, [p.handle, NET_EVENT.BindsComplete, 0, 0, 0]);
  }),
]);

/** How the data of an announced event is formed: as it should be, or not. */
export const ANNOUNCEMENTS = ["well-formed", "no buffer", "not terminated"] as const;
export type Announcement = (typeof ANNOUNCEMENTS)[number];

/** The names of the adapters, in order, each ended by a zero and the list by another. */
function bindList(k: Kernel, form: Announcement): { readonly buffer: number; readonly length: number } {
  if (form === "no buffer") return { buffer: 0, length: 0 };
  const names = adapters(k).map(({ index }) => adapterName(index));
  const text = form === "well-formed" ? `${names.map((name) => `${name}\0`).join("")}\0` : names.join(";").padEnd(1, ";");
  const buffer = allocate(k, text.length * 2, NDIS_TAG, -1);
  for (const [index, unit] of [...text].entries()) k.memory.writeU16(buffer + index * 2, unit.charCodeAt(0));
  return { buffer, length: text.length * 2 };
}

/** Data for NetEventReconfigure that no protocol has agreed on with anybody. */
function unknownData(k: Kernel): { readonly buffer: number; readonly length: number } {
  const buffer = allocate(k, UNKNOWN_BYTES, NDIS_TAG, -1);
  k.memory.u8.fill(0xff, buffer, buffer + UNKNOWN_BYTES);
  return { buffer, length: UNKNOWN_BYTES };
}
const UNKNOWN_BYTES = 6;

/**
 * Every protocol is told, as a whole, that its bind list or its configuration has changed. The protocol is responsible for validating what the
 * buffer has.
 */
export const announce = plan(
  "announce to the protocols",
  struct("Announce", { code: u32, form: u32, buffer: u32, length: u32, after: u32 }),
  [
    step("the data is made", (k, p) => {
      const { buffer, length } =
        p.code === NET_EVENT.BindList ? bindList(k, ANNOUNCEMENTS[p.form] ?? "well-formed") : unknownData(k);
      p.length = length;
      p.buffer = buffer;
    }),
    step("the next protocol is told", (k, p) => {
      const protocol = nextProtocol(k, p.after);
      if (protocol === undefined) return goTo("every protocol has been told");
      p.after = protocol.address;
      const isMalformed = p.code !== NET_EVENT.BindList || p.form !== 0 ? 1 : 0;
      return run(deliverToDriver, [k.objects.handleOf(protocol), p.code, p.buffer, p.length, isMalformed]);
    }),
    step("is there another protocol?", () => goTo("the next protocol is told")),
    step("every protocol has been told", (k, p) => {
      if (p.buffer !== 0) free(k, p.buffer);
    }),
  ],
);

function nextProtocol(k: Kernel, after: number): ProtocolDriver | undefined {
  return k.objects
    .all(ProtocolDriver)
    .filter(({ address, isDeregistering }) => address > after && !isDeregistering)
    .toSorted((a, b) => a.address - b.address)[0];
}

export const newProtocolPlans = [welcomeProtocol, announce, deliverToDriver];
