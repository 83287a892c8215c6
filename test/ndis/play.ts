/** Runs of the right drivers with single handlers replaced, in which nothing may go wrong. */
import { expect } from "vitest";
import { strategyOf } from "../../src/machine/answers.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import type { RunResult } from "../../src/verifier/run.ts";
import { type Running, type Situation, PROTOCOL, atOnce, call, runOnce, started, takenDown } from "../verifier/support.ts";

/** Runs it, by default with everything answered at once; it has to finish and break no rule, or none but those. */
export function play(situation: Situation, answers = atOnce, broken: readonly string[] = []): void {
  const { outcome, findings } = runOnce(situation, (seen) => strategyOf(answers, seen));
  expectClean({ outcome, findings: findings.filter(({ rule }) => !broken.includes(rule)) });
}

/** The same, recorded: what happened can be asked for. */
export function record(situation: Situation, answers = atOnce): RunResult {
  const result = runOnce(situation, (seen) => strategyOf(answers, seen), [], true);
  expectClean(result);
  return result;
}

/** Recorded, whatever rules it breaks. */
export const recordFaulty = (situation: Situation, answers = atOnce): RunResult =>
  runOnce(situation, (seen) => strategyOf(answers, seen), [], true);

function expectClean({ outcome, findings }: Pick<RunResult, "outcome" | "findings">): void {
  expect(findings.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
  expect(outcome).toEqual({ kind: "finished" });
}

/** A protocol that runs does that once. */
export function inProtocol(act: (d: DriverEnvironment) => Running<void>): void {
  play({
    protocol: (d) => ({
      *Try() {
        yield* act(d);
      },
    }),
    actions: [...started, call(PROTOCOL, "Try"), ...takenDown],
  });
}
