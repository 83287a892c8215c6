/**
 * Events with which a miniport keeps its stack to itself for a while: nobody may bind above, or all is to be paused.
 *
 * Pages: ns-netpnp-_net_pnp_event, nf-ndis-ndismnetpnpevent.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { Adapter } from "./objects.ts";
import { PAUSE_REASON, pauseStack, restartStack } from "./pause-restart.ts";
import { bindToRunningStack } from "./protocol-binding.ts";
import { NDIS_STATUS_SUCCESS, adapterAt, bindingsOf } from "./stack.ts";
import { freeStack, unbind } from "./unbind.ts";

const Notification = windowsStruct("NET_PNP_EVENT_NOTIFICATION");
const INHIBIT_BINDS = constant("NetEventInhibitBindsAbove");
const ALLOW_BINDS = constant("NetEventAllowBindsAbove");
const REQUIRE_PAUSE = constant("NetEventRequirePause");
const ALLOW_START = constant("NetEventAllowStart");
const STACK_EVENTS: ReadonlySet<number> = new Set([INHIBIT_BINDS, ALLOW_BINDS, REQUIRE_PAUSE, ALLOW_START]);
export const isStackEvent = (code: number): boolean => STACK_EVENTS.has(code);

/** What a miniport that is not an intermediate driver may raise beside the events above. */
const OWN_EVENTS: ReadonlySet<number> = new Set(
  (
    [
      "NetEventPortActivation",
      "NetEventPortDeactivation",
      "NetEventSwitchActivate",
      "NetEventNDKEnable",
      "NetEventNDKDisable",
    ] as const
  ).map((name) => constant(name)),
);
const SIZES = ["NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1", "NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_2"] as const;
const NDIS_6_50 = 50;

/**
 * What is wrong with an event that a miniport raises. Undocumented: which events NDIS stops for. Those that a miniport may not raise, and those
 * whose header is not that of a notification, or not of the revision that the event needs.
 */
export function whyIllegal(k: Kernel, adapter: Adapter, notification: number): string | undefined {
  const { NetPnPEvent_NetEvent: code, Header_Revision: revision } = Notification.at(k.memory, notification);
  if (!hasHeader(k, notification, ["NDIS_OBJECT_TYPE_DEFAULT"], SIZES)) return "its header is not that of a notification";
  // An intermediate driver passes on what its protocol edge hears.
  if (OWN_EVENTS.has(code) || (adapter.miniport?.isIntermediate === true && !STACK_EVENTS.has(code))) return undefined;
  if (!STACK_EVENTS.has(code)) return `a miniport may not raise the event with code ${code}`;
  if ((adapter.miniport?.minorVersion ?? 0) < NDIS_6_50)
    return `the event with code ${code} is for miniports of NDIS 6.50 and later`;
  return revision < 2 ? `the event with code ${code} needs a notification of revision 2` : undefined;
}

/** The caller has the stack already: the adapter is being initialized or halted, and there is nobody above it. */
const isAlone = ({ state, isHalting }: Adapter): boolean => state === "Initializing" || isHalting;

/** NDIS binds and starts again when the stack is free; the call of the miniport does not wait for it. */
const resume = plan("a stack may go on", struct("Resume", { handle: u32, adapter: u32 }), [
  until("no other operation changes the stack", (k, p) => {
    const adapter = k.objects.resolve(p.handle, Adapter);
    return adapter === undefined || adapter.busy === 0;
  }),
  step("the stack restarts if it is to run", (k, p) => {
    const adapter = k.objects.resolve(p.handle, Adapter);
    if (adapter === undefined || adapter.isPauseRequired) return done();
    p.adapter = adapter.address;
    if (!adapter.isRestartWanted || adapter.state !== "Paused") return goTo("the protocols bind");
    adapter.isRestartWanted = false;
    adapter.busy = 1;
    // A binding that has never run hears of the attributes.
    const isNew = bindingsOf(k, adapter).some(({ hasRestarted }) => !hasRestarted);
    return run(restartStack, [p.adapter, isNew ? 1 : 0]);
  }),
  step("the stack is free again", (k, p) => freeStack(k, p.adapter)),
  step("the protocols bind", (_k, p) => run(bindToRunningStack, [p.adapter])),
]);

/** Carries out one of the four events; the result is its status. */
export const stackEvent = plan("an event for a whole stack", struct("StackEvent", { adapter: u32, code: u32 }), [
  step("what is asked for?", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    if (p.code === INHIBIT_BINDS || p.code === REQUIRE_PAUSE) {
      if (p.code === INHIBIT_BINDS) adapter.areBindsInhibited = true;
      else adapter.isPauseRequired = true;
      // An adapter that is being initialized does not start before it is allowed to.
      return isAlone(adapter) ? done(NDIS_STATUS_SUCCESS) : undefined;
    }
    if (p.code === ALLOW_BINDS) adapter.areBindsInhibited = false;
    else adapter.isPauseRequired = false;
    if (!adapter.isHalting) k.startThread("WorkItem", { kind: "plan", plan: resume, args: [k.objects.handleOf(adapter)] });
    return done(NDIS_STATUS_SUCCESS);
  }),
  until("no other operation changes the stack", (k, p) => adapterAt(k, p.adapter).busy === 0),
  step("the stack pauses if it has to", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    adapter.busy = 1;
    if (p.code === INHIBIT_BINDS) return goTo("each protocol is unbound");
    if (adapter.state !== "Running") return goTo("the stack is free again");
    adapter.isRestartWanted = true;
    return run(pauseStack, [p.adapter, PAUSE_REASON]);
  }),
  step("it is paused", () => goTo("the stack is free again")),
  step("each protocol is unbound", (k, p) => {
    const binding = bindingsOf(k, adapterAt(k, p.adapter))[0];
    return binding === undefined ? goTo("the stack is free again") : run(unbind, [binding.address]);
  }),
  step("is there another protocol?", () => goTo("each protocol is unbound")),
  step("the stack is free again", (k, p) => {
    freeStack(k, p.adapter);
    return done(NDIS_STATUS_SUCCESS);
  }),
]);

export const stackEventPlans = [resume, stackEvent];
