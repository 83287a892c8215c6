/** Semaphores. Pages: nf-wdm-keinitializesemaphore, nf-wdm-kereleasesemaphore. */
import { constant } from "../contract/index.ts";
import { DISPATCHER_TYPE, SIGNAL_STATE, initializeDispatcher } from "./dispatcher-objects.ts";
import { raise } from "./exceptions.ts";
import { leaf, local } from "./routine.ts";
import { windowsStruct } from "./windows.ts";

const Semaphore = windowsStruct("KSEMAPHORE");

export const semaphoreRoutines = [
  local("KeInitializeSemaphore", (k, semaphore, count, limit) => {
    initializeDispatcher(k, semaphore, DISPATCHER_TYPE.Semaphore, false);
    k.memory.u8[semaphore + 2] = Semaphore.bytes / 4;
    k.memory.writeU32(semaphore + SIGNAL_STATE, count);
    Semaphore.at(k.memory, semaphore).Limit = limit | 0;
  }),
  leaf("KeReleaseSemaphore", (k, semaphore, _increment, adjustment) => {
    const old = k.memory.readU32(semaphore + SIGNAL_STATE);
    const count = old + (adjustment | 0);
    // An adjustment must be positive; one that is not counts as one that passes the limit.
    if (count > Semaphore.at(k.memory, semaphore).Limit || count < old)
      raise(k, "KeReleaseSemaphore", constant("STATUS_SEMAPHORE_LIMIT_EXCEEDED"));
    k.memory.writeU32(semaphore + SIGNAL_STATE, count);
    k.ordering.release(semaphore);
    return old;
  }),
  leaf("KeReadStateSemaphore", (k, semaphore) => k.memory.readU32(semaphore + SIGNAL_STATE)),
];
