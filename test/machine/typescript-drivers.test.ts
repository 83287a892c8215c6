import { describe, expect, test } from "vitest";
import forgetful from "../../examples/typescript/pending-protocol-forgets.ts";
import protocol from "../../examples/typescript/pending-protocol.ts";
import freesActive from "../../examples/typescript/port-miniport-frees-active.ts";
import miniport from "../../examples/typescript/port-miniport.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { scenarioFor, stockScenarios } from "../../src/machine/stock-scenarios.ts";
import type { TypeScriptDriver } from "../../src/tsdriver/driver.ts";
import { run } from "../../src/verifier/run.ts";

const loaded = (driver: TypeScriptDriver, slot: number): MachineDriver => ({
  kind: "typescript",
  slot,
  name: driver.name,
  isStock: false,
  driver,
  files: [`${driver.name}.ts`],
  placeOf: () => ({ file: `${driver.name}.ts`, line: 1 }),
});

function check(protocolDriver: TypeScriptDriver, miniportDriver: TypeScriptDriver, name: string, variant: number) {
  const stock = stockScenarios.find((each) => each.name === name);
  const chosen = commonVariants[variant];
  if (stock === undefined || chosen === undefined) throw new Error("no such scenario");
  return run({
    drivers: [loaded(protocolDriver, 0), loaded(miniportDriver, 1)],
    scenario: scenarioFor(stock, 0, 1),
    strategy: (seen) => strategyOf(chosen, seen),
    records: false,
  });
}

describe("TypeScript drivers", () => {
  for (const name of ["bind-and-unbind", "pause-and-restart", "unload-while-bound"]) {
    for (const [variant, { name: answers }] of commonVariants.entries()) {
      test(`${name}, ${answers}: the right drivers are clean`, () => {
        const { outcome, findings } = check(protocol, miniport, name, variant);
        expect(findings.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
        expect(outcome).toEqual({ kind: "finished" });
      });
    }
  }

  test("the protocol that forgets to complete its unbind hangs, and the obligation is named", () => {
    const { outcome, findings } = check(forgetful, miniport, "bind-and-unbind", 1);
    expect(outcome.kind).toBe("hung");
    expect(findings.map(({ rule }) => rule)).toEqual(["unbind-pending-must-complete"]);
  });

  test("the miniport that frees its active port breaks two rules", () => {
    const { findings } = check(protocol, freesActive, "bind-and-unbind", 0);
    expect(findings.map(({ rule }) => rule)).toEqual(["port-free-deactivate-first", "port-free-before-halt-returns"]);
  });
});
