/** A clang and a wasm-ld that are installed on this machine: used instead of the one from npm when they can make WebAssembly. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { toSlashes } from "./case-insensitive.ts";
import { LINE_FLAGS } from "./compiler-flags.ts";
import { InputError } from "./errors.ts";

export interface NativeTools {
  readonly clang: string;
  readonly linker: string;
  readonly version: string;
}

/** `wanted`: a path of clang, `wasm` for none, or undefined for what is on PATH. */
export function findNativeTools(wanted: string | undefined, path: string | undefined): NativeTools | undefined {
  if (wanted === "wasm") return undefined;
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  const clang = wanted ?? onPath("clang", folders);
  if (clang === undefined) return undefined;
  if (!existsSync(clang))
    throw new InputError(`NDISLAB_CLANG names ${clang}, which does not exist. Unset it to use the compiler from npm.`);
  const linker = onPath("wasm-ld", [dirname(clang), ...folders]);
  if (linker !== undefined && canTargetWasm(clang, linker))
    return { clang, linker, version: `${identify(clang)} ${identify(linker)}` };
  if (wanted === undefined) return undefined;
  throw new InputError(
    `${clang} (from NDISLAB_CLANG) cannot make WebAssembly, or wasm-ld is not next to it. Unset NDISLAB_CLANG to use the compiler from npm.`,
  );
}

function onPath(name: string, folders: readonly string[]): string | undefined {
  const file = process.platform === "win32" ? `${name}.exe` : name;
  return folders.map((folder) => join(folder, file)).find((each) => existsSync(each));
}

/** Without starting it: an up-to-date run must not wait for that. */
function identify(tool: string): string {
  const real = realpathSync(tool);
  const { size, mtimeMs } = statSync(real);
  return `${real} ${size} ${mtimeMs}`;
}

const known = new Map<string, boolean>();

/** Apple's clang, for one, cannot. Flags that an old one lacks count as well. */
function canTargetWasm(clang: string, linker: string): boolean {
  const key = identify(clang) + identify(linker);
  let answer = known.get(key);
  if (answer !== undefined) return answer;
  const folder = mkdtempSync(join(tmpdir(), "ndislab-"));
  try {
    const source = join(folder, "probe.c");
    const object = join(folder, "probe.o");
    writeFileSync(source, "int probe(int *value) { return *value; }\n");
    execFileSync(clang, ["-c", "--target=wasm32", "-O1", ...LINE_FLAGS, source, "-o", object], { stdio: "ignore" });
    execFileSync(
      linker,
      ["--no-entry", "--allow-undefined", "--import-table", "--table-base=1", object, "-o", join(folder, "probe.wasm")],
      { stdio: "ignore" },
    );
    answer = true;
  } catch {
    answer = false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  known.set(key, answer);
  return answer;
}

/** Runs a tool over files in a folder of its own; gives back the file `output`. `describe` gets the folder to build a command for. */
export async function runNative(
  tool: string,
  output: string,
  describe: (folder: string) => { command: readonly string[]; files: ReadonlyMap<string, string | Uint8Array> },
  failure: (text: string, folder: string) => Error,
): Promise<Uint8Array> {
  const folder = toSlashes(mkdtempSync(join(tmpdir(), "ndislab-")));
  try {
    const { command, files } = describe(folder);
    for (const [path, contents] of files) {
      mkdirSync(dirname(folder + path), { recursive: true });
      writeFileSync(folder + path, contents);
    }
    const text = await run(tool, command.slice(1));
    if (text !== undefined) throw failure(text, folder);
    return readFileSync(join(folder, output));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What it printed when it failed. */
function run(tool: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(tool, args, { maxBuffer: 1 << 26 }, (error, _stdout, stderr) =>
      resolve(error === null ? undefined : stderr || error.message),
    );
  });
}
