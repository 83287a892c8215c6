/**
 * The corpus of memory errors, races, undefined behaviour and leaks: functions of C drivers that are wrong, and beside them ones that are nearly.
 * What a run of each has to find stands in the source: see memory/cases.h.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { KernelMemory } from "../../src/kernel/index.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildCorpusFile, corpusFiles, expected, found, otherOrders } from "./corpus.ts";

const memory = new KernelMemory();

/** What is not found yet: a test fails when one of them is, so that this list stays true. */
const gaps: ReadonlySet<string> = new Set([
  // Nothing is wrong before the timer fires, and then no code of the driver runs.
  "LeavesTimerOnStack",
]);

describe.each(corpusFiles)("$title", (file) => {
  let stack: readonly MachineDriver[];
  beforeAll(async () => {
    stack = await buildCorpusFile(file);
  });

  const { cases } = file;
  const wrong = cases.filter(({ marks, name }) => marks.length > 0 && !gaps.has(name));
  const missed = cases.filter(({ name }) => gaps.has(name));
  const right = cases.filter(({ marks }) => marks.length === 0);

  test.each(wrong)("is found: $summary ($name)", (each) => {
    expect(found(file, stack, each, memory)).toEqual(expected(each));
  });

  test.each(missed)("is not found yet: $summary ($name)", (each) => {
    expect(found(file, stack, each, memory)).not.toEqual(expected(each));
  });

  test.each(right)("is right, in whatever order: $summary ($name)", (each) => {
    const told = [undefined, ...otherOrders].map((strategy) => found(file, stack, each, memory, strategy));
    expect(told.flat()).toEqual([]);
  });
});
