/** Coverage to show: a driver of two files, one with everything that can be told. */
import type { LineCoverage } from "../../src/report/index.ts";

export const aLineCoverage: LineCoverage = {
  runs: 10,
  files: [
    {
      file: "/here/driver.c",
      lines: [
        { line: 3, runs: 10 },
        { line: 4, runs: 10 },
        { line: 5, runs: 0 },
        { line: 6, runs: 7 },
        { line: 9, runs: 0 },
        { line: 10, runs: 0 },
      ],
      branches: [
        { line: 4, ways: [0, 10] },
        { line: 4, ways: [3, 9] },
        { line: 6, ways: [7, 0, 1] },
        { line: 10, ways: [0, 0] },
      ],
      functions: [
        { name: "DriverEntry", line: 3, runs: 10 },
        { name: "Query", line: 9, runs: 0 },
      ],
    },
    { file: "/here/more/<own>.h", lines: [{ line: 2, runs: 1 }], branches: [], functions: [] },
  ],
  scenarios: [
    { scenario: "life", runs: 4, lines: 3, branches: 3, functions: 1 },
    { scenario: "failures", runs: 6, lines: 4, branches: 5, functions: 1 },
  ],
  unreached: [
    { kind: "lines", file: "/here/driver.c", function: "DriverEntry", line: 5, lastLine: 5, reason: "when A in B finds <none>" },
    { kind: "function", file: "/here/driver.c", function: "Query", line: 9, lastLine: 10 },
  ],
};
