/** From what the user names (a project file, a folder, C files) to what is to be compiled, and how. */
import { basename, dirname, extname, parse, resolve } from "node:path";
import { FileFinder } from "./case-insensitive.ts";
import { InputError } from "./errors.ts";
import { driverDefines, mergeDefines, type NdisVersion, type ProjectInput, type SourceInput } from "./project-input.ts";
import { readVcxproj } from "./vcxproj.ts";

export interface ProjectOptions {
  /** `Debug` when left out; `DBG=1` goes with it. */
  readonly configuration?: string;
  /** `x64` when left out and the project has it. */
  readonly platform?: string;
  /** `NAME`, `NAME=VALUE`, `NAME(x)=VALUE`; the project's own win. */
  readonly defines?: readonly string[];
  /** Searched after the project's own; relative to `folder`. */
  readonly includeFolders?: readonly string[];
  /** `6.30`; used when neither the project nor the source chooses. */
  readonly ndis?: string;
  /** Whether `ndis` is the version of a miniport or an intermediate driver. */
  readonly isMiniport?: boolean;
  /** What relative targets are relative to; the working folder when left out. */
  readonly folder?: string;
}

/** Throws an InputError that says what is wrong with the targets. */
export function readProject(targets: readonly string[], options: ProjectOptions = {}): ProjectInput {
  const finder = new FileFinder();
  const folder = resolve(options.folder ?? ".");
  const [first, ...others] = targets;
  if (first === undefined) throw new InputError("No driver was named. Name a .vcxproj, a folder, or C files.");
  const found = targets.map((target) => find(finder, folder, target));
  const single = found.find((each) => each.isFolder || !isSource(each.path));
  if (single !== undefined && others.length > 0) {
    throw new InputError(
      `${single.path} is a project of its own and cannot be compiled together with other targets. Name several only of .c files.`,
    );
  }
  const settings = settingsOf(options, folder);
  const [target] = found;
  if (target === undefined || (single === undefined && target !== undefined))
    return fromFiles(
      found.map((each) => each.path),
      settings,
    );
  if (!target.isFolder) return readVcxproj(target.path, settings, finder);
  return fromFolder(target.path, settings, finder);
}

export interface Settings {
  readonly configuration: string | undefined;
  readonly platform: string | undefined;
  readonly defines: readonly string[];
  readonly includeFolders: readonly string[];
  readonly defaultNdis: NdisVersion | undefined;
}

function settingsOf(options: ProjectOptions, folder: string): Settings {
  return {
    configuration: options.configuration,
    platform: options.platform,
    defines: (options.defines ?? []).map(checkDefine),
    includeFolders: (options.includeFolders ?? []).map((each) => resolve(folder, each)),
    defaultNdis: options.ndis === undefined ? undefined : parseNdis(options.ndis, options.isMiniport ?? false),
  };
}

function find(finder: FileFinder, folder: string, target: string): { path: string; isFolder: boolean } {
  const inFolder = finder.folder(folder, target);
  if (inFolder !== undefined) return { path: inFolder, isFolder: true };
  const file = finder.file(folder, target);
  if (file === undefined) throw new InputError(`${target} does not exist. Name a .vcxproj, a folder, or C files.`);
  if (isSource(file) || /\.vcxproj$/i.test(file)) return { path: file, isFolder: false };
  throw new InputError(
    `${target} is neither a .vcxproj nor a C file${extname(file) === "" ? "" : ` (${extname(file)})`}. Name a .vcxproj, a folder, or C files.`,
  );
}

export function isSource(path: string): boolean {
  return /\.c$/i.test(path);
}

function fromFolder(folder: string, settings: Settings, finder: FileFinder): ProjectInput {
  const names = finder.filesIn(folder);
  const projects = names.filter((name) => /\.vcxproj$/i.test(name));
  const [project] = projects;
  if (projects.length > 1) throw new InputError(`${folder} has several projects: ${projects.join(", ")}. Name one of them.`);
  if (project !== undefined) return readVcxproj(resolve(folder, project), settings, finder);
  const sources = names.filter(isSource).map((name) => resolve(folder, name));
  if (sources.length === 0)
    throw new InputError(`${folder} has neither a .vcxproj nor a .c file. Name the folder that has the driver's sources.`);
  return { ...fromFiles(sources, settings), name: basename(folder) };
}

function fromFiles(paths: readonly string[], settings: Settings): ProjectInput {
  const configuration = settings.configuration ?? "Debug";
  const sources = [...new Set(paths)].map(
    (path): SourceInput => ({
      path,
      includeFolders: [dirname(path), ...settings.includeFolders],
      defines: mergeDefines(driverDefines(/debug/i.test(configuration)), settings.defines),
      undefines: [],
      forcedIncludes: [],
      traceFunctions: [],
    }),
  );
  const name = parse(paths[0] ?? "driver").name;
  return { name, sources, configuration, platform: settings.platform ?? "x64", defaultNdis: settings.defaultNdis, warnings: [] };
}

function checkDefine(text: string): string {
  if (/^[A-Za-z_]\w*(?:\([^)]*\))?(?:=|$)/.test(text)) return text;
  throw new InputError(`-D ${text}: a define is NAME, NAME=VALUE or 'NAME(parameters)=VALUE'.`);
}

function parseNdis(text: string, isMiniport: boolean): NdisVersion {
  const [, major, minor] = /^([56])\.(\d{1,2})$/.exec(text) ?? [];
  if (major === undefined || minor === undefined)
    throw new InputError(`--ndis ${text}: a version of NDIS such as 6.30 is expected.`);
  return { major: Number(major), minor: Number(minor), isMiniport };
}
