/** Finds files as Windows would: without regard to case, and with either kind of slash. */
import { readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Looks up paths; what a folder contains is read once. */
export class FileFinder {
  readonly #folders = new Map<string, Map<string, { name: string; isFolder: boolean }>>();

  /** The file's real path, or undefined when there is none. `path` is absolute or relative to `folder`. */
  file(folder: string, path: string): string | undefined {
    const found = this.#find(resolve(folder, toSlashes(path)));
    return found?.isFolder === false ? found.path : undefined;
  }

  folder(folder: string, path: string): string | undefined {
    const found = this.#find(resolve(folder, toSlashes(path)));
    return found?.isFolder === true ? found.path : undefined;
  }

  /** Names of the files in the folder, in the order of the alphabet. */
  filesIn(folder: string): string[] {
    return [...this.#contents(folder).values()]
      .filter((entry) => !entry.isFolder)
      .map((entry) => entry.name)
      .sort();
  }

  foldersIn(folder: string): string[] {
    return [...this.#contents(folder).values()]
      .filter((entry) => entry.isFolder)
      .map((entry) => entry.name)
      .sort();
  }

  #find(path: string): { path: string; isFolder: boolean } | undefined {
    const parentPath = dirname(path);
    if (parentPath === path) return { path, isFolder: true };
    const name = path.slice(parentPath.endsWith("/") || parentPath.endsWith("\\") ? parentPath.length : parentPath.length + 1);
    const direct = this.#contents(parentPath).get(name.toLowerCase());
    if (direct !== undefined) return { path: resolve(parentPath, direct.name), isFolder: direct.isFolder };
    const parent = this.#find(parentPath);
    if (parent === undefined || !parent.isFolder || parent.path === parentPath) return undefined;
    const entry = this.#contents(parent.path).get(name.toLowerCase());
    return entry === undefined ? undefined : { path: resolve(parent.path, entry.name), isFolder: entry.isFolder };
  }

  #contents(folder: string): Map<string, { name: string; isFolder: boolean }> {
    let contents = this.#folders.get(folder);
    if (contents !== undefined) return contents;
    contents = new Map();
    for (const entry of listFolder(folder)) {
      contents.set(entry.name.toLowerCase(), { name: entry.name, isFolder: entry.isDirectory() });
    }
    this.#folders.set(folder, contents);
    return contents;
  }
}

export function toSlashes(path: string): string {
  return path.replaceAll("\\", "/");
}

function listFolder(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
