/**
 * Push locks. A thread that waits to have one alone keeps out those who come later to share it.
 *
 * Pages: nf-wdm-exinitializepushlock, nf-wdm-exacquirepushlockexclusive, nf-wdm-exacquirepushlockshared, nf-wdm-exreleasepushlockexclusive.
 */
import type { Kernel } from "./kernel.ts";
import { leaf, local, waiting } from "./routine.ts";
import {
  beginWait,
  endWait,
  giveAlone,
  giveShared,
  isOpenToShare,
  isUnowned,
  sharedLockAt,
  takeAlone,
  takeShared,
} from "./shared-locks.ts";

const WHAT = "push lock";
const awaits = (k: Kernel, lock: number) => sharedLockAt(k, lock, WHAT);

export const pushLockRoutines = [
  local("ExInitializePushLock", (k, lock) => k.memory.writeU32(lock, 0)),
  waiting("ExAcquirePushLockExclusive", {
    before: (k, lock = 0) => {
      beginWait(k, lock);
      return 0;
    },
    // A thread that has the lock already, in either way, waits for itself.
    ready: isUnowned,
    awaits,
    then: (k, _saved, _timedOut, lock) => {
      endWait(k, lock);
      takeAlone(k, lock, WHAT);
    },
  }),
  waiting("ExAcquirePushLockShared", {
    ready: isOpenToShare,
    awaits,
    then: (k, _saved, _timedOut, lock) => takeShared(k, lock, WHAT),
  }),
  leaf("ExReleasePushLockExclusive", (k, lock) => giveAlone(k, lock, WHAT)),
  leaf("ExReleasePushLockShared", (k, lock) => giveShared(k, lock, WHAT)),
];
