/** The NDIS library: everything that drivers can call, and the plans and objects behind it. */
import { adapterNameRoutines } from "./adapter-names.ts";
import { deviceEventPlans } from "./device-events.ts";
import { driverMemoryRoutines } from "./driver-memory.ts";
import { processorTopologyRoutines } from "./processor-topology.ts";
import { configurationRoutines } from "./configuration.ts";
import { derivedListRoutines } from "./derived-lists.ts";
import { adapterDevicePlans, adapterDeviceRoutines } from "./adapter-device.ts";
import { dataStartRoutines } from "./data-start.ts";
import { directOidPlans, directOidRoutines } from "./direct-oids.ts";
import { NdisDevice, deviceRoutines } from "./devices.ts";
import { driverRoutines } from "./drivers.ts";
import { listContextRoutines } from "./list-contexts.ts";
import { listInformationRoutines } from "./list-information.ts";
import { loopbackPlans } from "./loopback.ts";
import { Interrupt, interruptPlans, interruptRoutines } from "./interrupts.ts";
import { newProtocolPlans } from "./new-protocol.ts";
import { adapterPlans, adapterRoutines } from "./miniport-adapter.ts";
import { deviceRegistryKeyRoutines } from "./device-registry-key.ts";
import { errorLogRoutines } from "./error-log.ts";
import { interfaceRoutines } from "./interfaces.ts";
import { netBufferRoutines } from "./net-buffers.ts";
import { objectTypes } from "./objects.ts";
import { oidPlans, oidRoutines } from "./oid-requests.ts";
import { openClosePlans, openCloseRoutines } from "./open-close.ts";
import { optionalHandlerRoutines } from "./optional-handlers.ts";
import { toldSettingsPlans } from "./told-settings.ts";
import { pauseRestartPlans, pauseRestartRoutines } from "./pause-restart.ts";
import { deliverEvent, pnpEventRoutines } from "./pnp-events.ts";
import { portEventRoutines } from "./port-events.ts";
import { portRoutines } from "./ports.ts";
import { powerPlans } from "./power.ts";
import { processorAndTimeRoutines } from "./processors-and-times.ts";
import { rssProcessorRoutines } from "./rss-processors.ts";
import { bindingPlans, bindingRoutines } from "./protocol-binding.ts";
import { readerWriterLockRoutines } from "./reader-writer-locks.ts";
import { receiveRoutines } from "./receives.ts";
import { resetPlans, resetRoutines } from "./reset.ts";
import { scatterGatherRoutines } from "./scatter-gather.ts";
import { sendRoutines } from "./sends.ts";
import { sharedMemoryPlans, sharedMemoryRoutines } from "./shared-memory.ts";
import { statusRoutines } from "./status-indications.ts";
import { supportRoutines } from "./support.ts";
import { systemEventPlans } from "./system-events.ts";
import { timerAndWorkRoutines } from "./timers-and-work.ts";
import { unbindPlans, unbindRoutines } from "./unbind.ts";

export const ndisRoutines = [
  ...driverRoutines,
  ...optionalHandlerRoutines,
  ...adapterDeviceRoutines,
  ...adapterRoutines,
  ...pauseRestartRoutines,
  ...bindingRoutines,
  ...openCloseRoutines,
  ...unbindRoutines,
  ...pnpEventRoutines,
  ...portRoutines,
  ...portEventRoutines,
  ...oidRoutines,
  ...directOidRoutines,
  ...sendRoutines,
  ...receiveRoutines,
  ...statusRoutines,
  ...resetRoutines,
  ...interruptRoutines,
  ...netBufferRoutines,
  ...dataStartRoutines,
  ...derivedListRoutines,
  ...listContextRoutines,
  ...listInformationRoutines,
  ...rssProcessorRoutines,
  ...supportRoutines,
  ...adapterNameRoutines,
  ...driverMemoryRoutines,
  ...processorTopologyRoutines,
  ...readerWriterLockRoutines,
  ...processorAndTimeRoutines,
  ...timerAndWorkRoutines,
  ...configurationRoutines,
  ...sharedMemoryRoutines,
  ...scatterGatherRoutines,
  ...interfaceRoutines,
  ...errorLogRoutines,
  ...deviceRegistryKeyRoutines,
  ...deviceRoutines,
];

export const ndisPlans = [
  ...adapterPlans,
  ...pauseRestartPlans,
  ...bindingPlans,
  ...openClosePlans,
  ...unbindPlans,
  ...oidPlans,
  ...toldSettingsPlans,
  ...newProtocolPlans,
  ...resetPlans,
  ...interruptPlans,
  ...loopbackPlans,
  ...deviceEventPlans,
  ...adapterDevicePlans,
  ...directOidPlans,
  ...sharedMemoryPlans,
  ...systemEventPlans,
  ...powerPlans,
  deliverEvent,
];

/** Handlers of drivers that NDIS calls, in the spelling of their pages. */
export const ndisHandlers = [
  "ProtocolBindAdapterEx",
  "ProtocolUnbindAdapterEx",
  "ProtocolOpenAdapterCompleteEx",
  "ProtocolCloseAdapterCompleteEx",
  "ProtocolNetPnPEvent",
  "ProtocolUninstall",
  "ProtocolSetOptions",
  "ProtocolOidRequestComplete",
  "ProtocolDirectOidRequestComplete",
  "ProtocolStatusEx",
  "ProtocolReceiveNetBufferLists",
  "ProtocolSendNetBufferListsComplete",
  "MiniportSetOptions",
  "MiniportAddDevice",
  "MiniportRemoveDevice",
  "MiniportFilterResourceRequirements",
  "MiniportStartDevice",
  "MiniportInitializeEx",
  "MiniportHaltEx",
  "MiniportDriverUnload",
  "MiniportPause",
  "MiniportRestart",
  "MiniportOidRequest",
  "MiniportSendNetBufferLists",
  "MiniportReturnNetBufferLists",
  "MiniportCancelSend",
  "MiniportCheckForHangEx",
  "MiniportResetEx",
  "MiniportDevicePnPEventNotify",
  "MiniportShutdownEx",
  "MiniportCancelOidRequest",
  "MiniportDirectOidRequest",
  "MiniportCancelDirectOidRequest",
  "MiniportSynchronousOidRequest",
  "MiniportInterrupt",
  "MiniportInterruptDPC",
  "MiniportSynchronizeInterrupt",
  "NetAllocateMdl",
  "NetFreeMdl",
  "MiniportProcessSGList",
  "MiniportSharedMemoryAllocateComplete",
  "NetTimerCallback",
] as const;

export { setAdapterValue, setServiceValue } from "./configuration-keys.ts";
export const ndisObjectTypes = [...objectTypes, NdisDevice, Interrupt];
export { createAdapter, startAdapter, stopAdapter, stopAdaptersOf } from "./miniport-adapter.ts";
export { pauseStack, restartStack } from "./pause-restart.ts";
export { managesPower, setPower } from "./power.ts";
export { shutDownAdapters, tellProtocols } from "./system-events.ts";
export { announceBindList } from "./new-protocol.ts";
export { bindToRunningStack } from "./protocol-binding.ts";
export { resetAdapter } from "./reset.ts";
export { DEVICE_EVENTS, type DeviceEvent, notifyDeviceEvent, powerProfile } from "./device-events.ts";
export { interruptAdapter } from "./interrupts.ts";
export { unbindWhenFree } from "./unbind.ts";
