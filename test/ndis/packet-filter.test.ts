/** Several protocols over one adapter: the miniport is told the packet filter that all of them need together. */
import { describe, expect, test } from "vitest";
import miniport from "../../examples/typescript/port-miniport.ts";
import { pendingProtocol } from "../../examples/typescript/pending-protocol.ts";
import type { ConstantName } from "../../src/contract/index.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { type TypeScriptDriver, defineDriver } from "../../src/tsdriver/driver.ts";
import { run } from "../../src/verifier/run.ts";

const loaded = (driver: TypeScriptDriver, slot: number): MachineDriver => ({
  kind: "typescript",
  slot,
  name: driver.name,
  isStock: false,
  driver,
  files: [],
  placeOf: () => ({ file: "", line: 1 }),
});

/** The right protocol, with that packet filter instead of NDIS_PACKET_TYPE_DIRECTED while it runs. */
const protocolWith = (filter: number): TypeScriptDriver =>
  defineDriver(`protocol ${filter}`, (d) =>
    pendingProtocol(
      new Proxy(d, {
        get: (target, name) =>
          name === "constant"
            ? (wanted: ConstantName) => (wanted === "NDIS_PACKET_TYPE_DIRECTED" ? filter : target.constant(wanted))
            : Reflect.get(target, name),
      }),
      true,
    ),
  );

/** The values that the miniport is asked to set, in order. */
function filtersToldIn(variant: number): { told: number[]; findings: string[] } {
  const told: number[] = [];
  const watching = defineDriver("watching miniport", (d) => {
    const right = miniport.create(d);
    return {
      ...right,
      MiniportOidRequest(context, request) {
        const given = d.view("NDIS_OID_REQUEST", request);
        if (given.DATA_SET_INFORMATION_Oid === d.constant("OID_GEN_CURRENT_PACKET_FILTER")) {
          told.push(d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer));
        }
        return right["MiniportOidRequest"]?.(context, request);
      },
    };
  });
  const chosen = commonVariants[variant];
  if (chosen === undefined) throw new Error("no such variant");
  const { findings } = run({
    drivers: [loaded(protocolWith(1), 0), loaded(protocolWith(4), 1), loaded(watching, 2)],
    scenario: {
      name: "two protocols",
      summary: "",
      actions: [
        { do: "load", driver: 2 },
        { do: "load", driver: 0 },
        { do: "load", driver: 1 },
        { do: "start adapter", driver: 2, adapter: 0 },
        { do: "settle" },
        { do: "unbind", adapter: 0, driver: 0 },
        { do: "settle" },
        { do: "stop adapter", adapter: 0 },
      ],
    },
    strategy: (seen) => strategyOf(chosen, seen),
    records: false,
  });
  return { told, findings: findings.map(({ rule, message }) => `${rule}: ${message}`) };
}

describe("The packet filter of an adapter", () => {
  test.each([0, 1, 2])("is what its bindings need together, as each sets and clears its own (answers %i)", (variant) => {
    const { told, findings } = filtersToldIn(variant);
    expect(findings).toEqual([]);
    // The first restarts, the second restarts, the first clears its own before it closes, the second clears its own.
    expect(told).toEqual([1, 5, 4, 0]);
  });
});
