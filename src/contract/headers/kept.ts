/** The headers that the build has kept beside this module: to generate them takes a tenth of a second. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generateHeaders } from "./index.ts";

const file = fileURLToPath(new URL("./kept.json", import.meta.url));

/** As `generateHeaders` makes them; that is who makes them where nothing was built. */
export function libraryHeaders(): ReadonlyMap<string, string> {
  if (!existsSync(file)) return generateHeaders();
  return new Map(JSON.parse(readFileSync(file, "utf8")) as readonly (readonly [name: string, text: string])[]);
}
