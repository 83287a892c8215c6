import { describe, expect, test } from "vitest";
import { structs } from "../../src/contract/index.ts";
import { clang, complaints } from "./clang.ts";

const ORDERS = [
  ["ndis.h first", "#include <ndis.h>\n#include <ntddndis.h>"],
  ["ntddndis.h first", "#include <ntddndis.h>\n#include <ndis.h>"],
] as const;

/** Accepted only if the macro, the structure and the member are there or not, as said. */
const shows = (name: string): string => `#ifndef ${name}\n#error ${name} is hidden\n#endif`;
const hides = (name: string): string => `#ifdef ${name}\n#error ${name} shows\n#endif`;
const sizeIs = (type: string, size: number): string => `_Static_assert(sizeof(${type}) == ${size}, "size of ${type}");`;

const minorOf = (version: string): number => Number(version.slice(2));

const VERSIONS = [
  {
    version: "6.0",
    define: "NDIS60=1",
    minor: 0,
    checks: [
      hides("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2"),
      shows("NDIS_PORT_CHARACTERISTICS_REVISION_1"),
      sizeIs("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", 200),
    ],
  },
  {
    version: "6.20",
    define: "NDIS620=1",
    minor: 20,
    checks: [
      shows("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_2"),
      hides("NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_3"),
      sizeIs("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", 208),
    ],
  },
  {
    version: "6.30",
    define: "NDIS630_MINIPORT=1",
    minor: 30,
    checks: [shows("NDIS_SIZEOF_OFFLOAD_PARAMETERS_REVISION_3"), hides("NDIS_OFFLOAD_PARAMETERS_REVISION_5")],
  },
  {
    version: "6.87",
    define: "NDIS687=1",
    minor: 87,
    checks: [shows("NDIS_OFFLOAD_PARAMETERS_REVISION_5"), '_Static_assert(TRUE == NDIS_SUPPORT_NDIS687, "newest");'],
  },
];

describe("A driver sees the NDIS version that it asks for", () => {
  for (const [order, includes] of ORDERS) {
    test.each(VERSIONS)(`$version, ${order}`, async ({ define, minor, checks }) => {
      const kind = define.includes("MINIPORT") ? "MINIPORT" : "PROTOCOL";
      const version = `_Static_assert(NDIS_${kind}_MAJOR_VERSION == 6 && NDIS_${kind}_MINOR_VERSION == ${minor}, "version");`;
      expect(await complaints([includes, ...checks, version].join("\n"), [`-D${define}`])).toBe("");
    });
  }

  test("nothing asked for means everything", async () => {
    expect(
      await complaints(`#include <ndis.h>\n_Static_assert(NDIS_SUPPORT_NDIS687 && NDIS_PROTOCOL_MINOR_VERSION == 87, "");`),
    ).toBe("");
  });

  test("of several versions the newest counts, and a miniport that is also a protocol has both", async () => {
    const source = `#include <ndis.h>
_Static_assert(NDIS_MINIPORT_MINOR_VERSION == 0 && NDIS_PROTOCOL_MINOR_VERSION == 30 && NDIS_SUPPORT_NDIS630, "");
_Static_assert(!NDIS_SUPPORT_NDIS640, "");`;
    expect(await complaints(source, ["-DNDIS_MINIPORT_DRIVER", "-DNDIS60_MINIPORT", "-DNDIS60", "-DNDIS630"])).toBe("");
  });

  test.each(["6.0", "6.1", "6.20", "6.30", "6.50", "6.84"])(
    "a structure ends with the members of its revision, NDIS %s",
    async (version) => {
      const isThere = (minimum: string | null): boolean =>
        minimum === null || !minimum.startsWith("6.") || minorOf(minimum) <= minorOf(version);
      const assertions = structs().flatMap(({ name, align, minNdis, header }) => {
        const newest = header?.revisions.filter((revision) => isThere(revision.minNdis ?? minNdis)).at(-1);
        if (!isThere(minNdis) || newest === undefined || newest === header?.revisions.at(-1) || newest.size === null) return [];
        return [`_Static_assert(sizeof(${name}) >= ${newest.size} && sizeof(${name}) < ${newest.size + align}, "${name}");`];
      });
      expect(assertions.length).toBeGreaterThan(0);
      expect(await complaints(`#include <ndis.h>\n${assertions.join("\n")}`, [`-DNDIS${version.replace(".", "")}`])).toBe("");
    },
  );

  test("every version compiles", async () => {
    for (const version of [
      "60",
      "61",
      "620",
      "630",
      "640",
      "650",
      "651",
      "660",
      "670",
      "680",
      "681",
      "682",
      "683",
      "684",
      "685",
      "686",
      "687",
    ]) {
      expect(await complaints("#include <ndis.h>", [`-DNDIS${version}`]), version).toBe("");
    }
  });
});

describe("The checks of this file can fail", () => {
  test("a member that is not there yet is an error", async () => {
    const { isAccepted } = await clang(
      "#include <ndis.h>\nint x = __builtin_offsetof(NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES, PowerManagementCapabilitiesEx);",
      ["-DNDIS60", "-fsyntax-only"],
    );
    expect(isAccepted).toBe(false);
  });
});
