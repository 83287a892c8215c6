/** The C headers that drivers are compiled against: hand-written files, and the three large ones that come from the tables. */
import { type Constant, type Ddi, type Struct, constants, ddis, structs } from "../tables.ts";
import { enumerations, macros } from "./constant-text.ts";
import { derivedTypes } from "./derived-types.ts";
import { callableRoutines } from "./imports.ts";
import { interlockedVariants } from "./interlocked-variants.ts";
import { callbackTypes, prototypes } from "./prototypes.ts";
import { safeIntegersHeader } from "./safe-integers.ts";
import { salHeader } from "./sal.ts";
import { closureOf, forwardDeclarations, inOrder, structBodies, tagOf } from "./struct-text.ts";
import { handWrittenHeaders } from "./templates.ts";
import { versionHeader } from "./version-header.ts";

type Part = "wdm" | "ntddndis" | "ndis";

/** Which of the three headers a public header's content goes to. */
function partOf(file: string): Part {
  if (/^(km\/wdm|shared\/nt(def|status))\.h$/.test(file)) return "wdm";
  return file.startsWith("shared/") ? "ntddndis" : "ndis";
}

/** Headers of Windows whose content stands in one of the three. */
const FORWARDED: { readonly [target: string]: readonly string[] } = {
  "wdm.h": ["ntddk.h", "ntifs.h", "wdmsec.h", "wdmguid.h", "wmistr.h", "wmilib.h", "ntstatus.h"],
  "ntddndis.h": [
    "ifdef.h",
    "ipifcons.h",
    "netiodef.h",
    "nldef.h",
    "ndis/types.h",
    "ndis/status.h",
    "ndis/oidtypes.h",
    "ndis/hashtypes.h",
    "ndis/objectheader.h",
    "ndis/offloadtypes.h",
    "ndis/ndisport.h",
  ],
  "ndis.h": [
    "ndischimney.h",
    "ndisndk.h",
    "ndkpi.h",
    "netpnp.h",
    "netbuffer.h",
    "nbl.h",
    "ndiswdf.h",
    ...[
      "nbl",
      "nblapi",
      "nblaccessors",
      "nblinfo",
      "nblsend",
      "nblreceive",
      "nblhash",
      "nblchecksum",
      "nbllso",
      "nblrsc",
      "nbluro",
      "nbluso",
      "nbl8021q",
    ].map((name) => `ndis/${name}.h`),
    ...["nbltimestamp", "mdlapi", "poll", "monitor", "oidrequest", "encapsulationconfig"].map((name) => `ndis/${name}.h`),
  ],
};

function wordsOf(text: string): Set<string> {
  return new Set(text.match(/\b[A-Za-z_]\w*\b/g));
}

const include = (...names: readonly string[]): string => names.map((name) => `#include <${name}>`).join("\n");
const file = (comment: string, ...parts: readonly string[]): string =>
  `${[`/* ${comment} */`, "#pragma once", ...parts].join("\n")}\n`;

const constantsOf = (part: Part): readonly Constant[] => constants().filter((constant) => partOf(constant.file) === part);
const routinesOf = (part: Part): readonly Ddi[] =>
  callableRoutines().filter(({ header }) => (header === "wdm.h" ? "wdm" : "ndis") === part);

/** Structures that the hand-written types of wdm.h contain. */
const BEFORE_WDM_TYPES = ["KDEVICE_QUEUE_ENTRY"];

/** All headers, by the name under which a driver includes them ("ndis/version.h"); the same text on every call. */
export function generateHeaders(): Map<string, string> {
  const headers = handWrittenHeaders();
  headers.set("sal.h", salHeader());
  headers.set("ntintsafe.h", safeIntegersHeader());
  headers.set("intsafe.h", "#include <ntintsafe.h>\n");
  headers.set("ndis/version.h", versionHeader());
  headers.set("ndislab/interlocked-variants.h", interlockedVariants());

  const known = new Set([...wordsOf([...headers.values()].join("\n")), ...typeNames()]);
  const ordered = inOrder(structs());
  const structsOf = (part: Part): readonly Struct[] => ordered.filter((struct) => partOf(struct.file) === part);
  const early = closureOf(structsOf("wdm"), BEFORE_WDM_TYPES);
  headers.set(
    "wdm.h",
    file(
      "The kernel, as far as network drivers need it.",
      include("ntdef.h", "stdio.h"),
      macros(constantsOf("wdm")),
      enumerations(constantsOf("wdm")),
      forwardDeclarations(structsOf("wdm")),
      structBodies(early, ordered),
      include("ndislab/wdm-types.h"),
      derivedTypes(structsOf("wdm"), known),
      structBodies(
        structsOf("wdm").filter((struct) => !early.includes(struct)),
        ordered,
      ),
      prototypes(routinesOf("wdm")),
      include("ndislab/wdm-inline.h"),
    ),
  );
  headers.set(
    "ntddndis.h",
    file(
      "What NDIS shares with applications: object identifiers, status codes and their structures.",
      include("ndis/version.h", "wdm.h", "ws2def.h", "ndislab/ndis-types.h"),
      macros(constantsOf("ntddndis")),
      enumerations(constantsOf("ntddndis")),
      forwardDeclarations([...structsOf("ntddndis"), ...structsOf("ndis")]),
      derivedTypes(structsOf("ntddndis"), known),
      structBodies(structsOf("ntddndis"), ordered),
    ),
  );
  const callbacks = ddis().filter(isCallback);
  headers.set(
    "ndis.h",
    file(
      "NDIS for drivers.",
      include("ntddndis.h"),
      macros(constantsOf("ndis")),
      enumerations(constantsOf("ndis")),
      derivedTypes(structsOf("ndis"), known),
      callbackTypes(callbacks),
      structBodies(structsOf("ndis"), ordered),
      prototypes(routinesOf("ndis")),
      include("ndislab/ndis-inline.h"),
    ),
  );
  for (const [target, names] of Object.entries(FORWARDED)) {
    for (const name of names) if (!headers.has(name)) headers.set(name, `${include(target)}\n`);
  }
  return headers;
}

/** The table calls a few callback types functions. */
function isCallback({ kind, name, declaredAsMacro, legacyNdis5Only, returnType }: Ddi): boolean {
  if (legacyNdis5Only === true || returnType === null) return false;
  return (
    kind === "callback" ||
    (kind === "function" && declaredAsMacro !== true && /^[A-Z0-9_]+$/.test(name) && !name.startsWith("NET_BUFFER"))
  );
}

function typeNames(): readonly string[] {
  return [
    ...structs().flatMap((struct) => [struct.name, tagOf(struct), ...struct.aliases, ...struct.pointerTypes]),
    ...constants().flatMap(({ enum: name }) => (name === undefined ? [] : [name, `P${name}`])),
    ...ddis()
      .filter(isCallback)
      .flatMap(({ name, handlerPointerType }) => (handlerPointerType === undefined ? [name] : [name, handlerPointerType])),
  ];
}
