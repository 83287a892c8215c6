import { describe, expect, test } from "vitest";
import { decisionsPage } from "../../src/docs/decisions.ts";
import { readText, sources } from "../../src/docs/files.ts";

const WORD = `Undocumented${":"}`;
const pageOf = (text: string): string[] =>
  decisionsPage([{ path: "src/a.ts", text }])
    .split("\n")
    .filter((line) => line.startsWith("- "));

describe("docs/decisions.md", () => {
  test("is up to date; 'npm run docs' writes it", () => {
    expect(readText("docs/decisions.md")).toBe(decisionsPage(sources()));
  });

  test("has the sentences of a comment over several lines, and where it is", () => {
    expect(pageOf(`const a = 1;\n  // ${WORD} what it is. It is one,\n  // as on Windows.\n  f();\n`)).toEqual([
      "- [line 2](../src/a.ts#L2): What it is. It is one, as on Windows.",
    ]);
  });

  test("has what stands in the middle of a comment, and several in one", () => {
    expect(pageOf(`/**\n * About it.\n *\n * ${WORD} one of them.\n * ${WORD} the other. */\n`)).toEqual([
      "- [line 4](../src/a.ts#L4): One of them.",
      "- [line 5](../src/a.ts#L5): The other.",
    ]);
  });

  test("has nothing of a string", () => expect(pageOf(`const word = "${WORD} it";`)).toEqual([]));
});
