/**
 * Which Windows a machine runs: Windows 11, version 22H2, a workstation.
 *
 * Pages: nf-wdm-rtlgetversion, nf-wdm-rtlverifyversioninfo.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "./kernel.ts";
import { local } from "./routine.ts";
import { windowsStruct } from "./windows.ts";

const Version = windowsStruct("RTL_OSVERSIONINFOW");
const VersionEx = windowsStruct("RTL_OSVERSIONINFOEXW");

const CURRENT = {
  dwMajorVersion: 10,
  dwMinorVersion: 0,
  dwBuildNumber: 22_621,
  dwPlatformId: constant("VER_PLATFORM_WIN32_NT"),
  wServicePackMajor: 0,
  wServicePackMinor: 0,
  wSuiteMask: constant("VER_SUITE_SINGLEUSERTS"),
  wProductType: constant("VER_NT_WORKSTATION"),
} as const;
type Member = keyof typeof CURRENT;

/** The bit of each member in a type mask; a condition mask has three bits for each of them, in this order. */
const MEMBERS: readonly (readonly [name: string, member: Member])[] = [
  ["VER_MINORVERSION", "dwMinorVersion"],
  ["VER_MAJORVERSION", "dwMajorVersion"],
  ["VER_BUILDNUMBER", "dwBuildNumber"],
  ["VER_PLATFORMID", "dwPlatformId"],
  ["VER_SERVICEPACKMINOR", "wServicePackMinor"],
  ["VER_SERVICEPACKMAJOR", "wServicePackMajor"],
  ["VER_SUITENAME", "wSuiteMask"],
  ["VER_PRODUCT_TYPE", "wProductType"],
];
/** Compared one after the other: only if one is equal, the next counts. */
const SEQUENCE: readonly Member[] = ["dwMajorVersion", "dwMinorVersion", "wServicePackMajor", "wServicePackMinor"];
const BITS_PER_CONDITION = 3;

function getVersion(k: Kernel, address: number): string {
  const given = VersionEx.at(k.memory, address);
  const size = given.dwOSVersionInfoSize;
  k.memory.clear(address + 4, Math.min(Math.max(size, Version.bytes), VersionEx.bytes) - 4);
  Object.assign(Version.at(k.memory, address), {
    dwMajorVersion: CURRENT.dwMajorVersion,
    dwMinorVersion: CURRENT.dwMinorVersion,
    dwBuildNumber: CURRENT.dwBuildNumber,
    dwPlatformId: CURRENT.dwPlatformId,
  });
  if (size === VersionEx.bytes) Object.assign(given, { wSuiteMask: CURRENT.wSuiteMask, wProductType: CURRENT.wProductType });
  return "STATUS_SUCCESS";
}

/** Whether the current value is related to the wanted one as the condition says. */
function holds(condition: number, current: number, wanted: number): boolean {
  switch (condition) {
    case constant("VER_EQUAL"):
      return current === wanted;
    case constant("VER_GREATER"):
      return current > wanted;
    case constant("VER_GREATER_EQUAL"):
      return current >= wanted;
    case constant("VER_LESS"):
      return current < wanted;
    case constant("VER_LESS_EQUAL"):
      return current <= wanted;
    case constant("VER_AND"):
      return (current & wanted) === wanted;
    default:
      return (current & wanted) !== 0;
  }
}

function verify(k: Kernel, address: number, mask: number, low: number, high: number): string {
  const given = VersionEx.at(k.memory, address);
  const conditions = (BigInt(high) << 32n) | BigInt(low);
  const wanted = MEMBERS.flatMap(([name, member], index) => {
    const condition = Number((conditions >> BigInt(index * BITS_PER_CONDITION)) & 7n);
    return (mask & constant(name)) === 0 ? [] : [{ member, condition }];
  });
  if (wanted.length === 0 || wanted.some(({ condition }) => condition === 0)) return "STATUS_INVALID_PARAMETER";
  const sequence = SEQUENCE.flatMap((member) => wanted.filter((each) => each.member === member));
  // The first of the versions that differs decides for those after it.
  const deciding = sequence.find(({ member }) => CURRENT[member] !== given[member]) ?? sequence.at(-1);
  const others = wanted.filter(({ member }) => !SEQUENCE.includes(member));
  const all = [...(deciding === undefined ? [] : [deciding]), ...others];
  return all.every(({ member, condition }) => holds(condition, CURRENT[member], given[member]))
    ? "STATUS_SUCCESS"
    : "STATUS_REVISION_MISMATCH";
}

export const versionRoutines = [
  local("RtlGetVersion", getVersion),
  local("RtlVerifyVersionInfo_split", (k, address, mask, low, high = 0) => verify(k, address, mask, low, high)),
];
