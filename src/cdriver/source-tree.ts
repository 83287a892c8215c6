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
import type { SourceInput } from "./project-input.ts";
import { traceFunctionsIn, traceHeader } from "./trace-functions.ts";

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

/** The library's headers by name in lower case; each is scanned when it is first asked for. */
class LibraryHeaders {
  readonly #texts: ReadonlyMap<string, string>;
  readonly #scanned = new Map<string, Scanned>();
  readonly #closures = new Map<string, readonly string[]>();

  constructor(headers: ReadonlyMap<string, string>) {
    this.#texts = new Map([...headers].map(([name, text]) => [name.toLowerCase(), text]));
  }

  /** The header of that name and all that it includes. `folder` is that of the header that asks. */
  closure(asked: string, folder = ""): readonly string[] {
    const name = this.#find(asked, folder);
    if (name === undefined) return [];
    let closure = this.#closures.get(name);
    if (closure === undefined) {
      const found = new Set<string>();
      this.#visit(name, found);
      closure = [...found];
      this.#closures.set(name, closure);
    }
    return closure;
  }

  get(name: string): Scanned {
    let scanned = this.#scanned.get(name);
    if (scanned === undefined) {
      scanned = scan(this.#texts.get(name) ?? "");
      this.#scanned.set(name, scanned);
    }
    return scanned;
  }

  #visit(name: string, found: Set<string>): void {
    if (found.has(name)) return;
    found.add(name);
    for (const directive of this.get(name).includes) {
      const next = this.#find(toSlashes(directive.name), posix.dirname(name));
      if (next !== undefined) this.#visit(next, found);
    }
  }

  #find(asked: string, folder: string): string | undefined {
    return [posix.join(folder, asked), posix.normalize(asked)]
      .map((name) => name.toLowerCase())
      .find((name) => this.#texts.has(name));
  }
}

const scannedHeaders = new WeakMap<ReadonlyMap<string, string>, LibraryHeaders>();

/** Reads files and finds what they include. One serves all sources of a project. */
export class SourceTree {
  readonly #finder: FileFinder;
  readonly #headers: LibraryHeaders;
  readonly #scanned = new Map<string, Scanned>();
  readonly #readFile: (path: string) => string;

  constructor(finder: FileFinder, headers: ReadonlyMap<string, string>, readFile = readText) {
    this.#finder = finder;
    this.#headers = scannedHeaders.get(headers) ?? new LibraryHeaders(headers);
    scannedHeaders.set(headers, this.#headers);
    this.#readFile = readFile;
  }

  /** The files that `source` may include, and itself. */
  filesOf({ path: source, includeFolders, forcedIncludes, traceFunctions }: SourceInput): SourceFiles {
    const files = new SourceFiles(traceFunctions);
    const visit = (path: string) => {
      if (files.real.has(path)) return;
      const file = this.#read(path);
      files.real.set(path, file);
      for (const directive of file.includes) this.#resolve(directive, dirname(path), includeFolders, files, visit);
    };
    visit(source);
    for (const name of forcedIncludes) this.#resolve({ name, isQuoted: true }, dirname(source), includeFolders, files, visit);
    return files;
  }

  /** The library's headers that a text may include. */
  filesOfText(text: string): SourceFiles {
    const files = new SourceFiles();
    for (const directive of scan(text).includes) this.#header(toSlashes(directive.name), files);
    return files;
  }

  /** What an include means, from that folder: the same for all sources. */
  readonly #found = new Map<string, string | undefined>();

  #find(base: string, name: string): string | undefined {
    const key = `${base}\n${name}`;
    if (!this.#found.has(key)) this.#found.set(key, this.#finder.file(base, name));
    return this.#found.get(key);
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
      const found = this.#find(base, name);
      if (found === undefined) continue;
      // A name may lead out of a folder and back in: the tree must reach up as far.
      const up = /^(?:\.\.?\/)+/.exec(name)?.[0];
      if (up !== undefined) files.folders.add(resolve(base, up));
      visit(found);
      return;
    }
    if (/\.tmh$/i.test(name)) {
      files.traceHeaders.add(resolve(folder, name));
      return;
    }
    this.#header(name, files);
  }

  #header(asked: string, files: SourceFiles): void {
    for (const name of this.#headers.closure(asked)) files.headers.set(name, this.#headers.get(name));
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
  /** The `.tmh` files that sources ask for. */
  readonly traceHeaders = new Set<string>();
  /** Trace functions that are declared outside the text. */
  readonly traceFunctions: readonly string[];
  /** The library's headers, by name in lower case. */
  readonly headers = new Map<string, TreeFile>();

  constructor(traceFunctions: readonly string[] = []) {
    this.traceFunctions = traceFunctions;
  }

  /** The text of the `.tmh` files: one for all of them. */
  traceText(): string {
    return traceHeader([...this.traceFunctions, ...[...this.real.values()].flatMap((file) => traceFunctionsIn(file.text))]);
  }

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
  for (const path of files.traceHeaders) tree.set(treePath(root, path), files.traceText());
  for (const [path, { text }] of files.real) tree.set(treePath(root, path), text);
  return tree;
}

/** Identifies what `layOut` gives. */
export function hashFiles(root: string, files: SourceFiles): string {
  const lines = [
    ...[...files.traceHeaders].map((path) => `trace ${treePath(root, path)} ${files.traceFunctions.join(" ")}`),
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
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return emitted(bytes.toString("utf16le", 2));
  const text = bytes.toString("utf8");
  return emitted((text.includes("\ufffd") ? bytes.toString("latin1") : text).replace(/^\ufeff/, ""));
}

const EXTERN_INLINE = /\bextern(?=\s+(?:FORCEINLINE|CFORCEINLINE|__forceinline|_*inline)\b)/g;

/**
 * Microsoft's compiler makes code of an inline function whether it is `extern` or not; clang, as these drivers are compiled, of one that is not.
 * Columns stay as they are.
 */
const emitted = (text: string): string => text.replace(EXTERN_INLINE, (word) => " ".repeat(word.length));
