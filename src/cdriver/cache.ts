/**
 * Keeps what was built, by the hash of what it was built from.
 *
 * An entry is written to a file of another name and then renamed, so that two processes may fill the same entry. Each begins with the
 * hash of the rest: one that was cut short or changed counts as absent.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HASH_BYTES = 32;

export interface Cache {
  get(key: string): Uint8Array | undefined;
  put(key: string, contents: Uint8Array): void;
  /** Why nothing could be kept; undefined while all is well. */
  readonly warning: string | undefined;
}

export const noCache: Cache = { get: () => undefined, put: () => undefined, warning: undefined };

export function openCache(folder: string): Cache {
  return new FolderCache(folder);
}

class FolderCache implements Cache {
  readonly #folder: string;
  warning: string | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get(key: string): Uint8Array | undefined {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(join(this.#folder, key));
    } catch {
      return undefined;
    }
    const contents = bytes.subarray(HASH_BYTES);
    return Buffer.compare(hash(contents), bytes.subarray(0, HASH_BYTES)) === 0 ? contents : undefined;
  }

  put(key: string, contents: Uint8Array): void {
    if (this.warning !== undefined) return;
    const temporary = join(this.#folder, `${key}.${randomBytes(6).toString("hex")}.tmp`);
    try {
      makeFolder(this.#folder);
      writeFileSync(temporary, Buffer.concat([hash(contents), contents]));
      renameSync(temporary, join(this.#folder, key));
    } catch (error) {
      removeIfThere(temporary);
      const reason = error instanceof Error ? error.message : String(error);
      this.warning = `The cache in ${this.#folder} cannot be written (${reason}); drivers are compiled again each time.`;
    }
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was never made.
  }
}

function hash(contents: Uint8Array): Buffer {
  return createHash("sha256").update(contents).digest();
}

/** A key from parts; the parts cannot run into each other. */
export function cacheKey(kind: string, parts: readonly string[]): string {
  const sum = createHash("sha256");
  for (const part of parts) sum.update(`${part.length}:${part};`);
  return `${sum.digest("hex").slice(0, 40)}.${kind}`;
}

let version: string | undefined;

/** Changes whenever a file of this folder or of those in it does: what another version built is not used. */
export function codeVersion(): string {
  if (version !== undefined) return version;
  const folder = fileURLToPath(new URL(".", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.[jt]s$/.test(name) && !name.endsWith(".d.ts") && !/(^|\/)host\./.test(name),
  );
  version = cacheKey(
    "code",
    files.sort().flatMap((name) => [name, readFileSync(join(folder, name), "latin1")]),
  );
  return version;
}

/** Level by level: where nothing can be made, as in /proc, Node's recursive form tries for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    // Another command may have made it meanwhile.
    if (!existsSync(folder)) throw error;
  }
}
