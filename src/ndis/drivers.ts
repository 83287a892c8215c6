/**
 * Registration and deregistration of protocol and miniport drivers.
 *
 * Pages: nf-ndis-ndisregisterprotocoldriver, nf-ndis-ndisderegisterprotocoldriver, nf-ndis-ndismregisterminiportdriver,
 * nf-ndis-ndismderegisterminiportdriver.
 */
import { keepString } from "../kernel/counted-strings.ts";
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { free } from "../kernel/pool.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { listOf } from "../kernel/lists.ts";
import { Adapter, Binding, MiniportDriver, ProtocolDriver } from "./objects.ts";
import { welcomeProtocol } from "./new-protocol.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { adapters, NDIS_STATUS_SUCCESS } from "./stack.ts";
import { freeStack, unbind } from "./unbind.ts";

const ProtocolCharacteristics = windowsStruct("NDIS_PROTOCOL_DRIVER_CHARACTERISTICS");
const MiniportCharacteristics = windowsStruct("NDIS_MINIPORT_DRIVER_CHARACTERISTICS");

const PROTOCOL_REVISIONS = [
  "NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_1",
  "NDIS_SIZEOF_PROTOCOL_DRIVER_CHARACTERISTICS_REVISION_2",
] as const;
const MINIPORT_REVISIONS = [
  "NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1",
  "NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_2",
  "NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_3",
] as const;

const isVersion6 = (major: number, minor: number): boolean => major === 6 && minor <= 89;

/** The new protocol, or the status with which its characteristics are refused. */
function registerProtocol(k: Kernel, driverContext: number, characteristics: number): ProtocolDriver | number {
  const given = ProtocolCharacteristics.at(k.memory, characteristics);
  if (!isVersion6(given.MajorNdisVersion, given.MinorNdisVersion)) return constant("NDIS_STATUS_BAD_VERSION");
  if (!hasHeader(k, characteristics, ["NDIS_OBJECT_TYPE_PROTOCOL_DRIVER_CHARACTERISTICS"], PROTOCOL_REVISIONS)) {
    return constant("NDIS_STATUS_BAD_CHARACTERISTICS");
  }
  const mandatory = [
    given.BindAdapterHandlerEx,
    given.UnbindAdapterHandlerEx,
    given.OpenAdapterCompleteHandlerEx,
    given.CloseAdapterCompleteHandlerEx,
    given.NetPnPEventHandler,
    given.OidRequestCompleteHandler,
    given.StatusHandlerEx,
    given.ReceiveNetBufferListsHandler,
    given.SendNetBufferListsCompleteHandler,
  ];
  if (mandatory.includes(0)) return constant("NDIS_STATUS_BAD_CHARACTERISTICS");
  const name = isScarce(k) ? 0 : keepString(k, characteristics + ProtocolCharacteristics.offset("Name"), NDIS_TAG);
  if (name === 0) return constant("NDIS_STATUS_RESOURCES");
  const protocol = k.objects.create(ProtocolDriver);
  protocol.slot = k.driverOfThread(k.current);
  protocol.context = driverContext;
  protocol.majorVersion = given.MajorNdisVersion;
  protocol.minorVersion = given.MinorNdisVersion;
  protocol.name = name;
  protocol.bindAdapterEx = given.BindAdapterHandlerEx;
  protocol.unbindAdapterEx = given.UnbindAdapterHandlerEx;
  protocol.openAdapterCompleteEx = given.OpenAdapterCompleteHandlerEx;
  protocol.closeAdapterCompleteEx = given.CloseAdapterCompleteHandlerEx;
  protocol.netPnPEvent = given.NetPnPEventHandler;
  protocol.uninstall = given.UninstallHandler;
  protocol.oidRequestComplete = given.OidRequestCompleteHandler;
  protocol.statusEx = given.StatusHandlerEx;
  protocol.receiveNetBufferLists = given.ReceiveNetBufferListsHandler;
  protocol.sendNetBufferListsComplete = given.SendNetBufferListsCompleteHandler;
  const isRevision2 = given.Header_Revision >= 2;
  protocol.directOidRequestComplete = isRevision2 ? given.DirectOidRequestCompleteHandler : 0;
  return protocol;
}

const protocolRegistration = plan(
  "NdisRegisterProtocolDriver",
  struct("RegisterProtocol", { context: u32, characteristics: u32, handleVariable: u32, protocol: u32 }),
  [
    step("the characteristics are looked at", (k, p) => {
      const protocol = registerProtocol(k, p.context, p.characteristics);
      if (typeof protocol === "number") return done(protocol);
      p.protocol = protocol.address;
      // Undocumented: whether the variable has the handle already while the driver sets its options. It has.
      k.memory.writeU32(p.handleVariable, k.objects.handleOf(protocol));
      const { SetOptionsHandler } = ProtocolCharacteristics.at(k.memory, p.characteristics);
      if (SetOptionsHandler === 0) return goTo("the driver is registered");
      return call(SetOptionsHandler, "ProtocolSetOptions", [k.objects.handleOf(protocol), p.context]);
    }),
    step("the driver has set its options", (k, p, status) => {
      if (status === NDIS_STATUS_SUCCESS) return;
      releaseProtocol(k, ProtocolDriver.at(k.memory, p.protocol));
      return done(status);
    }),
    step("the driver is registered", (k, p) => {
      // From now on every handler may be called, even before this call returns.
      const handle = k.objects.handleOf(ProtocolDriver.at(k.memory, p.protocol));
      k.startThread("System", { kind: "plan", plan: welcomeProtocol, args: [handle, adapters(k).length] });
      return done(NDIS_STATUS_SUCCESS);
    }),
  ],
);

function releaseProtocol(k: Kernel, protocol: ProtocolDriver): void {
  free(k, protocol.name);
  k.objects.release(protocol);
}

/** The new miniport driver, or the status with which its characteristics are refused. */
function registerMiniport(k: Kernel, driverObject: number, context: number, characteristics: number): MiniportDriver | number {
  const given = MiniportCharacteristics.at(k.memory, characteristics);
  if (!isVersion6(given.MajorNdisVersion, given.MinorNdisVersion)) return constant("NDIS_STATUS_BAD_VERSION");
  if (!hasHeader(k, characteristics, ["NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS"], MINIPORT_REVISIONS)) {
    return constant("NDIS_STATUS_BAD_CHARACTERISTICS");
  }
  const mandatory = [
    given.InitializeHandlerEx,
    given.HaltHandlerEx,
    given.UnloadHandler,
    given.PauseHandler,
    given.RestartHandler,
    given.OidRequestHandler,
    given.SendNetBufferListsHandler,
    given.ReturnNetBufferListsHandler,
    given.CancelSendHandler,
    given.DevicePnPEventNotifyHandler,
    given.ShutdownHandlerEx,
    given.CancelOidRequestHandler,
  ];
  if (mandatory.includes(0)) return constant("NDIS_STATUS_BAD_CHARACTERISTICS");
  if (isScarce(k)) return constant("NDIS_STATUS_RESOURCES");
  const miniport = k.objects.create(MiniportDriver);
  miniport.slot = k.driverOfThread(k.current);
  miniport.context = context;
  miniport.driverObject = driverObject;
  miniport.majorVersion = given.MajorNdisVersion;
  miniport.minorVersion = given.MinorNdisVersion;
  miniport.initialize = given.InitializeHandlerEx;
  miniport.halt = given.HaltHandlerEx;
  miniport.unload = given.UnloadHandler;
  miniport.pause = given.PauseHandler;
  miniport.restart = given.RestartHandler;
  miniport.oidRequest = given.OidRequestHandler;
  miniport.sendNetBufferLists = given.SendNetBufferListsHandler;
  miniport.returnNetBufferLists = given.ReturnNetBufferListsHandler;
  miniport.cancelSend = given.CancelSendHandler;
  miniport.checkForHang = given.CheckForHangHandlerEx;
  miniport.reset = given.ResetHandlerEx;
  miniport.devicePnPEventNotify = given.DevicePnPEventNotifyHandler;
  miniport.shutdown = given.ShutdownHandlerEx;
  miniport.cancelOidRequest = given.CancelOidRequestHandler;
  if (given.Header_Revision >= 2) {
    miniport.directOidRequest = given.DirectOidRequestHandler;
    miniport.cancelDirectOidRequest = given.CancelDirectOidRequestHandler;
  }
  if (given.Header_Revision >= 3) miniport.synchronousOidRequest = given.SynchronousOidRequestHandler;
  return miniport;
}

const MiniportRegistration = struct("RegisterMiniport", {
  driverObject: u32,
  registryPath: u32,
  context: u32,
  characteristics: u32,
  handleVariable: u32,
  miniport: u32,
});

const miniportRegistration = plan("NdisMRegisterMiniportDriver", MiniportRegistration, [
  step("the characteristics are looked at", (k, p) => {
    const miniport = registerMiniport(k, p.driverObject, p.context, p.characteristics);
    if (typeof miniport === "number") return done(miniport);
    p.miniport = miniport.address;
    k.memory.writeU32(p.handleVariable, k.objects.handleOf(miniport));
    const { SetOptionsHandler } = MiniportCharacteristics.at(k.memory, p.characteristics);
    if (SetOptionsHandler === 0) return done(NDIS_STATUS_SUCCESS);
    miniport.isSettingOptions = true;
    return call(SetOptionsHandler, "MiniportSetOptions", [k.objects.handleOf(miniport), p.context]);
  }),
  step("the driver has set its options", (k, p, status) => {
    const miniport = MiniportDriver.at(k.memory, p.miniport);
    miniport.isSettingOptions = false;
    if (status !== NDIS_STATUS_SUCCESS) k.objects.release(miniport);
    return done(status);
  }),
]);

/** A binding of the protocol, on any adapter. */
function bindingOfProtocol(k: Kernel, protocol: number): Binding | undefined {
  return k.objects
    .all(Adapter)
    .flatMap((adapter) => listOf(k.memory, Binding, adapter.firstBinding))
    .find((binding) => binding.protocol?.address === protocol);
}

const deregisterProtocol = plan(
  "NdisDeregisterProtocolDriver",
  struct("Deregister", { handle: u32, protocol: u32, adapter: u32 }),
  [
    step("nothing new is bound", (k, p) => {
      const protocol = k.objects.resolve(p.handle, ProtocolDriver);
      if (protocol === undefined) {
        k.note(
          "bad handle",
          p.handle,
          0,
          `${k.objects.stateOf(p.handle, ProtocolDriver)}: a protocol driver handle was expected`,
        );
        return done();
      }
      protocol.isDeregistering = true;
      p.protocol = protocol.address;
    }),
    until(
      "no other operation changes the stack of a binding",
      (k, p) => (bindingOfProtocol(k, p.protocol)?.adapter?.busy ?? 0) === 0,
    ),
    step("a binding is unbound inside this call", (k, p) => {
      const binding = bindingOfProtocol(k, p.protocol);
      if (binding === undefined) return goTo("no event for the driver is under way");
      p.adapter = binding.adapter?.address ?? 0;
      if (binding.adapter !== undefined) binding.adapter.busy = 1;
      return run(unbind, [binding.address]);
    }),
    step("its stack is free again", (k, p) => {
      freeStack(k, p.adapter);
      return goTo("no other operation changes the stack of a binding");
    }),
    until("no event for the driver is under way", (k, p) => ProtocolDriver.at(k.memory, p.protocol).eventsActive === 0),
    step("the driver is released", (k, p) => {
      releaseProtocol(k, ProtocolDriver.at(k.memory, p.protocol));
    }),
  ],
);

export const driverRoutines = [
  planned("NdisRegisterProtocolDriver", protocolRegistration),
  planned("NdisDeregisterProtocolDriver", deregisterProtocol),
  planned("NdisMRegisterMiniportDriver", miniportRegistration),
  leaf("NdisMDeregisterMiniportDriver", (k, handle) => {
    const miniport = k.objects.resolve(handle, MiniportDriver);
    if (miniport === undefined) {
      k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, MiniportDriver)}: a miniport driver handle was expected`);
      return;
    }
    // A driver that is unloaded while adapters of it are there would leave them to nobody.
    const references = adapters(k).filter(
      (adapter) => adapter.miniport?.address === miniport.address && adapter.state !== "Shutdown",
    ).length;
    if (references > 0) {
      const what = `${references} adapter(s) of the driver are not halted: it is unloaded prematurely`;
      const message = `NdisMDeregisterMiniportDriver was called while ${what}`;
      k.bugCheck(0x7c, [0x0a, miniport.address, miniport.driverObject, references], message);
    }
    k.objects.release(miniport);
  }),
];
