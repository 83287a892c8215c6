/**
 * The kernel's engine: it calls routines, runs plans, enters drivers' code, parks threads and picks who runs next.
 *
 * Parking is lazy. A call from a driver runs inline on the host's stack: routine, plan, handlers and all. Only when something must
 * wait or switch do the frames park, innermost first; then the thread is data, and `runNext` resumes it from its innermost frame.
 * Inline or parked, the bytes in memory afterwards are the same.
 *
 * The engine itself keeps nothing between two steps: all its state is in kernel memory.
 */
import { applyWith } from "./apply.ts";
import { InternalError, assert } from "./assert.ts";
import type { Candidates, Strategy } from "./choose.ts";
import { CodeHosts } from "./code-hosts.ts";
import { Frames } from "./frames.ts";
import { type KernelMemory, regions } from "./memory.ts";
import { Objects, type ObjectType } from "./objects.ts";
import { type Ordering, changesLibrary, noOrdering } from "./ordering.ts";
import { BugCheck, RunFailed } from "./outcome.ts";
import type { AnyPlan, Next, PlanStep, UntilStep } from "./plan.ts";
import { PlanList } from "./plan-list.ts";
import { type Answer, type Routine, type WaitRoutine, isAcquire, isRelease } from "./routine.ts";
import { Scheduler } from "./scheduler.ts";
import { Frame, HEADER_ADDRESS, Header, IRQL, MAX_THREADS, type Thread, stackBlock } from "./state.ts";
import { Teller } from "./teller.ts";
import type { Entry, EntryBody, Watchers } from "./trace.ts";

export interface KernelOptions {
  readonly memory: KernelMemory;
  readonly routines: readonly Routine[];
  readonly plans: readonly AnyPlan[];
  readonly objectTypes: readonly ObjectType[];
  /** Names of the handlers that drivers may have, in the spelling of their page. */
  readonly handlers: readonly string[];
  readonly strategy: Strategy;
  readonly watchers: Watchers;
  readonly statusValue: (name: string) => number;
}

/** How a thread starts: in a driver's function or in a plan. */
export type ThreadStart =
  | { readonly kind: "code"; readonly target: number; readonly handler: string; readonly args: readonly number[] }
  | { readonly kind: "plan"; readonly plan: AnyPlan; readonly args: readonly number[] };

export class Kernel {
  readonly memory: KernelMemory;
  readonly header: Header;
  readonly objects: Objects;
  readonly scheduler: Scheduler;
  readonly strategy: Strategy;
  /** Blocks of 1 KiB in which rules have written; undefined: nobody wants to know. */
  shadowWrites: Set<number> | undefined;
  /** Told where one thread hands over to another; the host of the code that is to be judged by it sets it. */
  ordering: Ordering = noOrdering;
  readonly hosts = new CodeHosts();
  readonly #routines: readonly Routine[];
  readonly #routineIndex: ReadonlyMap<string, number>;
  readonly #publishes: readonly boolean[];
  readonly #plans = new PlanList();
  readonly #handlers: readonly string[];
  readonly #handlerIndex: ReadonlyMap<string, number>;
  readonly #statusValue: (name: string) => number;
  readonly #frames: Frames;
  readonly #teller: Teller;
  /** Name of the routine whose body runs without a frame of its own: set before each, so that it says nothing between two steps. */
  #bodyOf = "";
  /** A driver's handler has returned, and there has been no scheduling point since: the next step of the library is one. */
  #handlerReturned = false;
  readonly #seesSteps: boolean;
  /** By routine: a call of it is no scheduling point. */
  readonly #passes: readonly boolean[];
  /** The same for a release, where nothing else was called since the lock was acquired: then nobody can know of that. */
  readonly #passesQuietly: readonly boolean[];
  readonly #acquires: readonly boolean[];
  /** The running thread has called nothing since it acquired a lock that anybody could notice. Said anew at each turn. */
  #isQuiet = false;

  constructor(options: KernelOptions) {
    const { memory, routines, plans, handlers, watchers } = options;
    this.memory = memory;
    this.header = Header.at(memory, HEADER_ADDRESS);
    this.objects = new Objects(this, options.objectTypes);
    this.strategy = options.strategy;
    const { points = "steps", passes } = options.strategy;
    this.#seesSteps = points === "steps";
    const isPassed = ({ name }: Routine): boolean => passes?.(name) === true;
    this.#passes = routines.map((each) => each.kind === "leaf" && (each.isLocal || (isPassed(each) && !isRelease(each.name))));
    this.#passesQuietly = routines.map((each) => each.kind === "leaf" && isPassed(each) && isRelease(each.name));
    this.#acquires = routines.map(({ name }) => isAcquire(name));
    this.#routines = routines;
    this.#routineIndex = new Map(routines.map(({ name }, index) => [name, index]));
    this.#publishes = routines.map((each) => each.kind === "leaf" && !each.isLocal && changesLibrary(each.name));
    assert(this.#routineIndex.size === routines.length, "two routines have the same name");
    for (const each of plans) this.#plans.add(each);
    for (const routine of routines) if (routine.kind === "plan") this.#plans.add(routine.plan);
    this.#handlers = handlers;
    this.#handlerIndex = new Map(handlers.map((name, index) => [name, index]));
    this.#statusValue = options.statusValue;
    this.#frames = new Frames(memory);
    const currentThread = (): Thread | undefined => (this.header.currentThread === 0 ? undefined : this.current);
    this.#teller = new Teller({ watchers, routines, handlers, currentThread });
    this.scheduler = new Scheduler(this, this.#frames.threads);
  }

  listPlan(plan: AnyPlan): void {
    this.#plans.add(plan);
  }

  // ---- threads

  thread(address: number): Thread {
    return this.#frames.thread(address);
  }

  /** A thread is about to run; who is asked before it has said so. */
  beginTurn(): void {
    this.#handlerReturned = false;
    this.#isQuiet = false;
  }

  /** The thread that runs now. */
  get current(): Thread {
    return this.#frames.thread(this.header.currentThread);
  }

  get threads(): readonly Thread[] {
    return this.#frames.threads;
  }

  /** Frame `index` of the thread, 0 the outermost. */
  frame(thread: Thread, index: number): Frame {
    return this.#frames.frame(thread, index);
  }

  /** The words that the frame was called with. */
  arguments(frame: Frame): number[] {
    return this.#frames.arguments(frame);
  }

  /** The new thread is ready; it runs when it is picked. */
  startThread(
    kind: Thread["kind"],
    start: ThreadStart,
    more: { irql?: number; processor?: number; subject?: number } = {},
  ): Thread {
    const thread = this.#freeThread(more.subject ?? 0);
    if (thread === undefined) throw new RunFailed(`more than ${MAX_THREADS} threads, work items, timers and DPCs at once`);
    this.header.threadsCreated += 1;
    thread.state = "Live";
    thread.kind = kind;
    thread.number = this.header.threadsCreated;
    thread.irql = more.irql ?? IRQL.PASSIVE;
    thread.processor = more.processor ?? 0;
    thread.subject = more.subject ?? 0;
    thread.driver = start.kind === "code" ? this.driverOf(start.target) + 1 : 0;
    if (start.kind === "code") this.#pushCode(thread, start.target, start.handler, start.args);
    else this.#pushPlan(thread, start.plan, start.args, 0);
    this.ordering.starts(thread);
    return thread;
  }

  /** Where states are compared, the place of a thread with a subject depends on that, and not on who was there before. */
  #freeThread(subject: number): Thread | undefined {
    if (this.#seesSteps || subject === 0) return this.threads.find(({ state }) => state === "Free");
    const first = Math.imul(subject, 0x9e37_79b1) >>> 26;
    for (let offset = 0; offset < MAX_THREADS; offset += 1) {
      const thread = this.threads[(first + offset) % MAX_THREADS];
      if (thread?.state === "Free") return thread;
    }
    return undefined;
  }

  /** The thread is gone: it has ended, or it is a DPC that is taken out of its queue. */
  clearThread(thread: Thread): void {
    this.#frames.clear(thread);
  }

  // ---- calls

  routineIndex(name: string): number | undefined {
    return this.#routineIndex.get(name);
  }

  routineOf(index: number): Routine {
    const routine = this.#routines[index];
    if (routine === undefined) throw new InternalError(`no routine ${index}`);
    return routine;
  }

  /**
   * A driver calls a routine. Its answer as an unsigned word; undefined: the call waits or the thread was switched away, a frame
   * stands for it, and the caller must park.
   */
  invoke(index: number, args: readonly number[]): number | undefined {
    const routine = this.routineOf(index);
    const thread = this.current;
    this.header.callsMade += 1;
    this.#teller.call(thread, index, routine.name, args);
    this.#bodyOf = routine.name;
    if (this.#publishes[index] === true) this.ordering.publish();
    const passes = this.#passes[index] === true || (this.#isQuiet && this.#passesQuietly[index] === true);
    this.#isQuiet = this.#acquires[index] === true || (passes && this.#isQuiet);
    if (routine.kind === "leaf" && (passes || !this.#mustPark())) {
      return this.#answered(index, routine, applyWith(routine.body, this, args));
    }
    const floor = thread.depth;
    if (routine.kind === "leaf" || this.#mustPark()) {
      this.#pushOperation(thread, index, args);
      return undefined;
    }
    if (routine.kind === "wait") {
      const saved = routine.before?.(this, ...args) ?? 0;
      thread.timedOut = false;
      if (routine.ready(this, thread, args)) return this.#answered(index, routine, routine.body(this, saved, false, ...args));
      this.#arm(thread, this.#pushOperation(thread, index, args), routine, saved, args);
      return undefined;
    }
    this.#pushPlan(thread, routine.plan, args, index + 1);
    return this.run(thread, floor) ? this.header.result : undefined;
  }

  #answered(index: number, routine: Routine, answer: Answer): number {
    const result = this.#word(answer);
    this.#teller.returned(index, routine.name, result);
    return result;
  }

  /** The wait of a routine begins: its part before the wait is done, and its time-out is set. */
  #arm(thread: Thread, frame: Frame, routine: WaitRoutine, saved: number, args: readonly number[]): void {
    frame.step = 1;
    frame.saved = saved;
    thread.timedOut = false;
    thread.deadline = routine.deadline?.(this, saved, ...args) ?? 0;
  }

  /**
   * Runs the thread until it has no more than `floor` frames: true, and `header.result` is what the last one returned.
   * False: it waits, or was switched away.
   */
  run(thread: Thread, floor: number): boolean {
    while (thread.depth > floor) {
      const frame = this.frame(thread, thread.depth - 1);
      if (!this.#advance(thread, frame)) return false;
    }
    return true;
  }

  #advance(thread: Thread, frame: Frame): boolean {
    switch (frame.kind) {
      case "Code":
        return this.hosts.of(frame.code).enter(thread, frame);
      case "Plan":
        return this.#advancePlan(thread, frame);
      case "Operation":
        return this.#advanceOperation(thread, frame);
      default:
        return assert(false, `thread ${thread.number} has an empty frame`) as never;
    }
  }

  #advanceOperation(thread: Thread, frame: Frame): boolean {
    const routine = this.routineOf(frame.code);
    const args = this.arguments(frame);
    if (routine.kind === "plan") {
      const index = frame.code;
      this.#frames.drop(thread, frame);
      this.#pushPlan(thread, routine.plan, args, index + 1);
      return true;
    }
    if (routine.kind === "leaf") {
      this.pop(thread, frame, this.#word(applyWith(routine.body, this, args)));
      return true;
    }
    if (frame.step === 0) {
      const saved = routine.before?.(this, ...args) ?? 0;
      this.#arm(thread, frame, routine, saved, args);
      if (routine.ready(this, thread, args)) thread.deadline = 0;
    }
    if (!this.#waitIsOver(thread, routine.ready(this, thread, args))) return false;
    const { saved } = frame;
    this.#isQuiet = this.#acquires[frame.code] === true;
    this.pop(thread, frame, this.#word(routine.body(this, saved, thread.timedOut, ...args)));
    return true;
  }

  #waitIsOver(thread: Thread, isReady: boolean): boolean {
    if (!isReady && (thread.deadline === 0 || this.header.clock < thread.deadline)) return false;
    thread.timedOut = !isReady;
    thread.deadline = 0;
    return true;
  }

  #advancePlan(thread: Thread, frame: Frame): boolean {
    const plan = this.planOf(frame);
    const locals = plan.locals.at(this.memory, frame.address + Frame.offsets.data);
    for (;;) {
      const step = plan.steps[frame.step];
      if (step === undefined) {
        this.pop(thread, frame, 0);
        return true;
      }
      // The scheduling point stands before the step. A wait and the step after it are one: what was waited for is still true there.
      const wasOffered = frame.saved === 1;
      frame.saved = 1;
      if (!wasOffered && this.#mustParkAtStep(step)) return false;
      if (step.kind === "until") {
        if (!this.#untilIsOver(thread, step, locals)) return false;
        frame.step += 1;
        if (isPoint(plan.steps[frame.step])) frame.saved = 0;
        continue;
      }
      frame.saved = 0;
      frame.step += 1;
      this.ordering.publish();
      this.#teller.step(plan.name, step.sentence);
      const next = step.run(this, locals, frame.result);
      if (next !== undefined && this.#follow(thread, frame, plan, next)) return true;
    }
  }

  #untilIsOver(thread: Thread, step: UntilStep<unknown>, locals: unknown): boolean {
    const isReady = step.ready(this, locals);
    if (!isReady && thread.deadline === 0 && step.deadline !== undefined) thread.deadline = step.deadline(this, locals);
    if (!this.#waitIsOver(thread, isReady)) return false;
    this.ordering.observe();
    return true;
  }

  /** Does what a plan's step asked. True: another frame is on top now, or the plan is over. */
  #follow(thread: Thread, frame: Frame, plan: AnyPlan, next: Next): boolean {
    switch (next.kind) {
      case "goto": {
        const place = plan.places.get(next.sentence);
        assert(place !== undefined, `plan '${plan.name}' has no step '${next.sentence}'`);
        frame.step = place;
        return false;
      }
      case "done":
        this.pop(thread, frame, next.result);
        return true;
      case "run":
        this.#pushPlan(thread, next.plan, next.args, 0);
        return true;
      case "call":
        this.#pushCode(thread, next.target, next.handler, next.args);
        return true;
      default:
        return next satisfies never;
    }
  }

  // ---- frames

  #pushPlan(thread: Thread, plan: AnyPlan, args: readonly number[], routine: number): void {
    this.#frames.push(thread, "Plan", this.planNumber(plan), args).routine = routine;
  }

  #pushOperation(thread: Thread, index: number, args: readonly number[]): Frame {
    const frame = this.#frames.push(thread, "Operation", index, args);
    frame.routine = index + 1;
    return frame;
  }

  #pushCode(thread: Thread, target: number, handler: string, args: readonly number[]): void {
    const index = this.#handlerIndex.get(handler);
    assert(index !== undefined, `handler '${handler}' is not listed`);
    this.hosts.of(target);
    this.header.callsMade += 1;
    const sp = this.#stackPointer(thread);
    const frame = this.#frames.push(thread, "Code", target, args);
    frame.routine = index + 1;
    frame.callerDriver = thread.driverNow;
    thread.driverNow = this.driverOf(target) + 1;
    frame.irql = thread.irql;
    frame.locks = thread.locksHeld;
    frame.sp = sp;
    this.#teller.handler(index, target, args);
  }

  #stackPointer(thread: Thread): number {
    for (let index = thread.depth - 1; index >= 0; index -= 1) {
      const below = this.frame(thread, index);
      if (below.kind !== "Code") continue;
      const sp = this.hosts.of(below.code).stackPointer?.(thread, below);
      if (sp !== undefined) return sp;
    }
    return stackBlock(thread.address).end;
  }

  /** The frame's activation is over with that result, which its caller gets. */
  pop(thread: Thread, frame: Frame, result: number): void {
    const { kind, routine, code, irql, locks } = frame;
    if (kind === "Code") {
      thread.driverNow = frame.callerDriver;
      this.#handlerReturned = true;
    }
    this.#frames.drop(thread, frame);
    this.header.result = result;
    if (thread.depth > 0) this.frame(thread, thread.depth - 1).result = result;
    if (routine === 0) return;
    if (kind === "Code") {
      this.#teller.handlerReturned(routine - 1, () => ({
        target: code,
        result,
        returning: this.driverOf(code),
        irqlBefore: irql,
        locksBefore: locks,
        locksAfter: thread.locksHeld,
      }));
      return;
    }
    this.#teller.returned(routine - 1, this.routineOf(routine - 1).name, result);
  }

  /** The name of the handler that a code frame was called as. */
  handlerName(frame: Frame): string {
    return this.#handlers[frame.routine - 1] ?? "";
  }

  planOf(frame: Frame): AnyPlan {
    return this.#plans.at(frame.code);
  }

  planNumbered(number: number): AnyPlan {
    return this.#plans.at(number);
  }

  /** What memory calls a listed plan. */
  planNumber(plan: AnyPlan): number {
    return this.#plans.numberOf(plan);
  }

  driverOf(target: number): number {
    return this.hosts.driverOf(target);
  }

  nameOf(target: number): string {
    return this.hosts.nameOf(target);
  }

  /** Name of the routine that the current thread's driver has called; "": the driver's own code runs. */
  get routineNow(): string {
    const thread = this.current;
    for (let index = thread.depth - 1; index >= 0; index -= 1) {
      const frame = this.frame(thread, index);
      if (frame.kind === "Code") return this.#bodyOf;
      if (frame.routine > 0) return this.routineOf(frame.routine - 1).name;
    }
    return "";
  }

  /** Name of the handler that the current thread is in: its innermost one. */
  get handlerNow(): string {
    const thread = this.current;
    for (let index = thread.depth - 1; index >= 0; index -= 1) {
      const frame = this.frame(thread, index);
      if (frame.kind === "Code") return this.handlerName(frame);
    }
    return "";
  }

  /** Slot of the driver whose code the thread is in: its innermost code frame; -1: the system. */
  driverOfThread(thread: Thread): number {
    return thread.driverNow - 1;
  }

  /** Shadow state of the rules in use. */
  shadowRanges(): { start: number; end: number }[] {
    return [{ start: regions.shadow.start, end: Math.max(this.header.shadowEnd, regions.shadow.start) }];
  }

  // ---- choices and entries

  /** Whether the current thread has to park here: another was picked, or the strategy parks everywhere. */
  #mustPark(): boolean {
    if (!this.strategy.preempts) {
      if (!this.strategy.parksAlways) return false;
      this.header.nextThread = this.header.currentThread;
      return true;
    }
    this.#handlerReturned = false;
    if (this.strategy.stops === true) return this.scheduler.stopsHere();
    return this.scheduler.isSwitchedAway() || this.strategy.parksAlways;
  }

  /** Before a step of the library, or of the scenario. */
  #mustParkAtStep(step: PlanStep<unknown>): boolean {
    if (this.#seesSteps) return this.#mustPark();
    if (step.kind === "until" || step.point === "never") return false;
    if (step.point === "always" && this.strategy.stops === true) return this.scheduler.stopsHere(true);
    return (step.point === "always" || this.#handlerReturned) && this.#mustPark();
  }

  choose(count: number, what: string, candidates?: Candidates): number {
    if (count <= 1) return 0;
    const picked = this.strategy.choose(count, what, candidates);
    this.emit("choice", what, () => ({ kind: "choice", what, count, picked }));
    return picked;
  }

  /** Tells those who watch entries of this kind about this name; the entry is made only if somebody does. */
  emit(kind: Entry["kind"], name: string, body: () => EntryBody): void {
    this.#teller.emit(kind, name, body);
  }

  /** A lock of the kind `what` was acquired, or is about to be released; `holder` had or has it. */
  tellLock(lock: number, action: "acquire" | "release", holder: number, what = "spin lock"): void {
    this.#teller.lock(this.current, lock, action, holder, what);
  }

  /** Something worth telling that is neither a call nor a state: who has an NBL, a block was allocated. */
  note(what: string, address: number, value = 0, text = ""): void {
    this.emit("note", what, () => ({ kind: "note", what, address, value, text }));
  }

  #word(answer: Answer): number {
    if (typeof answer === "number") return answer >>> 0;
    if (answer === undefined) return 0;
    if (typeof answer === "boolean") return answer ? 1 : 0;
    return this.#statusValue(answer) >>> 0;
  }

  bugCheck(code: number, parameters: readonly number[], message: string): never {
    throw new BugCheck(code, parameters, message);
  }
}

const isPoint = (step: PlanStep<unknown> | undefined): boolean => step?.kind === "step" && step.point === "always";
