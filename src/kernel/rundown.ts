/**
 * Run-down protection. The word counts the protections that are in effect, by twos; bit 0 is set once the object runs down. A cache-aware reference
 * is the same word in memory of its own: with one thread running at a time there is no cache line to fight for.
 *
 * Pages: kernel/run-down-protection, nf-wdm-exacquirerundownprotection, nf-wdm-exwaitforrundownprotectionrelease,
 * nf-wdm-exreinitializerundownprotection, nf-wdm-exrundowncompleted.
 */
import type { Kernel } from "./kernel.ts";
import { allocate, free } from "./pool.ts";
import { leaf, local, waiting } from "./routine.ts";

const RUN_DOWN = 1;
const ONE = 2;
/** Bytes of a cache-aware reference. */
const CACHE_AWARE_BYTES = 16;

const protections = (k: Kernel, reference: number): number => k.memory.readU32(reference) >>> 1;

/** FALSE once the run-down has begun; then nothing is counted. */
function acquire(k: Kernel, reference: number, count = 1): boolean {
  const state = k.memory.readU32(reference);
  if ((state & RUN_DOWN) !== 0) return false;
  k.memory.writeU32(reference, state + count * ONE);
  return true;
}

function release(k: Kernel, reference: number, count = 1): void {
  const held = protections(k, reference);
  if (count > held) k.note("run-down protection released", reference, count, `${held}`);
  k.memory.writeU32(reference, k.memory.readU32(reference) - Math.min(count, held) * ONE);
}

const initialize = (k: Kernel, reference: number): void => k.memory.writeU32(reference, 0);

/** After a run-down, for the next object. The page demands that the old one is run down, and does not say what becomes of one that is not. */
function reinitialize(k: Kernel, reference: number): void {
  tellIfActive(k, reference);
  // Undocumented: what an object that is not run down becomes. It starts afresh, and protections that are in effect are lost.
  k.memory.writeU32(reference, 0);
}

function complete(k: Kernel, reference: number): void {
  tellIfActive(k, reference);
  k.memory.writeU32(reference, RUN_DOWN);
}

function tellIfActive(k: Kernel, reference: number): void {
  const state = k.memory.readU32(reference);
  if (state !== RUN_DOWN) k.note("not run down", reference, state >>> 1);
}

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
    then: () => {},
  });

export const rundownRoutines = [
  local("ExInitializeRundownProtection", initialize),
  leaf("ExReInitializeRundownProtection", reinitialize),
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
  leaf("ExReInitializeRundownProtectionCacheAware", reinitialize),
  leaf("ExAcquireRundownProtectionCacheAware", (k, reference) => acquire(k, reference)),
  leaf("ExAcquireRundownProtectionCacheAwareEx", acquire),
  leaf("ExReleaseRundownProtectionCacheAware", (k, reference) => release(k, reference)),
  leaf("ExReleaseRundownProtectionCacheAwareEx", release),
  waitingForRelease("ExWaitForRundownProtectionReleaseCacheAware"),
  leaf("ExRundownCompletedCacheAware", complete),
];
