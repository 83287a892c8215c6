/** Checks that look at the text only. */
import { type Problem, lineOf } from "./source.ts";

interface Text {
  readonly path: string;
  readonly text: string;
}

const LONGEST_FILE = 300;
const LONGEST_LINE = 150;

export function tooLong({ path, text }: Text): Problem[] {
  const lines = text.trimEnd().split("\n");
  const file =
    lines.length > LONGEST_FILE ? [{ path, line: lines.length, what: `${lines.length} lines: look for the seam` }] : [];
  const wide = lines.flatMap((line, index) =>
    line.length > LONGEST_LINE ? [{ path, line: index + 1, what: `${line.length} columns, at most ${LONGEST_LINE}` }] : [],
  );
  return [...file, ...wide];
}

function matches({ path, text }: Text, pattern: RegExp, what: (match: RegExpExecArray) => string | undefined): Problem[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const found = what(match);
    return found === undefined ? [] : [{ path, line: lineOf(text, match.index), what: found }];
  });
}

export function leftOver(text: Text): Problem[] {
  return matches(text, /\b(TODO|FIXME|XXX|HACK)\b/g, ([word]) => `${word}: do it, or say as a limit that it is not done`);
}

/** `Undocumented:` starts the comment on a guess of ours: it says what was chosen. */
export function emptyGuesses(text: Text): Problem[] {
  return matches(text, /Undocumented:([^\n]*(?:\n\s*(?:\/\/|\*)[^\n]*)?)/g, ([, rest = ""]) =>
    rest.replace(/[\s/*]+/g, " ").trim().length < 20 ? "Undocumented: without what was chosen and why" : undefined,
  );
}

/** Paths of somebody's own machine. */
export function homePaths(text: Text): Problem[] {
  const pattern = /(?<![\w.$:)}/*-])\/(?:home|Users|root|work)\/[\w.-]+|[A-Za-z]:\\+Users\\+\w+/g;
  return matches(text, pattern, ([path]) => `${path} is a path of one machine`);
}
