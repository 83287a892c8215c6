/** `npm run docs`: writes docs/decisions.md, and docs/coverage.md from what `npm run mutants` found last. */
import { coverage, rules } from "../contract/index.ts";
import { coveragePage } from "./coverage.ts";
import { decisionsPage } from "./decisions.ts";
import { sources, writeText } from "./files.ts";

writeText("docs/decisions.md", decisionsPage(sources()));
writeText("docs/coverage.md", coveragePage(rules(), coverage()));
