/** What the kernel keeps in memory about a machine as a whole: the header, the processors, the threads and their frames. */
import { regions } from "./memory.ts";
import { boolean, f64, oneOf, struct, u32, words, type ViewOf } from "./struct.ts";

export const IRQL = { PASSIVE: 0, APC: 1, DISPATCH: 2, DEVICE: 5, HIGH: 31 } as const;

export const MAX_PROCESSORS = 8;
export const MAX_THREADS = 64;
export const MAX_FRAMES = 60;
/** Locks that a thread may share at once. */
export const MAX_SHARES = 16;

/** A frame: one activation of a plan, of a parked routine, or of a driver's function. 128 bytes, so that a block of them is easy to read. */
export const Frame = struct("Frame", {
  kind: oneOf("None", "Plan", "Operation", "Code"),
  /** Plan index, routine index, or function address. */
  code: u32,
  /** Plan: the step to run next. Code: 0 not entered, 1 parked. */
  step: u32,
  /** What the callee above returned. */
  result: u32,
  /** 1 + routine index when a driver called this frame as a documented routine; for code, 1 + index of the handler's name. */
  routine: u32,
  /** C stack pointer: at entry, and after parking the low-water mark. */
  sp: u32,
  /** Where the unwind buffer of this frame starts and, while parked, ends. */
  bufferStart: u32,
  bufferEnd: u32,
  /** IRQL and locks held at entry of a handler, compared on its return. */
  irql: u32,
  locks: u32,
  argumentCount: u32,
  saved: u32,
  /** Code: 1 + slot of the driver whose code called, to go back to. */
  callerDriver: u32,
  /** Arguments, then a plan's locals. */
  data: words(19),
});
export type Frame = ViewOf<typeof Frame>;
export const FRAME_BYTES = Frame.bytes;
export const FRAME_WORDS = 19;

export const Thread = struct("Thread", {
  state: oneOf("Free", "Live"),
  kind: oneOf("System", "WorkItem", "Dpc", "Scenario", "Application"),
  number: u32,
  irql: u32,
  /** The processor it last ran on; at DISPATCH_LEVEL and above it keeps that processor. */
  processor: u32,
  /** A DPC runs only there and only from its start. */
  hasStarted: boolean,
  depth: u32,
  /** Absolute time at which the current wait ends by itself; 0: it does not. */
  deadline: f64,
  /** Whether the wait that just ended did so by its time-out. */
  timedOut: boolean,
  locksHeld: u32,
  /** 1 + slot of the driver whose code it is in; 0: the system. */
  driverNow: u32,
  /** The processors that it may run on; 0: all. */
  affinity: u32,
  /** A DPC that goes before those that are queued. */
  isUrgent: boolean,
  /** The locks that it shares with others, in the order in which it came to them: address and how often, 0 behind the last. */
  shares: words(2 * MAX_SHARES),
  /** Nesting of KeEnterCriticalRegion, and the mutexes that it has: what keeps normal kernel APCs away. */
  criticalRegions: u32,
  /** Nesting of KeEnterGuardedRegion: what keeps all APCs away. */
  guardedRegions: u32,
  /** Address of the mutex that it acquired last; each leads to the one before. */
  mutexes: u32,
  /** A wait on dispatcher objects that is over though they are not signalled any more: 1 + what it answers. */
  woken: u32,
  /** Address of the Process that it belongs to, or is attached to; 0: the system. */
  process: u32,
  /** What it does was asked for by an application, and not by a driver. */
  isFromUserMode: boolean,
  /** Address of the ManagedObject that stands for it, once somebody asked for one. */
  managed: u32,
  /** Its frames are given up: it ends where it is. */
  isTerminated: boolean,
  /** The object that this thread serves (work item, DPC, timer); it is told when the thread ends. */
  subject: u32,
  /** Index of the driver whose code the thread started with, plus 1. */
  driver: u32,
});
export type Thread = ViewOf<typeof Thread>;
export const THREAD_BYTES = Math.ceil(Thread.bytes / 64) * 64;

export const Processor = struct("Processor", {
  /** The thread at DISPATCH_LEVEL or above that keeps this processor, or 0. */
  holder: u32,
});
export type Processor = ViewOf<typeof Processor>;

export const Header = struct("Header", {
  currentThread: u32,
  /** The thread that was picked at a scheduling point and runs next, or 0; 1: time passes first. */
  nextThread: u32,
  /** The current thread could go on: it parked at a scheduling point, and who goes on has not been asked. */
  isAtPoint: boolean,
  processorCount: u32,
  /** What the frame that was popped last returned. */
  result: u32,
  /** Virtual time in 100-nanosecond units since the machine started. */
  clock: f64,
  /** What is left of the run's step budget; drivers' code counts it down. */
  stepsLeft: u32,
  /** First free byte of the rules' shadow state. */
  shadowEnd: u32,
  threadsCreated: u32,
  /** Calls of routines and of handlers so far. */
  callsMade: u32,
  uuidsCreated: u32,
  /** A bit for each slot whose driver is no counterpart. */
  driversUnderTest: u32,
  /** A bit for each driver whose calls may find no resources. */
  scarceDrivers: u32,
  /** Running timers, the one that was set first at the head. */
  firstTimer: u32,
  /** The system-wide lock of cancel routines: see cancel.ts. */
  cancelLock: u32,
  /** Prefixes of cancel ids that NDIS has given to drivers so far. */
  cancelIdsGiven: u32,
  processors: words(MAX_PROCESSORS * 2),
  /** See objects.ts. */
  objectArenas: words(2 * 16),
  /** Per object type: head and tail of the list of its live objects. */
  liveObjects: words(2 * 64),
  /** Per pool arena: see pool.ts. */
  pool: words(512),
});
export type Header = ViewOf<typeof Header>;

/** The driver in that slot is no counterpart. The system, -1, is no driver. */
export const isUnderTest = ({ driversUnderTest }: Header, slot: number): boolean =>
  slot >= 0 && (driversUnderTest & (1 << slot)) !== 0;

export const HEADER_ADDRESS = regions.kernel.start;
export const THREADS_ADDRESS = regions.kernel.start + 0x2000;
export const STACK_BYTES = (regions.stacks.end - regions.stacks.start) / MAX_THREADS;
export const FRAMES_BYTES = FRAME_BYTES * (MAX_FRAMES + 4);

export const threadAddress = (slot: number): number => THREADS_ADDRESS + slot * THREAD_BYTES;
export const threadSlot = (address: number): number => (address - THREADS_ADDRESS) / THREAD_BYTES;
/** The block of a thread: frames, then unwind buffers growing up toward the C stack that grows down from the end. */
export const stackBlock = (address: number): { start: number; end: number } => {
  const start = regions.stacks.start + threadSlot(address) * STACK_BYTES;
  return { start, end: start + STACK_BYTES };
};
