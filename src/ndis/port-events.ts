/**
 * Activation and deactivation of ports, which a miniport asks for with a network PnP event that NDIS passes on to the protocols.
 *
 * Pages: activating-an-ndis-port, deactivating-an-ndis-port, handling-the-port-activation-pnp-event,
 * handling-the-port-deactivation-pnp-event, nf-ndis-ndismnetpnpevent.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Next, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { planned } from "../kernel/routine.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { barPorts, forgetPorts, learnPorts } from "./known-ports.ts";
import { bindingsAbove } from "./layers.ts";
import { type Adapter, Binding } from "./objects.ts";
import { NET_EVENT, deliverEvent } from "./pnp-events.ts";
import { NdisPort, portStructures } from "./port-lists.ts";
import { DEFAULT_PORT, describePort, portNumbered } from "./port-states.ts";
import { tellPortState } from "./ports.ts";
import { bindToRunningStack } from "./protocol-binding.ts";
import { NDIS_STATUS_SUCCESS, adapterAt, adapterOf, bindingsOf } from "./stack.ts";
import { freeStack, unbind } from "./unbind.ts";

const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");

/** Port numbers that an event of the miniport names; undefined: the event is malformed. */
function namedPorts(k: Kernel, notification: number): number[] | undefined {
  const given = Notification.at(k.memory, notification);
  const { NetPnPEvent_Buffer: buffer, NetPnPEvent_BufferLength: length } = given;
  // Undocumented: what becomes of an event whose own PortNumber is not zero, as the pages demand. It is carried out; a rule tells.
  if (buffer === 0 || length === 0) return undefined;
  if (given.NetPnPEvent_NetEvent === NET_EVENT.PortDeactivation) {
    return Array.from({ length: Math.floor(length / 4) }, (_, index) => k.memory.readU32(buffer + index * 4));
  }
  return portStructures(k, buffer).map((address) => NdisPort.at(k.memory, address).PortCharacteristics_PortNumber);
}

interface Refusal {
  readonly status: string;
  /** The port that stands in the way. */
  readonly number: number;
}

/** Why not all of the listed ports can go to that state; undefined: they can. If one cannot, none changes. */
function refusal(
  k: Kernel,
  adapter: Adapter,
  numbers: readonly number[],
  wanted: "Activated" | "Allocated",
): Refusal | undefined {
  // The default port may only be alone in its list.
  if (numbers.includes(DEFAULT_PORT)) {
    if (numbers.length > 1) return { status: "NDIS_STATUS_INVALID_PORT", number: DEFAULT_PORT };
    const isThere = adapter.isDefaultPortActive === (wanted === "Activated");
    return isThere ? { status: "NDIS_STATUS_INVALID_PORT_STATE", number: DEFAULT_PORT } : undefined;
  }
  const missing = numbers.find((number) => portNumbered(k, adapter, number) === undefined);
  if (missing !== undefined) return { status: "NDIS_STATUS_INVALID_PORT", number: missing };
  // Undocumented: what becomes of an event for a port that another event is changing, or that the list names twice. The event fails: when
  // its turn comes, the port is not in the state from which it is to go.
  const inState = numbers.find((number, index) => {
    const port = portNumbered(k, adapter, number);
    return port?.state === wanted || port?.change !== "none" || numbers.indexOf(number) !== index;
  });
  return inState === undefined ? undefined : { status: "NDIS_STATUS_INVALID_PORT_STATE", number: inState };
}

function setPorts(k: Kernel, adapter: Adapter, numbers: readonly number[], to: "Activated" | "Allocated"): void {
  for (const number of numbers) {
    const port = portNumbered(k, adapter, number);
    const from = to === "Activated" ? "Allocated" : "Activated";
    if (number === DEFAULT_PORT) adapter.isDefaultPortActive = to === "Activated";
    else if (port !== undefined) port.state = to;
    if (port !== undefined) port.hasBeenActive = true;
    tellPortState(k, number, from, to);
  }
}

/** What the call is doing to the ports, until it returns. */
function markPorts(
  k: Kernel,
  adapter: Adapter,
  numbers: readonly number[],
  change: "none" | "activating" | "deactivating",
): void {
  for (const number of numbers) {
    const port = portNumbered(k, adapter, number);
    if (port !== undefined) port.change = change;
  }
}

/** The ports whose activation is refused must not be used in indications. */
function rememberRefusal(k: Kernel, adapter: Adapter, numbers: readonly number[], isRefused: boolean): void {
  for (const number of numbers) {
    const port = portNumbered(k, adapter, number);
    if (port?.state === "Allocated") port.isRefused = isRefused;
  }
}

const EventLocals = struct("NetPnPEventCall", {
  handle: u32,
  notification: u32,
  adapter: u32,
  index: u32,
  /** Handle of the binding that has the event: the binding may be gone when it is over. */
  told: u32,
  hasStack: boolean,
});
type EventLocals = ReturnType<typeof EventLocals.at>;

const eventCode = (k: Kernel, p: EventLocals): number => Notification.at(k.memory, p.notification).NetPnPEvent_NetEvent;
const isActivation = (k: Kernel, p: EventLocals): boolean => eventCode(k, p) === NET_EVENT.PortActivation;
const isPortEvent = (k: Kernel, p: EventLocals): boolean => isActivation(k, p) || eventCode(k, p) === NET_EVENT.PortDeactivation;

function takeDescriptions(k: Kernel, adapter: Adapter, notification: number): void {
  for (const at of portStructures(k, Notification.at(k.memory, notification).NetPnPEvent_Buffer)) {
    const port = portNumbered(k, adapter, NdisPort.at(k.memory, at).PortCharacteristics_PortNumber);
    describePort(k, adapter, port, at + NdisPort.offset("PortCharacteristics_Header"));
  }
}

const netPnPEvent = plan("NdisMNetPnPEvent", EventLocals, [
  step("the event is looked at", (k, p): Next | undefined => {
    const adapter = adapterOf(k, p.handle);
    if (adapter === undefined) return done(constant("NDIS_STATUS_INVALID_PARAMETER"));
    p.adapter = adapter.address;
    if (!isPortEvent(k, p)) return goTo("the next protocol gets the event");
    const numbers = namedPorts(k, p.notification);
    const wanted = isActivation(k, p) ? "Activated" : "Allocated";
    const malformed = { status: "NDIS_STATUS_INVALID_PARAMETER", number: DEFAULT_PORT };
    const refused = numbers === undefined ? malformed : refusal(k, adapter, numbers, wanted);
    if (numbers === undefined || refused !== undefined) {
      const { status, number } = refused ?? malformed;
      k.note("port event refused", adapter.address, number, `${wanted} ${status}`);
      if (wanted === "Activated") rememberRefusal(k, adapter, numbers ?? [], true);
      return done(constant(status));
    }
    if (wanted === "Allocated") {
      markPorts(k, adapter, numbers, "deactivating");
      return numbers.includes(DEFAULT_PORT) ? undefined : goTo("the next protocol gets the event");
    }
    takeDescriptions(k, adapter, p.notification);
    rememberRefusal(k, adapter, numbers, false);
    setPorts(k, adapter, numbers, "Activated");
    // NDIS starts bindings when the default port becomes active; overlying drivers learn of active ports only after that.
    if (numbers.includes(DEFAULT_PORT)) {
      k.startThread("WorkItem", { kind: "plan", plan: bindToRunningStack, args: [p.adapter] });
      return done(NDIS_STATUS_SUCCESS);
    }
    if (!adapter.isDefaultPortActive) return done(NDIS_STATUS_SUCCESS);
    markPorts(k, adapter, numbers, "activating");
    return goTo("the next protocol gets the event");
  }),
  until("no other operation changes the stack, or it is this one", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    return p.hasStack || adapter.isHalting || adapter.busy === 0;
  }),
  step("deactivating the default port closes every binding", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    if (!adapter.isHalting) {
      adapter.busy = 1;
      p.hasStack = true;
    }
    const binding = bindingsOf(k, adapter)[0];
    return binding === undefined ? goTo("the listed ports have changed") : run(unbind, [binding.address]);
  }),
  step("is there another binding?", () => goTo("deactivating the default port closes every binding")),
  step("the next protocol gets the event", (k, p) => {
    const binding = bindingsAbove(k, adapterAt(k, p.adapter), "pnpEvent")[p.index];
    if (binding === undefined) return goTo("the listed ports have changed");
    p.index += 1;
    if (binding.open !== "open" || binding.isHandleClosed) return goTo("the next protocol gets the event");
    p.told = k.objects.handleOf(binding);
    if (isActivation(k, p)) learnPorts(k, binding, namedPorts(k, p.notification) ?? []);
    const {
      NetPnPEvent_NetEvent: code,
      NetPnPEvent_Buffer: buffer,
      NetPnPEvent_BufferLength: length,
    } = Notification.at(k.memory, p.notification);
    return run(deliverEvent, [binding.address, code, buffer, length]);
  }),
  step("is there another protocol?", (k, p, status) => {
    const binding = k.objects.resolve(p.told, Binding);
    if (binding !== undefined && isPortEvent(k, p)) {
      const numbers = namedPorts(k, p.notification) ?? [];
      if (!isActivation(k, p)) {
        for (const number of numbers) k.note("port deactivation complete", binding.address, number);
        k.note("port deactivation answered", binding.address, status);
        barPorts(k, binding, numbers, "isGivenUp");
      } else if (status !== NDIS_STATUS_SUCCESS) {
        // A protocol may fail the event; the ports are active all the same, for others.
        barPorts(k, binding, numbers, "isRefused");
      }
    }
    return goTo("the next protocol gets the event");
  }),
  step("the listed ports have changed", (k, p) => {
    if (p.hasStack) freeStack(k, p.adapter);
    if (!isPortEvent(k, p)) return done(NDIS_STATUS_SUCCESS);
    const adapter = adapterAt(k, p.adapter);
    const numbers = namedPorts(k, p.notification) ?? [];
    markPorts(k, adapter, numbers, "none");
    // Until the deactivation call returns the ports are still active.
    if (!isActivation(k, p)) {
      setPorts(k, adapter, numbers, "Allocated");
      for (const binding of bindingsOf(k, adapter)) forgetPorts(k, binding, numbers);
    }
    return done(NDIS_STATUS_SUCCESS);
  }),
]);

export const portEventRoutines = [planned("NdisMNetPnPEvent", netPnPEvent)];
