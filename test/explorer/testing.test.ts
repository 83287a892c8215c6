import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explore, replay } from "../../src/testing.ts";
import { cacheFolder, repositoryFile } from "../machine/support.ts";

const scenario = "traffic-and-unbind";
let folder: string;
let driver: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ndislab-explore-"));
  cpSync(repositoryFile("examples/c"), folder, { recursive: true });
  driver = join(folder, "pending-protocol-forgets.c");
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("A test that explores a driver", { timeout: 120_000 }, () => {
  test("gets the planted mistake, keeps it beside the driver, and finds it first the next time", async () => {
    const report = await explore(driver, { scenario, seconds: 20, runs: 0, preemptions: 0, faults: 1, cacheFolder });
    const found = report.violations.find(({ rule }) => rule === "unbind-pending-must-complete");
    expect(found?.deviations).toEqual([expect.stringMatching(/^NdisCloseAdapterEx: answer [23], instead of the simplest$/)]);
    expect(report.exploration?.[0]).toMatchObject({ scenario, claim: "BROKEN" });

    const saved = join(folder, "ndislab.failures.json");
    expect(existsSync(saved)).toBe(true);
    expect(readFileSync(saved, "utf8")).toContain(found?.token);

    const again = await explore(driver, { scenario, seconds: 0.1, runs: 0, cacheFolder });
    expect(again.violations.map(({ rule }) => rule)).toContain("unbind-pending-must-complete");

    const { report: replayed, story } = await replay(found?.token ?? "", driver, { cacheFolder });
    expect(replayed.violations.map(({ rule }) => rule)).toContain("unbind-pending-must-complete");
    expect(story.divergence).toBeUndefined();
    expect(story.entries.length).toBeGreaterThan(500);
  });

  test("gets a claim for the right one", async () => {
    const report = await explore(join(folder, "pending-protocol.c"), {
      scenario: "bind-and-unbind",
      seconds: 20,
      runs: 0,
      preemptions: 0,
      faults: 0,
      saves: false,
      cacheFolder,
    });
    expect(report.violations).toEqual([]);
    expect(report.exploration?.[0]).toMatchObject({ claim: "BOUNDED", runs: 0 });
    expect(report.exploration?.[0]?.text).toMatch(/^all runs with no preemption and no failure or late answer/);
  });
});
