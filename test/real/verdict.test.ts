import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { constant } from "../../src/contract/index.ts";
import { realDrivers } from "../../src/real/drivers.ts";
import { header, structureData } from "../../src/real/structure-data.ts";
import { type Verdict, differences } from "../../src/real/verdict.ts";
import committed from "../../src/real/verdicts.json" with { type: "json" };

const verdict: Verdict = {
  runs: 2,
  outcomes: { passed: 1, violated: 1 },
  violations: [{ rule: "leak-memory", function: "Start", line: 7, count: 1, message: "A block is left." }],
  functions: { total: 4, entered: 3 },
  neverEntered: { Dump: "only a debugger calls it" },
};

describe("A verdict on a real driver", () => {
  test("that is the committed one differs in nothing", () => {
    expect(differences(verdict, verdict)).toEqual([]);
  });

  test("tells of violations that are new and that are gone, with their places", () => {
    const moved = { ...verdict, violations: [{ ...verdict.violations[0], line: 8 }] } as Verdict;
    expect(differences(verdict, moved)).toEqual([
      "new: leak-memory in Start, line 8: A block is left.",
      "gone: leak-memory in Start, line 7: A block is left.",
    ]);
  });

  test("tells of other outcomes, and of functions that are entered no longer or only now", () => {
    const other: Verdict = { ...verdict, outcomes: { passed: 2 }, neverEntered: { Stop: "no scenario comes there yet" } };
    expect(differences(verdict, other)).toEqual([
      'outcomes {"passed":2}, and were {"passed":1,"violated":1}',
      "no longer entered: Stop",
      "now entered: Dump",
    ]);
  });

  test("that was never committed is told as such", () => {
    expect(differences(undefined, verdict)).toEqual(["there is no committed verdict"]);
  });
});

describe("The committed verdicts", () => {
  test("are those of all drivers that are tried", () => {
    expect(Object.keys(committed).toSorted()).toEqual(realDrivers.map(({ name }) => name).toSorted());
  });

  test.each(Object.entries(committed))("%s: 85 %% of its functions are entered, and the others have a reason", (_name, each) => {
    expect(each.functions.entered / each.functions.total).toBeGreaterThan(0.85);
    expect(Object.entries(each.neverEntered).filter(([, reason]) => reason === "no scenario comes there yet")).toEqual([]);
  });
});

test("A structure is laid out by the contract's offsets, with what follows it", () => {
  const data = structureData(
    "NDIS_OBJECT_HEADER",
    { Type: constant("NDIS_OBJECT_TYPE_DEFAULT"), Revision: 3, Size: 0x1234 },
    [9, 8],
  );
  expect([...data]).toEqual([constant("NDIS_OBJECT_TYPE_DEFAULT"), 3, 0x34, 0x12, 9, 8]);
  expect(header("NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_PORT_CHARACTERISTICS_REVISION_1").Header_Revision).toBe(1);
});

test("Without a folder the real drivers are skipped, with a word that says what is wanted", () => {
  const entry = new URL("../../dist/real/main.js", import.meta.url).pathname;
  expect(execFileSync(process.execPath, [entry], { encoding: "utf8" })).toMatch(
    /^Skipped: name the folder .*Windows-driver-samples, win-net-test.*npm run real -- DIR/,
  );
});
