/** The examples, as `npm start` checks them: the right ones are clean, the planted mistakes are reported under the right rule with the right line. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../src/report/report.ts";
import { checkDrivers } from "../../src/verifier/check.ts";
import { cacheFolder, repositoryFile } from "../machine/support.ts";

const check = (target: string, scenario?: string) =>
  checkDrivers(
    {
      targets: [repositoryFile(target)],
      with: [],
      defines: [],
      includes: [],
      cacheFolder,
      version: "0.0.0",
      ...(scenario === undefined ? {} : { scenario: repositoryFile(scenario) }),
    },
    () => {},
  );

/** The lines of the source that hold the text. */
function linesWith(file: string, text: string): number[] {
  const lines = readFileSync(repositoryFile(file), "utf8").split("\n");
  return lines.flatMap((line, index) => (line.includes(text) ? [index + 1] : []));
}

describe("The right examples", () => {
  test.each(["c/pending-protocol.c", "c/port-miniport.c", "typescript/pending-protocol.ts", "typescript/port-miniport.ts"])(
    "%s is clean in every scenario, with every kind of answer",
    async (name) => {
      const report = await check(`examples/${name}`);
      expect(report.violations).toEqual([]);
      expect(report.runs.length).toBeGreaterThan(20);
      expect(report.runs.every(({ outcome }) => outcome === "passed")).toBe(true);
      expect(exitCodeOf(report)).toBe(0);
    },
  );
});

describe("The planted mistakes", () => {
  test.each([
    ["c/pending-protocol-forgets.c", "c/pending-protocol.c", "UnbindAdapterEx(NDIS_HANDLE UnbindContext"],
    ["typescript/pending-protocol-forgets.ts", "typescript/pending-protocol.ts", "*ProtocolUnbindAdapterEx("],
  ])("%s never completes its unbind: the handler that took the obligation on is shown", async (name, source, declaration) => {
    const report = await check(`examples/${name}`);
    expect(report.violations.map(({ rule }) => rule)).toEqual(["unbind-pending-must-complete"]);
    const [line = 0] = linesWith(`examples/${source}`, declaration);
    const at = report.violations[0]?.location;
    expect(at?.file.endsWith(source)).toBe(true);
    expect(at?.line).toBe(line);
    expect(exitCodeOf(report)).toBe(2);
  });

  test.each([
    ["c/port-miniport-frees-active.c", "c/port-miniport.c", "NdisMFreePort(Adapter->Handle"],
    ["typescript/port-miniport-frees-active.ts", "typescript/port-miniport.ts", "yield* d.NdisMFreePort("],
  ])("%s frees its active port: the call is shown, to the line", async (name, source, call) => {
    const report = await check(`examples/${name}`);
    expect(report.violations.map(({ rule }) => rule)).toEqual(["port-free-deactivate-first", "port-free-before-halt-returns"]);
    expect(report.violations[0]?.location?.line).toBe(linesWith(`examples/${source}`, call)[0]);
    expect(report.violations[0]?.history.length).toBeGreaterThan(5);
  });
});

describe("Bad input", () => {
  test("a file that is not there is named", async () => {
    await expect(check("examples/c/nothing.c")).rejects.toThrow(/nothing\.c/);
  });

  test("a compile error is shown as the compiler prints it, with file and line", async () => {
    await expect(check("test/check/fixtures/does-not-compile.c")).rejects.toThrow(/does-not-compile\.c:3:\d+: error/);
  });

  test("a driver without DriverEntry is told so", async () => {
    await expect(check("test/check/fixtures/no-entry.c")).rejects.toThrow(/DriverEntry/);
  });

  test("a driver that registers nothing is told so", async () => {
    await expect(check("test/check/fixtures/registers-nothing.c")).rejects.toThrow(/registers neither/);
  });

  test("a registration with a wrong version fails with BAD_VERSION, and no scenario could be carried out", async () => {
    const report = await check("test/check/fixtures/wrong-version.c");
    expect(report.runs.every(({ outcome }) => outcome === "failed")).toBe(true);
    expect(report.runs[0]?.reason).toContain("NDIS_STATUS_BAD_VERSION");
    expect(exitCodeOf(report)).toBe(1);
  });

  test("a scenario file that throws is a run that failed, never a verdict", async () => {
    const report = await check("examples/c/pending-protocol.c", "test/check/fixtures/throws.scenario.ts");
    expect(report.runs[0]?.outcome).toBe("failed");
    expect(report.runs[0]?.reason).toContain("the scenario itself threw");
    expect(exitCodeOf(report)).toBe(1);
  });

  test("a scenario's own assertion that does not hold is a violation of scenario-assert", async () => {
    const report = await check("examples/c/pending-protocol.c", "test/check/fixtures/asserts.scenario.ts");
    expect(report.violations.map(({ rule }) => rule)).toEqual(["scenario-assert"]);
    expect(report.violations[0]?.message).toContain("3 frames");
  });

  test("a scenario file without a scenario is told what to export", async () => {
    await expect(check("examples/c/pending-protocol.c", "test/check/fixtures/empty.scenario.ts")).rejects.toThrow(
      /defineScenario/,
    );
  });
});
