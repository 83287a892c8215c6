/**
 * Binding to an Adapter: the protocol is asked to bind, opens the adapter, and the binding is Paused until the stack restarts.
 *
 * Pages: binding-to-an-adapter, nc-ndis-protocol_bind_adapter_ex, nf-ndis-ndiscompletebindadapterex.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct, writeHeader } from "../kernel/windows.ts";
import { interfaceIndex, writeAdapterLuid } from "./interfaces.ts";
import { append } from "../kernel/lists.ts";
import { Adapter, BindOperation, Binding, ProtocolDriver } from "./objects.ts";
import { pauseStack, restartStack } from "./pause-restart.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { activePorts, freePortList, learnActivePorts } from "./port-lists.ts";
import {
  NDIS_STATUS_PENDING,
  NDIS_STATUS_SUCCESS,
  adapterAt,
  adapters,
  bindingAt,
  bindingsOf,
  isBindUndone,
  owedByProtocol,
  tellCompletedTwice,
  untilStackIsFree,
} from "./stack.ts";
import { setBindingState } from "./states.ts";
import { freeStack, releaseBinding } from "./unbind.ts";

const BindParameters = windowsStruct("NDIS_BIND_PARAMETERS");
const GeneralAttributes = windowsStruct("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES");

/** Fields that the bind parameters take over from the miniport's general attributes. */
const COPIED = [
  "MediaType",
  "MtuSize",
  "LookaheadSize",
  "MediaConnectState",
  "MediaDuplexState",
  "SupportedPacketFilters",
  "MaxMulticastListSize",
  "MacAddressLength",
  "AccessType",
  "DirectionType",
  "ConnectionType",
  "IfType",
  "IfConnectorPresent",
  "DataBackFillSize",
  "ContextBackFillSize",
  "MacOptions",
] as const;

function bindParameters(k: Kernel, adapter: Adapter, protocol: ProtocolDriver): number {
  const address = allocate(k, BindParameters.bytes, NDIS_TAG, -1);
  const { memory } = k;
  const isOld = protocol.majorVersion === 6 && protocol.minorVersion < 1;
  writeHeader(
    k,
    address,
    "NDIS_OBJECT_TYPE_BIND_PARAMETERS",
    isOld ? 1 : 2,
    isOld ? "NDIS_SIZEOF_BIND_PARAMETERS_REVISION_1" : "NDIS_SIZEOF_BIND_PARAMETERS_REVISION_2",
  );
  const parameters = BindParameters.at(memory, address);
  parameters.AdapterName = adapter.name;
  parameters.BoundAdapterName = adapter.name;
  if (adapter.generalAttributes !== 0) {
    const attributes = GeneralAttributes.at(memory, adapter.generalAttributes);
    for (const name of COPIED) parameters[name] = attributes[name];
    parameters.PhysicalMediumType = attributes.PhysicalMediumType;
    memory.copy(
      address + BindParameters.offset("CurrentMacAddress"),
      attributes.address + GeneralAttributes.offset("CurrentMacAddress"),
      32,
    );
    memory.copy(
      address + BindParameters.offset("MaxXmitLinkSpeed"),
      attributes.address + GeneralAttributes.offset("MaxXmitLinkSpeed"),
      32,
    );
  }
  parameters.BoundIfIndex = interfaceIndex(adapter);
  parameters.LowestIfIndex = interfaceIndex(adapter);
  writeAdapterLuid(k, address + BindParameters.offset("BoundIfNetluid"), adapter);
  writeAdapterLuid(k, address + BindParameters.offset("LowestIfNetluid"), adapter);
  // Bind parameters carry the list of all ports that are active at that time.
  parameters.ActivePorts = activePorts(k, adapter);
  return address;
}

function freeBindParameters(k: Kernel, binding: Binding): void {
  freePortList(k, BindParameters.at(k.memory, binding.bindParameters).ActivePorts);
  free(k, binding.bindParameters);
  binding.bindParameters = 0;
}

/** Binds a protocol to an adapter whose stack the caller has to itself; the result is the bind's status. */
export const bind = plan("bind", struct("Bind", { protocol: u32, adapter: u32, binding: u32, operation: u32 }), [
  step("the protocol is asked to bind", (k, p) => {
    const protocol = ProtocolDriver.at(k.memory, p.protocol);
    const adapter = adapterAt(k, p.adapter);
    const binding = k.objects.create(Binding);
    p.binding = binding.address;
    binding.protocol = protocol;
    binding.adapter = adapter;
    adapter.firstBinding = append(k.memory, Binding, adapter.firstBinding, binding);
    setBindingState(k, binding, "Opening");
    const operation = k.objects.create(BindOperation);
    operation.binding = binding;
    p.operation = operation.address;
    binding.bind = "in-callback";
    binding.bindParameters = bindParameters(k, adapter, protocol);
    learnActivePorts(k, adapter, binding);
    return call(protocol.bindAdapterEx, "ProtocolBindAdapterEx", [
      protocol.context,
      k.objects.handleOf(operation),
      binding.bindParameters,
    ]);
  }),
  step("the protocol has answered", (k, p, result) => {
    const binding = bindingAt(k, p.binding);
    if (result === NDIS_STATUS_PENDING) {
      if (binding.bind === "in-callback") binding.bind = "bind-pending";
      return;
    }
    if (binding.bind === "complete") {
      tellCompletedTwice(k, owedByProtocol(binding, "NdisCompleteBindAdapterEx", "bindAdapterEx"));
      return;
    }
    binding.bind = "complete";
    binding.bindStatus = result;
  }),
  until("the bind is complete", (k, p) => bindingAt(k, p.binding).bind === "complete", {
    owes: (k, p) => owedByProtocol(bindingAt(k, p.binding), "NdisCompleteBindAdapterEx", "bindAdapterEx"),
  }),
  until("no unbind that was asked for in its place is under way", (k, p) => {
    const binding = bindingAt(k, p.binding);
    if (binding.state === "Closing") return binding.unbind === "over";
    return !binding.isUnbindRequested || !isBindUndone(binding);
  }),
  step("the bind is over", (k, p) => {
    const binding = bindingAt(k, p.binding);
    const status = binding.bindStatus;
    freeBindParameters(k, binding);
    k.objects.release(BindOperation.at(k.memory, p.operation));
    k.note("bind complete", binding.address, status, binding.open);
    if (binding.state === "Closing") return goTo("the bind has failed");
    if (status === NDIS_STATUS_SUCCESS && binding.open === "open" && binding.close === "open") {
      // A completed successful open leaves the binding Paused; the restart event comes later.
      setBindingState(k, binding, "Paused");
      return done(NDIS_STATUS_SUCCESS);
    }
    if (binding.open === "open" && binding.close === "open") {
      // Undocumented: a bind that fails with the adapter open leaves nobody to close it. Told to the rules; NDIS closes it itself.
      k.note("bind failed with the adapter open", binding.address, status);
    }
    return undefined;
  }),
  until("the close is complete", (k, p) => ["open", "closed"].includes(bindingAt(k, p.binding).close), {
    owes: () => ({ what: "the completion of NdisCloseAdapterEx", driver: -1, target: 0 }),
  }),
  step("the bind has failed", (k, p) => {
    const binding = bindingAt(k, p.binding);
    const status = binding.bindStatus;
    binding.isHandleClosed = true;
    setBindingState(k, binding, "Unbound");
    releaseBinding(k, binding);
    return done(status);
  }),
]);

/** The next protocol that may bind to the adapter and is not bound yet; `only`: none but this one. */
function protocolToBind(k: Kernel, adapter: Adapter, after: number, only: number): ProtocolDriver | undefined {
  const bound = new Set(bindingsOf(k, adapter).map(({ protocol }) => protocol?.address));
  return k.objects
    .all(ProtocolDriver)
    .find(
      (protocol) =>
        protocol.address > after &&
        (only === 0 || protocol.address === only) &&
        !protocol.isDeregistering &&
        protocol.bindAdapterEx !== 0 &&
        !bound.has(protocol.address),
    );
}

/**
 * Binds every protocol that is not bound to the adapter, or only that one; its caller has the stack to itself. NDIS binds only while the default
 * port is active.
 */
export const bindAll = plan("bind the protocols", struct("BindAll", { adapter: u32, only: u32, protocol: u32 }), [
  step("the next protocol is bound", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    if (!adapter.isDefaultPortActive) return done();
    const protocol = protocolToBind(k, adapter, p.protocol, p.only);
    if (protocol === undefined) return done();
    p.protocol = protocol.address;
    return run(bind, [protocol.address, p.adapter]);
  }),
  step("is there another protocol?", () => goTo("the next protocol is bound")),
]);

/** A running stack is paused, bindings are added, and it is restarted. With a protocol: only that one binds. */
export const bindToRunningStack = plan(
  "bind to a running stack",
  struct("BindLate", { adapter: u32, onlyHandle: u32, only: u32 }),
  [
    untilStackIsFree((p) => p.adapter),
    step("the stack is paused", (k, p) => {
      const adapter = adapterAt(k, p.adapter);
      if (p.onlyHandle !== 0) p.only = k.objects.resolve(p.onlyHandle, ProtocolDriver)?.address ?? 0;
      if (p.onlyHandle !== 0 && p.only === 0) return done();
      if (adapter.state !== "Running" || protocolToBind(k, adapter, 0, p.only) === undefined) return done();
      adapter.busy = 1;
      return run(pauseStack, [p.adapter, 0]);
    }),
    step("the protocols are bound", (_k, p) => run(bindAll, [p.adapter, p.only])),
    step("the stack is restarted", (_k, p) => run(restartStack, [p.adapter, 1])),
    step("the stack is free again", (k, p) => freeStack(k, p.adapter)),
  ],
);

/** Binds the protocol to each adapter that it is not bound to, once. */
const bindEverywhere = plan("bind a protocol to all adapters", struct("BindEverywhere", { handle: u32, index: u32 }), [
  step("the next adapter", (k, p) => {
    const adapter = adapters(k)[p.index];
    p.index += 1;
    return adapter === undefined ? done() : run(bindToRunningStack, [adapter.address, p.handle]);
  }),
  step("is there another adapter?", () => goTo("the next adapter")),
]);

/** NDIS may complete the binds after the call returns. */
function reEnumerate(k: Kernel, handle: number): void {
  if (k.objects.resolve(handle, ProtocolDriver) === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, ProtocolDriver)}: a protocol driver handle was expected`);
    return;
  }
  k.startThread("WorkItem", { kind: "plan", plan: bindEverywhere, args: [handle] });
}

export const bindingRoutines = [
  leaf("NdisReEnumerateProtocolBindings", reEnumerate),
  leaf("NdisCompleteBindAdapterEx", (k, bindContext, status) => {
    const operation = k.objects.resolve(bindContext, BindOperation);
    const binding = operation?.binding;
    if (binding === undefined) {
      k.note("bad handle", bindContext, 0, `${k.objects.stateOf(bindContext, BindOperation)}: a BindContext was expected`);
      return;
    }
    if (binding.bind === "complete") {
      k.note("completed without pending", bindContext, 0, "NdisCompleteBindAdapterEx");
      return;
    }
    binding.bind = "complete";
    binding.bindStatus = status;
  }),
];
export const bindingPlans = [bind, bindAll, bindToRunningStack, bindEverywhere];
