/** Recorded runs of the right drivers with single handlers replaced, told in lines. */
import { expect } from "vitest";
import { KernelMemory } from "../../src/kernel/index.ts";
import { type AnswerVariant, strategyOf } from "../../src/machine/answers.ts";
import { type RunResult, run } from "../../src/verifier/run.ts";
import { type Situation, atOnce, loaded, miniportWith, protocolWith, started, takenDown } from "../verifier/support.ts";

const memory = new KernelMemory();

export interface Telling extends Situation {
  /** Rules that the run may break, since it shows what NDIS does then. */
  readonly breaking?: readonly string[];
  readonly with?: AnswerVariant;
}

/** Runs it, recorded, by default with everything answered at once; it has to finish and break no rule but those that are named. */
export function tell({ breaking = [], with: answers = atOnce, ends = "finished", ...situation }: Telling): RunResult {
  memory.reset();
  const drivers = [
    protocolWith(situation.protocol, situation.makeProtocol),
    miniportWith(situation.miniport, situation.makeMiniport),
    ...(situation.more ?? []),
  ];
  const result = run({
    drivers: drivers.map((driver, slot) => loaded(driver, slot, false)),
    scenario: { name: "test", summary: "", actions: situation.actions ?? [...started, ...takenDown] },
    strategy: (seen) => strategyOf(answers, seen),
    records: true,
    memory,
  });
  const told = result.findings.map(({ rule, message }) => `${rule}: ${message}`);
  expect([...new Set(result.findings.map(({ rule }) => rule))].toSorted(), told.join("\n")).toEqual([...breaking].toSorted());
  expect(result.outcome.kind, told.join("\n")).toBe(ends);
  return result;
}
