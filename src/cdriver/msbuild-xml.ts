/** Reads a project file as a tree of elements in their order. */
import { readFileSync } from "node:fs";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { InputError } from "./errors.ts";

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  readonly text: string;
}

const ATTRIBUTES = ":@";
const TEXT = "#text";

/** What was read, by path. */
export type ProjectFiles = Map<string, Element>;

/** The `Project` element of a `.vcxproj` or a `.props` file. */
export function readProjectFile(path: string, files: ProjectFiles): Element {
  const project = files.get(path) ?? parseProjectFile(path);
  files.set(path, project);
  return project;
}

function parseProjectFile(path: string): Element {
  let text: string;
  try {
    text = readFileSync(path, "utf8").replace(/^\ufeff/, "");
  } catch {
    throw new InputError(`${path} cannot be read. Check the path.`);
  }
  const validity = XMLValidator.validate(text);
  if (validity !== true) {
    throw new InputError(`${path}:${validity.err.line}: the project file is not well-formed XML: ${validity.err.msg}`);
  }
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: "",
    trimValues: false,
    parseTagValue: false,
    parseAttributeValue: false,
  });
  const nodes: unknown = parser.parse(text);
  const project = toElements(nodes).find((element) => element.name === "Project");
  if (project === undefined)
    throw new InputError(`${path}: there is no <Project> element; a Visual Studio project (.vcxproj) is expected.`);
  return project;
}

function toElements(nodes: unknown): Element[] {
  if (!Array.isArray(nodes)) return [];
  return (nodes as readonly Readonly<Record<string, unknown>>[]).flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES);
    if (name === undefined || name === TEXT || name.startsWith("?")) return [];
    const contents = node[name];
    const attributes = (node[ATTRIBUTES] ?? {}) as Readonly<Record<string, string>>;
    return { name, attributes, children: toElements(contents), text: textOf(contents) };
  });
}

function textOf(nodes: unknown): string {
  if (!Array.isArray(nodes)) return "";
  return (nodes as readonly Readonly<Record<string, unknown>>[]).map((node) => (TEXT in node ? String(node[TEXT]) : "")).join("");
}
