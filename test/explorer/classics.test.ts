/** Programs whose bugs are known: the search finds those of the broken ones, and proves the right ones. */
import { afterAll, describe, expect, it } from "vitest";
import { Builder } from "../../src/machine/build.ts";
import { exploreClassic, isFailure, prepare } from "../../src/measures/classic.ts";
import { cacheFolder } from "../machine/support.ts";

const builder = new Builder(cacheFolder);
afterAll(() => builder.stop());

/** Milliseconds: many times what is needed. */
const BUDGET = 20_000;

describe.each([
  { name: "account", rule: "scenario-assert" },
  { name: "deadlock", rule: "deadlock" },
  { name: "double-checked", rule: "scenario-assert" },
  { name: "lost-wakeup", rule: "hung" },
  { name: "reference-count", rule: "use-after-free" },
  { name: "timer-cancel", rule: "use-after-free" },
])("$name", ({ name, rule }) => {
  it("the broken one is found", async () => {
    const broken = await prepare(builder, name, true);
    const { failures } = exploreClassic(broken, {
      strategy: "search",
      budget: BUDGET,
      isEnough: (found) => found.some(({ violation }) => isFailure(violation.rule)),
    });
    expect(failures.map(({ violation }) => violation.rule)).toContain(rule);
  });

  it("the right one is proved", async () => {
    const { claim, failures } = exploreClassic(await prepare(builder, name, false), { strategy: "search", budget: BUDGET });
    expect(claim.kind).toBe("PROVED");
    expect(failures.filter(({ violation }) => isFailure(violation.rule))).toEqual([]);
  });
});
