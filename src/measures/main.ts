/**
 * `npm run measures`: what the explorer achieves on programs whose bugs are known. `classics`, `seeded` and `unbind` name one of the measures; other
 * names, only those programs or drivers. `--quick` is a sample that takes minutes. It ends with 1 if a bug is missed, a right program accused, or a
 * replay is another run.
 */
import { Builder } from "../machine/build.ts";
import { classicNames } from "./classic.ts";
import { measureClassics } from "./classics-table.ts";
import { measureSeeded } from "./seeded-table.ts";
import { measureUnbind } from "./unbind.ts";

const words = process.argv.slice(2);
const isQuick = words.includes("--quick");
const names = words.filter((word) => !word.startsWith("--"));
const MEASURES: readonly string[] = ["classics", "seeded", "unbind"];
const only = new Set(names.filter((word) => !MEASURES.includes(word)));
const wants = (measure: string, isKnown: (name: string) => boolean): boolean =>
  names.length === 0 || names.includes(measure) || (only.size > 0 && [...only].some(isKnown));

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const builder = new Builder();
const problems: string[] = [];
const isClassic = (name: string): boolean => classicNames().includes(name);
if (wants("classics", isClassic)) problems.push(...(await measureClassics(builder, only, isQuick, print)));
if (wants("seeded", (name) => !isClassic(name))) problems.push(...(await measureSeeded(builder, only, isQuick, print)));
if (wants("unbind", () => false)) problems.push(...(await measureUnbind(builder, print, isQuick)));
builder.stop();
for (const problem of problems) print(problem);
if (problems.length > 0) process.exitCode = 1;
