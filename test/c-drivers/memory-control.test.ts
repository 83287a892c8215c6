/** The corpus notices when a check is gone: what only that check finds is not found without it. */
import { describe, expect, test } from "vitest";
import { type Checks, allChecks } from "../../src/cdriver/checks/flags.ts";
import { KernelMemory } from "../../src/kernel/index.ts";
import { type CorpusFile, buildCorpusFile, corpusFiles, expected, found } from "./corpus.ts";

const memory = new KernelMemory();

function fileAbout(title: string): CorpusFile {
  const file = corpusFiles.find((each) => each.title.startsWith(title));
  if (file === undefined) throw new Error(`no file of the corpus is about ${title}`);
  return file;
}

/** How many of the cases of that rule are found, and how many are not. */
async function count(file: CorpusFile, rule: string, checks: Checks): Promise<{ found: number; missed: number }> {
  const stack = await buildCorpusFile(file, checks);
  const cases = file.cases.filter(({ marks }) => marks.some((mark) => mark.rule === rule));
  const isFound = cases.map((each) => found(file, stack, each, memory).join() === expected(each).join());
  return { found: isFound.filter(Boolean).length, missed: isFound.filter((each) => !each).length };
}

describe("Without", () => {
  test.each([
    ["the checks of accesses", "use-after-free", "Blocks of pool", { ...allChecks, memory: false }],
    ["the checks of accesses", "data-race", "Two threads at the same memory", { ...allChecks, memory: false }],
    ["zones between variables", "out-of-bounds", "Local and static variables", { ...allChecks, zones: false }],
    ["the checks of arithmetic", "undefined-behaviour", "Arithmetic", { ...allChecks, undefinedBehaviour: false }],
  ])("%s, most cases of %s in '%s' are missed", async (_what, rule, title, checks) => {
    const { found: still, missed } = await count(fileAbout(title), rule, checks);
    expect(missed).toBeGreaterThan(2 * still);
  });
});
