/** Loads a driver module: types are stripped and its imports bundled by esbuild, except this library, of which there is one. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { InputError } from "../cdriver/errors.ts";
import type { TypeScriptDriver } from "./driver.ts";

export interface LoadedTypeScript {
  readonly driver: TypeScriptDriver;
  readonly file: string;
  /** Line of the source at which a handler is declared; 1 when it is not found. */
  readonly lineOf: (handler: string) => number;
}

const LIBRARY = new URL(`../index${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url).href;

export async function loadTypeScriptDriver(path: string): Promise<LoadedTypeScript> {
  const file = resolve(path);
  const { default: driver } = (await importModule(file)) as { default?: unknown };
  if (!isDriver(driver)) {
    throw new InputError(
      `${path} has no driver: export one as default, made with defineDriver("name", (d) => ({ *DriverEntry(...) { ... } })).`,
    );
  }
  const lines = readFileSync(file, "utf8").split("\n");
  const lineOf = (handler: string): number =>
    Math.max(
      lines.findIndex((line) => new RegExp(`(^|[\\s*{,])${handler}\\s*[(:]`).test(line)),
      0,
    ) + 1;
  return { driver, file, lineOf };
}

async function importModule(file: string): Promise<unknown> {
  const { build } = await import("esbuild");
  process.setSourceMapsEnabled(true);
  const folder = await mkdtemp(join(tmpdir(), "ndislab-"));
  try {
    const { outputFiles } = await build({
      entryPoints: [file],
      bundle: true,
      write: false,
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
    return await import(pathToFileURL(output).href);
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
