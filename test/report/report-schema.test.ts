import { describe, expect, test } from "vitest";
import { reportAsJson } from "../../src/report/json.ts";
import { jsonSchema, reportSchema } from "../../src/report/report-schema.ts";
import { aBrokenReport, aReport } from "./reports.ts";

describe("The JSON report", () => {
  test("report.schema.json in the repository is up to date (vitest -u writes it)", async () => {
    await expect(`${JSON.stringify(jsonSchema(), undefined, 2)}\n`).toMatchFileSnapshot("../../report.schema.json");
  });

  test("comes back as it was written", () => {
    const report = aBrokenReport();
    expect(reportSchema.parse(JSON.parse(reportAsJson(report)))).toEqual(report);
  });

  test("ends with a line break", () => {
    expect(reportAsJson(aReport())).toMatch(/\}\n$/);
  });

  test.each([
    ["another schema version", { schemaVersion: 2 }],
    ["an unknown outcome", { runs: [{ scenario: "s", answers: "", outcome: "fine", token: "", entries: 1 }] }],
    ["a field that nobody described", { mood: "good" }],
    ["a negative count", { coverage: { rules: { watched: -1, exercised: 0 }, routines: [] } }],
  ])("%s is refused", (_what, change) => {
    expect(reportSchema.safeParse({ ...aReport(), ...change }).success).toBe(false);
  });
});
