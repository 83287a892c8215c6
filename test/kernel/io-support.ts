/** Runs of drivers with devices: what applications got, what the driver printed, what the rules found. */
import { expect } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { ApplicationAnswer } from "../../src/machine/application-actions.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import { Machine, type MachineDriver } from "../../src/machine/machine.ts";
import { run } from "../../src/verifier/run.ts";
import { SeededStrategy, memoryOf } from "../machine/support.ts";

export const load: Action = { do: "load", driver: 0 };
export const unload: Action = { do: "unload", driver: 0 };
export const settle: Action = { do: "settle" };
export const open = (device: string, more: Partial<Action & { do: "open" }> = {}): Action => ({
  do: "open",
  file: "f",
  device: `\\\\.\\${device}`,
  expect: "STATUS_SUCCESS",
  ...more,
});
export const close: Action = { do: "close", file: "f", expect: "STATUS_SUCCESS" };

/** FILE_DEVICE_UNKNOWN's code for a function, a method and an access. */
export const code = (number: number, method = 0, access = 0): number =>
  ((0x22 << 16) | (access << 14) | (number << 2) | method) >>> 0;

export interface Story {
  readonly outcome: string;
  readonly findings: readonly string[];
  readonly printed: readonly string[];
  /** What each action that is an application's came to. */
  readonly answers: readonly ApplicationAnswer[];
  /** What each action gave: a status, or what a function returned. */
  readonly results: readonly number[];
}

/** Does the actions with every rule watching. */
export function story(drivers: MachineDriver | readonly MachineDriver[], ...actions: readonly Action[]): Story {
  const [variant] = commonVariants;
  if (variant === undefined) throw new Error("no variant");
  const answers: ApplicationAnswer[] = [];
  const results: number[] = [];
  const { outcome, findings, entries } = run({
    drivers: "kind" in drivers ? [drivers] : drivers,
    scenario: {
      name: "devices",
      summary: "",
      actions: function* ({ answer }) {
        for (const action of actions) {
          const before = answer();
          results.push(yield action);
          if (answer() !== before) answers.push(answer());
        }
      },
    },
    strategy: (seen) => strategyOf(variant, seen),
    records: true,
  });
  const printed = entries.flatMap(({ entry }) => (entry.kind === "note" && entry.what === "print" ? [entry.text] : []));
  return {
    outcome: "error" in outcome ? `${outcome.kind}: ${outcome.error.message}` : outcome.kind,
    findings: findings.map(({ rule, message }) => `${rule}: ${message}`),
    printed,
    answers,
    results,
  };
}

/** The same for a driver that breaks nothing. */
export function goodStory(drivers: MachineDriver | readonly MachineDriver[], ...actions: readonly Action[]): Story {
  const told = story(drivers, ...actions);
  expect({ outcome: told.outcome, findings: told.findings }).toEqual({ outcome: "finished", findings: [] });
  return told;
}

/** A file of one device with the actions between its opening and its close, in a driver that is loaded and unloaded. */
export const life = (device: string, ...actions: readonly Action[]): Action[] => [
  load,
  open(device),
  ...actions,
  close,
  settle,
  unload,
];

/**
 * Does the actions under many schedules, some of them parked everywhere too, which must leave the same memory. Some orders may make no sense,
 * and end with that message; in most the run has to finish.
 */
export function inAnyOrder(driver: MachineDriver, actions: readonly Action[], seeds = 40, senseless?: RegExp): void {
  const after = (seed: number, parksAlways: boolean): { machine: Machine; isSenseless: boolean } => {
    const scenario = { name: "orders", summary: "", actions };
    const machine = new Machine({ drivers: [driver], scenario, strategy: new SeededStrategy(seed, 0, parksAlways) });
    machine.start();
    const outcome = machine.run();
    const isSenseless = outcome.kind === "failed" && senseless?.test(outcome.error.message) === true;
    if (!isSenseless) expect({ seed, outcome }).toEqual({ seed, outcome: { kind: "finished" } });
    return { machine, isSenseless };
  };
  let finished = 0;
  for (let seed = 0; seed < seeds; seed += 1) {
    const { machine, isSenseless } = after(seed, false);
    if (isSenseless) continue;
    finished += 1;
    if (seed < 4) expect(Buffer.compare(memoryOf(after(seed, true).machine), memoryOf(machine))).toBe(0);
  }
  expect(finished).toBeGreaterThan(seeds / 2);
}
