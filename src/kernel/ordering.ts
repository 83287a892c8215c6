/**
 * Which things that threads do are ordered, whatever the schedule: what a race is judged by. The kernel says where one thread hands something over
 * to another; whoever listens keeps the clocks.
 */
import type { Thread } from "./state.ts";

export interface Ordering {
  /** Code of the thread runs from now on, and no other thread's. */
  runs(thread: Thread): void;
  /** The thread is new. What the running thread has done is ordered before it; without one, what was released to its subject is. */
  starts(thread: Thread): void;
  ends(thread: Thread): void;
  /** No thread runs: the machine itself does something. */
  rests(): void;
  /** What the running thread has done so far is ordered before what others do who acquire the object. */
  release(object: number): void;
  acquire(object: number): void;
  /** The running thread changes the bytes with an interlocked operation: it acquires and releases them. */
  interlocked(address: number, bytes: number): void;
  /**
   * The library reads or writes memory in the name of the driver whose code runs: it is checked, and compared with other threads', as if the driver
   * did it. What may not be accessed ends the run.
   */
  access(address: number, bytes: number, writes: boolean): void;
  /** The library decides something by the driver's bytes: if nobody has written them, that ends the run. */
  decides(address: number, bytes: number): void;
  /** Whether what that driver writes is seen: else nobody can say of its memory that it is unwritten. */
  seesStoresOf(driver: number): boolean;
  /** Who acquires `to` acquires what was released to `from`, too. */
  forward(from: number, to: number): void;
  /** The same for the state of the library as a whole: a step of it changes it; a wait that is over has seen it. */
  publish(): void;
  observe(): void;
}

/** Nobody wants to know. */
export const noOrdering: Ordering = {
  runs: () => {},
  starts: () => {},
  ends: () => {},
  rests: () => {},
  release: () => {},
  acquire: () => {},
  interlocked: () => {},
  access: () => {},
  decides: () => {},
  seesStoresOf: () => false,
  forward: () => {},
  publish: () => {},
  observe: () => {},
};

/** Routines without steps of their own that change what others may wait for in the library. */
export const changesLibrary = (routine: string): boolean =>
  /Complete|Register|Port|Cancel|Unbind|Remove|Delete|Close|Detach|Attach|Open|Create/.test(routine);

/**
 * The object that work items release when they end. Nobody waits for that but the system before it unloads the driver; all other threads that end
 * have then done what the library as a whole waits for.
 */
export const endedWorkItems = -2;

/** What the object is released to by those who share it: who takes it alone comes after them, and they after nobody of their own kind. */
export const sharersOrder = (object: number): number => object + 1;
