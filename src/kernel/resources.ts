/**
 * Resources: had by one thread, which may come again, or shared. A thread that waits to have one alone keeps out those who come later to share it,
 * but not those who share it already.
 *
 * Pages: nf-wdm-exinitializeresourcelite, nf-wdm-exacquireresourceexclusivelite, nf-wdm-exacquireresourcesharedlite,
 * bug-check-0xe3--resource-not-owned.
 */
import type { Kernel } from "./kernel.ts";
import { leaf, local, waiting } from "./routine.ts";
import {
  beginWait,
  endWait,
  giveAlone,
  giveShared,
  isOpenToShare,
  isNotOwned,
  isOwnedBy,
  isUnowned,
  sharedLockAt,
  sharesOf,
  takeAlone,
  takeShared,
} from "./shared-locks.ts";
import type { Thread } from "./state.ts";

const WHAT = "resource";
const RESOURCE_NOT_OWNED = 0xe3;
/** sizeof(ERESOURCE); the lock's word is the first, then how often its owner has come again. */
const BYTES = 56;
const AGAIN = 4;

const mayOwn = (k: Kernel, thread: Thread, resource: number): boolean => isUnowned(k, resource) || isOwnedBy(k, resource, thread);
const mayShare = (k: Kernel, thread: Thread, resource: number): boolean =>
  isOpenToShare(k, resource) || isOwnedBy(k, resource, thread) || (isNotOwned(k, resource) && sharesOf(k, thread, resource) > 0);
const waits = (wait: number): boolean => (wait & 0xff) !== 0;
const awaits = (k: Kernel, resource = 0) => sharedLockAt(k, resource, WHAT);

const comeAgain = (k: Kernel, resource: number, by: number): void =>
  k.memory.writeU32(resource + AGAIN, k.memory.readU32(resource + AGAIN) + by);

function release(k: Kernel, resource: number): void {
  const thread = k.current;
  if (isOwnedBy(k, resource, thread)) {
    if (k.memory.readU32(resource + AGAIN) > 0) comeAgain(k, resource, -1);
    else giveAlone(k, resource, WHAT);
    return;
  }
  if (sharesOf(k, thread, resource) === 0)
    k.bugCheck(
      RESOURCE_NOT_OWNED,
      [resource, thread.address, 0, 0],
      `the resource at 0x${resource.toString(16)} was released by a thread that does not have it`,
    );
  giveShared(k, resource, WHAT);
}

export const resourceRoutines = [
  local("ExInitializeResourceLite", (k, resource) => {
    k.memory.clear(resource, BYTES);
    return "STATUS_SUCCESS";
  }),
  leaf("ExDeleteResourceLite", (k, resource) => {
    k.memory.clear(resource, BYTES);
    return "STATUS_SUCCESS";
  }),
  waiting("ExAcquireResourceExclusiveLite", {
    before: (k, resource = 0, wait = 0) => {
      if (waits(wait)) beginWait(k, resource);
      return 0;
    },
    readyFor: (k, thread, resource = 0, wait = 0) => !waits(wait) || mayOwn(k, thread, resource),
    awaits,
    then: (k, _saved, _timedOut, resource, wait) => {
      if (waits(wait)) endWait(k, resource);
      if (!mayOwn(k, k.current, resource)) return false;
      if (isOwnedBy(k, resource, k.current)) comeAgain(k, resource, 1);
      else takeAlone(k, resource, WHAT);
      return true;
    },
  }),
  waiting("ExAcquireResourceSharedLite", {
    readyFor: (k, thread, resource = 0, wait = 0) => !waits(wait) || mayShare(k, thread, resource),
    awaits,
    then: (k, _saved, _timedOut, resource) => {
      if (!mayShare(k, k.current, resource)) return false;
      // One that has it alone comes again in the same way.
      if (isOwnedBy(k, resource, k.current)) comeAgain(k, resource, 1);
      else takeShared(k, resource, WHAT);
      return true;
    },
  }),
  leaf("ExReleaseResourceLite", release),
];
