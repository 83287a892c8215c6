/** The files that the text of an item means: names, wildcards, exclusions. */
import { relative, resolve } from "node:path";
import { type FileFinder, toSlashes } from "./case-insensitive.ts";

/** Names without wildcards are kept as they are, whether or not there is such a file. */
export function matchFiles(
  finder: FileFinder,
  folder: string,
  includes: readonly string[],
  excludes: readonly string[],
): string[] {
  const excluded = excludes.map((text) => patternOf(folder, text));
  return includes
    .flatMap((text) => (/[*?]/.test(text) ? search(finder, folder, toSlashes(text)) : [text]))
    .filter((name) => !excluded.some((pattern) => pattern.test(resolve(folder, toSlashes(name)))));
}

function search(finder: FileFinder, folder: string, text: string): string[] {
  const fixed = text.slice(0, text.search(/[*?]/));
  const start = resolve(folder, fixed.slice(0, fixed.lastIndexOf("/") + 1));
  const pattern = patternOf(folder, text);
  const found: string[] = [];
  const visit = (path: string) => {
    for (const name of finder.filesIn(path)) {
      if (pattern.test(resolve(path, name))) found.push(relative(folder, resolve(path, name)));
    }
    if (!text.includes("**")) return;
    for (const name of finder.foldersIn(path)) visit(resolve(path, name));
  };
  const isDeep = !text.includes("**") && text.slice(fixed.length).includes("/");
  if (isDeep) for (const name of finder.foldersIn(start)) visit(resolve(start, name));
  visit(start);
  return found;
}

function patternOf(folder: string, text: string): RegExp {
  const path = toSlashes(resolve(folder, toSlashes(text)));
  const source = path
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\//g, "\u0001")
    .replace(/\*/g, "[^/]*")
    .replace(/\?/g, "[^/]")
    .replaceAll("\u0001", "(?:.*/)?");
  return new RegExp(`^${source}$`, "i");
}
