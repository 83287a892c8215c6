/** Compiles C sources to objects and links them: with LLVM as WebAssembly, or with a native clang. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { CompileError } from "./errors.ts";
import { findNativeTools, type NativeTools, runNative } from "./toolchain-native.ts";
import { CompilerProcess } from "./toolchain-child.ts";
import { withoutConflicts } from "./redeclarations.ts";
import { DRIVER_FOLDER, HEADER_FOLDER } from "./source-tree.ts";

export interface CompileRequest {
  /** Path in the tree. */
  readonly source: string;
  /** Text by path in the tree. */
  readonly files: ReadonlyMap<string, string>;
  /** Everything but the names of files and folders. */
  readonly flags: readonly string[];
  /** Folders of the tree, searched in this order before the library's headers. */
  readonly includeFolders: readonly string[];
  /** Files of the tree that are included before the source. */
  readonly forcedIncludes: readonly string[];
  /** The real folder that `DRIVER_FOLDER` stands for, for messages. */
  readonly root: string;
}

export interface LinkRequest {
  readonly driver: string;
  readonly objects: readonly Uint8Array[];
  readonly flags: readonly string[];
}

export interface Toolchain {
  /** Identifies the compiler and its version. */
  readonly version: string;
  compile(request: CompileRequest): Promise<Uint8Array>;
  link(request: LinkRequest): Promise<Uint8Array>;
  /** Ends the processes that it started. */
  stop(): void;
}

const OVERLAY = "/ndislab/overlay.json";

/** `NDISLAB_CLANG` names a native clang (wasm-ld is next to it or on PATH), or is `wasm` for the one from npm. */
export function createToolchain(): Toolchain {
  const native = findNativeTools(process.env["NDISLAB_CLANG"], process.env["PATH"]);
  return native === undefined ? new WasmToolchain() : new NativeToolchain(native);
}

/** A compilation in the tree `prefix`: with all its files in one overlay that ignores case. */
function compileCommand(request: CompileRequest, prefix: string): { command: string[]; files: Map<string, string> } {
  const files = new Map<string, string>();
  const roots: object[] = [];
  for (const [path, text] of request.files) {
    // The driver of the compiler looks for the source itself, without the overlay.
    const stored = path === request.source ? path : `/ndislab/files/${roots.length}`;
    files.set(stored, text);
    roots.push({ type: "file", name: prefix + path, "external-contents": prefix + stored });
  }
  files.set(OVERLAY, JSON.stringify({ version: 0, "case-sensitive": "false", "use-external-names": "false", roots }));
  const own = ["-ivfsoverlay", prefix + OVERLAY, "-fdebug-compilation-dir=/"];
  for (const folder of [...request.includeFolders, HEADER_FOLDER]) own.push("-I", prefix + folder);
  for (const file of request.forcedIncludes) own.push("-include", prefix + file);
  if (prefix !== "") own.push(`-ffile-prefix-map=${prefix}=`);
  return {
    command: ["clang", "-c", ...request.flags, ...own, "-x", "c", prefix + request.source, "-o", `${prefix}/out.o`],
    files,
  };
}

function compileError(text: string, { root }: CompileRequest, prefix: string): CompileError {
  const real = root.endsWith("/") ? root : `${root}/`;
  return new CompileError(
    text
      .replaceAll(prefix + HEADER_FOLDER, "<ndislab>")
      .replaceAll(`${prefix}${DRIVER_FOLDER}/`, real)
      .trim(),
  );
}

function linkCommand(request: LinkRequest): { command: string[]; files: Map<string, Uint8Array> } {
  const files = new Map(request.objects.map((object, index) => [`/${index}.o`, object]));
  return { command: ["wasm-ld", ...request.flags, ...files.keys(), "-o", "/out.wasm"], files };
}

/** More than this many requests in waiting start a second process: loading the compiler takes as long as several compilations. */
const QUEUE_FOR_SECOND = 4;

class WasmToolchain implements Toolchain {
  readonly version = packageVersion();
  readonly #first = new CompilerProcess();
  readonly #second = new CompilerProcess();

  async compile(request: CompileRequest): Promise<Uint8Array> {
    const { command, files } = compileCommand(request, "");
    const { output, text } = await this.#process().run({ command, files, output: "out.o" });
    if (output === undefined) {
      const tolerated = withoutConflicts(request.files, text, "");
      if (tolerated !== undefined) return this.compile({ ...request, files: tolerated });
      throw compileError(text, request, "");
    }
    return output;
  }

  async link(request: LinkRequest): Promise<Uint8Array> {
    const { output, text } = await this.#process().run({ ...linkCommand(request), output: "out.wasm" });
    if (output === undefined) throw new CompileError(`${request.driver}: linking failed.\n${text.trim()}`);
    return output;
  }

  #process(): CompilerProcess {
    const wantsSecond = this.#second.isStarted
      ? this.#second.waiting < this.#first.waiting
      : this.#first.waiting >= QUEUE_FOR_SECOND;
    return wantsSecond ? this.#second : this.#first;
  }

  stop(): void {
    this.#first.stop();
    this.#second.stop();
  }
}

class NativeToolchain implements Toolchain {
  readonly version: string;
  readonly #tools: NativeTools;

  constructor(tools: NativeTools) {
    this.#tools = tools;
    this.version = tools.version;
  }

  async compile(request: CompileRequest): Promise<Uint8Array> {
    let tolerated: ReadonlyMap<string, string> | undefined;
    const failure = (text: string, prefix: string) => {
      tolerated = withoutConflicts(request.files, text, prefix);
      return compileError(text, request, prefix);
    };
    try {
      return await runNative(this.#tools.clang, "out.o", (prefix) => compileCommand(request, prefix), failure);
    } catch (error) {
      if (tolerated === undefined) throw error;
      return this.compile({ ...request, files: tolerated });
    }
  }

  async link(request: LinkRequest): Promise<Uint8Array> {
    const inFolder = (prefix: string) => {
      const { command, files } = linkCommand(request);
      return { command: command.map((each) => (each.startsWith("/") ? prefix + each : each)), files };
    };
    return runNative(
      this.#tools.linker,
      "out.wasm",
      inFolder,
      (text) => new CompileError(`${request.driver}: linking failed.\n${text.trim()}`),
    );
  }

  stop(): void {
    // Each run of a native tool has ended by itself.
  }
}

function packageVersion(): string {
  const main = createRequire(import.meta.url).resolve("@yowasp/clang");
  const { version } = JSON.parse(readFileSync(join(dirname(main), "..", "package.json"), "utf8")) as { version: string };
  return `@yowasp/clang ${version}`;
}
