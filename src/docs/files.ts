/** The repository on the disk. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { SourceText } from "./decisions.ts";

export const root = fileURLToPath(new URL("../../", import.meta.url));

export const readText = (path: string): string => readFileSync(`${root}${path}`, "utf8");
export const writeText = (path: string, text: string): void => writeFileSync(`${root}${path}`, text);

/** The TypeScript sources, in alphabetical order. */
export function sources(): SourceText[] {
  return (
    readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
      // This folder speaks of the word that it looks for.
      .filter((name) => name.endsWith(".ts") && !name.startsWith("docs"))
      .map((name) => `src/${name.replaceAll("\\", "/")}`)
      .toSorted()
      .map((path) => ({ path, text: readText(path) }))
  );
}
