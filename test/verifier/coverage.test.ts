/** Whether the tests of this folder cover all rules: it reads their sources. */
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { rule } from "../../src/contract/index.ts";
import { allRules, watchedRules } from "../../src/verifier/index.ts";

const IRP = [
  "irp-pending-not-marked",
  "irp-completed-twice",
  "irp-status-mismatch",
  "irp-touched-after-completion",
  "irp-never-completed",
  "irp-completed-under-lock",
  "irp-cancel",
];
/** Ids of what the contract has no rule for. */
const OWN = [
  "hung",
  "deadlock",
  "trap",
  "leak-memory",
  "leak-handle",
  "use-after-free",
  "irql",
  "lock-balance",
  "lock-order",
  "apc-region",
  "close-outside-handler",
  "rundown-order",
  "data-race",
  "undefined-behaviour",
  ...IRP,
];

/** Ids that are watched at the end of a run, or by the hosts. */
const folder = new URL(".", import.meta.url);
const sources = readdirSync(folder)
  .filter((name) => name.endsWith(".test.ts"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"));

const idsIn = (declaration: "breaks" | "allows"): Set<string> =>
  new Set(
    sources.flatMap((text) =>
      [...text.matchAll(new RegExp(`^\\s*${declaration}\\(\\s*"([^"]+)"`, "gm"))].map(([, id = ""]) => id),
    ),
  );

/** What only compiled code can do has its cases, wrong ones and near misses, in the corpus. */
const corpus = new URL("../c-drivers/memory/", import.meta.url);
const marked = new Set(
  readdirSync(corpus).flatMap((name) =>
    [...readFileSync(new URL(name, corpus), "utf8").matchAll(/\/\/ expect(?:-warning)?: ([\w-]+)/g)].map(([, id = ""]) => id),
  ),
);
const has = (declaration: "breaks" | "allows", id: string): boolean => idsIn(declaration).has(id) || marked.has(id);

describe("Every rule that is watched", () => {
  test("has a driver that breaks it", () => {
    expect(watchedRules.filter((id) => !has("breaks", id))).toEqual([]);
  });

  test("has a driver that nearly does", () => {
    expect(watchedRules.filter((id) => !has("allows", id))).toEqual([]);
  });

  test("is one of the contract's, or one of the few that are ours", () => {
    expect(watchedRules.filter((id) => rule(id) === undefined).toSorted()).toEqual(OWN.toSorted());
  });

  test("is watched by somebody", () => {
    expect(allRules.filter(({ rules, watchers }) => rules.length === 0 || watchers.length === 0)).toEqual([]);
  });
});

test("every rule that the tests break is watched", () => {
  expect([...idsIn("breaks")].filter((id) => !watchedRules.includes(id))).toEqual([]);
});
