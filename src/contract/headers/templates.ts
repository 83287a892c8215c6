/** The hand-written headers, by the name under which a driver includes them. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("./c", import.meta.url));

function filesIn(folder: string): string[] {
  return readdirSync(`${root}/${folder}`, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesIn(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]));
}

let texts: ReadonlyMap<string, string> | undefined;

/** A map of the caller's own; the files are read once. */
export function handWrittenHeaders(): Map<string, string> {
  texts ??= new Map(filesIn("").map((name) => [name, readFileSync(`${root}/${name}`, "utf8")]));
  return new Map(texts);
}

/** Names that the hand-written headers define, as a macro or an inline function: these are no imports. */
export function handWrittenNames(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const text of handWrittenHeaders().values()) {
    for (const [, name] of text.matchAll(/^\s*#\s*define\s+(\w+)/gm)) if (name !== undefined) names.add(name);
    for (const [, name] of text.matchAll(/^(?:NDISLAB_INLINE|static)\b[^({;]*?\b(\w+)\(/gm))
      if (name !== undefined) names.add(name);
  }
  return names;
}

/** The C functions that every driver module is linked with; compiled like a source of the driver. */
export function runtimeSource(): string {
  return readFileSync(fileURLToPath(new URL("./runtime.c", import.meta.url)), "utf8");
}
