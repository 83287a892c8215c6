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
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import type { Binding } from "./objects.ts";
import { NDIS_TAG, NET_EVENT, deliverEvent } from "./pnp-events.ts";
import { restartParameters } from "./restart-attributes.ts";
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

export const pauseBinding = plan("pause a binding", struct("PauseBinding", { binding: u32, parameters: u32 }), [
  step("the protocol is told to pause", (k, p) => {
    setBindingState(k, bindingAt(k, p.binding), "Pausing");
    p.parameters = allocate(k, ProtocolPause.bytes, NDIS_TAG, -1);
    writeHeader(k, p.parameters, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PROTOCOL_PAUSE_PARAMETERS_REVISION_1");
    return run(deliverEvent, [p.binding, NET_EVENT.Pause, p.parameters, ProtocolPause.bytes]);
  }),
  step("the pause is complete", (k, p, status) => {
    const binding = bindingAt(k, p.binding);
    free(k, p.parameters);
    k.note("pause event complete", binding.address, status);
    setBindingState(k, binding, "Paused");
  }),
]);

export const restartBinding = plan("restart a binding", struct("RestartBinding", { binding: u32, parameters: u32 }), [
  step("the protocol is told to restart", (k, p) => {
    const binding = bindingAt(k, p.binding);
    setBindingState(k, binding, "Restarting");
    // A NULL buffer says that the restart attributes have not changed since the previous restart.
    p.parameters = restartParameters(k, binding);
    return run(deliverEvent, [p.binding, NET_EVENT.Restart, p.parameters, p.parameters === 0 ? 0 : ProtocolRestart.bytes]);
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
    PauseParameters.at(k.memory, p.parameters).PauseReason = p.reason;
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

/** Restarts the stack of an adapter that its caller has to itself; the result is the miniport's status. */
export const restartStack = plan("restart a stack", struct("RestartStack", { adapter: u32, parameters: u32 }), [
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
      if (RestartAttributes !== 0) k.note("restart attributes added", adapter.address);
      free(k, p.parameters);
    }
    if (adapter.state !== "Restarting") return;
    const isRunning = adapter.restartStatus === NDIS_STATUS_SUCCESS;
    setAdapterState(k, adapter, isRunning ? "Running" : "Paused");
    if (!isRunning) return done(adapter.restartStatus);
  }),
  step("the protocols are listed", (k, p) => {
    if (adapterAt(k, p.adapter).state !== "Running") return done(constant("NDIS_STATUS_FAILURE"));
    for (const binding of bindingsOf(k, adapterAt(k, p.adapter))) binding.isRestartDue = binding.state === "Paused";
  }),
  step("each protocol restarts", (k, p) => {
    const binding = nextToRestart(k, p.adapter);
    if (binding === undefined) return done();
    binding.isRestartDue = false;
    return run(restartBinding, [binding.address]);
  }),
  step("has the protocol restarted?", (_k, _p) => goTo("each protocol restarts")),
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
export const PAUSE_REASON = constant("NDIS_PAUSE_NDIS_INTERNAL");
