/**
 * Coverage as XML of Cobertura, which build servers read. A count is of the runs of the check that came by.
 *
 * Page: https://cobertura.sourceforge.net/xml/coverage-04.dtd.
 */
import { XMLBuilder } from "fast-xml-parser";
import type { FileCoverage, LineCoverage } from "./line-coverage.ts";
import { type Tally, shareOf, talliesOf, tally } from "./tally.ts";

export interface CoberturaOptions {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** The folder that `pathOf` starts from. */
  readonly folder: string;
  /** A file's path from there. */
  readonly pathOf: (file: string) => string;
}

const DOCTYPE = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">';

/** Ends with a line break. */
export function coverageAsCobertura({ files }: LineCoverage, { version, time, folder, pathOf }: CoberturaOptions): string {
  const { lines, branches } = talliesOf(files);
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    format: true,
    suppressEmptyNode: true,
    suppressBooleanAttributes: false,
  });
  const body: string = builder.build({
    coverage: {
      ...rates(lines, branches),
      "@lines-covered": lines.hit,
      "@lines-valid": lines.found,
      "@branches-covered": branches.hit,
      "@branches-valid": branches.found,
      "@complexity": 0,
      "@version": `ndislab ${version}`,
      "@timestamp": time,
      sources: { source: folder },
      packages: { package: packagesOf(files, pathOf) },
    },
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n${DOCTYPE}\n${body}`;
}

const rates = (lines: Tally, branches: Tally) => ({
  "@line-rate": shareOf(lines).toFixed(4),
  "@branch-rate": shareOf(branches).toFixed(4),
});

/** A package is a folder, a class a file. */
function packagesOf(files: readonly FileCoverage[], pathOf: (file: string) => string) {
  const folderOf = (file: FileCoverage): string => pathOf(file.file).replaceAll("\\", "/").split("/").slice(0, -1).join("/");
  const folders = [...new Set(files.map(folderOf))];
  return folders.map((name) => {
    const own = files.filter((file) => folderOf(file) === name);
    const { lines, branches } = talliesOf(own);
    return {
      "@name": name === "" ? "." : name,
      ...rates(lines, branches),
      "@complexity": 0,
      classes: { class: own.map((file) => classOf(file, pathOf(file.file))) },
    };
  });
}

function classOf(file: FileCoverage, path: string) {
  const { lines, branches } = talliesOf([file]);
  return {
    "@name": path.split(/[\\/]/).at(-1),
    "@filename": path,
    ...rates(lines, branches),
    "@complexity": 0,
    methods: file.functions.length === 0 ? "" : { method: file.functions.map((_, index) => methodOf(file, index)) },
    lines: { line: file.lines.map((each) => lineOf(file, each)) },
  };
}

/** A function has the lines from its own to that of the next. */
function methodOf(file: FileCoverage, index: number) {
  const { name = "", line: first = 0 } = file.functions[index] ?? {};
  const next = file.functions[index + 1]?.line ?? Number.POSITIVE_INFINITY;
  const isIn = ({ line }: { readonly line: number }): boolean => line >= first && line < next;
  const lines = file.lines.filter(isIn);
  const branches = file.branches.filter(isIn);
  return {
    "@name": name,
    "@signature": "()",
    ...rates(tally(lines.map(({ runs }) => runs)), tally(branches.flatMap(({ ways }) => ways))),
    "@complexity": 0,
    lines: lines.length === 0 ? "" : { line: lines.map((each) => lineOf(file, each)) },
  };
}

function lineOf({ branches }: FileCoverage, { line, runs }: FileCoverage["lines"][number]) {
  const own = branches.filter((branch) => branch.line === line);
  if (own.length === 0) return { "@number": line, "@hits": runs, "@branch": "false" };
  const percent = (each: Tally): string => `${Math.floor(shareOf(each) * 100)}%`;
  const all = tally(own.flatMap(({ ways }) => ways));
  return {
    "@number": line,
    "@hits": runs,
    "@branch": "true",
    "@condition-coverage": `${percent(all)} (${all.hit}/${all.found})`,
    conditions: {
      condition: own.map(({ ways }, index) => ({
        "@number": index,
        "@type": ways.length > 2 ? "switch" : "jump",
        "@coverage": percent(tally(ways)),
      })),
    },
  };
}
