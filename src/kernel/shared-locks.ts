/**
 * Locks that one thread has alone or several share: push locks, executive spin locks, resources, and those of NDIS. A lock is one word of the
 * driver's memory: who has it alone, how many share it, and how many wait to have it alone. Which locks it shares, a thread knows.
 */
import type { Kernel } from "./kernel.ts";
import { sharersOrder } from "./ordering.ts";
import type { Awaited } from "./routine.ts";
import { MAX_SHARES, Thread, threadAddress, threadSlot } from "./state.ts";

/** The word: 1 + the slot of the thread that has it alone; then counts of those who share it, and of those who wait. */
const OWNER = 0xff;
const SHARER = 0x100;
const SHARERS = 0x000f_ff00;
const WAITER = 0x10_0000;

/** The thread that has the lock alone. */
export function ownerOf(k: Kernel, lock: number): Thread | undefined {
  const owner = k.memory.readU32(lock) & OWNER;
  return owner === 0 ? undefined : k.thread(threadAddress(owner - 1));
}

export const isOwnedBy = (k: Kernel, lock: number, thread: Thread): boolean => ownerOf(k, lock)?.address === thread.address;
export const isShared = (k: Kernel, lock: number): boolean => (k.memory.readU32(lock) & SHARERS) !== 0;
/** Nobody has it, alone or with others. */
export const isUnowned = (k: Kernel, lock: number): boolean => (k.memory.readU32(lock) & (OWNER | SHARERS)) === 0;
export const isNotOwned = (k: Kernel, lock: number): boolean => (k.memory.readU32(lock) & OWNER) === 0;
/** Nobody has it alone, and nobody waits for that. */
export const isOpenToShare = (k: Kernel, lock: number): boolean => (k.memory.readU32(lock) & ~SHARERS) === 0;

function change(k: Kernel, lock: number, by: number): void {
  k.memory.writeU32(lock, (k.memory.readU32(lock) + by) >>> 0);
}

/** The current thread waits to have the lock alone, or has come to the end of that. */
export const beginWait = (k: Kernel, lock: number): void => change(k, lock, WAITER);
export const endWait = (k: Kernel, lock: number): void => change(k, lock, -WAITER);

export function takeAlone(k: Kernel, lock: number, what: string): void {
  const thread = k.current;
  change(k, lock, threadSlot(thread.address) + 1);
  thread.locksHeld += 1;
  k.ordering.acquire(lock);
  k.ordering.acquire(sharersOrder(lock));
  k.tellLock(lock, "acquire", thread.number, what);
}

/** Nobody has the lock alone from now on, whoever had it: the kernel does not check, the rules do. */
export function giveAlone(k: Kernel, lock: number, what: string): void {
  k.ordering.release(lock);
  k.tellLock(lock, "release", ownerOf(k, lock)?.number ?? 0, what);
  k.memory.writeU32(lock, k.memory.readU32(lock) & ~OWNER);
  forgetOne(k.current);
}

export function takeShared(k: Kernel, lock: number, what: string): void {
  const thread = k.current;
  change(k, lock, SHARER);
  addShare(k, thread, lock);
  thread.locksHeld += 1;
  k.ordering.acquire(lock);
  k.tellLock(lock, "acquire", thread.number, what);
}

/** One share of the lock is given back: the current thread's, or, if it has none, that of another. */
export function giveShared(k: Kernel, lock: number, what: string): void {
  const sharer = sharesOf(k, k.current, lock) > 0 ? k.current : sharersOf(k, lock)[0];
  k.ordering.release(sharersOrder(lock));
  k.tellLock(lock, "release", sharer?.number ?? 0, what);
  if (isShared(k, lock)) change(k, lock, -SHARER);
  if (sharer !== undefined) removeShare(k, sharer, lock);
  forgetOne(k.current);
}

function forgetOne(thread: Thread): void {
  if (thread.locksHeld > 0) thread.locksHeld -= 1;
}

/** The lock, for the report of a hung run. */
export function sharedLockAt(k: Kernel, lock: number, what: string): Awaited {
  const owner = ownerOf(k, lock);
  return { what: `the ${what} at 0x${lock.toString(16)}`, holders: owner === undefined ? sharersOf(k, lock) : [owner] };
}

// ---- the shares of a thread

const firstShare = (thread: Thread): number => (thread.address + Thread.offsets.shares) >>> 2;

/** How often the thread shares the lock. */
export function sharesOf(k: Kernel, thread: Thread, lock: number): number {
  const place = placeOf(k, thread, lock);
  return place === undefined ? 0 : (k.memory.u32[place + 1] ?? 0);
}

export function sharersOf(k: Kernel, lock: number): Thread[] {
  return k.threads.filter((thread) => thread.state === "Live" && sharesOf(k, thread, lock) > 0);
}

/** Word index of the thread's entry for the lock; for lock 0 that of the first free one. */
function placeOf(k: Kernel, thread: Thread, lock: number): number | undefined {
  const first = firstShare(thread);
  for (let place = first; place < first + 2 * MAX_SHARES; place += 2) if (k.memory.u32[place] === lock) return place;
  return undefined;
}

/** A thread that shares more locks than there is room for is not known to have the rest. */
function addShare(k: Kernel, thread: Thread, lock: number): void {
  const place = placeOf(k, thread, lock) ?? placeOf(k, thread, 0);
  if (place === undefined) return;
  k.memory.u32[place] = lock;
  k.memory.u32[place + 1] = (k.memory.u32[place + 1] ?? 0) + 1;
}

function removeShare(k: Kernel, thread: Thread, lock: number): void {
  const { u32 } = k.memory;
  const place = placeOf(k, thread, lock);
  if (place === undefined) return;
  u32[place + 1] = (u32[place + 1] ?? 1) - 1;
  if (u32[place + 1] !== 0) return;
  const end = firstShare(thread) + 2 * MAX_SHARES;
  u32.copyWithin(place, place + 2, end);
  u32.fill(0, end - 2, end);
}
