/**
 * Run-down protection. The word counts the protections that are in effect, by twos; bit 0 is set once the object runs down. A cache-aware reference
 * is the same word in memory of its own: with one thread running at a time there is no cache line to fight for.
 *
 * Pages: kernel/run-down-protection, nf-wdm-exacquirerundownprotection, nf-wdm-exwaitforrundownprotectionrelease,
 * nf-wdm-exreinitializerundownprotection, nf-wdm-exrundowncompleted.
 */
import type { Kernel } from "./kernel.ts";
import { sharersOrder } from "./ordering.ts";
import { allocate, free } from "./pool.ts";
import { leaf, local, waiting } from "./routine.ts";

const RUN_DOWN = 1;
const ONE = 2;
/** Bytes of a cache-aware reference. */
const CACHE_AWARE_BYTES = 16;

/** What is counted, in the notes that tell of it. */
export const PROTECTION = "run-down protection";

/** How many protections are in effect. */
export const protections = (k: Kernel, reference: number): number => k.memory.readU32(reference) >>> 1;
export const isRunDown = (k: Kernel, reference: number): boolean => k.memory.readU32(reference) === RUN_DOWN;

/** FALSE once the run-down has begun; then nothing is counted. */
function acquire(k: Kernel, reference: number, count = 1): boolean {
  const state = k.memory.readU32(reference);
  if ((state & RUN_DOWN) !== 0) return false;
  k.ordering.acquire(reference);
  k.memory.writeU32(reference, state + count * ONE);
  k.note("taken", reference, count, PROTECTION);
  return true;
}

function release(k: Kernel, reference: number, count = 1): void {
  k.ordering.release(sharersOrder(reference));
  // Undocumented: what becomes of a protection that was never acquired. Its release counts for nothing.
  const released = Math.min(count, protections(k, reference));
  k.note("given back", reference, count, PROTECTION);
  k.memory.writeU32(reference, k.memory.readU32(reference) - released * ONE);
}

// Undocumented: what initializing again does to an object that is not run down. Protections that are in effect are lost.
const initialize = (k: Kernel, reference: number): void => {
  k.ordering.release(reference);
  k.memory.writeU32(reference, 0);
};

const complete = (k: Kernel, reference: number): void => k.memory.writeU32(reference, RUN_DOWN);

/** From the call on nobody gets protection; it returns when the last one is released. */
const waitingForRelease = <const N extends string>(name: N) =>
  waiting(name, {
    before: (k, reference = 0) => {
      k.memory.writeU32(reference, k.memory.readU32(reference) | RUN_DOWN);
      return 0;
    },
    ready: (k, reference) => protections(k, reference) === 0,
    awaits: (k, reference = 0) => ({
      what: `the release of ${protections(k, reference)} run-down protection(s) of 0x${reference.toString(16)}`,
      holders: [],
    }),
    then: (k, _saved, _timedOut, reference) => k.ordering.acquire(sharersOrder(reference)),
  });

export const rundownRoutines = [
  local("ExInitializeRundownProtection", initialize),
  leaf("ExReInitializeRundownProtection", initialize),
  leaf("ExAcquireRundownProtection", (k, reference) => acquire(k, reference)),
  leaf("ExAcquireRundownProtectionEx", acquire),
  leaf("ExReleaseRundownProtection", (k, reference) => release(k, reference)),
  leaf("ExReleaseRundownProtectionEx", release),
  waitingForRelease("ExWaitForRundownProtectionRelease"),
  leaf("ExRundownCompleted", complete),

  leaf("ExAllocateCacheAwareRundownProtection", (k, _poolType, tag) => allocate(k, CACHE_AWARE_BYTES, tag)),
  leaf("ExFreeCacheAwareRundownProtection", free),
  local("ExSizeOfRundownProtectionCacheAware", () => CACHE_AWARE_BYTES),
  local("ExInitializeRundownProtectionCacheAware", initialize),
  leaf("ExReInitializeRundownProtectionCacheAware", initialize),
  leaf("ExAcquireRundownProtectionCacheAware", (k, reference) => acquire(k, reference)),
  leaf("ExAcquireRundownProtectionCacheAwareEx", acquire),
  leaf("ExReleaseRundownProtectionCacheAware", (k, reference) => release(k, reference)),
  leaf("ExReleaseRundownProtectionCacheAwareEx", release),
  waitingForRelease("ExWaitForRundownProtectionReleaseCacheAware"),
  leaf("ExRundownCompletedCacheAware", complete),
];
