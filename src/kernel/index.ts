/** The part of Windows that drivers stand on. */
import { bitmapRoutines } from "./bitmaps.ts";
import { debugRoutines } from "./debug-print.ts";
import { dispatcherRoutines } from "./dispatcher-objects.ts";
import { dpcRoutines } from "./dpcs.ts";
import { exceptionRoutines } from "./exceptions.ts";
import { interlockedRoutines } from "./interlocked.ts";
import { interlockedListRoutines } from "./interlocked-lists.ts";
import { ioHandlers, ioObjectTypes, ioPlans, ioRoutines } from "./io/index.ts";
import { LookasideList, lookasideHandlers, lookasideRoutines } from "./lookaside-lists.ts";
import { mdlRoutines } from "./mdl.ts";
import { Handle, ManagedObject } from "./object-manager.ts";
import { objectRoutines } from "./object-routines.ts";
import { poolRoutines } from "./pool.ts";
import { Process, UserBlock } from "./processes.ts";
import { processorRoutines } from "./processors.ts";
import { pushLockRoutines } from "./push-locks.ts";
import { rundownRoutines } from "./rundown.ts";
import { spinLockRoutines } from "./spin-locks.ts";
import { stringConversionRoutines } from "./string-conversions.ts";
import { stringRoutines } from "./strings.ts";
import { systemThreadHandlers, systemThreadRoutines } from "./system-threads.ts";
import { Timer } from "./timer-queue.ts";
import { timeRoutines } from "./times.ts";

export const kernelRoutines = [
  ...spinLockRoutines,
  ...dispatcherRoutines,
  ...interlockedRoutines,
  ...interlockedListRoutines,
  ...pushLockRoutines,
  ...rundownRoutines,
  ...processorRoutines,
  ...timeRoutines,
  ...poolRoutines,
  ...lookasideRoutines,
  ...mdlRoutines,
  ...stringRoutines,
  ...stringConversionRoutines,
  ...bitmapRoutines,
  ...dpcRoutines,
  ...objectRoutines,
  ...systemThreadRoutines,
  ...ioRoutines,
  ...debugRoutines,
  ...exceptionRoutines,
];
export const kernelObjectTypes = [Timer, ManagedObject, Handle, Process, UserBlock, LookasideList, ...ioObjectTypes];
export const kernelPlans = ioPlans;
export const kernelHandlers = [
  "DriverEntry",
  "DriverUnload",
  "DeferredRoutine",
  ...lookasideHandlers,
  ...systemThreadHandlers,
  ...ioHandlers,
] as const;

export { type Choose, type Strategy, firstCome } from "./choose.ts";
export { type CodeHost, Kernel, type KernelOptions } from "./kernel.ts";
export { KernelMemory, MEMORY_BYTES, imageSlots, regions } from "./memory.ts";
export { BugCheck, DriverFault, RunFailed } from "./outcome.ts";
export { type Snapshot, fingerprint, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
export { type Entry, type EntryOf, type Watch, Watchers } from "./trace.ts";
