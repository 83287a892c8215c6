/**
 * Coverage as a tracefile of LCOV. A count is of the runs of the check that came by.
 *
 * Page: https://manpages.debian.org/geninfo.1, "Files".
 */
import type { FileCoverage, LineCoverage } from "./line-coverage.ts";
import { talliesOf } from "./tally.ts";

/** Ends with a line break. */
export function coverageAsLcov({ files }: LineCoverage): string {
  return files.map((file) => `${recordOf(file).join("\n")}\n`).join("");
}

function recordOf(file: FileCoverage): string[] {
  const { lines, branches, functions } = talliesOf([file]);
  return [
    "TN:",
    `SF:${file.file}`,
    ...file.functions.map(({ line, name }) => `FN:${line},${name}`),
    ...file.functions.map(({ runs, name }) => `FNDA:${runs},${name}`),
    `FNF:${functions.found}`,
    `FNH:${functions.hit}`,
    ...branchesOf(file),
    `BRF:${branches.found}`,
    `BRH:${branches.hit}`,
    ...file.lines.map(({ line, runs }) => `DA:${line},${runs}`),
    `LF:${lines.found}`,
    `LH:${lines.hit}`,
    "end_of_record",
  ];
}

/** A branch that nobody came to has no counts. The blocks of a line are numbered, and their ways. */
function branchesOf({ branches }: FileCoverage): string[] {
  return branches.flatMap(({ line, ways }, index) => {
    const block = index - branches.findIndex((each) => each.line === line);
    const isReached = ways.some((runs) => runs > 0);
    return ways.map((runs, way) => `BRDA:${line},${block},${way},${isReached ? runs : "-"}`);
  });
}
