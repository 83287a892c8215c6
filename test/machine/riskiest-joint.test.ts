/**
 * A machine is its memory: a thread that waits in C of one driver, below NDIS, below C of another is data. It can be copied into a new machine
 * and runs on there, byte for byte as if it had never been copied.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { restoreSnapshot, takeSnapshot, type Strategy } from "../../src/kernel/index.ts";
import type { Machine, MachineDriver } from "../../src/machine/machine.ts";
import type { Scenario } from "../../src/machine/actions.ts";
import { SeededStrategy, buildAll, memoryOf, recordingMachine } from "./support.ts";

const scenario: Scenario = {
  name: "joint",
  summary: "bind, send, unbind, bind again, stop",
  actions: [
    { do: "load", driver: 1 },
    { do: "load", driver: 0 },
    { do: "start adapter", driver: 1, adapter: 0 },
    { do: "call", driver: 0, function: "Exercise" },
    {
      do: "in parallel",
      actions: [
        { do: "pause", adapter: 0 },
        { do: "restart", adapter: 0 },
      ],
    },
    { do: "in parallel", actions: [{ do: "call", driver: 0, function: "Exercise" }] },
    { do: "unbind", adapter: 0, driver: 0 },
    { do: "settle" },
    { do: "bind", adapter: 0 },
    { do: "call", driver: 0, function: "Exercise" },
    { do: "stop adapter", adapter: 0 },
    { do: "settle" },
    { do: "unload", driver: 0 },
    { do: "unload", driver: 1 },
  ],
};

let drivers: MachineDriver[] = [];
beforeAll(async () => {
  drivers = await buildAll(["test/machine/fixtures/joint-protocol.c", "test/machine/fixtures/joint-miniport.c"]);
});

/** Runs to the end; the number of steps of the run loop. */
function finish(machine: Machine): number {
  let steps = 0;
  while (machine.step()) steps += 1;
  expect(machine.kernel.threads.filter(({ state }) => state === "Live")).toHaveLength(0);
  return steps;
}

/** Frames of the current thread, outermost first, by the names that a trace has for them. */
function framesOf(machine: Machine, index: number): string[] {
  const { kernel } = machine;
  const thread = kernel.threads[index];
  if (thread === undefined) return [];
  return Array.from({ length: thread.depth }, (_, depth) => {
    const frame = kernel.frame(thread, depth);
    if (frame.kind === "Code") return `${kernel.nameOf(frame.code)}${frame.step === 1 ? " (parked)" : ""}`;
    return frame.kind === "Plan" ? kernel.planOf(frame).name : kernel.routineOf(frame.code).name;
  });
}

function runWhole(strategy: Strategy) {
  const { machine, trace } = recordingMachine(drivers, scenario, strategy);
  machine.start();
  const steps = finish(machine);
  return { machine, trace, steps, memory: memoryOf(machine) };
}

/** Runs `steps` steps, copies the memory into a new machine, and lets that one finish. */
function runCopied(seed: number, steps: number) {
  const first = new SeededStrategy(seed);
  const { machine, trace } = recordingMachine(drivers, scenario, first);
  machine.start();
  for (let step = 0; step < steps; step += 1) machine.step();
  const snapshot = takeSnapshot(machine.kernel);
  const second = recordingMachine(drivers, scenario, new SeededStrategy(seed, first.made));
  restoreSnapshot(second.machine.kernel, snapshot);
  finish(second.machine);
  return { trace: [...trace, ...second.trace], memory: memoryOf(second.machine) };
}

describe("the riskiest joint", () => {
  test("a thread parked in C below NdisCloseAdapterEx below C of another module, one in a plan and one in a DPC are copied and run on", () => {
    let found: { seed: number; step: number } | undefined;
    for (let seed = 0; seed < 400 && found === undefined; seed += 1) {
      const { machine } = recordingMachine(drivers, scenario, new SeededStrategy(seed));
      machine.start();
      for (let step = 1; machine.step(); step += 1) {
        const stacks = machine.kernel.threads.map((_, index) => framesOf(machine, index).join(" > "));
        const isNested = stacks.some((stack) =>
          /UnbindAdapterEx \(parked\) > NdisCloseAdapterEx > .*OidRequest \(parked\)/.test(stack),
        );
        const isInDpc = machine.kernel.threads.some(
          ({ kind, state, hasStarted }) => kind === "Dpc" && state === "Live" && hasStarted,
        );
        const isInPlan = stacks.some((stack) => /(^|> )[^>()]+$/.test(stack) && !stack.includes("NdisCloseAdapterEx"));
        if (isNested && isInDpc && isInPlan) {
          found = { seed, step };
          break;
        }
      }
    }
    expect(found).toBeDefined();
    const { seed, step } = found ?? { seed: 0, step: 0 };
    const whole = runWhole(new SeededStrategy(seed));
    const copied = runCopied(seed, step);
    expect(copied.trace).toEqual(whole.trace);
    expect(Buffer.compare(copied.memory, whole.memory)).toBe(0);
  });

  test("inline and parked everywhere, a run leaves the same trace and the same memory", () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const inline = runWhole(new SeededStrategy(seed, 0, false));
      const parked = runWhole(new SeededStrategy(seed, 0, true));
      expect(parked.trace.filter(isNoSwitch)).toEqual(inline.trace.filter(isNoSwitch));
      expect(Buffer.compare(parked.memory, inline.memory)).toBe(0);
      expect(parked.steps).toBeGreaterThan(inline.steps);
    }
  });

  test("the same choices give the same bytes", () => {
    const [first, second] = [runWhole(new SeededStrategy(7)), runWhole(new SeededStrategy(7))];
    expect(second.trace).toEqual(first.trace);
    expect(Buffer.compare(second.memory, first.memory)).toBe(0);
  });

  test("a copy at any point of any run runs on as if it had not been copied", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.double({ min: 0, max: 1, noNaN: true }), (seed, fraction) => {
        const whole = runWhole(new SeededStrategy(seed));
        const copied = runCopied(seed, Math.floor(whole.steps * fraction));
        expect(copied.trace).toEqual(whole.trace);
        expect(Buffer.compare(copied.memory, whole.memory)).toBe(0);
      }),
      { numRuns: 40 },
    );
  });
});

/** A thread that goes on after parking is no switch; the entry is made only when the thread changes. */
const isNoSwitch = (line: string): boolean => !line.includes('"kind":"switch"');
