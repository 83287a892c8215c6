/** The part of Windows that drivers stand on. */
import { apcRoutines } from "./apcs.ts";
import { bitmapRoutines } from "./bitmaps.ts";
import { CallbackRegistration, callbackHandlers, callbackRoutines } from "./callbacks.ts";
import { PageRange, contiguousMemoryRoutines } from "./contiguous-memory.ts";
import { debugRoutines } from "./debug-print.ts";
import { dispatcherRoutines } from "./dispatcher-objects.ts";
import { dpcRoutines } from "./dpcs.ts";
import { DriverExtension, driverExtensionRoutines } from "./driver-extensions.ts";
import { errorLogRoutines } from "./error-log.ts";
import { eventHandleRoutines } from "./event-handles.ts";
import { exTimerHandlers, exTimerPlans, exTimerRoutines } from "./ex-timers.ts";
import { exceptionRoutines } from "./exceptions.ts";
import { interlockedRoutines } from "./interlocked.ts";
import { interlockedListRoutines } from "./interlocked-lists.ts";
import { ioHandlers, ioObjectTypes, ioPlans, ioRoutines } from "./io/index.ts";
import { LookasideList, lookasideHandlers, lookasideRoutines } from "./lookaside-lists.ts";
import { mdlRoutines } from "./mdl-routines.ts";
import { mutexRoutines } from "./mutexes.ts";
import { Handle, ManagedObject } from "./object-manager.ts";
import { NamedEvent, namedEventRoutines } from "./named-events.ts";
import { objectRoutines } from "./object-routines.ts";
import { poolRoutines } from "./pool-routines.ts";
import { Process, UserBlock } from "./processes.ts";
import { processRoutines } from "./process-routines.ts";
import { processorRoutines } from "./processors.ts";
import { pushLockRoutines } from "./push-locks.ts";
import { rundownRoutines } from "./rundown.ts";
import { registryHandlers, registryObjectTypes, registryRoutines } from "./registry/index.ts";
import { securityRoutines } from "./security.ts";
import { smallServices } from "./small-services.ts";
import { resourceRoutines } from "./resources.ts";
import { semaphoreRoutines } from "./semaphores.ts";
import { specialSpinLockRoutines } from "./special-spin-locks.ts";
import { spinLockRoutines } from "./spin-locks.ts";
import { stringConversionRoutines } from "./string-conversions.ts";
import { stringRoutines } from "./strings.ts";
import { systemThreadHandlers, systemThreadRoutines } from "./system-threads.ts";
import { versionRoutines } from "./version.ts";
import { Timer } from "./timer-queue.ts";
import { timerRoutines } from "./timers.ts";
import { timeRoutines } from "./times.ts";
import { waitRoutines } from "./waits.ts";
import { workItemHandlers, workItemRoutines } from "./work-items.ts";

export const kernelRoutines = [
  ...spinLockRoutines,
  ...specialSpinLockRoutines,
  ...dispatcherRoutines,
  ...mutexRoutines,
  ...semaphoreRoutines,
  ...waitRoutines,
  ...apcRoutines,
  ...resourceRoutines,
  ...interlockedRoutines,
  ...interlockedListRoutines,
  ...pushLockRoutines,
  ...rundownRoutines,
  ...processorRoutines,
  ...timeRoutines,
  ...timerRoutines,
  ...exTimerRoutines,
  ...workItemRoutines,
  ...poolRoutines,
  ...lookasideRoutines,
  ...mdlRoutines,
  ...contiguousMemoryRoutines,
  ...stringRoutines,
  ...stringConversionRoutines,
  ...bitmapRoutines,
  ...dpcRoutines,
  ...objectRoutines,
  ...systemThreadRoutines,
  ...ioRoutines,
  ...debugRoutines,
  ...exceptionRoutines,
  ...registryRoutines,
  ...callbackRoutines,
  ...driverExtensionRoutines,
  ...errorLogRoutines,
  ...versionRoutines,
  ...securityRoutines,
  ...namedEventRoutines,
  ...eventHandleRoutines,
  ...processRoutines,
  ...smallServices,
];
export const kernelObjectTypes = [
  Timer,
  ManagedObject,
  Handle,
  Process,
  UserBlock,
  LookasideList,
  PageRange,
  CallbackRegistration,
  DriverExtension,
  NamedEvent,
  ...registryObjectTypes,
  ...ioObjectTypes,
];
export const kernelPlans = [...ioPlans, ...exTimerPlans];
export const kernelHandlers = [
  "DriverEntry",
  "DriverUnload",
  "DeferredRoutine",
  ...exTimerHandlers,
  ...workItemHandlers,
  ...lookasideHandlers,
  ...registryHandlers,
  ...callbackHandlers,
  ...systemThreadHandlers,
  ...ioHandlers,
] as const;

export { type Candidate, type Candidates, type Choose, type Strategy, firstCome } from "./choose.ts";
export { isAboutResources, scarceCall } from "./scarcity.ts";
export { Kernel, type KernelOptions } from "./kernel.ts";
export { KernelMemory, MEMORY_BYTES, imageSlots, regions } from "./memory.ts";
export { POISON, poisonAt, resetPoison } from "./poison.ts";
export { BugCheck, DriverFault, RunFailed } from "./outcome.ts";
export { clearUsed, type Snapshot, fingerprint, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
export { type Entry, type EntryOf, type Watch, Watchers } from "./trace.ts";
