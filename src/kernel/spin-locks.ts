/** Executive spin locks. The lock word holds the address of the thread that has it, so that a hung run can name the holder. */
import type { Kernel } from "./kernel.ts";
import { type Awaited, leaf, waiting } from "./routine.ts";
import { IRQL } from "./state.ts";

export function isFree(k: Kernel, lock: number): boolean {
  return k.memory.readU32(lock) === 0;
}

/** The current thread has the free lock from now on. */
export function take(k: Kernel, lock: number): void {
  const thread = k.current;
  k.memory.writeU32(lock, thread.address);
  thread.locksHeld += 1;
  k.ordering.acquire(lock);
  k.tellLock(lock, "acquire", thread.number);
}

/** The lock is free from now on, whoever had it: the kernel does not check, the rules do. */
export function give(k: Kernel, lock: number): void {
  const held = k.memory.readU32(lock);
  const thread = k.current;
  k.ordering.release(lock);
  k.tellLock(lock, "release", held === 0 ? 0 : k.thread(held).number);
  k.memory.writeU32(lock, 0);
  if (thread.locksHeld > 0) thread.locksHeld -= 1;
}

/** The spin lock at the address, for the report of a hung run. */
export function spinLockAt(k: Kernel, lock: number): Awaited {
  const held = k.memory.readU32(lock);
  return { what: `the spin lock at 0x${lock.toString(16)}`, holders: held === 0 ? [] : [k.thread(held)] };
}

/** Raises to DISPATCH_LEVEL, before the wait for a lock; returns the old level. */
export function raiseToDispatch(k: Kernel): number {
  const old = k.current.irql;
  if (old < IRQL.DISPATCH) k.scheduler.setIrql(IRQL.DISPATCH);
  return old;
}

const acquireRaising = <const N extends string>(name: N) =>
  waiting(name, {
    before: raiseToDispatch,
    ready: isFree,
    awaits: spinLockAt,
    then: (k, saved, _timedOut, lock) => {
      take(k, lock);
      return saved;
    },
  });

function releaseTo(k: Kernel, lock: number, irql: number): void {
  give(k, lock);
  k.scheduler.setIrql(irql & 0xff);
}

export const spinLockRoutines = [
  leaf("KeInitializeSpinLock", (k, lock) => k.memory.writeU32(lock, 0)),
  acquireRaising("KeAcquireSpinLockRaiseToDpc"),
  acquireRaising("KeAcquireSpinLockForDpc"),
  waiting("KeAcquireSpinLockAtDpcLevel", {
    ready: isFree,
    awaits: spinLockAt,
    then: (k, _saved, _timedOut, lock) => take(k, lock),
  }),
  leaf("KeTryToAcquireSpinLockAtDpcLevel", (k, lock) => {
    if (!isFree(k, lock)) return false;
    take(k, lock);
    return true;
  }),
  leaf("KeReleaseSpinLock", releaseTo),
  leaf("KeReleaseSpinLockForDpc", releaseTo),
  leaf("KeReleaseSpinLockFromDpcLevel", (k, lock) => give(k, lock)),
  leaf("KeGetCurrentIrql", (k) => k.current.irql),
  leaf("KeRaiseIrqlToDpcLevel", (k) => raiseToDispatch(k)),
  leaf("KfRaiseIrql", (k, irql) => k.scheduler.setIrql(irql & 0xff)),
  leaf("KeLowerIrql", (k, irql) => void k.scheduler.setIrql(irql & 0xff)),
];
