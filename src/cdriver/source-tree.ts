/**
 * The files that a compilation needs, under names that do not depend on where the project lies.
 *
 * Clang is given them as one overlay that ignores case, because Windows sources spell names as they like (`<NDIS.H>`,
 * `"..\\Inc\\Public.h"`). The text of every source is searched for `#include`. Whether a directive is active is not looked at: a file too
 * many does no harm, and one that is missing is for clang to report.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, posix, relative, resolve, sep } from "node:path";
import { type FileFinder, toSlashes } from "./case-insensitive.ts";

/** Where the project's files and the library's headers are in the tree. */
export const DRIVER_FOLDER = "/driver";
export const HEADER_FOLDER = "/ndislab/include";

export interface TreeFile {
  readonly text: string;
  readonly hash: string;
}

interface Directive {
  readonly name: string;
  readonly isQuoted: boolean;
}

interface Scanned extends TreeFile {
  readonly includes: readonly Directive[];
}

const INCLUDE = /^[ \t]*#[ \t]*(?:include(?:_next)?[ \t]*|define[ \t]+\w+[ \t]+)(?:"([^"\r\n]+\.\w+)"|<([^>\r\n]+\.\w+)>)/gm;

/** Reads files and finds what they include. One serves all sources of a project. */
export class SourceTree {
  readonly #finder: FileFinder;
  readonly #headers: ReadonlyMap<string, Scanned>;
  readonly #scanned = new Map<string, Scanned>();
  readonly #readFile: (path: string) => string;

  constructor(finder: FileFinder, headers: ReadonlyMap<string, string>, readFile = readText) {
    this.#finder = finder;
    this.#headers = new Map([...headers].map(([name, text]) => [name.toLowerCase(), scan(text)]));
    this.#readFile = readFile;
  }

  /** The files that `source` may include, and itself. */
  filesOf(source: string, includeFolders: readonly string[], forced: readonly string[]): SourceFiles {
    const files = new SourceFiles();
    const visit = (path: string) => {
      if (files.real.has(path)) return;
      const file = this.#read(path);
      files.real.set(path, file);
      for (const directive of file.includes) this.#resolve(directive, dirname(path), includeFolders, files, visit);
    };
    visit(source);
    for (const name of forced) this.#resolve({ name, isQuoted: true }, dirname(source), includeFolders, files, visit);
    return files;
  }

  /** The library's headers that a text may include. */
  filesOfText(text: string): SourceFiles {
    const files = new SourceFiles();
    for (const directive of scan(text).includes) this.#header(toSlashes(directive.name), files);
    return files;
  }

  #resolve(
    directive: Directive,
    folder: string,
    includeFolders: readonly string[],
    files: SourceFiles,
    visit: (path: string) => void,
  ): void {
    const name = toSlashes(directive.name);
    for (const base of directive.isQuoted ? [folder, ...includeFolders] : includeFolders) {
      const found = this.#finder.file(base, name);
      if (found === undefined) continue;
      // A name may lead out of a folder and back in: the tree must reach up as far.
      const up = /^(?:\.\.?\/)+/.exec(name)?.[0];
      if (up !== undefined) files.folders.add(resolve(base, up));
      visit(found);
      return;
    }
    if (/\.tmh$/i.test(name)) {
      files.empty.add(resolve(folder, name));
      return;
    }
    this.#header(name, files);
  }

  #header(asked: string, files: SourceFiles): void {
    const name = asked.toLowerCase();
    const header = this.#headers.get(name);
    if (header === undefined || files.headers.has(name)) return;
    files.headers.set(name, header);
    for (const directive of header.includes) this.#header(toSlashes(directive.name), files);
  }

  #read(path: string): Scanned {
    let file = this.#scanned.get(path);
    if (file === undefined) {
      file = scan(this.#readFile(path));
      this.#scanned.set(path, file);
    }
    return file;
  }
}

/** What one source needs. */
export class SourceFiles {
  /** By real path. */
  readonly real = new Map<string, TreeFile>();
  /** Folders that names of includes pass through. */
  readonly folders = new Set<string>();
  /** Files that a tool would have made: they are empty. */
  readonly empty = new Set<string>();
  /** The library's headers, by name in lower case. */
  readonly headers = new Map<string, TreeFile>();

  /** Whether the driver's own text matches. */
  mentions(pattern: RegExp): boolean {
    return [...this.real.values()].some((file) => pattern.test(file.text));
  }
}

/** The folder that all folders have in common. */
export function commonFolder(folders: Iterable<string>): string {
  let common: string | undefined;
  for (const folder of folders) {
    common ??= folder;
    while (common !== folder && !folder.startsWith(common.endsWith(sep) ? common : common + sep)) {
      const parent = dirname(common);
      if (parent === common) break;
      common = parent;
    }
  }
  return common ?? "";
}

/** A real path's name in the tree. */
export function treePath(root: string, path: string): string {
  return posix.join(DRIVER_FOLDER, toSlashes(relative(root, path)));
}

/** The text by path in the tree. */
export function layOut(root: string, files: SourceFiles): Map<string, string> {
  const tree = new Map<string, string>();
  for (const [name, { text }] of files.headers) tree.set(posix.join(HEADER_FOLDER, name), text);
  for (const path of files.empty) tree.set(treePath(root, path), "");
  for (const [path, { text }] of files.real) tree.set(treePath(root, path), text);
  return tree;
}

/** Identifies what `layOut` gives. */
export function hashFiles(root: string, files: SourceFiles): string {
  const lines = [
    ...[...files.empty].map((path) => `empty ${treePath(root, path)}`),
    ...[...files.real].map(([path, { hash }]) => `file ${treePath(root, path)} ${hash}`),
    ...[...files.headers].map(([name, { hash }]) => `header ${name} ${hash}`),
  ];
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

function scan(text: string): Scanned {
  const includes: Directive[] = [];
  for (const [, quoted, angled] of text.matchAll(INCLUDE)) {
    const name = quoted ?? angled;
    if (name !== undefined) includes.push({ name, isQuoted: quoted !== undefined });
  }
  return { text, hash: createHash("sha256").update(text).digest("hex"), includes };
}

/** Sources of Windows drivers are in UTF-8, in UTF-16 with a mark, or in some code page that matters in comments only. */
function readText(path: string): string {
  const bytes = readFileSync(path);
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString("utf16le", 2);
  const text = bytes.toString("utf8");
  return (text.includes("\ufffd") ? bytes.toString("latin1") : text).replace(/^\ufeff/, "");
}
