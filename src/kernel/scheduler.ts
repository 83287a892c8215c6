/**
 * Who runs next. One thread runs at a time; IRQL is a law, not a choice: a thread at DISPATCH_LEVEL keeps its processor, a DPC runs only on its own,
 * and below that level a thread runs on any processor that nobody keeps.
 */
import type { Candidate, Candidates } from "./choose.ts";
import type { Kernel } from "./kernel.ts";
import { fireTimers, nextTimer } from "./timer-queue.ts";
import { threadIsOver } from "./system-threads.ts";
import {
  Frame,
  HEADER_ADDRESS,
  Header,
  IRQL,
  Processor,
  THREADS_ADDRESS,
  THREAD_BYTES,
  type Thread,
  threadSlot,
} from "./state.ts";

/** The order of two DPCs of one processor: the one that runs, then the urgent ones, the last queued first, then the others as they were queued. */
function goesBefore(one: Thread, other: Thread): boolean {
  if (one.hasStarted !== other.hasStarted) return one.hasStarted;
  if (one.isUrgent !== other.isUrgent) return one.isUrgent;
  return one.isUrgent ? one.number > other.number : one.number < other.number;
}

/** In place of the thread that is to run next. */
const CLOCK = 1;

export class Scheduler {
  readonly #kernel: Kernel;
  readonly #threads: readonly Thread[];
  readonly #processors: readonly Processor[];

  constructor(kernel: Kernel, threads: readonly Thread[]) {
    this.#kernel = kernel;
    this.#threads = threads;
    this.#processors = Array.from({ length: 8 }, (_, index) =>
      Processor.at(kernel.memory, HEADER_ADDRESS + Header.offsets.processors + index * Processor.bytes),
    );
  }

  /** Runs one thread until it waits, is switched away, or ends. False: nothing can run, now or later. */
  runNext(): boolean {
    const kernel = this.#kernel;
    const { header } = kernel;
    const picked = this.#pick();
    header.nextThread = 0;
    header.isAtPoint = false;
    if (picked === undefined || picked === "clock") return this.#advanceClock();
    const thread = picked;
    if (header.currentThread !== thread.address) {
      header.currentThread = thread.address;
      kernel.emit("switch", "", () => ({ kind: "switch", to: thread.number }));
    }
    this.place(thread);
    kernel.beginTurn();
    kernel.ordering.runs(thread);
    const wasOver = thread.depth === 0;
    if ((kernel.run(thread, 0) || thread.isTerminated) && (wasOver || !this.#stopsAtEnd(thread))) this.#end(thread);
    for (const host of kernel.hosts) host.saveToMemory?.();
    return true;
  }

  #pick(): Candidate | undefined {
    const next = this.#kernel.header.nextThread;
    if (next !== 0) return next === CLOCK ? "clock" : this.#kernel.thread(next);
    return this.#ask(this.candidates());
  }

  #ask(candidates: Candidates): Candidate | undefined {
    return candidates.all[this.#kernel.choose(candidates.all.length, "schedule", candidates)];
  }

  /** Those who could go on, the first of them the one that does when nobody interferes. Asking has no effect. */
  candidates(): Candidates {
    const { header, strategy } = this.#kernel;
    const all: Candidate[] = this.readyThreads();
    if (header.isAtPoint) this.#currentFirst(all);
    if (strategy.timePasses === true && all.length > 0 && this.#nextMoment() !== Number.POSITIVE_INFINITY) all.push("clock");
    return { all, couldGoOn: header.isAtPoint };
  }

  #currentFirst(ready: Candidate[]): void {
    const { current } = this.#kernel;
    const place = ready.indexOf(current);
    if (place >= 0) ready.splice(place, 1);
    ready.unshift(current);
  }

  /** At a scheduling point of the current thread: whether it has to park, so that it can be asked who goes on, if there is somebody else. */
  stopsHere(inAnyCase = false): boolean {
    const { header } = this.#kernel;
    header.isAtPoint = true;
    if (inAnyCase || this.candidates().all.length > 1) return true;
    header.isAtPoint = false;
    return false;
  }

  /** What a driver's thread did last and its end are two things, where somebody is there to see it. */
  #stopsAtEnd(thread: Thread): boolean {
    const { strategy } = this.#kernel;
    const { points = "steps" } = strategy;
    if (!strategy.preempts || points === "steps" || thread.isTerminated || thread.kind === "Scenario") return false;
    if (strategy.stops === true ? this.stopsHere() : this.isSwitchedAway()) return true;
    this.#kernel.header.nextThread = 0;
    return false;
  }

  /** Those who could run now: DPCs first, then round from the thread after the current one. Asking has no effect. */
  readyThreads(): Thread[] {
    const { currentThread } = this.#kernel.header;
    const count = this.#threads.length;
    const after = currentThread === 0 ? 0 : (currentThread - THREADS_ADDRESS) / THREAD_BYTES + 1;
    const dpcs: Thread[] = [];
    const others: Thread[] = [];
    for (let offset = 0; offset < count; offset += 1) {
      const thread = this.#threads[(after + offset) % count];
      if (thread === undefined || !this.isReady(thread)) continue;
      (thread.kind === "Dpc" ? dpcs : others).push(thread);
    }
    return dpcs.length === 0 ? others : [...dpcs, ...others];
  }

  isReady(thread: Thread): boolean {
    return thread.state === "Live" && this.hasProcessor(thread) && !this.isWaiting(thread);
  }

  /** Whether what the thread's innermost frame waits for is not there yet. */
  isWaiting(thread: Thread): boolean {
    if (thread.depth === 0) return false;
    if (thread.deadline !== 0 && this.#kernel.header.clock >= thread.deadline) return false;
    const kernel = this.#kernel;
    const frame = kernel.frame(thread, thread.depth - 1);
    if (frame.kind === "Plan") {
      const plan = kernel.planOf(frame);
      const step = plan.steps[frame.step];
      if (step?.kind !== "until") return false;
      // A wait with a time-out that it has not begun: the thread has to run to begin it.
      if (step.deadline !== undefined && thread.deadline === 0) return false;
      return !step.ready(kernel, plan.locals.at(kernel.memory, frame.address + Frame.offsets.data));
    }
    if (frame.kind === "Operation" && frame.step === 1) {
      const routine = kernel.routineOf(frame.code);
      return routine.kind === "wait" && !routine.ready(kernel, thread, kernel.arguments(frame));
    }
    return false;
  }

  /** Whether there is a processor that the thread may run on now. */
  hasProcessor(thread: Thread): boolean {
    if (thread.irql >= IRQL.DISPATCH) {
      const holder = this.#processors[thread.processor]?.holder ?? 0;
      if (holder !== 0) return holder === thread.address;
      return !this.#threads.some(
        (other) =>
          other !== thread &&
          other.state === "Live" &&
          other.kind === "Dpc" &&
          other.processor === thread.processor &&
          goesBefore(other, thread),
      );
    }
    return this.#freeProcessor(thread) >= 0;
  }

  /** A processor that nobody keeps and the thread may run on, the one that it has if it may stay there; -1: there is none. */
  #freeProcessor(thread: Thread): number {
    const { processor: own, affinity } = thread;
    const count = this.#kernel.header.processorCount;
    const isFree = (index: number): boolean =>
      this.#processors[index]?.holder === 0 && (affinity === 0 || (affinity & (1 << index)) !== 0);
    // Where states are compared, a thread that may run anywhere has a processor of its own, wherever it ran before.
    const home = this.#kernel.strategy.points === "calls" && affinity === 0 ? threadSlot(thread.address) % count : own;
    if (isFree(home)) return home;
    for (let index = 0; index < count; index += 1) if (isFree(index)) return index;
    return -1;
  }

  /** Gives the thread a processor to run on. */
  place(thread: Thread): void {
    thread.hasStarted = true;
    if (thread.irql >= IRQL.DISPATCH) {
      const processor = this.#processors[thread.processor];
      if (processor !== undefined) processor.holder = thread.address;
      return;
    }
    const free = this.#freeProcessor(thread);
    if (free >= 0) thread.processor = free;
  }

  /** Sets the current thread's IRQL; at DISPATCH_LEVEL and above it keeps its processor. Returns the old level. */
  setIrql(irql: number): number {
    const thread = this.#kernel.current;
    const old = thread.irql;
    thread.irql = irql;
    const processor = this.#processors[thread.processor];
    if (processor !== undefined && old < IRQL.DISPATCH !== irql < IRQL.DISPATCH) {
      processor.holder = irql >= IRQL.DISPATCH ? thread.address : 0;
      // A change of processors that was asked for at DISPATCH_LEVEL comes into effect below it.
      if (irql < IRQL.DISPATCH) this.place(thread);
    }
    return old;
  }

  /** At a scheduling point of the current thread: asks who goes on. True: another one, and the current thread has to park. */
  isSwitchedAway(): boolean {
    const { header } = this.#kernel;
    header.isAtPoint = true;
    const candidates = this.candidates();
    header.isAtPoint = false;
    const picked = this.#ask(candidates);
    if (picked === "clock") header.nextThread = CLOCK;
    else header.nextThread = picked?.address ?? header.currentThread;
    return header.nextThread !== header.currentThread;
  }

  /** When something happens by itself: a wait is over, or a timer due; infinite: never. */
  #nextMoment(): number {
    let first = nextTimer(this.#kernel, false);
    for (const { state, deadline } of this.#threads) if (state === "Live" && deadline !== 0) first = Math.min(first, deadline);
    return first;
  }

  /** Jumps to the next moment at which something happens by itself. False: there is none. */
  #advanceClock(): boolean {
    const { header } = this.#kernel;
    const next = this.#nextMoment();
    if (next === Number.POSITIVE_INFINITY) return false;
    this.#kernel.ordering.rests();
    header.clock = Math.max(header.clock, Math.min(next, nextTimer(this.#kernel, true)));
    fireTimers(this.#kernel);
    return true;
  }

  #end(thread: Thread): void {
    if (thread.irql >= IRQL.DISPATCH) this.setIrql(IRQL.PASSIVE);
    const { subject, number } = thread;
    for (let index = 0; index < thread.depth; index += 1) {
      const frame = this.#kernel.frame(thread, index);
      for (const host of this.#kernel.hosts) host.forget?.(frame);
    }
    threadIsOver(this.#kernel, thread);
    this.#kernel.ordering.ends(thread);
    if (this.#kernel.header.nextThread === thread.address) this.#kernel.header.nextThread = 0;
    this.#kernel.clearThread(thread);
    this.#kernel.header.currentThread = 0;
    if (subject !== 0) this.#kernel.note("thread ended", subject, number);
  }
}
