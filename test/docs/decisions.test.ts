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

  test("has the sentences of a comment over several lines", () => {
    expect(pageOf(`const a = 1;\n  // ${WORD} what it is. It is one,\n  // as on Windows.\n  f();\n`)).toEqual([
      "- What it is. It is one, as on Windows.",
    ]);
  });

  test("has what stands in the middle of a comment, and several in one", () => {
    expect(pageOf(`/**\n * About it.\n *\n * ${WORD} one of them.\n * ${WORD} the other. */\n`)).toEqual([
      "- One of them.",
      "- The other.",
    ]);
  });

  test("names the file of each, and no line, so that an edit elsewhere in it changes nothing", () => {
    const text = `// ${WORD} it is one.\n`;
    expect(decisionsPage([{ path: "src/a.ts", text }])).toContain("\n## [src/a.ts](../src/a.ts)\n\n- It is one.\n");
    expect(decisionsPage([{ path: "src/a.ts", text: `\n\n${text}` }])).toBe(decisionsPage([{ path: "src/a.ts", text }]));
  });

  test("has nothing of a string", () => expect(pageOf(`const word = "${WORD} it";`)).toEqual([]));
});
