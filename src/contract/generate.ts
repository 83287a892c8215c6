/** `npm run generate`: writes structs.generated.ts beside its source. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { generatedTypes } from "./generated-types.ts";

// Run from dist/contract/; the generated file is a source.
const target = fileURLToPath(new URL("../../src/contract/structs.generated.ts", import.meta.url));
const text = generatedTypes();
if (readFileSync(target, "utf8") !== text) writeFileSync(target, text);
