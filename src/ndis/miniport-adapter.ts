/**
 * The life of a miniport adapter: initialize, attributes, start of its stack, halt.
 *
 * Pages: initializing-a-miniport-adapter, halting-a-miniport-adapter, starting-a-driver-stack, stopping-a-driver-stack,
 * nf-ndis-ndismsetminiportattributes, nc-ndis-miniport_initialize, nc-ndis-miniport_halt.
 */
import { keepText } from "../kernel/counted-strings.ts";
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type AnyPlan, call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { addDevice, createDevices, deleteDevices, removeDevice } from "./adapter-device.ts";
import { DEVICE_EVENTS, notifyDeviceEvent, powerProfile } from "./device-events.ts";
import { Adapter, Layer, type MiniportDriver } from "./objects.ts";
import { pauseStack, restartStack } from "./pause-restart.ts";
import { interfaceIndex, writeAdapterLuid } from "./interfaces.ts";
import { MINIPORT_PATHS } from "./layers.ts";
import { adapterName } from "./names.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { Authentication, writeDefaultAuthentication } from "./port-states.ts";
import { allocateDefaultPort, freeDefaultPort, takeLeftPorts } from "./ports.ts";
import { bindAll } from "./protocol-binding.ts";
import { stopWatching, watchForHang } from "./reset.ts";
import { tellOfSurpriseRemoval } from "./system-events.ts";
import { NDIS_STATUS_SUCCESS, adapterAt, adapterOf, adapters, bindingsOf, untilStackIsFree } from "./stack.ts";
import { setAdapterState } from "./states.ts";
import { freeStack, unbind } from "./unbind.ts";

const InitParameters = windowsStruct("NDIS_MINIPORT_INIT_PARAMETERS");
const RegistrationAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES");
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");
const Scaling = windowsStruct("NDIS_RECEIVE_SCALE_CAPABILITIES");
const AddDeviceAttributes = windowsStruct("NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES");
const ObjectHeader = windowsStruct("NDIS_OBJECT_HEADER");
const CONTROLS_DEFAULT_PORT = constant("NDIS_MINIPORT_ATTRIBUTES_CONTROLS_DEFAULT_PORT");

/** A new adapter of the miniport, Halted. */
export function createAdapter(k: Kernel, miniport: MiniportDriver, index: number): Adapter {
  const adapter = k.objects.create(Adapter);
  adapter.miniport = miniport;
  adapter.index = index;
  adapter.name = keepText(k, adapterName(index), NDIS_TAG);
  const layer = k.objects.create(Layer);
  layer.adapter = adapter;
  layer.paths = MINIPORT_PATHS;
  adapter.bottom = layer.address;
  adapter.top = layer.address;
  createDevices(k, adapter);
  return adapter;
}

function releaseAdapter(k: Kernel, adapter: Adapter): void {
  if (adapter.generalAttributes !== 0) free(k, adapter.generalAttributes);
  if (adapter.supportedOids !== 0) free(k, adapter.supportedOids);
  free(k, adapter.name);
  deleteDevices(k, adapter);
  k.objects.release(Layer.at(k.memory, adapter.bottom));
  k.objects.release(adapter);
}

const isInDriverEntry = (k: Kernel, slot: number): boolean =>
  k.threads.some((thread) =>
    Array.from({ length: thread.depth }, (_, index) => k.frame(thread, index)).some(
      (frame) => frame.kind === "Code" && k.handlerName(frame) === "DriverEntry" && k.driverOf(frame.code) === slot,
    ),
  );

/** Initializes the adapter, binds the protocols and starts the stack; the result is the status of MiniportInitializeEx. */
export const startAdapter = plan("start an adapter", struct("StartAdapter", { adapter: u32, parameters: u32, status: u32 }), [
  untilStackIsFree((p) => p.adapter),
  until("DriverEntry of its driver has returned", (k, p) => !isInDriverEntry(k, adapterAt(k, p.adapter).miniport?.slot ?? -1)),
  step("the miniport learns of the device", (k, p) => {
    adapterAt(k, p.adapter).busy = 1;
    return run(addDevice, [p.adapter]);
  }),
  step("the miniport initializes the adapter", (k, p, result) => {
    const adapter = adapterAt(k, p.adapter);
    p.status = result;
    if (result !== NDIS_STATUS_SUCCESS) return goTo("the miniport forgets the device");
    setAdapterState(k, adapter, "Initializing");
    p.parameters = allocate(k, InitParameters.bytes + Authentication.bytes, NDIS_TAG, -1);
    writeHeader(
      k,
      p.parameters,
      "NDIS_OBJECT_TYPE_MINIPORT_INIT_PARAMETERS",
      1,
      "NDIS_SIZEOF_MINIPORT_INIT_PARAMETER_REVISION_1",
    );
    InitParameters.at(k.memory, p.parameters).IfIndex = interfaceIndex(adapter);
    writeAdapterLuid(k, p.parameters + InitParameters.offset("NetLuid"), adapter);
    InitParameters.at(k.memory, p.parameters).MiniportAddDeviceContext = adapter.addDeviceContext;
    InitParameters.at(k.memory, p.parameters).DefaultPortAuthStates = p.parameters + InitParameters.bytes;
    writeDefaultAuthentication(k, p.parameters + InitParameters.bytes);
    const { miniport } = adapter;
    return call(miniport?.initialize ?? 0, "MiniportInitializeEx", [
      k.objects.handleOf(adapter),
      miniport?.context ?? 0,
      p.parameters,
    ]);
  }),
  step("the miniport has answered", (k, p, result) => {
    const adapter = adapterAt(k, p.adapter);
    free(k, p.parameters);
    k.note(
      "initialize returned",
      adapter.address,
      result,
      adapter.hasGeneralAttributes ? "attributes set" : "attributes not set",
    );
    p.status = result;
    return result === NDIS_STATUS_SUCCESS ? goTo("the adapter is initialized") : run(stopWatching, [p.adapter]);
  }),
  step("what the adapter left is taken", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    // If MiniportInitializeEx fails, the driver has freed all ports that it allocated.
    takeLeftPorts(k, adapter, "MiniportInitializeEx failed");
    freeDefaultPort(k, adapter);
    setAdapterState(k, adapter, "Halted");
  }),
  step("the miniport forgets the device", (_k, p) => run(removeDevice, [p.adapter])),
  step("the adapter that could not start is gone", (k, p) => {
    releaseAdapter(k, adapterAt(k, p.adapter));
    return done(p.status);
  }),
  step("the adapter is initialized", (k, p) => {
    setAdapterState(k, adapterAt(k, p.adapter), "Paused");
    // Undocumented: what becomes of an adapter without the general attributes, which are required. NDIS cannot use it, and halts it.
    if (!adapterAt(k, p.adapter).hasGeneralAttributes) return goTo("the adapter cannot be used");
    // When its initialization is complete, the miniport hears which power profile is in force.
    return run(notifyDeviceEvent, [p.adapter, DEVICE_EVENTS["on mains"], powerProfile("on mains")]);
  }),
  step("the protocols bind", (_k, p) => run(bindAll, [p.adapter])),
  step("the stack restarts", (_k, p) => run(restartStack, [p.adapter, 1])),
  step("the stack is free", (k, p) => {
    freeStack(k, p.adapter);
    return done(NDIS_STATUS_SUCCESS);
  }),
  step("the adapter cannot be used", (k, p) => {
    freeStack(k, p.adapter);
    return run(stopAdapter, [p.adapter, constant("NdisHaltDeviceInitializationFailed")]);
  }),
  step("the adapter that could not be used is gone", () => done(constant("NDIS_STATUS_FAILURE"))),
]);

const FOR_EVER = constant("NDIS_PAUSE_MINIPORT_DEVICE_REMOVE");
const SURPRISE = constant("NdisHaltDeviceSurpriseRemoved");

/** Stops the stack: pause, unbind every protocol, halt with that NDIS_HALT_ACTION. */
export const stopAdapter: AnyPlan = plan("stop an adapter", struct("StopAdapter", { adapter: u32, action: u32 }), [
  untilStackIsFree((p) => p.adapter),
  step("a device that has been removed is told of", (k, p) => {
    // Somebody else may have stopped it meanwhile.
    if (!adapters(k).some(({ address }) => address === p.adapter)) return done();
    adapterAt(k, p.adapter).busy = 1;
    return p.action === SURPRISE ? run(tellOfSurpriseRemoval, [p.adapter]) : undefined;
  }),
  step("the stack pauses", (_k, p) => run(pauseStack, [p.adapter, FOR_EVER])),
  step("each protocol is unbound", (k, p) => {
    const binding = bindingsOf(k, adapterAt(k, p.adapter))[0];
    return binding === undefined ? goTo("the adapter is watched no more") : run(unbind, [binding.address]);
  }),
  step("is there another protocol?", () => goTo("each protocol is unbound")),
  step("the adapter is watched no more", (_k, p) => run(stopWatching, [p.adapter])),
  step("the miniport halts the adapter", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    adapter.isHalting = true;
    return call(adapter.miniport?.halt ?? 0, "MiniportHaltEx", [adapter.context, p.action]);
  }),
  step("the adapter is halted", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    k.note("halt returned", adapter.address);
    const controls = (adapter.attributeFlags & CONTROLS_DEFAULT_PORT) !== 0;
    if (controls && adapter.isDefaultPortActive) k.note("default port left active", adapter.address);
    takeLeftPorts(k, adapter, "MiniportHaltEx returned");
    freeDefaultPort(k, adapter);
    setAdapterState(k, adapter, "Halted");
    return run(removeDevice, [p.adapter]);
  }),
  step("the adapter is gone", (k, p) => releaseAdapter(k, adapterAt(k, p.adapter))),
]);

/** NDIS keeps a copy, and one of the scaling capabilities behind it. */
function keepGeneralAttributes(k: Kernel, adapter: Adapter, attributes: number): void {
  const { bytes } = GeneralAttributes;
  if (adapter.generalAttributes === 0) adapter.generalAttributes = allocate(k, bytes + Scaling.bytes, NDIS_TAG, -1);
  k.memory.copy(adapter.generalAttributes, attributes, Math.min(ObjectHeader.at(k.memory, attributes).Size, bytes));
  const kept = GeneralAttributes.at(k.memory, adapter.generalAttributes);
  if (kept.RecvScaleCapabilities === 0) return;
  const size = Math.min(ObjectHeader.at(k.memory, kept.RecvScaleCapabilities).Size, Scaling.bytes);
  k.memory.copy(adapter.generalAttributes + bytes, kept.RecvScaleCapabilities, size);
  kept.RecvScaleCapabilities = adapter.generalAttributes + bytes;
}

/** The list of OIDs is the driver's: NDIS keeps a copy. */
function keepSupportedOids(k: Kernel, adapter: Adapter): void {
  const { SupportedOidList, SupportedOidListLength } = GeneralAttributes.at(k.memory, adapter.generalAttributes);
  if (adapter.supportedOids !== 0) free(k, adapter.supportedOids);
  adapter.supportedOids = SupportedOidList === 0 ? 0 : allocate(k, SupportedOidListLength, NDIS_TAG, -1);
  if (adapter.supportedOids !== 0) k.memory.copy(adapter.supportedOids, SupportedOidList, SupportedOidListLength);
}

function setAttributes(k: Kernel, handle: number, attributes: number): number | string {
  const adapter = adapterOf(k, handle);
  if (adapter === undefined) return "NDIS_STATUS_INVALID_PARAMETER";
  const type = ObjectHeader.at(k.memory, attributes).Type;
  if (type === constant("NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES")) {
    const given = RegistrationAttributes.at(k.memory, attributes);
    adapter.context = given.MiniportAdapterContext;
    adapter.attributeFlags = given.AttributeFlags;
    adapter.hasRegistrationAttributes = true;
    watchForHang(k, adapter, given.CheckForHangTimeInSeconds);
    // Unless the miniport claims control, NDIS activates the default port when the registration attributes are set.
    allocateDefaultPort(k, adapter, (given.AttributeFlags & CONTROLS_DEFAULT_PORT) !== 0);
    return NDIS_STATUS_SUCCESS;
  }
  if (type === constant("NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES")) {
    keepGeneralAttributes(k, adapter, attributes);
    adapter.hasGeneralAttributes = true;
    keepSupportedOids(k, adapter);
    return NDIS_STATUS_SUCCESS;
  }
  if (type === constant("NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES")) {
    adapter.addDeviceContext = AddDeviceAttributes.at(k.memory, attributes).MiniportAddDeviceContext;
    return NDIS_STATUS_SUCCESS;
  }
  // The other kinds of attributes describe offloads and hardware that a stack can do without.
  return NDIS_STATUS_SUCCESS;
}

/** Stops every adapter of the driver, which is to be unloaded. */
export const stopAdaptersOf = plan("stop the adapters of a driver", struct("StopAdapters", { miniport: u32 }), [
  step("the next adapter is stopped", (k, p) => {
    const adapter = adapters(k).find(({ miniport, state }) => miniport?.address === p.miniport && state !== "Shutdown");
    return adapter === undefined ? done() : run(stopAdapter, [adapter.address, constant("NdisHaltDeviceDisabled")]);
  }),
  step("is there another adapter?", () => goTo("the next adapter is stopped")),
]);

/** The adapter behind the handle has failed, as its own miniport says. */
const removeFailedAdapter = plan("remove a failed adapter", struct("RemoveMiniport", { handle: u32 }), [
  until("no other operation changes its stack", (k, p) => (k.objects.resolve(p.handle, Adapter)?.busy ?? 0) === 0),
  step("it is stopped", (k, p) => {
    const adapter = k.objects.resolve(p.handle, Adapter);
    return adapter === undefined ? done() : run(stopAdapter, [adapter.address, constant("NdisHaltDeviceFailed")]);
  }),
]);

/** Undocumented: when the adapter is removed. A work item does it, since the call may come from a handler, and at DISPATCH_LEVEL. */
function removeMiniport(k: Kernel, handle: number): string {
  if (adapterOf(k, handle) === undefined) return "NDIS_STATUS_FAILURE";
  k.startThread("WorkItem", { kind: "plan", plan: removeFailedAdapter, args: [handle] });
  return "NDIS_STATUS_SUCCESS";
}

export const adapterRoutines = [leaf("NdisMSetMiniportAttributes", setAttributes), leaf("NdisMRemoveMiniport", removeMiniport)];
export const adapterPlans = [startAdapter, stopAdapter, stopAdaptersOf, removeFailedAdapter];
