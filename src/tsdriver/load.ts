/** Loads driver modules and scenario files: types are stripped and its imports bundled by esbuild, except this library, of which there is one. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../cdriver/errors.ts";
import type { TypeScriptDriver } from "./driver.ts";

export interface LoadedTypeScript {
  readonly driver: TypeScriptDriver;
  /** The module and what it imports, this library left out. */
  readonly files: readonly string[];
  /** Where a handler is declared; the start of the module when that is not found. */
  readonly placeOf: (handler: string) => { readonly file: string; readonly line: number };
}

const isSource = import.meta.url.endsWith(".ts");
const LIBRARY = (isSource ? new URL("../index.ts", import.meta.url) : new URL("../index.js", import.meta.url)).href;

export async function loadTypeScriptDriver(path: string): Promise<LoadedTypeScript> {
  const file = resolve(path);
  const { module, files } = await loadModule(file);
  const { default: driver } = module as { default?: unknown };
  if (!isDriver(driver)) {
    throw new InputError(
      `${path} has no driver: export one as default, made with defineDriver("name", (d) => ({ *DriverEntry(...) { ... } })).`,
    );
  }
  return { driver, files, placeOf: (handler) => declarationOf(handler, files) ?? { file, line: 1 } };
}

function declarationOf(handler: string, files: readonly string[]): { file: string; line: number } | undefined {
  const declaration = new RegExp(`(^|[\\s*{,])${handler}\\s*[(:]`);
  for (const file of files) {
    const index = readFileSync(file, "utf8")
      .split("\n")
      .findIndex((line) => declaration.test(line) && !line.includes("handler("));
    if (index >= 0) return { file, line: index + 1 };
  }
  return undefined;
}

/** A module in TypeScript or JavaScript, with the files that it consists of. */
export async function loadModule(file: string): Promise<{ module: unknown; files: string[] }> {
  const { build } = await import("esbuild");
  process.setSourceMapsEnabled(true);
  const folder = await mkdtemp(join(tmpdir(), "ndislab-"));
  try {
    const { outputFiles, metafile } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      target: "node20",
      sourcemap: "inline",
      outdir: folder,
      logLevel: "silent",
      plugins: [
        {
          name: "ndislab",
          setup: (plugin) => plugin.onResolve({ filter: /^ndislab$/ }, () => ({ path: LIBRARY, external: true })),
        },
      ],
    });
    const output = join(folder, "driver.mjs");
    await writeFile(output, outputFiles[0]?.text ?? "");
    const module: unknown = await import(pathToFileURL(output).href);
    return { module, files: [file, ...Object.keys(metafile.inputs).map((each) => resolve(each))] };
  } catch (error) {
    throw new InputError(`${file} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function isDriver(value: unknown): value is TypeScriptDriver {
  return (
    typeof value === "object" && value !== null && "create" in value && typeof value.create === "function" && "name" in value
  );
}
