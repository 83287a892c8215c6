import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  constant,
  constants,
  ddi,
  generateHeaders,
  generatedTypes,
  layoutOf,
  ntStatusName,
  oidName,
  statusName,
} from "../../src/contract/index.ts";

describe("Generated files", () => {
  test("structs.generated.ts is what the tables say; `npm run generate` renews it", () => {
    expect(readFileSync("src/contract/structs.generated.ts", "utf8")).toBe(generatedTypes());
  });

  test("headers are the same on every call", () => {
    expect([...generateHeaders()]).toEqual([...generateHeaders()]);
  });

  test("a name has one value", () => {
    const values = new Map<string, number | string>();
    const twice = constants().filter(({ name, value }) => values.has(name) || !values.set(name, value));
    expect(twice.map(({ name }) => name)).toEqual([]);
  });
});

describe("Look-ups", () => {
  test("status codes have the name of NDIS first", () => {
    expect(statusName(constant("NDIS_STATUS_PENDING"))).toBe("NDIS_STATUS_PENDING");
    expect(ntStatusName(0x103)).toBe("STATUS_PENDING");
    expect(statusName(0)).toBe("NDIS_STATUS_SUCCESS");
    expect(statusName(0xc0000120)).toBe("STATUS_CANCELLED");
    expect(statusName(0x7f123456)).toBeUndefined();
    expect(oidName(constant("OID_GEN_CURRENT_PACKET_FILTER"))).toBe("OID_GEN_CURRENT_PACKET_FILTER");
  });

  test("a failure is a negative number", () => {
    expect(constant("NDIS_STATUS_INVALID_PORT")).toBeLessThan(0);
    expect(constant("STATUS_CANCELLED")).toBe(0xc0000120 | 0);
  });

  test("a routine that Windows has as a macro and C drivers as an import has parameters", () => {
    expect(ddi("NdisAcquireSpinLock")?.params).toEqual([{ name: "SpinLock", type: "PNDIS_SPIN_LOCK", direction: "inout" }]);
    expect(ddi("NoSuchRoutine")).toBeUndefined();
  });

  test("members of contained structures are reached through their names, anonymous ones through nothing", () => {
    const paths = new Map(layoutOf("NDIS_PORT").fields.map(({ path, offset, kind }) => [path, { offset, kind }]));
    expect(paths.get("PortCharacteristics_PortNumber")).toEqual({ offset: 20, kind: "u32" });
    expect(layoutOf("NET_BUFFER").fields.find(({ path }) => path === "DataLength")?.offset).toBe(12);
    expect(layoutOf("NDIS_NET_BUFFER_LIST_8021Q_INFO").fields.find(({ path }) => path === "TagHeader_VlanId")).toMatchObject({
      kind: "bits",
      bitOffset: 4,
      bitCount: 12,
    });
  });
});
