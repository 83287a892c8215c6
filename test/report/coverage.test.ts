import { XMLParser, XMLValidator } from "fast-xml-parser";
import pico from "picocolors";
import { describe, expect, test } from "vitest";
import { must } from "../../src/kernel/assert.ts";
import { coverageAsCobertura, coverageAsHtml, coverageAsLcov, coverageAsText } from "../../src/report/index.ts";
import { reportSchema } from "../../src/report/report-schema.ts";
import { aLineCoverage } from "./coverage-reports.ts";
import { aReport } from "./reports.ts";

const shownPath = (file: string): string => file.replace("/here/", "");

describe("The text of coverage", () => {
  const show = (hasScenarios: boolean): string =>
    coverageAsText(aLineCoverage, { colors: pico.createColors(false), width: 60, shownPath, hasScenarios });

  test("has each file and all of them, then what was never reached, with the reason where there is one", () => {
    expect(show(false)).toBe(
      [
        "Coverage in 10 runs",
        "                     lines    branches   functions",
        "  driver.c      3/6  50.0%  5/9  55.5%  1/2  50.0%",
        "  more/<own>.h  1/1 100.0%  0/0      -  0/0      -",
        "  all           4/7  57.1%  5/9  55.5%  1/2  50.0%",
        "",
        "Functions that no run has entered",
        "  Query, driver.c:9",
        "",
        "Lines that no run has executed, of the other functions",
        "  driver.c:5, in DriverEntry",
        "      when A in B finds <none>",
        "",
      ].join("\n"),
    );
  });

  test("has each scenario alone when that is asked for", () => {
    expect(show(true)).toContain("Each scenario alone\n");
    expect(show(true)).toContain("  failures, 6 runs  4/7  57.1%  5/9  55.5%  1/2  50.0%\n");
  });

  test("is 100 % only when nothing is missing", () => {
    const lines = Array.from({ length: 2000 }, (_, line) => ({ line, runs: line === 7 ? 0 : 1 }));
    const coverage = { ...aLineCoverage, files: [{ file: "a.c", lines, branches: [], functions: [] }] };
    const text = coverageAsText(coverage, { colors: pico.createColors(false), width: 60, shownPath, hasScenarios: false });
    expect(text).toContain("1999/2000  99.9%");
  });
});

describe("LCOV", () => {
  const records = coverageAsLcov(aLineCoverage)
    .split("end_of_record\n")
    .filter((record) => record !== "");

  test("has a record for each file, with functions, branches and lines, and what there is of each", () => {
    expect(records.length).toBe(2);
    expect(records[0]?.trimEnd().split("\n")).toEqual([
      ...["TN:", "SF:/here/driver.c", "FN:3,DriverEntry", "FN:9,Query", "FNDA:10,DriverEntry", "FNDA:0,Query", "FNF:2", "FNH:1"],
      ...["BRDA:4,0,0,0", "BRDA:4,0,1,10", "BRDA:4,1,0,3", "BRDA:4,1,1,9", "BRDA:6,0,0,7", "BRDA:6,0,1,0", "BRDA:6,0,2,1"],
      ...["BRDA:10,0,0,-", "BRDA:10,0,1,-", "BRF:9", "BRH:5"],
      ...["DA:3,10", "DA:4,10", "DA:5,0", "DA:6,7", "DA:9,0", "DA:10,0", "LF:6", "LH:3"],
    ]);
  });

  test("ends each record with a line of its own", () => {
    expect(coverageAsLcov(aLineCoverage)).toMatch(/LH:3\nend_of_record\nTN:\nSF:[^\n]+\n[^]*LH:1\nend_of_record\n$/);
  });
});

describe("Cobertura", () => {
  const xml = coverageAsCobertura(aLineCoverage, { version: "1.2.3", time: 1234, folder: "/here", pathOf: shownPath });
  const isMany = (name: string): boolean => ["package", "class", "method", "line", "condition"].includes(name);
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "", isArray: isMany });
  const { coverage } = parser.parse(xml) as { coverage: Record<string, unknown> };

  test("is XML of the document type coverage-04", () => {
    expect(XMLValidator.validate(xml)).toBe(true);
    expect(xml.split("\n").slice(0, 2)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">',
    ]);
  });

  test("has the totals, with every attribute that the document type asks for", () => {
    expect(coverage).toMatchObject({
      ...{ "line-rate": "0.5714", "lines-covered": "4", "lines-valid": "7" },
      ...{ "branch-rate": "0.5556", "branches-covered": "5", "branches-valid": "9" },
      ...{ complexity: "0", version: "ndislab 1.2.3", timestamp: "1234", sources: { source: "/here" } },
    });
  });

  test("has a package for each folder, a class for each file, and methods with the lines up to the next", () => {
    const [top, more] = (coverage["packages"] as { package: { name: string; classes: { class: Record<string, unknown>[] } }[] })
      .package;
    expect([top?.name, more?.name]).toEqual([".", "more"]);
    expect(more?.classes.class[0]).toMatchObject({
      name: "<own>.h",
      filename: "more/<own>.h",
      methods: "",
      "line-rate": "1.0000",
    });
    const [file] = top?.classes.class ?? [];
    expect(file).toMatchObject({ name: "driver.c", filename: "driver.c", "line-rate": "0.5000", complexity: "0" });
    const { method } = must(file, "the class of driver.c is there")["methods"] as {
      method: { name: string; lines: { line: { number: string }[] } }[];
    };
    expect(method.map(({ name, lines }) => [name, lines.line.map(({ number }) => number)])).toEqual([
      ["DriverEntry", ["3", "4", "5", "6"]],
      ["Query", ["9", "10"]],
    ]);
  });

  test("a line with branches tells how many of their ways were taken, and of each branch", () => {
    expect(xml).toContain('<line number="3" hits="10" branch="false"/>');
    expect(xml).toContain('<line number="4" hits="10" branch="true" condition-coverage="75% (3/4)">');
    expect(xml).toContain('<condition number="0" type="jump" coverage="50%"/>');
    expect(xml).toContain('<condition number="1" type="jump" coverage="100%"/>');
    expect(xml).toContain('<condition number="0" type="switch" coverage="66%"/>');
  });
});

describe("The page", () => {
  const source = [
    "/* a <driver> & more */",
    "",
    "NTSTATUS DriverEntry()",
    "if (a && b)",
    "fail();",
    "switch (c)",
    "",
    "",
    "Query()",
    "if (d)",
  ];
  const html = coverageAsHtml(aLineCoverage, {
    title: "a <driver>",
    shownPath,
    readSource: (file) => (file === "/here/driver.c" ? source : undefined),
  });
  const rowOf = (line: number): string => new RegExp(`<tr[^>]*><td class="n">${line}</td>.*`).exec(html)?.[0] ?? "";

  test("marks each line: executed, with a way that was not taken, never executed, or nothing to execute", () => {
    expect([1, 3, 4, 5, 6, 9, 10].map((line) => /class="(\w*)"/.exec(rowOf(line))?.[1])).toEqual([
      ...["", "hit", "partial", "missed", "partial", "missed", "missed"],
    ]);
    expect(rowOf(4)).toContain("way 1: never taken; way 2: taken in 10 runs");
  });

  test("text of a source cannot be taken for markup", () => {
    expect(html).toContain("/* a &lt;driver&gt; &amp; more */");
    expect(html).not.toMatch(/<driver>|<none>|<own>/);
  });

  test("what was never reached leads to its line", () => {
    expect(html).toContain(
      '<a href="#f0l5"><code>DriverEntry</code>, driver.c:5</a><br><small>when A in B finds &lt;none&gt;</small>',
    );
    expect(rowOf(5)).toContain('id="f0l5"');
    expect(html).toContain('<a href="#f0l9">');
    expect(rowOf(9)).toContain('id="f0l9"');
  });

  test("needs nothing from elsewhere, and says when a source is gone", () => {
    expect(html).not.toMatch(/https?:|<script|<link|src=/);
    expect(html).toContain("The source cannot be read any more.");
  });

  test("closes what it opens", () => {
    for (const tag of ["html", "head", "body", "table", "tbody", "tr", "td", "ul", "li", "details", "a", "pre", "span"]) {
      const count = (pattern: string): number => [...html.matchAll(new RegExp(pattern, "g"))].length;
      expect([tag, count(`<${tag}[ >]`)]).toEqual([tag, count(`</${tag}>`)]);
    }
  });
});

test("the schema of the report takes it, and nothing beside it", () => {
  const report = aReport();
  const withLines = { ...report, coverage: { ...report.coverage, lines: aLineCoverage } };
  expect(reportSchema.parse(withLines)).toEqual(withLines);
  const lines = { ...aLineCoverage, mood: "good" };
  expect(reportSchema.safeParse({ ...report, coverage: { ...report.coverage, lines } }).success).toBe(false);
});
