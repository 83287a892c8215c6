/** What may not be in a source at all, and what may not be where a run must be the same every time. */
import { importsOf } from "./imports.ts";
import { type Node, type Problem, type Source, isNode, nameIn, problem, walk } from "./source.ts";

const inTypes = (above: readonly Node[]): boolean =>
  above.some(({ type }) => type.startsWith("TSType") || type === "TSInterfaceDeclaration");

/** No `any`, no `!`. */
export function weakTypes(source: Source): Problem[] {
  return [...walk(source.program)].flatMap(({ node }) => {
    if (node.type === "TSAnyKeyword") return [problem(source, node, "'any': say what it is, or 'unknown'")];
    if (node.type === "TSNonNullExpression")
      return [problem(source, node, "'!' at the end of an expression: handle undefined, or use must()")];
    if (node["definite"] === true) return [problem(source, node, "'!' at a declaration: give it a value")];
    return [];
  });
}

const GLOBALS: Readonly<Record<string, string>> = {
  Date: "the clock of a machine is header.clock",
  performance: "the clock of a machine is header.clock",
  setTimeout: "use a timer of the machine",
  setInterval: "use a timer of the machine",
  setImmediate: "use a thread of the machine",
  queueMicrotask: "use a thread of the machine",
  Promise: "what waits is a frame in kernel memory",
  process: "only cli/ knows the process",
  console: "emit an entry",
};

function banned(node: Node, above: readonly Node[]): string | undefined {
  const parent = above.at(-1);
  if (node.type === "Identifier" && !isPropertyName(node, parent)) {
    const name = nameIn(node) ?? "";
    if (Object.hasOwn(GLOBALS, name)) return `${name}: ${GLOBALS[name]}`;
  }
  if (node.type === "MemberExpression" && nameIn(node["object"]) === "Math" && nameIn(node["property"]) === "random") {
    return "Math.random: ask k.choose";
  }
  if (node.type === "AwaitExpression") return "await: what waits is a frame in kernel memory";
  if (node["async"] === true) return "async: what waits is a frame in kernel memory";
  if (node.type === "VariableDeclaration" && (node["kind"] === "let" || node["kind"] === "var") && isAtModuleLevel(above)) {
    return `${node["kind"]} at module level: a machine is its memory`;
  }
  if (
    (node.type === "PropertyDefinition" || node.type === "TSParameterProperty") &&
    node["readonly"] !== true &&
    node["declare"] !== true
  ) {
    return "a class field that can change: a machine is its memory";
  }
  return undefined;
}

const isAtModuleLevel = (above: readonly Node[]): boolean =>
  above.every(({ type }) => type === "Program" || type === "ExportNamedDeclaration");

/** Whether the file declares that name itself, as a variable or a parameter. */
function declares(source: Source, name: string): boolean {
  return [...walk(source.program)].some(({ node, above }) => {
    const parent = above.at(-1);
    if (node.type !== "Identifier" || nameIn(node) !== name || parent === undefined) return false;
    if (parent.type === "VariableDeclarator") return parent["id"] === node;
    if (parent.type === "Property") return above.at(-2)?.type === "ObjectPattern" && parent["value"] === node;
    if (parent.type === "AssignmentPattern") return parent["left"] === node;
    return Array.isArray(parent["params"]) && parent["params"].includes(node);
  });
}

/** `x.process` and `{ Date: 1 }` are names of ours. */
function isPropertyName(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined || parent["computed"] === true) return false;
  if (parent.type === "MemberExpression") return parent["property"] === node;
  return (
    ["Property", "PropertyDefinition", "MethodDefinition", "TSPropertySignature", "TSMethodSignature"].includes(parent.type) &&
    parent["key"] === node
  );
}

/** For the layers that must do the same in every run: no state outside a machine's memory, no clock, no chance, no waiting of JavaScript. */
export function undeterministic(source: Source): Problem[] {
  const isOwn = (node: Node): boolean => node.type === "Identifier" && declares(source, nameIn(node) ?? "");
  const found = [...walk(source.program)].flatMap(({ node, above }) => {
    const what = inTypes(above) && node.type === "Identifier" ? undefined : banned(node, above);
    return what === undefined || isOwn(node) ? [] : [problem(source, node, what)];
  });
  const imports = importsOf(source)
    .filter(({ specifier }) => specifier.startsWith("node:"))
    .map(({ node, specifier }) => problem(source, node, `${specifier}: only the outer layers know Node.js`));
  return [...found, ...imports];
}

/** In a driver in TypeScript: `d.NdisX(...)` only describes the call, `yield*` makes it. */
export function forgottenYields(source: Source): Problem[] {
  return [...walk(source.program)].flatMap(({ node, above }) => {
    const callee = node["callee"];
    if (node.type !== "CallExpression" || !isNode(callee) || callee.type !== "MemberExpression") return [];
    const name = nameIn(callee["property"]) ?? "";
    if (callee["computed"] === true || !/^[A-Z]/.test(name)) return [];
    const parent = above.at(-1);
    if (parent?.type === "YieldExpression" && parent["delegate"] === true) return [];
    return [problem(source, node, `${name} without 'yield*' is not called`)];
  });
}
