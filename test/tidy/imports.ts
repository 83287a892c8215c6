/** Imports: arrows between the folders of src/ point one way, and every file is wanted by somebody. */
import { posix } from "node:path";
import { type Node, type Problem, type Source, isNode, problem, walk } from "./source.ts";

/** Each folder may import from those before it; folders on one line know nothing of each other. */
const LAYERS: readonly (readonly string[])[] = [
  ["contract"],
  ["kernel"],
  ["ndis"],
  ["cdriver", "tsdriver", "workers"],
  ["machine"],
  ["verifier"],
  ["explorer"],
  ["report"],
  ["cli"],
  ["bench", "real", "docs"],
  ["measures"],
  ["mutants"],
];

/** Types that go the other way, each with its reason. */
const TYPES_ALLOWED: readonly { readonly from: string; readonly to: string; readonly reason: string }[] = [
  { from: "verifier", to: "report", reason: "a finished check is a Report" },
  { from: "explorer", to: "report", reason: "a finished exploration is a Report" },
];

export interface Import {
  readonly node: Node;
  readonly specifier: string;
  readonly isTypeOnly: boolean;
}

export function importsOf({ program }: Source): Import[] {
  return [...walk(program)].flatMap(({ node }) => {
    const isImport = ["ImportDeclaration", "ExportNamedDeclaration", "ExportAllDeclaration", "ImportExpression"].includes(
      node.type,
    );
    const from = node["source"];
    if (!isImport || !isNode(from) || typeof from["value"] !== "string") return [];
    return [{ node, specifier: from["value"], isTypeOnly: node["importKind"] === "type" || node["exportKind"] === "type" }];
  });
}

/** "src/ndis/ports.ts" is in "ndis"; a file directly in src/ is in no folder. */
function folderOf(path: string): string | undefined {
  const [, folder, file] = path.split("/");
  return file === undefined ? undefined : folder;
}

const rank = (folder: string): number => LAYERS.findIndex((layer) => layer.includes(folder));

export function wrongArrows(source: Source): Problem[] {
  const own = folderOf(source.path);
  if (own === undefined) return [];
  if (rank(own) < 0) return [problem(source, source.program, `the folder ${own} has no place among the layers`)];
  return importsOf(source).flatMap(({ node, specifier, isTypeOnly }) => {
    if (!specifier.startsWith(".")) return [];
    const target = posix.join(posix.dirname(source.path), specifier);
    const other = folderOf(target);
    if (other === undefined) return [problem(source, node, `${own} imports ${target}, which only programs outside may`)];
    if (other === own || (rank(other) >= 0 && rank(other) < rank(own))) return [];
    if (isTypeOnly && TYPES_ALLOWED.some(({ from, to }) => from === own && to === other)) return [];
    return [problem(source, node, `${own} imports from ${other}, which does not stand before it`)];
  });
}

/** Files that a person, npm or a child process starts. */
export const ENTRY_POINTS: readonly string[] = [
  "src/index.ts",
  "src/cli/main.ts",
  "src/contract/generate.ts",
  "src/bench/main.ts",
  "src/measures/main.ts",
  "src/real/main.ts",
  "src/docs/main.ts",
  "src/mutants/main.ts",
];

/** Files that no other file names, in an import or as a relative path to start. */
export function deadFiles(sources: readonly Source[], entryPoints = ENTRY_POINTS): string[] {
  const wanted = new Set<string>(entryPoints);
  for (const source of sources) {
    for (const { node } of walk(source.program)) {
      if (node.type !== "Literal" || typeof node["value"] !== "string" || !node["value"].startsWith(".")) continue;
      const target = posix.join(posix.dirname(source.path), node["value"]).replace(/\.js$/, ".ts");
      if (target !== source.path) wanted.add(target);
    }
  }
  return sources.map(({ path }) => path).filter((path) => !wanted.has(path));
}
