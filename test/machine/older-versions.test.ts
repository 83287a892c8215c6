/** What NDIS 5 had and NDIS 6 has not: drivers that call it. */
import { beforeAll, describe, expect, test } from "vitest";
import { firstCome } from "../../src/kernel/index.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { run } from "../../src/verifier/run.ts";
import { buildAll } from "./support.ts";

let drivers: readonly MachineDriver[];
beforeAll(async () => {
  drivers = await buildAll(["test/machine/fixtures/ndis5-miniport.c", "test/machine/fixtures/resetting-protocol.c"]);
});

/** What loading the driver of that slot comes to. */
function loading(driver: number): string[] {
  const { findings, outcome } = run({
    drivers,
    scenario: { name: "test", summary: "", actions: [{ do: "load", driver }] },
    strategy: () => firstCome,
    records: false,
  });
  return [outcome.kind, ...findings.map(({ rule, message }) => `${rule}: ${message}`)];
}

describe("A driver of NDIS 6", () => {
  test("may not call functions that are reserved for NDIS 5", () => {
    expect(loading(0)).toEqual([
      "fault",
      "mp-ndis5-call: NdisMSetAttributesEx was called: it is a function of NDIS 5, and a driver of NDIS 6 calls none of them.",
    ]);
  });

  test("that is a protocol cannot start a reset", () => {
    expect(loading(1)).toEqual([
      "fault",
      "mp-reset-protocol-cannot-initiate: NdisReset was called: from NDIS 6 on a protocol cannot start a reset.",
    ]);
  });
});
