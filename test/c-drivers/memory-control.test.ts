/** The corpus notices when a check is gone: what only that check finds is not found without it. */
import { describe, expect, test } from "vitest";
import { type Checks, allChecks } from "../../src/cdriver/checks/flags.ts";
import { KernelMemory } from "../../src/kernel/index.ts";
import { buildCorpusFile, corpusFiles, expected, found } from "./corpus.ts";

const memory = new KernelMemory();

/** Of these cases of one file, those that are found when the file is built with those checks. */
async function foundOf(names: readonly string[], checks: Checks, judgesRaces = true): Promise<readonly string[]> {
  const file = corpusFiles.find(({ cases }) => cases.some(({ name }) => name === names[0]));
  if (file === undefined) throw new Error(`no file of the corpus has a case ${names[0]}`);
  const stack = await buildCorpusFile(file, checks);
  const cases = file.cases.filter(({ name }) => names.includes(name));
  const isFound = (each: (typeof cases)[number]): boolean =>
    found(file, stack, each, memory, undefined, judgesRaces).join() === expected(each).join();
  return cases.filter(isFound).map(({ name }) => name);
}

describe("What only one check finds", () => {
  test.each([
    ["memory", ["ReadsFreedBlock", "WritesFreedBlock", "WritesByteBehind", "ReadsByteBefore"]],
    ["memory", ["LocksInOneThreadOnly", "ClearsStructureInUse"]],
    ["memory", ["ReadsNodeNotFound", "WritesFailedAllocation"]],
    ["zones", ["FillsLocalTooFar", "ClearsLocalWithWrongSize"]],
    ["zones", ["CopiesElementsOfLargerArray"]],
    ["zones", ["DecidesOnUnsetLocal", "DecidesOnUnsetElement"]],
    ["unwritten", ["DecidesOnUnsetLocal", "IgnoresThatNothingWasFilled", "SwitchesOnUnsetLocal"]],
    ["unwritten", ["DecidesOnUnsetMember", "IndexesByUnsetElement", "DecidesOnCopyOfUnsetMember"]],
    ["unwritten", ["DecidesOnNewEntry", "AllocatesUnsetLength", "CountsDownUnsetReferences"]],
    ["undefinedBehaviour", ["AddsSignedLengths", "ShiftsTooFar", "AddsToFullTable"]],
  ] as const)("is not found without %s: %s", async (check, names) => {
    expect(await foundOf(names, allChecks)).toEqual(names);
    expect(await foundOf(names, { ...allChecks, [check]: false })).toEqual([]);
  });

  test("is not found when no races are judged", async () => {
    const names = ["CountsWithoutLock", "LocksInOneThreadOnly"];
    expect(await foundOf(names, allChecks)).toEqual(names);
    expect(await foundOf(names, allChecks, false)).toEqual([]);
  });
});
