/** Nothing that a driver does crashes or hangs the tool: each run ends, with the rule and the C line. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { run } from "../../src/verifier/run.ts";
import { buildAll, repositoryFile } from "./support.ts";

const SOURCE = "test/machine/fixtures/faults.c";
let drivers: MachineDriver[] = [];
beforeAll(async () => {
  drivers = await buildAll([SOURCE]);
});

function commit(mistake: number) {
  const [variant] = commonVariants;
  if (variant === undefined) throw new Error("no variant");
  const result = run({
    drivers,
    scenario: {
      name: "fault",
      summary: "",
      actions: [
        { do: "load", driver: 0 },
        { do: "call", driver: 0, function: "Exercise", args: [mistake] },
      ],
    },
    strategy: (seen) => strategyOf(variant, seen),
    records: true,
  });
  return {
    ...result,
    line: result.findings[0]?.location?.line,
    rule: result.findings[0]?.rule,
    message: result.findings[0]?.message,
  };
}

function lineMarked(mark: string): number {
  const lines = readFileSync(repositoryFile(SOURCE), "utf8").split("\n");
  return lines.findIndex((line) => line.includes(`MARK: ${mark} */`)) + 1;
}

describe("what a driver can do to the machine", () => {
  test.each([
    [2, "recurses without end", "trap", "recursion"],
    [3, "recurses without end, with a large frame", "trap", "stack"],
    [4, "reads a field through a null pointer", "null-access", "null"],
    [5, "dereferences a handle", "trap", "handle"],
    [6, "jumps through a pointer to nowhere", "trap", "nowhere"],
    [7, "calls through a pointer of another prototype", "trap", "prototype"],
    [9, "divides by zero", "trap", "division"],
    [11, "calls KeBugCheckEx", "bugcheck", "bugcheck"],
    [12, "frees a block twice", "double-free", "double free"],
    [13, "writes past the end of a block", "out-of-bounds", "red zone"],
    [14, "frees what was never allocated", "invalid-free", "never allocated"],
    [17, "acquires its own spin lock again", "deadlock", "twice"],
  ])("%i: it %s", (mistake, _what, rule, mark) => {
    const { rule: found, line } = commit(mistake);
    expect(found).toBe(rule);
    expect(line).toBe(lineMarked(mark));
  });

  test.each([
    [0, "at PASSIVE_LEVEL"],
    [1, "with a spin lock held"],
  ])("%i: it loops for ever %s: the run ends when its steps are used up, and the function is named", (mistake) => {
    const { rule, findings } = commit(mistake);
    expect(rule).toBe("step-budget");
    expect(findings[0]?.location?.function).toBe("LoopForEver");
    expect(Math.abs((findings[0]?.location?.line ?? 0) - lineMarked("loop"))).toBeLessThanOrEqual(1);
  });

  test("it uses up memory: the allocation fails, and the run goes on", () => {
    expect(commit(8).outcome).toEqual({ kind: "finished" });
  });

  test("it polls for ever with sleeps in between: the run ends as a livelock", () => {
    expect(commit(10).rule).toBe("livelock");
  });

  test("it passes a number that is no handle: nothing breaks", () => {
    expect(commit(15).outcome).toEqual({ kind: "finished" });
  });

  test("it calls a routine that ndislab lacks: the run has failed, which is no verdict, and the routine is named", () => {
    const { outcome } = commit(16);
    expect(outcome.kind).toBe("failed");
    expect(outcome.kind === "failed" ? outcome.error.message : "").toContain("ThisRoutineDoesNotExist");
  });
});
