/** Resources that run out: which calls of a driver may find none, what a driver that is loaded again finds, and what `check` makes of it. */
import { beforeAll, describe, expect, test } from "vitest";
import { commonVariants, singleFailures, strategyOf } from "../../src/machine/answers.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { scenarioFor, stockScenarios } from "../../src/machine/stock-scenarios.ts";
import { run } from "../../src/verifier/run.ts";
import { runScenarios } from "../../src/verifier/runs.ts";
import { MINIPORT, PROTOCOL, loaded, miniportWith, protocolWith } from "../verifier/support.ts";
import { buildAll } from "./support.ts";

let scarce: MachineDriver;
beforeAll(async () => {
  const [driver] = await buildAll(["test/machine/fixtures/scarce.c"], ["LoadsOfImage", "TakeAll"]);
  if (driver === undefined) throw new Error("nothing was built");
  scarce = driver;
});

const load: Action = { do: "load", driver: 0, mayFail: true };
const again: Action = { do: "load", driver: 0, again: true };
const call = (name: string, result: number): Action => ({ do: "call", driver: 0, function: name, result });

/** One run in which the calls that `fails` names find no resources; what was asked is told by name. */
function play(drivers: readonly MachineDriver[], actions: readonly Action[], fails: (what: string) => boolean = () => false) {
  const asked: string[] = [];
  const variant = { name: "test", pick: (_count: number, what: string) => (fails(what) ? 1 : 0) };
  const { outcome, findings } = run({
    drivers,
    scenario: { name: "test", summary: "", actions },
    strategy: (seen) =>
      strategyOf(variant, (what, picked) => {
        asked.push(what);
        seen(what, picked);
      }),
    records: false,
  });
  return { outcome: outcome.kind, findings: findings.map(({ rule, message }) => `${rule}: ${message}`), asked };
}
const finished = { outcome: "finished", findings: [] };

describe("A call that may find no resources", () => {
  test("is a choice of the run, named by routine and handler", () => {
    const { asked, ...ended } = play([scarce], [load, call("TakeAll", 15), { do: "unload", driver: 0 }]);
    expect(ended).toEqual(finished);
    expect(asked).toEqual([
      "ExAllocatePoolWithTag in DriverEntry: no resources",
      "IoCreateDevice in DriverEntry: no resources",
      "NdisAllocateMdl in ScenarioFunction: no resources",
      "IoAllocateIrp in ScenarioFunction: no resources",
      "IoAllocateWorkItem in ScenarioFunction: no resources",
      "NdisAllocateMemoryWithTag in ScenarioFunction: no resources",
    ]);
  });

  test.each([
    ["NdisAllocateMdl", 14],
    ["IoAllocateIrp", 13],
    ["IoAllocateWorkItem", 11],
    ["NdisAllocateMemoryWithTag", 7],
  ])("%s answers as its page says", (routine, there) => {
    const { outcome, findings } = play([scarce], [load, call("TakeAll", there), { do: "unload", driver: 0 }], (what) =>
      what.startsWith(`${routine} in ScenarioFunction`),
    );
    expect({ outcome, findings }).toEqual(finished);
  });

  test("is none of a counterpart's", () => {
    const { asked } = play([{ ...scarce, isStock: true }], [load, call("TakeAll", 15)]);
    expect(asked).toEqual([]);
  });
});

describe("A driver whose DriverEntry fails", () => {
  test.each(["ExAllocatePoolWithTag", "IoCreateDevice"])(
    "for want of %s is gone, and is loaded again as it was built",
    (what) => {
      const fails = { isDone: false };
      const { outcome, findings } = play(
        [scarce],
        [load, again, call("LoadsOfImage", 1), { do: "unload", driver: 0 }],
        (each) => {
          if (fails.isDone || !each.startsWith(what)) return false;
          fails.isDone = true;
          return true;
        },
      );
      expect({ outcome, findings }).toEqual(finished);
    },
  );

  test("is not loaded again when it is there", () => {
    const { outcome, findings } = play([scarce], [load, again, call("LoadsOfImage", 1), { do: "unload", driver: 0 }]);
    expect({ outcome, findings }).toEqual(finished);
  });
});

describe("Single failures", () => {
  test("fail the first calls of each kind and the last, each alone", () => {
    const [atOnce] = commonVariants;
    const asked = new Map([
      ["A: no resources", 9],
      ["B: no resources", 1],
      ["MiniportPause pends", 4],
    ]);
    const variants = singleFailures(atOnce ?? { name: "", pick: () => 0 }, asked);
    const failing = variants.map(({ pick }) =>
      [...Array(10).keys()]
        .flatMap((before) => ["A", "B"].filter((each) => pick(2, `${each}: no resources`, before) === 1))
        .join(),
    );
    expect(failing).toEqual(["A", "A", "A", "A", "A", "A", "A", "B"]);
    expect(variants.at(6)?.name).toBe("fails once: A: no resources, call 9 of 9, with everything at once");
  });
});

describe("The scenario 'failures'", () => {
  const stack = (protocol: ReturnType<typeof protocolWith>): MachineDriver[] => [
    loaded(protocol, PROTOCOL, false),
    loaded(miniportWith(), MINIPORT, true),
  ];
  const found = (drivers: readonly MachineDriver[]): string[] => {
    const stock = stockScenarios.find(({ name, fits }) => name === "failures" && fits === "protocol");
    if (stock === undefined) throw new Error("there is no such scenario");
    const options = { progress: () => {} };
    const { violations } = runScenarios(drivers, [scenarioFor(stock, PROTOCOL, MINIPORT)], options);
    return violations.map(({ rule, answers }) => `${rule} with ${answers}`);
  };

  test("finds nothing in a protocol that looks at what it gets", () => {
    expect(found(stack(protocolWith()))).toEqual([]);
  });

  test("finds the one allocation that is not looked at", () => {
    const careless = protocolWith((d, its) => ({
      *Exercise() {
        const memory = yield* d.NdisAllocateMemoryWithTagPriority(0, 8, 0x7453_6574, 0);
        d.memory.writeU32(memory, 1);
        yield* d.NdisFreeMemory(memory, 0, 0);
        return yield* its.inherited("Exercise");
      },
    }));
    const [first = "", ...more] = found(stack(careless));
    expect(first).toMatch(
      /^invalid-free with fails once: NdisAllocateMemoryWithTagPriority in ScenarioFunction: no resources, call 1/,
    );
    expect(more).toEqual([]);
  });
});
