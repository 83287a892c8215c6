/**
 * Evaluates a Visual Studio project as far as compiling its C sources needs: properties, then item definitions, then items, each over the
 * file with its imports in their place. What Microsoft's own imports would add is not there.
 *
 * Page: https://learn.microsoft.com/visualstudio/msbuild/comparing-properties-and-items
 */
import { dirname, parse, resolve } from "node:path";
import { type FileFinder, toSlashes } from "./case-insensitive.ts";
import { evaluateCondition } from "./msbuild-condition.ts";
import { matchFiles } from "./msbuild-files.ts";
import { type Element, type ProjectFiles, readProjectFile } from "./msbuild-xml.ts";

export interface Item {
  /** As written, after expansion. */
  readonly include: string;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Names of properties and metadata do not depend on case; these keys are in lower case. */
type Values = Map<string, string>;

/** Other items are not looked at. */
const ITEMS: ReadonlySet<string> = new Set(["clcompile", "projectreference"]);

export class MsbuildProject {
  readonly path: string;
  readonly folder: string;
  readonly warnings: string[] = [];
  readonly #finder: FileFinder;
  readonly #properties: Values;
  readonly #definitions = new Map<string, Values>();
  readonly #items = new Map<string, Item[]>();
  readonly #files: ProjectFiles;

  constructor(path: string, globals: Readonly<Record<string, string>>, finder: FileFinder, files: ProjectFiles) {
    this.#files = files;
    this.path = path;
    this.folder = dirname(path);
    this.#finder = finder;
    const name = parse(path).name;
    const folder = `${this.folder}/`;
    this.#properties = new Map(
      Object.entries({
        MSBuildProjectName: name,
        MSBuildProjectDirectory: this.folder,
        MSBuildProjectFullPath: path,
        ProjectName: name,
        ProjectDir: folder,
        TargetName: name,
        VisualStudioVersion: "17.0",
        ...globals,
      }).map(([key, value]) => [key.toLowerCase(), value]),
    );
    for (const evaluate of [this.#property, this.#definition, this.#item]) this.#walk(path, evaluate);
  }

  property(name: string): string {
    return this.#properties.get(name.toLowerCase()) ?? "";
  }

  items(type: string): readonly Item[] {
    return this.#items.get(type.toLowerCase()) ?? [];
  }

  /** An absolute path with slashes, from text in the project. */
  absolute(text: string): string {
    return resolve(this.folder, toSlashes(text.trim()));
  }

  /** Hands each child of each group to `evaluate`, in the order that MSBuild would meet them. */
  #walk(path: string, evaluate: (group: Element, element: Element) => void): void {
    const project = readProjectFile(path, this.#files);
    const outer = ["msbuildthisfiledirectory", "msbuildthisfile", "msbuildthisfilefullpath"].map(
      (name) => [name, this.property(name)] as const,
    );
    const enter = () => {
      this.#properties.set("msbuildthisfiledirectory", `${dirname(path)}/`);
      this.#properties.set("msbuildthisfile", parse(path).base);
      this.#properties.set("msbuildthisfilefullpath", path);
    };
    const visit = (elements: readonly Element[]) => {
      for (const element of elements) {
        if (element.name === "Choose") {
          const chosen = element.children.find((each) => each.name === "Otherwise" || this.#holds(each));
          visit(chosen?.children ?? []);
        } else if (element.name === "Import") {
          if (this.#holds(element)) this.#import(element, dirname(path), evaluate);
          enter();
        } else if (element.name === "ImportGroup") {
          if (this.#holds(element)) visit(element.children);
        } else if (/^(PropertyGroup|ItemDefinitionGroup|ItemGroup)$/.test(element.name) && this.#holds(element)) {
          for (const child of element.children) evaluate.call(this, element, child);
        }
      }
    };
    enter();
    visit(project.children);
    for (const [name, value] of outer) this.#properties.set(name, value);
  }

  #import(element: Element, folder: string, evaluate: (group: Element, element: Element) => void): void {
    const text = this.expand(element.attributes["Project"] ?? "");
    const path = this.#finder.file(folder, text);
    if (path !== undefined && /\.(props|targets|vcxitems)$/i.test(path)) this.#walk(path, evaluate);
  }

  #property(group: Element, element: Element): void {
    if (group.name !== "PropertyGroup" || !this.#holds(element)) return;
    this.#properties.set(element.name.toLowerCase(), this.expand(element.text).trim());
  }

  #definition(group: Element, element: Element): void {
    if (group.name !== "ItemDefinitionGroup" || !this.#holds(element)) return;
    const type = element.name.toLowerCase();
    const values = this.#definitions.get(type) ?? new Map<string, string>();
    this.#definitions.set(type, values);
    this.#readMetadata(element, values);
  }

  #item(group: Element, element: Element): void {
    if (group.name !== "ItemGroup" || !this.#holds(element)) return;
    const type = element.name.toLowerCase();
    if (!ITEMS.has(type)) return;
    const items = this.#items.get(type) ?? [];
    this.#items.set(type, items);
    const attribute = (name: string) => splitList(this.expand(element.attributes[name] ?? ""));
    for (const include of matchFiles(this.#finder, this.folder, attribute("Include"), attribute("Exclude"))) {
      const metadata: Values = new Map(this.#definitions.get(type));
      this.#readMetadata(element, metadata);
      items.push({ include, metadata });
    }
    const same = (item: Item, names: readonly string[]) =>
      names.some((name) => this.absolute(name).toLowerCase() === this.absolute(item.include).toLowerCase());
    const removed = attribute("Remove");
    const updated = attribute("Update");
    if (removed.length > 0)
      this.#items.set(
        type,
        items.filter((item) => !same(item, removed)),
      );
    for (const item of items) {
      if (updated.length > 0 && same(item, updated)) this.#readMetadata(element, item.metadata as Values);
    }
  }

  #readMetadata(element: Element, values: Values): void {
    for (const child of element.children) {
      if (this.#holds(child, values)) values.set(child.name.toLowerCase(), this.expand(child.text, values).trim());
    }
    for (const [name, value] of Object.entries(element.attributes)) {
      if (!/^(Include|Exclude|Remove|Update|Condition|Label|KeepDuplicates)$/.test(name))
        values.set(name.toLowerCase(), this.expand(value, values));
    }
  }

  #holds(element: Element, metadata?: Values): boolean {
    const condition = element.attributes["Condition"];
    if (condition === undefined || condition.trim() === "") return true;
    const answer = evaluateCondition(condition, {
      expand: (text) => this.expand(text, metadata),
      exists: (text) =>
        this.#finder.file(this.folder, text) !== undefined || this.#finder.folder(this.folder, text) !== undefined,
    });
    if (answer === undefined) {
      const warning = `${this.path}: the condition ${condition} was not understood and counts as false.`;
      if (!this.warnings.includes(warning)) this.warnings.push(warning);
    }
    return answer ?? false;
  }

  /** Replaces `$(Property)`, `%(Metadata)`, `@(Items)` and `%3B`. Functions of properties give nothing. */
  expand(text: string, metadata?: ReadonlyMap<string, string>): string {
    return text
      .replace(/\$\(\[(?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)/g, "")
      .replace(/\$\(([\w.-]+)(?:\.\w+\([^)]*\))?\)/g, (_, name: string) => this.property(name))
      .replace(/%\((?:\w+\.)?([\w-]+)\)/g, (_, name: string) => metadata?.get(name.toLowerCase()) ?? "")
      .replace(/@\(([\w-]+)\)/g, (_, type: string) =>
        this.items(type)
          .map((item) => item.include)
          .join(";"),
      )
      .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  }
}

/** The parts of a list such as `a;b; c`. */
export function splitList(text: string): string[] {
  return text
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
