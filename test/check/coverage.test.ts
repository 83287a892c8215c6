/** What a check tells of the code that its runs have executed. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { LineCoverage } from "../../src/report/index.ts";
import { checkDrivers } from "../../src/verifier/check.ts";
import { cacheFolder, repositoryFile } from "../machine/support.ts";

const FILE = repositoryFile("test/check/fixtures/reached.c");
const EXAMPLE = repositoryFile("examples/c/port-miniport.c");

async function checked(target: string, scenario?: string, coverage = true) {
  const common = { with: [], defines: [], includes: [], cacheFolder, version: "0.0.0", coverage };
  return checkDrivers({ ...common, targets: [target], ...(scenario === undefined ? {} : { scenario }) }, () => {});
}

async function linesOf(target: string, scenario?: string): Promise<LineCoverage> {
  const { lines } = (await checked(target, scenario)).coverage;
  if (lines === undefined) throw new Error("there is no coverage");
  return lines;
}

const lineOf = (file: string, text: string): number =>
  readFileSync(file, "utf8")
    .split("\n")
    .findIndex((line) => line.includes(text)) + 1;

/** In how many runs the line that has the text was executed. */
const runsOf = ({ files }: LineCoverage, file: string, text: string): number | undefined =>
  files.find((each) => each.file === file)?.lines.find(({ line }) => line === lineOf(file, text))?.runs;

const reasonsOf = ({ unreached }: LineCoverage): Record<string, string | undefined> =>
  Object.fromEntries(unreached.filter(({ kind }) => kind === "function").map((each) => [each.function, each.reason]));

let all: LineCoverage;
let pauses: LineCoverage;
beforeAll(async () => {
  all = await linesOf(FILE);
  pauses = await linesOf(FILE, "pause*");
});

describe("All runs together", () => {
  test("each line has the number of runs that executed it, in every file of the driver", () => {
    expect(all.files.map(({ file }) => file)).toEqual([EXAMPLE, FILE]);
    expect(runsOf(all, FILE, "Kept = Secret")).toBe(all.runs);
    expect(runsOf(all, FILE, "/* by nobody */")).toBe(0);
    expect(runsOf(all, FILE, "/* no memory */")).toBeGreaterThan(0);
    expect(runsOf(all, FILE, "/* no memory */")).toBeLessThan(all.runs);
  });

  test("a branch has the number of runs for each of its ways", () => {
    const [branch] = all.files[1]?.branches ?? [];
    expect(branch?.line).toBe(lineOf(FILE, "if (Memory == NULL)"));
    const ways = [runsOf(all, FILE, "/* no memory */"), runsOf(all, FILE, "ExFreePoolWithTag(Memory")];
    expect(branch?.ways.toSorted()).toEqual(ways.toSorted());
  });

  test("each scenario has its own count, and none has reached more than all", () => {
    expect(all.scenarios.reduce((sum, { runs }) => sum + runs, 0)).toBe(all.runs);
    const reached = all.files.flatMap(({ lines }) => lines).filter(({ runs }) => runs > 0).length;
    for (const { lines } of all.scenarios) expect(lines).toBeLessThanOrEqual(reached);
    expect(pauses.scenarios.map(({ scenario }) => scenario)).toEqual(["pause-twice"]);
    expect(all.scenarios).toContainEqual(pauses.scenarios[0]);
  });
});

describe("What was never reached", () => {
  test("a dispatch routine names the request that nobody sent, who is only called by it names it, and of a mere pointer nothing is said", () => {
    expect(reasonsOf(all)).toEqual({
      QueryInformation: "no run sent it IRP_MJ_QUERY_INFORMATION",
      TellInformation: "only QueryInformation would call it, which no run has entered either",
      Secret: undefined,
      ReturnNetBufferLists: "NDIS has it as ReturnNetBufferListsHandler and had no occasion to call it",
      CancelSend: "NDIS has it as CancelSendHandler and had no occasion to call it",
      CancelOidRequest: "NDIS has it as CancelOidRequestHandler and had no occasion to call it",
    });
  });

  test("a handler of a scenario that was left out names the scenario", () => {
    expect(reasonsOf(pauses)).toEqual({ ...reasonsOf(all), ShutdownEx: "scenario 'shutdown', which was left out, comes here" });
  });

  test("an error path names the call that would have to fail", () => {
    const line = lineOf(FILE, "/* no memory */");
    expect(pauses.unreached.find((each) => each.file === FILE && each.line === line)).toEqual({
      kind: "lines",
      file: FILE,
      function: "DriverEntry",
      line,
      lastLine: line,
      reason:
        "when ExAllocatePoolWithTag in DriverEntry finds no resources, scenario 'pause-twice' comes here; no run had that failure",
    });
    expect(all.unreached.some((each) => each.file === FILE && each.line === line)).toBe(false);
  });

  test("what is listed was executed in no run, and every line that was not is in the list", () => {
    for (const { files, unreached } of [all, pauses]) {
      const missed = files.flatMap(({ file, lines }) =>
        lines.filter(({ runs }) => runs === 0).map(({ line }) => `${file}:${line}`),
      );
      const isListed = (file: string, line: number): boolean =>
        unreached.some((each) => each.file === file && each.line <= line && line <= each.lastLine);
      const listed = files.flatMap(({ file, lines }) =>
        lines.filter(({ line }) => isListed(file, line)).map(({ line }) => `${file}:${line}`),
      );
      expect(listed).toEqual(missed);
    }
  });
});

describe("Coverage", () => {
  test("changes nothing in the verdict", async () => {
    const target = repositoryFile("examples/c/port-miniport-frees-active.c");
    const [plain, counted] = [await checked(target, "pause*", false), await checked(target, "pause*")];
    const { lines, ...coverage } = counted.coverage;
    expect(lines?.runs).toBe(plain.runs.length);
    expect(coverage).toEqual(plain.coverage);
    expect(counted.runs.map(({ outcome }) => outcome)).toEqual(plain.runs.map(({ outcome }) => outcome));
    const shown = ({ violations }: typeof plain) => violations.map(({ rule, location }) => [rule, location]);
    expect(shown(counted)).toEqual(shown(plain));
  });

  test("is not counted of a driver in TypeScript", async () => {
    const { coverage } = await checked(repositoryFile("examples/typescript/port-miniport.ts"), "pause*");
    expect(coverage.lines).toBeUndefined();
  });
});
