/** The part of Windows that drivers stand on. */
import { debugRoutines } from "./debug-print.ts";
import { dispatcherRoutines } from "./dispatcher-objects.ts";
import { dpcRoutines } from "./dpcs.ts";
import { interlockedRoutines } from "./interlocked.ts";
import { interlockedListRoutines } from "./interlocked-lists.ts";
import { SymbolicLink, ioRoutines } from "./io.ts";
import { mdlRoutines } from "./mdl.ts";
import { poolRoutines } from "./pool.ts";
import { processorRoutines } from "./processors.ts";
import { pushLockRoutines } from "./push-locks.ts";
import { rundownRoutines } from "./rundown.ts";
import { spinLockRoutines } from "./spin-locks.ts";
import { stringRoutines } from "./strings.ts";
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
  ...mdlRoutines,
  ...stringRoutines,
  ...dpcRoutines,
  ...ioRoutines,
  ...debugRoutines,
];
export const kernelObjectTypes = [Timer, SymbolicLink];
export const kernelHandlers = ["DriverEntry", "DriverUnload", "DeferredRoutine"] as const;

export { type Choose, type Strategy, firstCome } from "./choose.ts";
export { type CodeHost, Kernel, type KernelOptions } from "./kernel.ts";
export { KernelMemory, MEMORY_BYTES, imageSlots, regions } from "./memory.ts";
export { BugCheck, DriverFault, RunFailed } from "./outcome.ts";
export { type Snapshot, fingerprint, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
export { type Entry, type EntryOf, type Watch, Watchers } from "./trace.ts";
