/**
 * Threads that work beside this one, each with modules and memory of its own. The module that they start says what a task is
 * (`serve.ts`); tasks, answers and the setup are copied from thread to thread.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker } from "./messages.ts";

/** More than this gain little: each thread has to load and optimise the same code. */
const MOST_THREADS = 4;

export const usualThreads = (): number => Math.min(availableParallelism(), MOST_THREADS);

/** What is made and forgotten in a run should never come to the old generation. */
const YOUNG_GENERATION_MB = 192;

interface Job<Task, Answer> {
  readonly task: Task;
  readonly started: () => void;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerPool<Setup, Task, Answer> {
  readonly #workers: readonly Worker[];
  readonly #free: Worker[];
  readonly #waiting: Job<Task, Answer>[] = [];
  readonly #working = new Map<Worker, Job<Task, Answer>>();
  /** Why no task is taken any more. */
  #end: Error | undefined;

  /** Starts `count` threads with that module. */
  constructor(module: URL, count: number) {
    this.#workers = Array.from({ length: count }, () => this.#start(module));
    this.#free = [...this.#workers];
  }

  /** Comes before the tasks, to each worker once. */
  setUp(setup: Setup): void {
    for (const worker of this.#workers) worker.postMessage({ setup } satisfies ToWorker<Setup, Task>);
  }

  /** The next worker that is free does it; `started` is told when. */
  run(task: Task, started: () => void = () => {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(this.#end);
      this.#waiting.push({ task, started, resolve, reject });
      this.#next();
    });
  }

  /** Ends the threads, in the middle of what they do. */
  async stop(): Promise<void> {
    this.#fail(new Error("the worker threads were stopped"));
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(module: URL): Worker {
    const worker = new Worker(module, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB } });
    worker.on("message", (message: FromWorker<Answer>) => {
      const job = this.#working.get(worker);
      this.#working.delete(worker);
      this.#free.push(worker);
      if ("error" in message) job?.reject(message.error);
      else job?.resolve(message.answer);
      this.#next();
    });
    worker.on("error", (error) => this.#fail(new Error(`a worker thread failed: ${error.message}`, { cause: error })));
    worker.on("exit", (code) => this.#fail(new Error(`a worker thread ended with exit code ${code}`)));
    return worker;
  }

  #next(): void {
    while (this.#free.length > 0) {
      const job = this.#waiting.shift();
      if (job === undefined) return;
      const worker = this.#free.shift();
      if (worker === undefined) return;
      this.#working.set(worker, job);
      job.started();
      worker.postMessage({ task: job.task } satisfies ToWorker<Setup, Task>);
    }
  }

  /** The first reason is told to everybody who waits. */
  #fail(reason: Error): void {
    this.#end ??= reason;
    const jobs = [...this.#working.values(), ...this.#waiting.splice(0)];
    this.#working.clear();
    this.#free.splice(0);
    for (const { reject } of jobs) reject(this.#end);
  }
}
