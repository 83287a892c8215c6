/** docs/decisions.md: what we chose where the documentation is silent or contradicts itself, from the `Undocumented:` comments of the sources. */
import { groupBy } from "../report/index.ts";

export interface SourceText {
  /** From the root of the repository. */
  readonly path: string;
  readonly text: string;
}

interface Decision {
  readonly path: string;
  readonly text: string;
}

const MARK = `Undocumented${":"}`;
/** What a line of a comment begins with. */
const COMMENT = /^\s*(?:\/\/|\/\*\*|\*\/|\*)\s?/;

const isComment = (line: string): boolean => /^\s*(?:\/\/|\/?\*)/.test(line);
const withoutFrame = (line: string): string =>
  line
    .replace(COMMENT, "")
    .replace(/\*\/\s*$/, "")
    .trim();
const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The comment from the word on: to the end of its paragraph, or to the next one of its kind. */
function decisionsOf({ path, text }: SourceText): Decision[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const at = line.indexOf(MARK);
    if (at < 0 || !/(?:\/\/|\*)/.test(line.slice(0, at))) return [];
    const words = [
      line
        .slice(at + MARK.length)
        .replace(/\*\/\s*$/, "")
        .trim(),
    ];
    if (!line.includes("*/")) {
      for (const next of lines.slice(index + 1)) {
        if (!isComment(next) || next.includes(MARK) || withoutFrame(next) === "") break;
        words.push(withoutFrame(next));
        if (next.includes("*/")) break;
      }
    }
    return [{ path, text: capitalised(words.join(" ")) }];
  });
}

export function decisionsPage(sources: readonly SourceText[]): string {
  const decisions = sources.flatMap(decisionsOf);
  const byFile = groupBy(decisions, ({ path }) => path);
  return [
    "# Decisions",
    "",
    "What ndislab does where Microsoft's documentation is silent or contradicts itself: every comment of the sources that begins with",
    "`Undocumented:`. Written by `npm run docs`.",
    "",
    ...[...byFile].flatMap(([path, ofFile]) => [
      // No lines: they would change with every edit above, and the page with them.
      `## [${path}](../${path})`,
      "",
      ...ofFile.map(({ text }) => `- ${text}`),
      "",
    ]),
    `${decisions.length} decisions.`,
    "",
  ].join("\n");
}
