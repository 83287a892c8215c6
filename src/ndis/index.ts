/** The NDIS library: everything that drivers can call, and the plans and objects behind it. */
import { configurationRoutines } from "./configuration.ts";
import { NdisDevice, deviceRoutines } from "./devices.ts";
import { driverRoutines } from "./drivers.ts";
import { newProtocolPlans } from "./new-protocol.ts";
import { adapterPlans, adapterRoutines } from "./miniport-adapter.ts";
import { netBufferRoutines } from "./net-buffers.ts";
import { objectTypes } from "./objects.ts";
import { oidPlans, oidRoutines } from "./oid-requests.ts";
import { openClosePlans, openCloseRoutines } from "./open-close.ts";
import { packetFilterPlans } from "./packet-filter.ts";
import { pauseRestartPlans, pauseRestartRoutines } from "./pause-restart.ts";
import { deliverEvent, pnpEventRoutines } from "./pnp-events.ts";
import { portRoutines } from "./ports.ts";
import { processorAndTimeRoutines } from "./processors-and-times.ts";
import { bindingPlans, bindingRoutines } from "./protocol-binding.ts";
import { readerWriterLockRoutines } from "./reader-writer-locks.ts";
import { receiveRoutines } from "./receives.ts";
import { scatterGatherRoutines } from "./scatter-gather.ts";
import { sendRoutines } from "./sends.ts";
import { sharedMemoryPlans, sharedMemoryRoutines } from "./shared-memory.ts";
import { statusRoutines } from "./status-indications.ts";
import { supportRoutines } from "./support.ts";
import { timerAndWorkRoutines } from "./timers-and-work.ts";
import { unbindPlans, unbindRoutines } from "./unbind.ts";

export const ndisRoutines = [
  ...driverRoutines,
  ...adapterRoutines,
  ...pauseRestartRoutines,
  ...bindingRoutines,
  ...openCloseRoutines,
  ...unbindRoutines,
  ...pnpEventRoutines,
  ...portRoutines,
  ...oidRoutines,
  ...sendRoutines,
  ...receiveRoutines,
  ...statusRoutines,
  ...netBufferRoutines,
  ...supportRoutines,
  ...readerWriterLockRoutines,
  ...processorAndTimeRoutines,
  ...timerAndWorkRoutines,
  ...configurationRoutines,
  ...sharedMemoryRoutines,
  ...scatterGatherRoutines,
  ...deviceRoutines,
];

export const ndisPlans = [
  ...adapterPlans,
  ...pauseRestartPlans,
  ...bindingPlans,
  ...openClosePlans,
  ...unbindPlans,
  ...oidPlans,
  ...packetFilterPlans,
  ...newProtocolPlans,
  ...sharedMemoryPlans,
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
  "ProtocolOidRequestComplete",
  "ProtocolStatusEx",
  "ProtocolReceiveNetBufferLists",
  "ProtocolSendNetBufferListsComplete",
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
  "MiniportProcessSGList",
  "MiniportSharedMemoryAllocateComplete",
  "NetTimerCallback",
] as const;

export { setRegistryValue } from "./configuration.ts";
export const ndisObjectTypes = [...objectTypes, NdisDevice];
export { createAdapter, startAdapter, stopAdapter } from "./miniport-adapter.ts";
export { pauseStack, restartStack } from "./pause-restart.ts";
export { announceBindList } from "./new-protocol.ts";
export { bindToRunningStack } from "./protocol-binding.ts";
export { unbindWhenFree } from "./unbind.ts";
