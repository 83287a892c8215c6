/** A driver that is ready to run, and what is known about its code. */
import { posix } from "node:path";
import { type DriverCoverage, coverageOf, coverageWarnings } from "./driver-coverage.ts";
import { Declarations } from "./declarations.ts";
import { type ImageFile, unpackImage } from "./image-file.ts";
import { functionsOf } from "./image-info.ts";
import { must } from "../kernel/assert.ts";
import { DRIVER_FOLDER, HEADER_FOLDER } from "./source-tree.ts";

export interface CodeLocation {
  readonly function: string;
  /** On disk; a header of the library as `<ndislab>/ndis.h`. */
  readonly file: string;
  readonly line: number;
  /** 0 when it is not known. */
  readonly column: number;
  /** The place is in this function and not after the one that was asked for, but it may be before it. */
  readonly isApproximate: boolean;
}

/** An image as it is sent from thread to thread. */
export interface PortableImage {
  readonly packed: Uint8Array;
  readonly root: string;
  readonly warnings: readonly string[];
}

export interface DriverImage {
  readonly portable: PortableImage;
  readonly name: string;
  readonly wasm: Uint8Array;
  readonly dataBase: number;
  readonly dataSize: number;
  readonly tableBase: number;
  /** Entries of the table in use, from `tableBase` on. */
  readonly tableSize: number;
  /** The functions of `env` that the driver calls, with their types: `"ii:i"`, `j` is a 64-bit integer. */
  readonly imports: readonly { readonly name: string; readonly type: string }[];
  readonly warnings: readonly string[];
  /** The functions of the driver's own sources, with their indexes in the binary. */
  readonly functions: () => (CodeLocation & { readonly index: number })[];
  /** What its flags of coverage tell of; undefined: it was built without. */
  readonly coverage: () => DriverCoverage | undefined;
  /** Where an import is called or its address taken. */
  importSites(name: string): CodeLocation[];
  functionName(tableIndex: number): string | undefined;
  functionType(tableIndex: number): string | undefined;
  /** Where the function begins. */
  functionLocation(tableIndex: number): CodeLocation | undefined;
  /** A file as the compiler was given it, on disk. */
  fileNamed(path: string): string;
  /** The place in the source of `wasm-function[index]:offset` in a stack trace. */
  locate(functionIndex: number, offset: number): CodeLocation | undefined;
  /** The locations of a JavaScript stack trace's frames that are in this driver, innermost first. `stack` is `error.stack`. */
  locateStack(stack: string): CodeLocation[];
}

/** Library code that is part of the driver; who called it is of interest. */
function isLibrary(file: string): boolean {
  return file.startsWith("<ndislab>/") || file.startsWith("/ndislab/");
}

const FRAME = /wasm-function\[(\d+)\]:0x([0-9a-f]+)/;

/** `root` is the folder that the project's files have in common now. */
export function imageOf({ packed, info, wasm }: ImageFile, root: string, warnings: readonly string[]): DriverImage {
  const functions = functionsOf(info);
  const declarations = new Declarations();
  const fileNamed = (path: string) => {
    if (path.startsWith(`${DRIVER_FOLDER}/`)) return posix.join(root, path.slice(DRIVER_FOLDER.length));
    return path.startsWith(`${HEADER_FOLDER}/`) ? `<ndislab>${path.slice(HEADER_FOLDER.length)}` : path;
  };
  const fileName = (file: number) => fileNamed(info.files[file] ?? "");
  const start = (index: number): CodeLocation | undefined => {
    const found = functions.get(index);
    if (found === undefined) return undefined;
    const file = fileName(found.file);
    const line = declarations.lineOf(file, found.name, found.line);
    return { function: found.name, file, line, column: 0, isApproximate: true };
  };
  const locate = (index: number, offset: number): CodeLocation | undefined => {
    const found = functions.get(index);
    if (found === undefined) return undefined;
    const places = info.places();
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((places[middle]?.[0] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const place = places[low - 1];
    if (place === undefined || place[0] < found.start || offset >= found.end) return start(index);
    const [, end, file, line, column, isExact] = place;
    return { function: found.name, file: fileName(file), line, column, isApproximate: isExact === 0 || offset >= end };
  };
  const inTable = (tableIndex: number) => {
    const index = info.table[tableIndex - info.tableBase];
    return index === undefined || index < 0 ? undefined : index;
  };
  const atTable = (tableIndex: number) => functions.get(inTable(tableIndex) ?? -1);
  const ownFunctions = () =>
    [...functions.keys()].flatMap((index) => {
      const at = start(index);
      return at === undefined || at.line === 0 || isLibrary(at.file) ? [] : [{ ...at, index }];
    });
  return {
    portable: { packed, root, warnings },
    name: info.name,
    wasm,
    dataBase: info.dataBase,
    dataSize: info.dataSize,
    tableBase: info.tableBase,
    tableSize: info.table.length,
    imports: info.imports,
    warnings: [...warnings, ...coverageWarnings(info.coverage)],
    functions: ownFunctions,
    coverage: () => info.coverage && coverageOf({ ...info, coverage: info.coverage }, fileName, ownFunctions()),
    importSites: (name) =>
      info.importSites
        .filter((site) => site.name === name)
        .map(({ function: caller, file, line }) => ({
          function: caller,
          file: fileName(file),
          line,
          column: 0,
          isApproximate: false,
        })),
    functionName: (tableIndex) => atTable(tableIndex)?.name,
    functionType: (tableIndex) => atTable(tableIndex)?.type,
    functionLocation: (tableIndex) => start(inTable(tableIndex) ?? -1),
    fileNamed,
    locate,
    locateStack: (stack) =>
      stack.split("\n").flatMap((line) => {
        const [, index, offset] = FRAME.exec(line) ?? [];
        if (index === undefined || offset === undefined) return [];
        const found = locate(Number(index), Number.parseInt(offset, 16));
        return found === undefined || isLibrary(found.file) ? [] : found;
      }),
  };
}

/** The image that another thread has sent. */
export function receivedImage({ packed, root, warnings }: PortableImage): DriverImage {
  return imageOf(must(unpackImage(packed), "an image was sent that cannot be read"), root, warnings);
}
