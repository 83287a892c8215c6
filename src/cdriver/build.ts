/** From C sources to a driver that can run: compile, link, instrument, make suspendable; each step only when something changed. */
import { dirname, isAbsolute, posix } from "node:path";
import { makeSuspendable } from "./asyncify.ts";
import { type Cache, cacheKey, codeVersion, noCache, openCache } from "./cache.ts";
import { FileFinder } from "./case-insensitive.ts";
import { BY_LINE_FLAGS, LINE_FLAGS } from "./compiler-flags.ts";
import { planCoverage } from "./coverage-points.ts";
import { CoverageStores } from "./coverage-stores.ts";
import { CompileError, InputError } from "./errors.ts";
import { type DriverImage, imageOf } from "./image.ts";
import { describeImage, type ImageInfo } from "./image-info.ts";
import { instrument } from "./instrument.ts";
import { packImage, unpackImage } from "./image-file.ts";
import { accessPoints } from "./access-points.ts";
import { POINT, checkExports } from "./checks/access-checks.ts";
import { type Checks, allChecks, checkFlags, checksSource, checksUnitFlags } from "./checks/flags.ts";
import { CHOOSES_NDIS, choosesNdis, mergeDefines, ndisDefines, type ProjectInput, type SourceInput } from "./project-input.ts";
import { commonFolder, HEADER_FOLDER, hashFiles, layOut, type SourceFiles, SourceTree, treePath } from "./source-tree.ts";
import { createToolchain, type CompileRequest, type Toolchain } from "./toolchain.ts";
import { readModule, type WasmModule } from "./wasm-module.ts";

/** Where a driver's data and its part of the table are. */
export interface ImageSlot {
  readonly dataBase: number;
  /** End, exclusive. */
  readonly dataLimit: number;
  readonly tableBase: number;
  readonly tableLimit: number;
}

export interface BuildOptions {
  readonly slot: ImageSlot;
  /** The library's C headers by name. */
  readonly headers: ReadonlyMap<string, string>;
  /** C source that is linked to every driver. */
  readonly runtimeSource: string;
  /** For the compiler: target, dialect, optimisation. */
  readonly flags: readonly string[];
  /** Routines that never suspend their caller. */
  readonly localImports: ReadonlySet<string>;
  readonly cacheFolder?: string | undefined;
  /** Functions to export besides `DriverEntry`, where the driver has them. */
  readonly exports?: readonly string[];
  /** The driver's number, for checks that tell drivers apart. */
  readonly slotNumber: number;
  /** Left out: all. */
  readonly checks?: Checks;
  /** Where bytes tell which of the driver's code was executed; left out: nothing is kept. */
  readonly coverage?: {
    readonly base: number;
    readonly bytes: number;
    /** Compiled without optimisation, so that each line and branch of the source has code of its own. */
    readonly isByLine: boolean;
  };
  /** Lines, such as "adapter.c:120", before whose accesses to memory a thread may be switched away; left out: none. */
  readonly points?: readonly string[];
  /** To share its processes between builds; otherwise one is made, and stopped at the end. */
  readonly toolchain?: Toolchain;
}

/** Changes whenever the same flags and files give another object. */
const OBJECT_FORMAT = "1";
const RUNTIME = "/ndislab/runtime.c";
const CHECKS = "/ndislab/checks.c";
const ENTRY = "DriverEntry";
/** What the linker makes of the code that runs before all else. */
export const CONSTRUCTORS = "__wasm_call_ctors";

const isOfSanitizer = (name: string): boolean => /^__(ndislab|asan|ubsan)_/.test(name);

interface Unit {
  readonly key: string;
  readonly request: () => CompileRequest;
}

export async function buildDriver(project: ProjectInput, options: BuildOptions): Promise<DriverImage> {
  const cache = options.cacheFolder === undefined ? noCache : openCache(options.cacheFolder);
  const toolchain = options.toolchain ?? createToolchain();
  try {
    const { root, units } = unitsOf(project, options, toolchain.version);
    const key = imageKey(project.name, units, options);
    const kept = unpackImage(cache.get(key));
    const built = kept ?? packImage(await build(project.name, units, options, toolchain, cache));
    if (kept === undefined) cache.put(key, built.packed);
    const warnings = cache.warning === undefined ? project.warnings : [...project.warnings, cache.warning];
    return imageOf(built, root, warnings);
  } finally {
    if (options.toolchain === undefined) toolchain.stop();
  }
}

async function build(
  name: string,
  units: readonly Unit[],
  options: BuildOptions,
  toolchain: Toolchain,
  cache: Cache,
): Promise<{ info: ImageInfo; wasm: Uint8Array }> {
  const objects = await compileAll(units, toolchain, cache);
  const linked = readModule(await toolchain.link({ driver: name, objects, flags: linkFlags(options) }));
  if (!linked.exports.has(ENTRY)) {
    throw new InputError(
      `${name}: none of the sources defines ${ENTRY}, where a driver begins. Name the source that does, or the project file.`,
    );
  }
  const dataSize = checkSlot(name, linked, options.slot);
  const coverage =
    options.coverage === undefined
      ? undefined
      : { plan: planCoverage(linked, options.coverage.bytes), base: options.coverage.base };
  const points = options.points === undefined || options.points.length === 0 ? undefined : accessPoints(linked, options.points);
  const instrumented = instrument(linked, name, { points, coverage: coverage && new CoverageStores(coverage) });
  const switches = (each: string): boolean =>
    each === POINT ? points !== undefined : !options.localImports.has(each) && !isOfSanitizer(each);
  const switching = linked.imports
    .filter(({ kind }) => kind === "function")
    .map((each) => each.name)
    .filter(switches);
  const { wasm, addresses } = await makeSuspendable(instrumented.wasm, instrumented.marks, switching);
  const { dataBase, tableBase } = options.slot;
  const slot = { name, dataBase, dataSize, tableBase };
  return { info: describeImage(linked, wasm, addresses, slot, coverage), wasm };
}

/** One error tells of all sources that do not compile. */
async function compileAll(units: readonly Unit[], toolchain: Toolchain, cache: Cache): Promise<Uint8Array[]> {
  const results = await Promise.allSettled(
    units.map(async (each) => {
      const kept = cache.get(each.key);
      if (kept !== undefined) return kept;
      const object = await toolchain.compile(each.request());
      cache.put(each.key, object);
      return object;
    }),
  );
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  const other = failures.find((failure) => !(failure instanceof CompileError));
  if (other !== undefined) throw other;
  if (failures.length > 0) throw new CompileError(failures.map((failure) => (failure as CompileError).text).join("\n"));
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

function linkFlags({ slot, exports = [], checks = allChecks }: BuildOptions): string[] {
  return [
    ...["--no-entry", "--allow-undefined", "--import-memory", "--import-table", "--stack-first", "-z", "muldefs"],
    ...[`--global-base=${slot.dataBase}`, `--table-base=${slot.tableBase}`],
    ...[
      "--export=__stack_pointer",
      "--export=__data_end",
      // The constructors are called by the host, and not before each function that is exported.
      ...[ENTRY, CONSTRUCTORS, ...checkExports(checks), ...exports].map((name) => `--export-if-defined=${name}`),
    ],
  ];
}

/** The size of the driver's data. */
function checkSlot(name: string, linked: WasmModule, slot: ImageSlot): number {
  const dataEnd = linked.globals[linked.exports.get("__data_end")?.index ?? -1]?.value ?? slot.dataBase;
  const dataRoom = slot.dataLimit - slot.dataBase;
  const dataSize = dataEnd - slot.dataBase;
  if (dataSize > dataRoom) {
    throw new InputError(
      `${name}: its global data takes ${dataSize} bytes; a driver has room for ${dataRoom}. Make its largest arrays smaller.`,
    );
  }
  const tableRoom = slot.tableLimit - slot.tableBase;
  const tableSize = Math.max(0, ...[...linked.table.keys()].map((index) => index + 1 - slot.tableBase));
  if (tableSize > tableRoom) {
    throw new InputError(`${name}: it takes the address of ${tableSize} functions; a driver has room for ${tableRoom}.`);
  }
  return dataSize;
}

/** Each source with what it needs; nothing is compiled yet. */
function unitsOf(project: ProjectInput, options: BuildOptions, compiler: string): { root: string; units: Unit[] } {
  const tree = new SourceTree(new FileFinder(), options.headers);
  const scanned = project.sources.map((source) => ({
    source,
    files: tree.filesOf(source),
  }));
  const root = commonFolder(
    scanned.flatMap(({ files }) => [...files.folders, ...[...files.real.keys()].map((path) => dirname(path))]),
  );
  const isNdisChosen = scanned.some(({ source, files }) => source.defines.some(choosesNdis) || files.mentions(CHOOSES_NDIS));
  const ndis = isNdisChosen || project.defaultNdis === undefined ? [] : ndisDefines(project.defaultNdis);
  const checks = options.checks ?? allChecks;
  const flags = [
    ...options.flags,
    ...LINE_FLAGS,
    ...checkFlags(checks),
    ...(options.coverage?.isByLine === true ? BY_LINE_FLAGS : []),
  ];
  const units = scanned.map(({ source, files }) =>
    unit(source, files, mergeDefines(ndis, source.defines), root, flags, compiler),
  );
  const ownFlags = [...options.flags, ...LINE_FLAGS, "-fno-builtin"];
  units.push(ownUnit(RUNTIME, options.runtimeSource, ownFlags, tree, root, compiler));
  if (checks.memory) {
    const checkUnitFlags = [...options.flags, ...LINE_FLAGS, ...checksUnitFlags(options.slotNumber)];
    units.push(ownUnit(CHECKS, checksSource(), checkUnitFlags, tree, root, compiler));
  }
  return { root, units };
}

/** A source of the library that is linked to every driver. */
function ownUnit(path: string, text: string, flags: readonly string[], tree: SourceTree, root: string, compiler: string): Unit {
  const files = tree.filesOfText(text);
  return {
    key: cacheKey("o", [OBJECT_FORMAT, compiler, text, ...flags, hashFiles(root, files)]),
    request: () => ({
      source: path,
      flags,
      includeFolders: [],
      forcedIncludes: [],
      root,
      files: new Map([...layOut(root, files), [path, text]]),
    }),
  };
}

function unit(
  source: SourceInput,
  files: SourceFiles,
  defines: readonly string[],
  root: string,
  flags: readonly string[],
  compiler: string,
): Unit {
  const request = {
    source: treePath(root, source.path),
    flags: [...flags, "-w", ...defines.map((define) => `-D${define}`), ...source.undefines.map((name) => `-U${name}`)],
    includeFolders: source.includeFolders.map((folder) => treePath(root, folder)),
    forcedIncludes: source.forcedIncludes.map((file) =>
      isAbsolute(file) ? treePath(root, file) : posix.join(HEADER_FOLDER, file.toLowerCase()),
    ),
    root,
  };
  const paths = [request.source, ...request.includeFolders, "", ...request.forcedIncludes];
  return {
    key: cacheKey("o", [OBJECT_FORMAT, compiler, ...request.flags, ...paths, hashFiles(root, files)]),
    request: () => ({ ...request, files: layOut(root, files) }),
  };
}

function imageKey(
  name: string,
  units: readonly Unit[],
  { slot, localImports, coverage, checks, exports = [], points = [] }: BuildOptions,
): string {
  return cacheKey("image", [
    codeVersion(),
    name,
    JSON.stringify({ ...slot, coverage, checks }),
    [...localImports].sort().join(" "),
    exports.join(" "),
    points.join(" "),
    ...units.map((each) => each.key),
  ]);
}
