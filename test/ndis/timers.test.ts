/** Timers and work items: when, where and how often what was asked for runs. */
import { describe, expect, test } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  MINIPORT,
  type Running,
  adapter,
  atOnce,
  call,
  pending,
  settle,
  started,
  takenDown,
  wait,
} from "../verifier/support.ts";
import { allocateTimer, dueIn } from "../verifier/resources.ts";
import { play } from "./play.ts";

const MILLISECOND = 10_000n;

interface Timers {
  /** The handle of the timer; `now` is the milliseconds since the first question. */
  readonly timer: number;
  now(): Running<number>;
  due(milliseconds: number): number;
}

/** A miniport that does that with a timer in `Try`; what the callback does is told, with its IRQL and the time. */
const timing =
  (told: string[], body: (d: DriverEnvironment, timers: Timers) => Running<unknown>): Change =>
  (d, its) => {
    const [word, time, start] = [d.statics(4), d.statics(8), d.statics(8)];
    function* now(): Running<number> {
      yield* d.KeQuerySystemTime(time);
      const current = d.memory.data.getBigUint64(time, true);
      if (d.memory.data.getBigUint64(start, true) === 0n) d.memory.data.setBigUint64(start, current, true);
      return Number((current - d.memory.data.getBigUint64(start, true)) / MILLISECOND);
    }
    return {
      *Timer(_reserved, context) {
        told.push(`fires at ${yield* now()} ms with ${context}, IRQL ${yield* d.KeGetCurrentIrql()}`);
      },
      *Try() {
        yield* now();
        const timer = yield* allocateTimer(d, its.get(adapter.handle), word);
        yield* body(d, { timer, now, due: (milliseconds) => dueIn(d, milliseconds) });
      },
      *MiniportHaltEx(context, action) {
        yield* d.NdisCancelTimerObject(d.memory.readU32(word));
        yield* d.NdisFreeTimerObject(d.memory.readU32(word));
        yield* its.inherited("MiniportHaltEx", context, action);
      },
    };
  };

function tellsOf(body: (d: DriverEnvironment, timers: Timers) => Running<unknown>, answers = atOnce): string[] {
  const told: string[] = [];
  play({ miniport: timing(told, body), actions: [...started, call(MINIPORT, "Try"), wait(500), settle, ...takenDown] }, answers);
  return told;
}

describe("A timer that is set", () => {
  test.each([atOnce, pending])("runs its callback once, at DISPATCH_LEVEL, when it is due ($name)", (answers) => {
    const told = tellsOf(function* (d, { timer, due }) {
      yield* d.NdisSetTimerObject(timer, due(20), 0, 7);
    }, answers);
    expect(told).toEqual(["fires at 20 ms with 7, IRQL 2"]);
  });

  test("again while it is in the queue is due at the new time only, and the call says TRUE", () => {
    const answers: number[] = [];
    const told = tellsOf(function* (d, { timer, due }) {
      answers.push(yield* d.NdisSetTimerObject(timer, due(20), 0, 1));
      answers.push(yield* d.NdisSetTimerObject(timer, due(50), 0, 2));
    });
    expect(told).toEqual(["fires at 50 ms with 2, IRQL 2"]);
    expect(answers).toEqual([0, 1]);
  });

  test("with a tolerance fires between the due time less the tolerance and the due time more it", () => {
    const told = tellsOf(function* (d, { timer, due }) {
      yield* d.NdisSetCoalescableTimerObject(timer, due(100), 0, 3, 30);
    });
    expect(told).toHaveLength(1);
    const at = Number(/at (\d+) ms/.exec(told[0] ?? "")?.[1]);
    expect(at).toBeGreaterThanOrEqual(70);
    expect(at).toBeLessThanOrEqual(130);
  });

  test("and cancelled does not run its callback; the cancel says whether it was in the queue", () => {
    const answers: number[] = [];
    const told = tellsOf(function* (d, { timer, due }) {
      yield* d.NdisSetTimerObject(timer, due(20), 0, 1);
      answers.push(yield* d.NdisCancelTimerObject(timer));
      answers.push(yield* d.NdisCancelTimerObject(timer));
    });
    expect(told).toEqual([]);
    expect(answers).toEqual([1, 0]);
  });
});

describe("The cancel of a periodic timer", () => {
  /** The callback waits for a lock that a work item holds while `Try` cancels. */
  const cancelling =
    (told: string[], period: number): Change =>
    (d, its) => {
      const word = d.statics(4);
      return {
        *Timer() {
          yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
          told.push("callback");
        },
        *Hold(_context, item) {
          yield* d.NdisFreeIoWorkItem(item);
          yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          for (let times = 0; times < 200; times += 1) yield* d.KeStallExecutionProcessor(50);
          yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
        },
        *Try() {
          const timer = yield* allocateTimer(d, its.get(adapter.handle), word);
          yield* d.NdisSetTimerObject(timer, dueIn(d, 1), period, 0);
          yield* d.NdisQueueIoWorkItem(yield* d.NdisAllocateIoWorkItem(its.get(adapter.handle)), d.handler("Hold"), 0);
          yield* d.NdisMSleep(5000);
          yield* d.NdisCancelTimerObject(timer);
          told.push("cancelled");
          yield* d.NdisMSleep(50_000);
          yield* d.NdisFreeTimerObject(timer);
        },
      };
    };

  test("waits until no callback of it runs", () => {
    const told: string[] = [];
    play({ miniport: cancelling(told, 1000), actions: [...started, call(MINIPORT, "Try"), settle, ...takenDown] });
    expect(told.at(-1)).toBe("cancelled");
    expect(told.slice(0, -1)).toContain("callback");
  });
});

test("A work item runs at PASSIVE_LEVEL, on another thread than the one that queued it", () => {
  const told: string[] = [];
  play({
    miniport: (d, its) => {
      const thread = d.statics(4);
      return {
        *Try() {
          d.memory.writeU32(thread, yield* d.KeGetCurrentThread());
          const item = yield* d.NdisAllocateIoWorkItem(its.get(adapter.handle));
          yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          yield* d.NdisQueueIoWorkItem(item, d.handler("Later"), 7);
          yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
        },
        *Later(context, item) {
          yield* d.NdisFreeIoWorkItem(item);
          const isOther = (yield* d.KeGetCurrentThread()) !== d.memory.readU32(thread);
          told.push(`${context} at ${yield* d.KeGetCurrentIrql()}, ${isOther ? "another thread" : "the same thread"}`);
        },
      };
    },
    actions: [...started, call(MINIPORT, "Try"), settle, ...takenDown],
  });
  expect(told).toEqual(["7 at 0, another thread"]);
});
