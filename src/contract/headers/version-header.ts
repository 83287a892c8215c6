/**
 * ndis/version.h: which NDIS version the driver asks for. Every header includes it first, so that the order in which a driver includes its
 * headers cannot matter.
 */
import { minorOf, supportMacro } from "./guards.ts";

/** Oldest first. */
export const NDIS_VERSIONS = [
  "6.0",
  "6.1",
  "6.20",
  "6.30",
  "6.40",
  "6.50",
  "6.51",
  "6.60",
  "6.70",
  "6.80",
  "6.81",
  "6.82",
  "6.83",
  "6.84",
  "6.85",
  "6.86",
  "6.87",
] as const;

/** "6.30" -> "NDIS630": what a project defines. */
export const projectMacro = (version: string): string => `NDIS${version.replace(".", "")}`;

function newestDefined(result: string, suffix: string): string {
  const newestFirst = NDIS_VERSIONS.toReversed();
  const branches = newestFirst.map(
    (version, index) =>
      `#${index === 0 ? "if" : "elif"} defined(${projectMacro(version)}${suffix})\n#define ${result} ${minorOf(version)}`,
  );
  return `${branches.join("\n")}\n#endif`;
}

function kindVersions(kind: string, minor: string): string {
  return ["", "_MINIMUM"]
    .map(
      (which) => `#ifndef NDIS_${kind}${which}_MAJOR_VERSION
#define NDIS_${kind}${which}_MAJOR_VERSION 6
#endif
#ifndef NDIS_${kind}${which}_MINOR_VERSION
#define NDIS_${kind}${which}_MINOR_VERSION ${minor}
#endif`,
    )
    .join("\n");
}

export function versionHeader(): string {
  const newest = minorOf(NDIS_VERSIONS.at(-1) ?? "6.0");
  const support = NDIS_VERSIONS.map(
    (version) => `#if NDISLAB_NDIS_MINOR >= ${minorOf(version)}
#define ${supportMacro(version)} 1
#else
#define ${supportMacro(version)} 0
#endif`,
  );
  return `/* The NDIS version that the driver asks for, and what follows from it. */
#pragma once

/* NDIS630 speaks for a protocol or filter, NDIS630_MINIPORT for a miniport; the newest of several counts. */
${newestDefined("NDISLAB_DRIVER_MINOR", "")}
${newestDefined("NDISLAB_MINIPORT_MINOR", "_MINIPORT")}
#if !defined(NDISLAB_MINIPORT_MINOR) && defined(NDIS_MINIPORT_MAJOR_VERSION) && defined(NDIS_MINIPORT_MINOR_VERSION)
#define NDISLAB_MINIPORT_MINOR NDIS_MINIPORT_MINOR_VERSION
#endif
#if !defined(NDISLAB_DRIVER_MINOR) && defined(NDIS_PROTOCOL_MAJOR_VERSION) && defined(NDIS_PROTOCOL_MINOR_VERSION)
#define NDISLAB_DRIVER_MINOR NDIS_PROTOCOL_MINOR_VERSION
#elif !defined(NDISLAB_DRIVER_MINOR) && defined(NDIS_FILTER_MAJOR_VERSION) && defined(NDIS_FILTER_MINOR_VERSION)
#define NDISLAB_DRIVER_MINOR NDIS_FILTER_MINOR_VERSION
#endif

/* A driver that asks for nothing gets everything. */
#if !defined(NDISLAB_DRIVER_MINOR) && !defined(NDISLAB_MINIPORT_MINOR)
#define NDISLAB_DRIVER_MINOR ${newest}
#endif
#if defined(NDIS_MINIPORT_DRIVER) && !defined(NDISLAB_MINIPORT_MINOR)
#define NDISLAB_MINIPORT_MINOR NDISLAB_DRIVER_MINOR
#endif
#if !defined(NDISLAB_MINIPORT_MINOR)
#define NDISLAB_NDIS_MINOR NDISLAB_DRIVER_MINOR
#elif !defined(NDISLAB_DRIVER_MINOR)
#define NDISLAB_NDIS_MINOR NDISLAB_MINIPORT_MINOR
#elif NDISLAB_DRIVER_MINOR > NDISLAB_MINIPORT_MINOR
#define NDISLAB_NDIS_MINOR NDISLAB_DRIVER_MINOR
#else
#define NDISLAB_NDIS_MINOR NDISLAB_MINIPORT_MINOR
#endif

${support.join("\n")}

#ifdef NDISLAB_MINIPORT_MINOR
${kindVersions("MINIPORT", "NDISLAB_MINIPORT_MINOR")}
#endif
#ifdef NDISLAB_DRIVER_MINOR
${kindVersions("PROTOCOL", "NDISLAB_DRIVER_MINOR")}
${kindVersions("FILTER", "NDISLAB_DRIVER_MINOR")}
#endif

#if NDISLAB_NDIS_MINOR <= 1
#define NDIS_SUPPORT_60_COMPATIBLE_API 1
#else
#define NDIS_SUPPORT_60_COMPATIBLE_API 0
#endif
#ifndef NDIS_WDM
#define NDIS_WDM 0
#endif
#ifndef BINARY_COMPATIBLE
#define BINARY_COMPATIBLE 0
#endif
#define NDIS_LEGACY_MINIPORT 0
#define NDIS_LEGACY_PROTOCOL 0
#define NDIS_LEGACY_DRIVER 0
#define NDIS_MIN_API 0x400
`;
}
