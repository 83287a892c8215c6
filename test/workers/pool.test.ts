/** The pool, with workers in plain JavaScript that speak as `serve` does. */
import { afterEach, describe, expect, test } from "vitest";
import { WorkerPool } from "../../src/workers/pool.ts";

/** `on` is the body of a function that gets the setup and the task, and returns the message to answer with. */
const worker = (on: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort, threadId } from "node:worker_threads";
      let setup;
      const answer = (task) => { ${on} };
      parentPort.on("message", (message) => {
        if ("setup" in message) setup = message.setup;
        else parentPort.postMessage(answer(message.task));
      });`)}`,
  );

type Pool = WorkerPool<number, number, number>;
const pools: Pool[] = [];
const poolOf = (count: number, on: string): Pool => {
  const pool: Pool = new WorkerPool(worker(on), count);
  pools.push(pool);
  return pool;
};
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

describe("A pool of workers", () => {
  test("sets each worker up before its tasks, and gives each answer to who asked", async () => {
    const pool = poolOf(2, "return { answer: setup + task };");
    pool.setUp(100);
    expect(await Promise.all([1, 2, 3, 4, 5].map((task) => pool.run(task)))).toEqual([101, 102, 103, 104, 105]);
  });

  test("gives the tasks to as many workers as it has, in order, and the next to who is free", async () => {
    const pool = poolOf(2, "return { answer: threadId };");
    const started: number[] = [];
    const asked = [0, 1, 2, 3].map((task) => pool.run(task, () => started.push(task)));
    expect(started).toEqual([0, 1]);
    expect(new Set(await Promise.all(asked)).size).toBe(2);
    expect(started).toEqual([0, 1, 2, 3]);
  });

  test("tells the error of a task to who asked for it, and goes on", async () => {
    const pool = poolOf(1, "return task === 1 ? { error: new RangeError('one is too many') } : { answer: task };");
    const [one, two] = [pool.run(1), pool.run(2)];
    await expect(one).rejects.toThrow("one is too many");
    expect(await two).toBe(2);
  });

  test.each([
    ["ends", "process.exit(7);", "a worker thread ended with exit code 7"],
    ["throws", "throw new Error('broken');", "a worker thread failed: broken"],
  ])("says so to all who wait when a worker %s, and takes no more tasks", async (_, on, message) => {
    const pool = poolOf(1, on);
    const results = await Promise.allSettled([pool.run(1), pool.run(2)]);
    expect(results.map((each) => each.status === "rejected" && String(each.reason))).toEqual([
      `Error: ${message}`,
      `Error: ${message}`,
    ]);
    await expect(pool.run(3)).rejects.toThrow(message);
  });

  test("that is stopped leaves nobody waiting", async () => {
    const pool = poolOf(1, "for (;;);");
    const endless = pool.run(1);
    await Promise.all([expect(endless).rejects.toThrow("the worker threads were stopped"), pool.stop()]);
  });
});
