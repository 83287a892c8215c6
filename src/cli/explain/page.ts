/** The layout that all pages of `explain` share. */
import { type Colors, labelled, pageUrl, printable, wrap } from "../../report/index.ts";

export interface PageStyle {
  readonly colors: Colors;
  readonly width: number;
}

const LABEL = 12;
const MOST_NAME = 40;

/** The name, and what kind of thing it is. */
export function heading(name: string, what: string, { colors }: PageStyle): string[] {
  return [`${colors.bold(printable(name))}  ${colors.dim(what)}`];
}

export function prose(text: string, { width }: PageStyle): string[] {
  return wrap(text, width - 2).map((line) => `  ${line}`);
}

/** A label and its text; nothing when there is no text. */
export function row(label: string, text: string | undefined, style: PageStyle): string[] {
  return text === undefined || text === "" ? [] : labelled(label, text, LABEL, style.width);
}

export function rowOf(label: string, items: readonly string[] | undefined, style: PageStyle): string[] {
  return row(label, (items ?? []).join(", "), style);
}

/** One page a line. */
export function pages(docPaths: readonly (string | null)[], { colors }: PageStyle): string[] {
  const urls = [...new Set(docPaths.filter((path) => path !== null && path !== "").map((path) => pageUrl(String(path))))];
  return urls.map(
    (url, index) => `  ${(index === 0 ? (urls.length === 1 ? "page" : "pages") : "").padEnd(LABEL)}${colors.underline(url)}`,
  );
}

/** A list under a title; nothing when it is empty. */
export function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `  ${title}`, ...lines];
}

/** Names with a text each, in two columns; the texts wrap. A name that is too long has a line of its own. */
export function columns(rows: readonly (readonly [name: string, text: string])[], { colors, width }: PageStyle): string[] {
  const nameWidth = Math.min(MOST_NAME, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const isLong = name.length > nameWidth;
    const texts = wrap(text, Math.max(20, width - nameWidth - 6)).map((line, index) => {
      const shown = index === 0 && !isLong ? colors.cyan(name.padEnd(nameWidth)) : " ".repeat(nameWidth);
      return `    ${shown}  ${line}`.trimEnd();
    });
    return isLong ? [`    ${colors.cyan(name)}`, ...texts] : texts;
  });
}
