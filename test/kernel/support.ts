/** Machines for the tests of the kernel: one C driver, whose functions return 0 or the line at which something was wrong. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { Builder } from "../../src/machine/build.ts";
import { Machine, type MachineDriver } from "../../src/machine/machine.ts";
import type { Action, Scenario } from "../../src/machine/actions.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import { run } from "../../src/verifier/run.ts";
import { SeededStrategy, cacheFolder, memoryOf, repositoryFile } from "../machine/support.ts";

/** Builds test/kernel/drivers/<name>.c; each `ULONG Function(...)` of it that is not static can be called. */
export async function buildDriver(name: string): Promise<MachineDriver> {
  const path = repositoryFile(`test/kernel/drivers/${name}.c`);
  const functions = [...readFileSync(path, "utf8").matchAll(/^ULONG (\w+)\(/gm)].map(([, each = ""]) => each);
  const builder = new Builder(cacheFolder);
  try {
    const driver = await builder.c([path], 0, {}, functions);
    known.set(driver, functions);
    return driver;
  } finally {
    builder.stop();
  }
}

const known = new WeakMap<MachineDriver, readonly string[]>();

/** A scenario passes over a function that a driver does not have; here that would be a test of nothing. */
function checkNames(driver: MachineDriver, actions: readonly Action[]): void {
  for (const action of actions) {
    if (action.do === "in parallel") checkNames(driver, action.actions);
    else if (action.do === "call") expect(known.get(driver)).toContain(action.function);
  }
}

const load: Action = { do: "load", driver: 0 };
export const call = (name: string, ...args: readonly number[]): Action => ({ do: "call", driver: 0, function: name, args });
export const inParallel = (...actions: readonly Action[]): Action => ({ do: "in parallel", actions });

/** Runs the functions one after the other, each of which must return 0; every rule watches, and none may be broken. */
export const passes = (driver: MachineDriver, ...calls: readonly Action[]): void => passesWith(driver, 0, ...calls);

/** The same with another of `commonVariants` for answers. */
export function passesWith(driver: MachineDriver, answers: number, ...calls: readonly Action[]): void {
  checkNames(driver, calls);
  const results: number[] = [];
  const { outcome, findings } = watched(
    driver,
    function* () {
      yield load;
      for (const each of calls) results.push(yield each);
      yield { do: "settle" };
    },
    answers,
  );
  expect({ outcome, findings, results }).toEqual({ outcome: { kind: "finished" }, findings: [], results: calls.map(() => 0) });
}

/** What the rules find when the actions are done. */
export function found(driver: MachineDriver, ...actions: readonly Action[]): { outcome: string; findings: string[] } {
  checkNames(driver, actions);
  const { outcome, findings } = watched(driver, [load, ...actions, { do: "settle" }]);
  return { outcome: outcome.kind, findings };
}

function watched(driver: MachineDriver, actions: Scenario["actions"], answers = 0) {
  const variant = commonVariants[answers];
  if (variant === undefined) throw new Error("no variant");
  const { outcome, findings } = run({
    drivers: [driver],
    scenario: { name: "kernel", summary: "", actions },
    strategy: (seen) => strategyOf(variant, seen),
    records: false,
    // What these drivers note down in globals is read when it has to be there, with nothing that orders it.
    judgesRaces: false,
  });
  return { outcome, findings: findings.map(({ rule, message }) => `${rule}: ${message}`) };
}

/**
 * Does the actions under many schedules, then the last call, whose result must be 0 each time. Some runs are made again with all threads parked
 * everywhere, and must leave the same memory.
 */
export function passesInAnyOrder(driver: MachineDriver, actions: readonly Action[], last: Action, processors = 2): void {
  checkNames(driver, [...actions, last]);
  const finished = (seed: number, parksAlways: boolean): Machine => {
    let result: number | undefined;
    const scenario: Scenario = {
      name: "orders",
      summary: "",
      actions: function* () {
        yield load;
        for (const action of actions) yield action;
        yield { do: "settle" };
        result = yield last;
      },
    };
    const machine = new Machine({ drivers: [driver], scenario, strategy: new SeededStrategy(seed, 0, parksAlways), processors });
    machine.start();
    expect({ seed, outcome: machine.run(), result }).toEqual({ seed, outcome: { kind: "finished" }, result: 0 });
    return machine;
  };
  for (let seed = 0; seed < 60; seed += 1) {
    const machine = finished(seed, false);
    if (seed < 5) expect(Buffer.compare(memoryOf(finished(seed, true)), memoryOf(machine))).toBe(0);
  }
}
