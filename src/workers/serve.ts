/** The side of a worker: the module that a pool starts calls `serve` once. */
import { parentPort } from "node:worker_threads";
import { must } from "../kernel/assert.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

/** `prepare` makes what all tasks work with; an error of either is the pool's answer. */
export function serve<Setup, Task, Answer, State>(
  prepare: (setup: Setup) => State | Promise<State>,
  work: (state: State, task: Task) => Answer,
): void {
  const port = must(parentPort, "a worker was started as a program");
  let state: Promise<State> | undefined;
  const answer = async (task: Task): Promise<FromWorker<Answer>> => {
    try {
      return { answer: work(await must(state, "a task came before the setup"), task) };
    } catch (error) {
      return { error };
    }
  };
  port.on("message", (message: ToWorker<Setup, Task>) => {
    if ("task" in message) {
      void answer(message.task).then((told) => port.postMessage(told));
      return;
    }
    state = Promise.resolve(message.setup).then(prepare);
    // The task that waits for it will tell.
    state.catch(() => {});
  });
}
