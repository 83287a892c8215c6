/** The part of Windows that drivers stand on. */
import { bitmapRoutines } from "./bitmaps.ts";
import { debugRoutines } from "./debug-print.ts";
import { dispatcherRoutines } from "./dispatcher-objects.ts";
import { dpcRoutines } from "./dpcs.ts";
import { exceptionRoutines } from "./exceptions.ts";
import { interlockedRoutines } from "./interlocked.ts";
import { SymbolicLink, ioRoutines } from "./io.ts";
import { LookasideList, lookasideHandlers, lookasideRoutines } from "./lookaside-lists.ts";
import { mdlRoutines } from "./mdl.ts";
import { poolRoutines } from "./pool.ts";
import { spinLockRoutines } from "./spin-locks.ts";
import { stringConversionRoutines } from "./string-conversions.ts";
import { stringRoutines } from "./strings.ts";
import { Timer } from "./timer-queue.ts";

export const kernelRoutines = [
  ...spinLockRoutines,
  ...dispatcherRoutines,
  ...interlockedRoutines,
  ...poolRoutines,
  ...lookasideRoutines,
  ...mdlRoutines,
  ...stringRoutines,
  ...stringConversionRoutines,
  ...bitmapRoutines,
  ...dpcRoutines,
  ...ioRoutines,
  ...debugRoutines,
  ...exceptionRoutines,
];
export const kernelObjectTypes = [Timer, SymbolicLink, LookasideList];
export const kernelHandlers = ["DriverEntry", "DriverUnload", "DeferredRoutine", ...lookasideHandlers] as const;

export { type Choose, type Strategy, firstCome } from "./choose.ts";
export { type CodeHost, Kernel, type KernelOptions } from "./kernel.ts";
export { KernelMemory, MEMORY_BYTES, imageSlots, regions } from "./memory.ts";
export { BugCheck, DriverFault, RunFailed } from "./outcome.ts";
export { type Snapshot, fingerprint, restoreSnapshot, takeSnapshot } from "./snapshot.ts";
export { type Entry, type EntryOf, type Watch, Watchers } from "./trace.ts";
