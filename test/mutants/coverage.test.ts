/** Whether what `npm run mutants` wrote fits the rules, the tests and the sources as they are now. The job itself takes minutes. */
import { describe, expect, test } from "vitest";
import { coverage, rule, rules } from "../../src/contract/index.ts";
import { coveragePage, standingOf } from "../../src/docs/coverage.ts";
import { readText } from "../../src/docs/files.ts";
import { aliases, behaviours } from "../../src/mutants/entries.ts";
import { watchedRules } from "../../src/verifier/index.ts";

const ofContract = (id: string): boolean => rule(id) !== undefined;

describe("docs/coverage.md", () => {
  test("has what the last run of 'npm run mutants' found", () => {
    expect(readText("docs/coverage.md")).toBe(coveragePage(rules(), coverage()));
  });

  test("has every entry of the contract once", () => {
    const ids = [...readText("docs/coverage.md").matchAll(/^\| `([^` ]+)` \| [^|]+ \| (?:enforced|proven|not covered) \|/gm)].map(
      ([, id = ""]) => id,
    );
    expect(ids.toSorted()).toEqual(
      rules()
        .map(({ id }) => id)
        .toSorted(),
    );
  });
});

describe("What is covered", () => {
  test("is every rule that is watched, and every entry that a test is named for; 'npm run mutants' finds out", () => {
    const named = [...watchedRules.filter(ofContract), ...aliases().map(({ id }) => id), ...behaviours().map(({ id }) => id)];
    const covered = rules().filter((each) => standingOf(each, coverage()) !== "not covered");
    expect(covered.map(({ id }) => id).toSorted()).toEqual([...new Set(named)].toSorted());
  });
});

describe("The entries that tests are named for", () => {
  test("are the contract's, each once", () => {
    const ids = [...aliases(), ...behaviours()].map(({ id }) => id);
    expect(ids.filter((id) => !ofContract(id))).toEqual([]);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index || watchedRules.includes(id))).toEqual([]);
    expect(aliases().filter((alias) => !watchedRules.includes(alias.rule))).toEqual([]);
  });

  test("change a text that is in the source once", () => {
    const times = behaviours().map(({ id, mutation }) => [id, readText(mutation.file).split(mutation.find).length - 1]);
    expect(times.filter(([, count]) => count !== 1)).toEqual([]);
  });
});
