/** House rules that a machine can check: it reads the sources. `test/tidy/` has the checks and what they let pass. */
import { describe, expect, test } from "vitest";
import { exceptions } from "./tidy/allowed.ts";
import { forgottenYields, undeterministic, weakTypes } from "./tidy/bans.ts";
import { deadFiles, wrongArrows } from "./tidy/imports.ts";
import { type Problem, filesIn, readSources, readText, told } from "./tidy/source.ts";
import { emptyGuesses, homePaths, leftOver, tooLong } from "./tidy/text.ts";

const DETERMINISTIC = /^src\/(kernel|ndis|verifier)\//;
const sources = readSources("src");
const drivers = ["examples", "test"].flatMap(readSources).filter(({ text }) => /^export default defineDriver\(/m.test(text));
// The tests of the checks quote what is wrong.
const texts = ["src", "test", "examples", "scripts"].flatMap((folder) =>
  filesIn(folder, /\.(ts|mjs|c|h)$/)
    .filter((path) => !path.startsWith("test/tidy/"))
    .map((path) => ({ path, text: readText(path) })),
);
const documents = filesIn("", /\.md$/).map((path) => ({ path, text: readText(path) }));
const used = new Set<string>();

const isIn = (path: string, place: string): boolean => path === place || (place.endsWith("/") && path.startsWith(place));

/** What is left of the problems without those that are let pass. */
function remaining(problems: readonly Problem[]): string[] {
  return problems
    .filter(({ path, what }) => {
      const exception = exceptions.find((each) => isIn(path, each.path) && what.includes(each.what));
      if (exception !== undefined) used.add(JSON.stringify(exception));
      return exception === undefined;
    })
    .map(told);
}

test("the checks see something", () => {
  expect([sources.length > 100, drivers.length > 3, documents.length > 3, texts.length > sources.length]).toEqual([
    true,
    true,
    true,
    true,
  ]);
});

describe("The sources", () => {
  test("import only from the layers before their own", () => {
    expect(remaining(sources.flatMap(wrongArrows))).toEqual([]);
  });

  test("keep all state of a machine in its memory, and know no clock, no chance and no process, where runs must repeat", () => {
    expect(remaining(sources.filter(({ path }) => DETERMINISTIC.test(path)).flatMap(undeterministic))).toEqual([]);
  });

  test("have no 'any' and no '!'", () => {
    expect(remaining(sources.flatMap(weakTypes))).toEqual([]);
  });

  test("are of a length that can be read", () => {
    expect(remaining(sources.filter(({ path }) => !path.endsWith(".generated.ts")).flatMap(tooLong))).toEqual([]);
  });

  test("are all wanted by somebody", () => {
    const dead = deadFiles(sources).map((path) => ({ path, line: 1, what: "nobody imports this file" }));
    expect(remaining(dead)).toEqual([]);
  });

  test("say of every guess what was chosen", () => {
    expect(remaining(texts.flatMap(emptyGuesses))).toEqual([]);
  });

  test("have nothing left over, and no path of one machine", () => {
    expect(remaining([...texts.flatMap(leftOver), ...[...texts, ...documents].flatMap(homePaths)])).toEqual([]);
  });
});

describe("Drivers in TypeScript", () => {
  test("make every call of a routine with yield*", () => {
    expect(remaining(drivers.flatMap(forgottenYields))).toEqual([]);
  });
});

test("every exception is needed", () => {
  expect(exceptions.filter((each) => !used.has(JSON.stringify(each))).map(({ path, what }) => `${path}: ${what}`)).toEqual([]);
});
