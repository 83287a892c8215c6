/** Sources as the checks see them: text and syntax tree. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

export interface Source {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly program: Node;
}

/** What a check found: the check's text says what is wrong. */
export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly what: string;
}

export const root = fileURLToPath(new URL("../..", import.meta.url));

export function parse(path: string, text: string): Source {
  return { path, text, program: parseAst(text, { lang: "ts" }) as unknown as Node };
}

/** Paths of the files in a folder and below it that match. */
export function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(`${root}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(node_modules|dist|\.git)$/.test(entry.name) ? [] : filesIn(path, pattern);
    return pattern.test(entry.name) ? [path] : [];
  });
}

export const readText = (path: string): string => readFileSync(`${root}${path}`, "utf8");

export function readSources(folder: string): Source[] {
  return filesIn(folder, /(?<!\.d)\.ts$/).map((path) => parse(path, readText(path)));
}

export function problem(source: Source, node: Node, what: string): Problem {
  return { path: source.path, line: lineOf(source.text, node.start), what };
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export const told = ({ path, line, what }: Problem): string => `${path}:${line}: ${what}`;

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" && "start" in value;
}

/** The node and all below it, each with those that it stands in, the innermost last. */
export function* walk(
  node: Node,
  above: readonly Node[] = [],
): Generator<{ readonly node: Node; readonly above: readonly Node[] }> {
  yield { node, above };
  const inside = [...above, node];
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* walk(child, inside);
    }
  }
}

/** The name of an identifier or of a property that is not computed. */
export function nameIn(value: unknown): string | undefined {
  return isNode(value) && typeof value["name"] === "string" ? value["name"] : undefined;
}
