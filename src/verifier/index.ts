/** Verification: rules over the trace, and what a hung run means. */
import type { RuleSet } from "./rule.ts";
import { adapterResourceRules, undoneHandlerRules } from "./rules/adapter-resources.ts";
import { apcRules } from "./rules/apcs.ts";
import { adapterRules, deregisterRules, indicationRules } from "./rules/adapter.ts";
import { bindingPauseRules, closeRules, openRules, unbindRules } from "./rules/binding.ts";
import { closingRules } from "./rules/closing.ts";
import { completionRules } from "./rules/completions.ts";
import { dataRaceRules } from "./rules/data-races.ts";
import { dataPathRules } from "./rules/data-path.ts";
import { derivedListRules } from "./rules/derived-lists.ts";
import { directOidRules } from "./rules/direct-oids.ts";
import { failedBindRules } from "./rules/failed-binds.ts";
import { handleRules } from "./rules/handles.ts";
import { irqlRules, lockRules } from "./rules/irql-and-locks.ts";
import { irpRules } from "./rules/irps.ts";
import { countedLeakRules } from "./rules/counted-leaks.ts";
import { leakRules } from "./rules/leaks.ts";
import { listAllocationRules } from "./rules/list-allocations.ts";
import { listIntegrityRules } from "./rules/list-integrity.ts";
import { lockOrderRules } from "./rules/lock-order.ts";
import { netBufferListRules } from "./rules/net-buffer-lists.ts";
import { openingRules } from "./rules/opening.ts";
import { pausingRules } from "./rules/pausing.ts";
import { pnpEventRules } from "./rules/pnp-events.ts";
import { protocolDriverRules } from "./rules/protocol-driver.ts";
import { objectHeaderRules } from "./rules/object-headers.ts";
import { cancelRules } from "./rules/cancels.ts";
import { linkStatusRules } from "./rules/link-status.ts";
import { oidAnswerRules } from "./rules/oid-answers.ts";
import { oidBufferRules } from "./rules/oid-buffers.ts";
import { oidRequestRules } from "./rules/oid-requests.ts";
import { powerRules } from "./rules/power.ts";
import { resetRules } from "./rules/reset.ts";
import { miniportCallRules, miniportRegistrationRules } from "./rules/miniport.ts";
import { portDrainRules, portEventRules } from "./rules/port-events.ts";
import { portIndicationRules, portUseRules } from "./rules/port-use.ts";
import { portAllocateRules, portFreeRules } from "./rules/ports.ts";
import { rundownRules } from "./rules/rundown.ts";
import { surpriseRemovalRules } from "./rules/surprise-removal.ts";
import { smallDutyRules, statusRules } from "./rules/small-duties.ts";
import { deviceSettingRules } from "./rules/device-settings.ts";
import { holdingBackRules } from "./rules/holding-back.ts";
import { watchdogRules } from "./rules/watchdog.ts";
import { stackEventRules } from "./rules/stack-events.ts";
import { timeLimitRules } from "./rules/time-limits.ts";
import { dmaRules } from "./rules/dma.ts";
import { driverMemoryRules } from "./rules/driver-memory.ts";
import { interruptRules } from "./rules/interrupts.ts";
import { powerCallRules } from "./rules/power-calls.ts";
import { receivedAgainRules } from "./rules/received-again.ts";
import { synchronousRequestRules } from "./rules/synchronous-requests.ts";
import { timerRules } from "./rules/timers.ts";
import { undefinedBehaviourRules } from "./rules/undefined-behaviour.ts";
import { workItemRules } from "./rules/work-items.ts";
import { wireRules } from "./rules/wire.ts";

export const allRules: readonly RuleSet[] = [
  openRules,
  openingRules,
  closeRules,
  closingRules,
  failedBindRules,
  unbindRules,
  bindingPauseRules,
  pnpEventRules,
  stackEventRules,
  holdingBackRules,
  deviceSettingRules,
  watchdogRules,
  protocolDriverRules,
  handleRules,
  completionRules,
  portFreeRules,
  portAllocateRules,
  portEventRules,
  portDrainRules,
  portIndicationRules,
  portUseRules,
  adapterRules,
  adapterResourceRules,
  undoneHandlerRules,
  pausingRules,
  miniportRegistrationRules,
  miniportCallRules,
  deregisterRules,
  resetRules,
  powerRules,
  directOidRules,
  indicationRules,
  netBufferListRules,
  listAllocationRules,
  listIntegrityRules,
  derivedListRules,
  wireRules,
  irqlRules,
  lockRules,
  apcRules,
  irpRules,
  rundownRules,
  leakRules,
  countedLeakRules,
  dataRaceRules,
  undefinedBehaviourRules,
  objectHeaderRules,
  oidRequestRules,
  oidAnswerRules,
  surpriseRemovalRules,
  oidBufferRules,
  cancelRules,
  dataPathRules,
  statusRules,
  linkStatusRules,
  smallDutyRules,
  timeLimitRules,
  lockOrderRules,
  timerRules,
  workItemRules,
  interruptRules,
  dmaRules,
  driverMemoryRules,
  receivedAgainRules,
  powerCallRules,
  synchronousRequestRules,
];

/** Obligations whose breach shows as a run that hangs; see hung.ts. */
export const hungRules = [
  "bind-pending-must-complete",
  "unbind-pending-must-complete",
  "oid-pending-must-complete",
  "oid-direct-pending-complete",
  "pnp-event-pending-complete",
  "mp-pause-complete-required",
  "mp-restart-complete-required",
  "mp-reset-pending-complete",
  "deadlock",
  "hung",
] as const;

/** What stops Windows at once, and so ends a run. */
const stopRules = ["irp-completed-twice", "im-ifstack", "pnp-illegal-event", "pnp-validate-data"] as const;

/** Ids of all rules that are watched. */
export const watchedRules: readonly string[] = [
  ...new Set([...allRules.flatMap(({ rules }) => rules), ...hungRules, ...stopRules]),
];
