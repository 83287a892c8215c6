/**
 * Events, and what all dispatcher objects have in common. One starts with its type and, four bytes in, its signal state, as in Windows.
 */
import type { Kernel } from "./kernel.ts";
import { leaf } from "./routine.ts";

/** Values of the type byte of a dispatcher header. */
export const DISPATCHER_TYPE = {
  NotificationEvent: 0,
  SynchronizationEvent: 1,
  Mutant: 2,
  Semaphore: 5,
  NotificationTimer: 8,
  SynchronizationTimer: 9,
} as const;

export const SIGNAL_STATE = 4;

/** Lays out a dispatcher header: type, size in words, signal state, empty wait list. */
export function initializeDispatcher(k: Kernel, object: number, type: number, isSignalled: boolean): void {
  k.memory.clear(object, 16);
  k.memory.u8[object] = type;
  k.memory.u8[object + 2] = 4;
  k.memory.writeU32(object + SIGNAL_STATE, isSignalled ? 1 : 0);
  k.memory.writeU32(object + 8, object + 8);
  k.memory.writeU32(object + 12, object + 8);
}

export function isSignalled(k: Kernel, object: number): boolean {
  return k.memory.readU32(object + SIGNAL_STATE) !== 0;
}

/** Returns the previous state. */
export function setSignal(k: Kernel, object: number, value: boolean): number {
  const old = k.memory.readU32(object + SIGNAL_STATE);
  if (value) k.ordering.release(object);
  k.memory.writeU32(object + SIGNAL_STATE, value ? 1 : 0);
  return old;
}

export const typeOf = (k: Kernel, object: number): number => (k.memory.u8[object] ?? 0) & 0x7f;

/** A signed 64-bit time in 100-nanosecond units, as Windows passes it: negative is relative. */
export function readTime(k: Kernel, address: number): number {
  return k.memory.data.getInt32(address + 4, true) * 0x1_0000_0000 + k.memory.readU32(address);
}

export const dispatcherRoutines = [
  leaf("KeInitializeEvent", (k, event, type, state) => initializeDispatcher(k, event, type, (state & 0xff) !== 0)),
  leaf("KeSetEvent", (k, event) => setSignal(k, event, true)),
  leaf("KeResetEvent", (k, event) => setSignal(k, event, false)),
  leaf("KeClearEvent", (k, event) => void setSignal(k, event, false)),
  leaf("KeReadStateEvent", (k, event) => k.memory.readU32(event + SIGNAL_STATE)),
];
