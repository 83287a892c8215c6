/** A Visual Studio project as input: the C sources of one configuration, with those of the libraries it refers to. */
import { readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { type FileFinder, toSlashes } from "./case-insensitive.ts";
import { InputError } from "./errors.ts";
import { type Item, MsbuildProject, splitList } from "./msbuild.ts";
import { type ProjectFiles, readProjectFile } from "./msbuild-xml.ts";
import type { Settings } from "./project.ts";
import { driverDefines, mergeDefines, type ProjectInput, type SourceInput } from "./project-input.ts";
import { traceFunctionName, traceFunctionsIn } from "./trace-functions.ts";

const DEFAULT_CONFIGURATION = "Debug";
const DEFAULT_PLATFORMS = ["x64", "Win32", "ARM64"];

export function readVcxproj(path: string, settings: Settings, finder: FileFinder): ProjectInput {
  const files: ProjectFiles = new Map();
  const { configuration, platform } = chooseConfiguration(path, settings, files);
  const warnings: string[] = [];
  const missing: string[] = [];
  const seen = new Set<string>();
  const solution = solutionFolder(path, finder);
  const read = (projectPath: string): { project: MsbuildProject; sources: SourceInput[] } => {
    seen.add(projectPath);
    const globals = { Configuration: configuration, Platform: platform, SolutionDir: `${solution}/` };
    const project = new MsbuildProject(projectPath, globals, finder, files);
    const sources = sourcesOf(project, settings, finder, warnings, missing);
    for (const { include } of project.items("ProjectReference")) {
      const reference = finder.file(project.folder, include);
      if (reference === undefined || seen.has(reference)) continue;
      const library = read(reference);
      if (isLibrary(library.project)) sources.push(...library.sources);
    }
    warnings.push(...project.warnings);
    return { project, sources };
  };
  const { project, sources } = read(path);
  if (missing.length > 0) {
    throw new InputError(
      `${path} names sources that do not exist:\n${missing.map((each) => `  ${each}`).join("\n")}\nRestore them, or correct the project.`,
    );
  }
  if (sources.length === 0)
    throw new InputError(`${path} has no C sources (<ClCompile Include="...">) for ${configuration}|${platform}.`);
  const name = project.property("TargetName");
  return { name, sources: unique(sources), configuration, platform, defaultNdis: settings.defaultNdis, warnings };
}

/** A project that a driver links, and not another program that is only built before it. */
function isLibrary(project: MsbuildProject): boolean {
  return /^StaticLibrary$/i.test(project.property("ConfigurationType")) || /lib$/i.test(project.property("UndockedType"));
}

function sourcesOf(
  project: MsbuildProject,
  settings: Settings,
  finder: FileFinder,
  warnings: string[],
  missing: string[],
): SourceInput[] {
  const isDebug = isDebugBuild(project);
  return project.items("ClCompile").flatMap((item): SourceInput[] => {
    if (/^true$/i.test(item.metadata.get("excludedfrombuild") ?? "")) return [];
    const path = finder.file(project.folder, item.include);
    if (path === undefined) {
      missing.push(project.absolute(item.include));
      return [];
    }
    if (extname(path).toLowerCase() !== ".c") {
      warnings.push(`${path} is left out: ndislab compiles C only.`);
      return [];
    }
    return [sourceOf(project, item, path, settings, isDebug, finder)];
  });
}

function sourceOf(
  project: MsbuildProject,
  item: Item,
  path: string,
  settings: Settings,
  isDebug: boolean,
  finder: FileFinder,
): SourceInput {
  const list = (name: string) => splitList(item.metadata.get(name.toLowerCase()) ?? "");
  const options = commandLineOptions(item.metadata.get("additionaloptions") ?? "");
  const folders = [...list("AdditionalIncludeDirectories"), ...options.includes].map(
    (each) => finder.folder(project.folder, each) ?? project.absolute(each),
  );
  return {
    path,
    includeFolders: [...new Set([...folders, ...settings.includeFolders])],
    defines: mergeDefines(
      driverDefines(isDebug),
      settings.defines,
      list("PreprocessorDefinitions").map(unquote),
      options.defines,
    ),
    undefines: [...list("UndefinePreprocessorDefinitions"), ...options.undefines],
    forcedIncludes: [...list("ForcedIncludeFiles"), ...options.forced].map((each) => {
      const places = [project.folder, dirname(path), ...folders, ...settings.includeFolders];
      return places.map((place) => finder.file(place, each)).find((found) => found !== undefined) ?? toSlashes(each);
    }),
    traceFunctions: [...list("WppTraceFunction").map(traceFunctionName), ...configuredTraceFunctions(project, item, finder)],
  };
}

function configuredTraceFunctions(project: MsbuildProject, item: Item, finder: FileFinder): string[] {
  const file = item.metadata.get("wppscanconfigurationdata");
  const path = file === undefined || file === "" ? undefined : finder.file(project.folder, file);
  return path === undefined ? [] : traceFunctionsIn(readFileSync(path, "utf8"));
}

function isDebugBuild(project: MsbuildProject): boolean {
  const wanted = project.property("UseDebugLibraries");
  return wanted === "" ? /debug/i.test(project.property("Configuration")) : /^true$/i.test(wanted);
}

/** `/DNAME=VALUE`, `/D NAME`, `/I`, `/U`, `/FI`, with `/` or `-`. */
function commandLineOptions(text: string) {
  const found = { defines: [] as string[], undefines: [] as string[], includes: [] as string[], forced: [] as string[] };
  for (const [, option, quoted, plain] of text.matchAll(/(?:^|\s)[/-](D|U|I|FI)\s*(?:"([^"]*)"|(\S+))/g)) {
    const value = quoted ?? plain ?? "";
    if (option === "D") found.defines.push(unquote(value));
    else if (option === "U") found.undefines.push(value);
    else if (option === "I") found.includes.push(value);
    else found.forced.push(value);
  }
  return found;
}

function unquote(text: string): string {
  return text.replaceAll('\\"', '"');
}

/** The wanted configuration and platform, or what the project has in their place. */
function chooseConfiguration(path: string, settings: Settings, files: ProjectFiles): { configuration: string; platform: string } {
  const offered = readProjectFile(path, files)
    .children.filter((group) => group.name === "ItemGroup")
    .flatMap((group) => group.children.filter((item) => item.name === "ProjectConfiguration"))
    .map((item) => {
      const [configuration = "", platform = ""] = (item.attributes["Include"] ?? "").split("|");
      return { configuration, platform };
    });
  const same = (a: string, b: string | undefined) => b === undefined || a.toLowerCase() === b.toLowerCase();
  const fitting = offered.filter(
    (each) => same(each.configuration, settings.configuration) && same(each.platform, settings.platform),
  );
  const [first] = fitting;
  if (offered.length === 0) {
    return { configuration: settings.configuration ?? DEFAULT_CONFIGURATION, platform: settings.platform ?? "x64" };
  }
  if (first === undefined) {
    const names = offered.map((each) => `${each.configuration}|${each.platform}`).join(", ");
    throw new InputError(
      `${path} has no configuration ${settings.configuration ?? "*"}|${settings.platform ?? "*"}. It has: ${names}.`,
    );
  }
  const debug = fitting.filter((each) => same(each.configuration, DEFAULT_CONFIGURATION));
  const candidates = debug.length > 0 ? debug : fitting;
  for (const platform of DEFAULT_PLATFORMS) {
    const found = candidates.find((each) => same(each.platform, platform));
    if (found !== undefined) return found;
  }
  return candidates[0] ?? first;
}

/**
 * The project does not say where its solution is. The nearest folder above with a .sln has it; without one, the nearest in which most of
 * what the project looks for in the solution's folder exists.
 */
function solutionFolder(path: string, finder: FileFinder): string {
  const wanted = [...readFileSync(path, "utf8").matchAll(/\$\(SolutionDir\)([^;<"'$)]+)/gi)].map(([, rest]) =>
    (rest ?? "").trim(),
  );
  let best = dirname(path);
  let bestCount = 0;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (finder.filesIn(folder).some((name) => /\.slnx?$/i.test(name))) return folder;
    const count = wanted.filter(
      (each) => finder.file(folder, each) !== undefined || finder.folder(folder, each) !== undefined,
    ).length;
    if (count > bestCount) {
      best = folder;
      bestCount = count;
    }
    if (resolve(folder, "..") === folder) return best;
  }
}

/** One unit for each source; the last mention counts. */
function unique(sources: readonly SourceInput[]): SourceInput[] {
  return [...new Map(sources.map((source) => [source.path, source])).values()];
}
