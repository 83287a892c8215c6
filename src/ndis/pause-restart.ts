/**
 * Pausing and restarting: a binding, and a whole stack. Pause runs from the protocols down to the miniport, restart from the miniport up.
 *
 * Pages: pausing-a-driver-stack, restarting-a-driver-stack, pausing-an-adapter, starting-an-adapter, pausing-a-binding,
 * restarting-a-binding.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { interfaceIndex, writeAdapterLuid } from "./interfaces.ts";
import type { Adapter, Binding } from "./objects.ts";
import { NDIS_TAG, NET_EVENT, deliverEvent } from "./pnp-events.ts";
import { freeRestartAttributes, restartAttributes, takeRestartAttributes } from "./restart-attributes.ts";
import {
  NDIS_STATUS_PENDING,
  NDIS_STATUS_SUCCESS,
  adapterAt,
  adapterOf,
  bindingAt,
  bindingsOf,
  owedByMiniport,
  tellCompletedTwice,
} from "./stack.ts";
import { setAdapterState, setBindingState } from "./states.ts";

const PauseParameters = windowsStruct("NDIS_MINIPORT_PAUSE_PARAMETERS");
const RestartParameters = windowsStruct("NDIS_MINIPORT_RESTART_PARAMETERS");
const ProtocolPause = windowsStruct("NDIS_PROTOCOL_PAUSE_PARAMETERS");
const ProtocolRestart = windowsStruct("NDIS_PROTOCOL_RESTART_PARAMETERS");

export const PAUSE_REASON = constant("NDIS_PAUSE_NDIS_INTERNAL");

export const pauseBinding = plan("pause a binding", struct("PauseBinding", { binding: u32, parameters: u32, status: u32 }), [
  step("the protocol is told to pause", (k, p) => {
    setBindingState(k, bindingAt(k, p.binding), "Pausing");
    p.parameters = allocate(k, ProtocolPause.bytes, NDIS_TAG, -1);
    writeHeader(k, p.parameters, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PROTOCOL_PAUSE_PARAMETERS_REVISION_1");
    ProtocolPause.at(k.memory, p.parameters).PauseReason = PAUSE_REASON;
    return run(deliverEvent, [p.binding, NET_EVENT.Pause, p.parameters, ProtocolPause.bytes]);
  }),
  step("the protocol has completed the event", (_k, p, status) => {
    p.status = status;
  }),
  // Undocumented: what becomes of lists that a receive handler was given which was entered before the event was completed. A protocol cannot tell
  // that NDIS is about to call it, so NDIS waits until the handler has returned, or the lists have.
  until("no receive handler is entered that has not returned its lists", (k, p) => {
    const { receivesHeld, indicationsActive } = bindingAt(k, p.binding);
    return receivesHeld === 0 || indicationsActive === 0;
  }),
  step("the pause is complete", (k, p) => {
    const binding = bindingAt(k, p.binding);
    free(k, p.parameters);
    k.note("pause event complete", binding.address, p.status);
    setBindingState(k, binding, "Paused");
  }),
]);

const RestartBinding = struct("RestartBinding", { binding: u32, attributes: u32, parameters: u32 });

/** Restarts a binding; it is told the restart attributes if there are new ones. */
export const restartBinding = plan("restart a binding", RestartBinding, [
  step("the protocol is told to restart", (k, p) => {
    const binding = bindingAt(k, p.binding);
    setBindingState(k, binding, "Restarting");
    binding.hasRestarted = true;
    // Without a buffer the restart attributes are what they were at the restart before.
    if (p.attributes === 0) return run(deliverEvent, [p.binding, NET_EVENT.Restart, 0, 0]);
    p.parameters = allocate(k, ProtocolRestart.bytes, NDIS_TAG, -1);
    writeHeader(
      k,
      p.parameters,
      "NDIS_OBJECT_TYPE_PROTOCOL_RESTART_PARAMETERS",
      1,
      "NDIS_SIZEOF_PROTOCOL_RESTART_PARAMETERS_REVISION_1",
    );
    const parameters = ProtocolRestart.at(k.memory, p.parameters);
    parameters.RestartAttributes = p.attributes;
    if (binding.adapter !== undefined) {
      parameters.BoundIfIndex = interfaceIndex(binding.adapter);
      writeAdapterLuid(k, p.parameters + ProtocolRestart.offset("BoundIfNetluid"), binding.adapter);
    }
    return run(deliverEvent, [p.binding, NET_EVENT.Restart, p.parameters, ProtocolRestart.bytes]);
  }),
  step("the restart is complete", (k, p, status) => {
    if (p.parameters !== 0) free(k, p.parameters);
    setBindingState(k, bindingAt(k, p.binding), status === NDIS_STATUS_SUCCESS ? "Running" : "Paused");
  }),
]);

/** The first binding of the adapter in that state. */
function firstBinding(k: Kernel, adapter: number, state: Binding["state"]): Binding | undefined {
  return bindingsOf(k, adapterAt(k, adapter)).find((binding) => binding.state === state);
}

const REMOVED = constant("NDIS_PAUSE_MINIPORT_DEVICE_REMOVE");
const NDIS_6_40 = 40;

/**
 * What a miniport is told of the reason of a pause: from NDIS 6.40 on, only whether it will never be restarted; before, any value.
 * Undocumented: which it is. Those know nothing of a device's removal.
 */
function reasonFor({ miniport }: Adapter, reason: number): number {
  const isNew = (miniport?.minorVersion ?? 0) >= NDIS_6_40;
  return isNew === (reason === REMOVED) ? reason : PAUSE_REASON;
}

/** Pauses the stack of an adapter that its caller has to itself. */
export const pauseStack = plan("pause a stack", struct("PauseStack", { adapter: u32, reason: u32, parameters: u32 }), [
  step("each protocol pauses", (k, p) => {
    const binding = firstBinding(k, p.adapter, "Running");
    return binding === undefined ? undefined : run(pauseBinding, [binding.address]);
  }),
  step("are there more protocols?", (k, p) =>
    firstBinding(k, p.adapter, "Running") === undefined ? undefined : goTo("each protocol pauses"),
  ),
  step("the miniport is told to pause", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    if (adapter.state !== "Running") return done();
    setAdapterState(k, adapter, "Pausing");
    adapter.isPausePending = true;
    p.parameters = allocate(k, PauseParameters.bytes, NDIS_TAG, -1);
    writeHeader(k, p.parameters, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_MINIPORT_PAUSE_PARAMETERS_REVISION_1");
    PauseParameters.at(k.memory, p.parameters).PauseReason = reasonFor(adapter, p.reason);
    return call(adapter.miniport?.pause ?? 0, "MiniportPause", [adapter.context, p.parameters]);
  }),
  step("the miniport has answered", (k, p, result) => {
    if (result === NDIS_STATUS_PENDING) return;
    const adapter = adapterAt(k, p.adapter);
    if (!adapter.isPausePending) tellCompletedTwice(k, owedByMiniport(adapter, "NdisMPauseComplete", "pause"));
    adapter.isPausePending = false;
  }),
  until("the miniport's pause is complete", (k, p) => !adapterAt(k, p.adapter).isPausePending, {
    owes: (k, p) => owedByMiniport(adapterAt(k, p.adapter), "NdisMPauseComplete", "pause"),
  }),
  step("the stack is paused", (k, p) => {
    free(k, p.parameters);
    setAdapterState(k, adapterAt(k, p.adapter), "Paused");
  }),
]);

const RestartStack = struct("RestartStack", { adapter: u32, isChanged: boolean, parameters: u32, attributes: u32 });

/**
 * Restarts the stack of an adapter that its caller has to itself; the result is the miniport's status. Undocumented: when NDIS offers the miniport
 * no restart attributes. It offers none to a stack that was only paused: nothing in it has changed.
 */
export const restartStack = plan("restart a stack", RestartStack, [
  step("the miniport is told to restart", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    // After NetEventRequirePause nothing starts before NetEventAllowStart.
    if (adapter.isPauseRequired) {
      adapter.isRestartWanted = true;
      return done(NDIS_STATUS_SUCCESS);
    }
    if (adapter.state !== "Paused") return;
    setAdapterState(k, adapter, "Restarting");
    adapter.isRestartPending = true;
    adapter.restartStatus = NDIS_STATUS_SUCCESS;
    p.parameters = allocate(k, RestartParameters.bytes, NDIS_TAG, -1);
    writeHeader(k, p.parameters, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_MINIPORT_RESTART_PARAMETERS_REVISION_1");
    if (p.isChanged) RestartParameters.at(k.memory, p.parameters).RestartAttributes = restartAttributes(k, adapter);
    return call(adapter.miniport?.restart ?? 0, "MiniportRestart", [adapter.context, p.parameters]);
  }),
  step("the miniport has answered", (k, p, result) => {
    const adapter = adapterAt(k, p.adapter);
    if (p.parameters === 0 || result === NDIS_STATUS_PENDING) return;
    if (!adapter.isRestartPending) {
      tellCompletedTwice(k, owedByMiniport(adapter, "NdisMRestartComplete", "restart"));
      return;
    }
    adapter.isRestartPending = false;
    adapter.restartStatus = result;
  }),
  until("the miniport's restart is complete", (k, p) => !adapterAt(k, p.adapter).isRestartPending, {
    owes: (k, p) => owedByMiniport(adapterAt(k, p.adapter), "NdisMRestartComplete", "restart"),
  }),
  step("the miniport runs", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    if (p.parameters !== 0) {
      const { RestartAttributes } = RestartParameters.at(k.memory, p.parameters);
      if (p.isChanged) p.attributes = RestartAttributes;
      else if (RestartAttributes !== 0) k.note("restart attributes added", adapter.address);
      free(k, p.parameters);
    }
    if (adapter.state !== "Restarting") return;
    const isRunning = adapter.restartStatus === NDIS_STATUS_SUCCESS;
    setAdapterState(k, adapter, isRunning ? "Running" : "Paused");
    if (isRunning) return takeRestartAttributes(k, adapter, p.attributes);
    freeRestartAttributes(k, p.attributes);
    return done(adapter.restartStatus);
  }),
  step("the protocols are listed", (k, p) => {
    if (adapterAt(k, p.adapter).state !== "Running") return done(constant("NDIS_STATUS_FAILURE"));
    for (const binding of bindingsOf(k, adapterAt(k, p.adapter))) binding.isRestartDue = binding.state === "Paused";
  }),
  step("each protocol restarts", (k, p) => {
    const binding = nextToRestart(k, p.adapter);
    if (binding === undefined) return goTo("the stack runs");
    binding.isRestartDue = false;
    return run(restartBinding, [binding.address, p.attributes]);
  }),
  step("has the protocol restarted?", (_k, _p) => goTo("each protocol restarts")),
  step("the stack runs", (k, p) => {
    // Everybody has seen the attributes: their memory is freed, also that of the miniport.
    freeRestartAttributes(k, p.attributes);
    return done(NDIS_STATUS_SUCCESS);
  }),
]);

/** A binding whose restart failed stays Paused, and is not asked again. */
function nextToRestart(k: Kernel, adapter: number): Binding | undefined {
  return bindingsOf(k, adapterAt(k, adapter)).find((binding) => binding.isRestartDue && binding.state === "Paused");
}

export const pauseRestartRoutines = [
  leaf("NdisMPauseComplete", (k, handle) => {
    const adapter = adapterOf(k, handle);
    if (adapter === undefined) return;
    if (!adapter.isPausePending) k.bugCheck(0x7c, [0x1f, handle, 0, 0], "NdisMPauseComplete was called, but no pause is pending");
    adapter.isPausePending = false;
  }),
  leaf("NdisMRestartComplete", (k, handle, status) => {
    const adapter = adapterOf(k, handle);
    if (adapter === undefined) return;
    if (!adapter.isRestartPending)
      k.bugCheck(0x7c, [0x1f, handle, 0, 0], "NdisMRestartComplete was called, but no restart is pending");
    adapter.isRestartPending = false;
    adapter.restartStatus = status;
  }),
];
export const pauseRestartPlans = [pauseBinding, restartBinding, pauseStack, restartStack];
