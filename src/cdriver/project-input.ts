/** What is to be compiled, from whatever kind of input. */

export interface SourceInput {
  /** Absolute. */
  readonly path: string;
  /** Absolute, in the order of search. */
  readonly includeFolders: readonly string[];
  /** As after `-D`: `NAME`, `NAME=VALUE`, `NAME(x)=VALUE`; each name once. */
  readonly defines: readonly string[];
  readonly undefines: readonly string[];
  /** Absolute, or as written when no such file was found. */
  readonly forcedIncludes: readonly string[];
  /** Names of WPP trace functions that the project declares; they do nothing. */
  readonly traceFunctions: readonly string[];
}

export interface ProjectInput {
  readonly name: string;
  readonly sources: readonly SourceInput[];
  readonly configuration: string;
  readonly platform: string;
  /** Used when neither the project nor the source says which NDIS version it is for. */
  readonly defaultNdis: NdisVersion | undefined;
  readonly warnings: readonly string[];
}

export interface NdisVersion {
  readonly major: number;
  readonly minor: number;
  readonly isMiniport: boolean;
}

/** `NDIS630=1`, and for a miniport `NDIS_MINIPORT_DRIVER` and `NDIS630_MINIPORT=1`. */
export function ndisDefines({ major, minor, isMiniport }: NdisVersion): string[] {
  const name = `NDIS${major}${minor}`;
  return isMiniport ? [`${name}=1`, "NDIS_MINIPORT_DRIVER", `${name}_MINIPORT=1`] : [`${name}=1`];
}

/** The name that a define is about. */
export function definedName(define: string): string {
  return /^[^=(]*/.exec(define)?.[0].trim() ?? define;
}

/** Later defines win; the order of the names is that of their first appearance. */
export function mergeDefines(...groups: readonly (readonly string[])[]): string[] {
  const byName = new Map<string, string>();
  for (const define of groups.flat()) byName.set(definedName(define), define);
  return [...byName.values()];
}

/** What Microsoft's tools define for every kernel-mode driver; the processor is the headers' affair. */
export function driverDefines(isDebug: boolean): string[] {
  const always = [
    "WIN32=100",
    "STD_CALL",
    "CONDITION_HANDLING=1",
    "NT_UP=0",
    "NT_INST=0",
    "_NT1X_=100",
    "WINNT=1",
    "_WIN32_WINNT=0x0A00",
    "WINVER=0x0A00",
  ];
  return isDebug ? [...always, "DBG=1"] : [...always, "DBG=0"];
}

const NDIS_NAME = /^NDIS(?:_MINIPORT_MAJOR_VERSION|[3-6]\d{1,2}(?:_MINIPORT)?)$/;
const NDIS_IN_TEXT = /^[ \t]*#[ \t]*define[ \t]+NDIS(?:_MINIPORT_MAJOR_VERSION|[3-6]\d{1,2}(?:_MINIPORT)?)\b/m;

/** Whether a define chooses the NDIS version. */
export function choosesNdis(define: string): boolean {
  return NDIS_NAME.test(definedName(define));
}

/** Whether a source's text does. */
export const CHOOSES_NDIS = NDIS_IN_TEXT;
