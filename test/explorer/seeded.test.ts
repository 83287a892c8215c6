/** Defects put into right drivers: the kinds that the measure is about, one of each. */
import { afterAll, describe, expect, it } from "vitest";
import { Builder } from "../../src/machine/build.ts";
import { defects, driverOf, measureDefect, measureRight } from "../../src/measures/seeded.ts";
import { sourceWith } from "../../src/measures/seeded-driver.ts";
import { must } from "../../src/kernel/assert.ts";
import { cacheFolder } from "../machine/support.ts";

const builder = new Builder(cacheFolder);
afterAll(() => builder.stop());

/** Milliseconds: many times what is needed. */
const BUDGET = 20_000;

const defectOf = (driver: string, what: string) =>
  must(
    defects.find((each) => each.driver === driver && each.what === what),
    what,
  );

describe.each([
  { driver: "queueing-protocol", what: "the reference is dropped before the queue is cancelled", rule: "use-after-free" },
  { driver: "working-miniport", what: "the halt does not wait for the work item", rule: "use-after-free" },
  { driver: "unbind-protocol", what: "a send without a list stays counted", rule: "hung" },
  { driver: "port-miniport", what: "a copy that could not be made is indicated", rule: "null-access" },
])("$driver", ({ driver, what, rule }) => {
  it(`${what}: it is found`, async () => {
    const { found } = await measureDefect(builder, defectOf(driver, what), BUDGET);
    expect(found?.violation.rule).toBe(rule);
  });
});

it("a driver without a defect is not accused, whatever fails", async () => {
  const driver = driverOf(defectOf("queueing-protocol", "the event is reset before it is waited for"));
  const { errors, explored } = await measureRight(builder, driver, "queue-and-pause", BUDGET);
  expect(errors).toEqual([]);
  expect(explored.claim.kind).toBe("PROVED");
});

it("what each defect replaces is in its driver exactly once", () => {
  for (const defect of defects) {
    const { source, scenarios } = driverOf(defect);
    expect(sourceWith(source, defect)).not.toBe(sourceWith(source, undefined));
    expect(Object.keys(scenarios)).toContain(defect.scenario);
  }
});
