/** The reduced search reaches the same ends as the plain one, on small programs of every kind. NDISLAB_MEASURES=full tries a thousand. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { Search } from "../../src/explorer/search.ts";
import { allCalls } from "../../src/explorer/points.ts";
import { TransitionSystem, type SystemOptions } from "../../src/explorer/transition-system.ts";
import type { Kernel } from "../../src/kernel/index.ts";
import { isRelease } from "../../src/kernel/routine.ts";
import { PoolBlock, allocatedBlocks, tagText } from "../../src/kernel/pool.ts";
import type { Action, Scenario } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { buildAll } from "../machine/support.ts";

const PROGRAMS = process.env["NDISLAB_MEASURES"] === "full" ? 1000 : 20;
/** Larger ones are left out: the plain search would not come to an end. */
const MOST_TRANSITIONS = 800;
const ALL = { preemptions: Number.POSITIVE_INFINITY, faults: Number.POSITIVE_INFINITY };

const CODES = ["nothing", "lock", "unlock", "write", "add", "add at once", "set", "wait", "skip unless", "queue"] as const;
interface Step {
  readonly code: (typeof CODES)[number];
  readonly cell: number;
  readonly value: number;
}
/** One program a thread, and last the DPC's. */
type Programs = readonly (readonly Step[])[];

let driver: MachineDriver;

beforeAll(async () => {
  const [built] = await buildAll(["test/explorer/drivers/interpreter.c"], ["Put", "Carry0", "Carry1", "Carry2"]);
  if (built === undefined) throw new Error("not built");
  driver = built;
});

const cell = fc.nat(1);
const simple = (atDispatch: boolean): fc.Arbitrary<Step> =>
  fc.record({
    code: fc.constantFrom<Step["code"]>("write", "add", "add", "add", "add at once", "set", "skip unless", ...(atDispatch ? [] : (["wait", "queue"] as const))),
    cell,
    value: fc.integer({ min: 1, max: 2 }),
  });
const locked = fc
  .tuple(cell, fc.array(simple(true), { minLength: 1, maxLength: 2 }))
  .map(([lock, inner]): Step[] => [{ code: "lock", cell: lock, value: 0 }, ...inner, { code: "unlock", cell: lock, value: 0 }]);
// A step that is skipped is never half of a critical section.
const sequence = fc
  .array(fc.oneof({ weight: 2, arbitrary: simple(false).map((step) => [step]) }, { weight: 1, arbitrary: locked }), { minLength: 1, maxLength: 2 })
  .map((parts): Step[] => parts.flatMap((part, index) => (part[0]?.code === "skip unless" && (parts[index + 1]?.length ?? 1) > 1 ? [] : part)));
const programs: fc.Arbitrary<Programs> = fc
  .tuple(fc.array(sequence, { minLength: 2, maxLength: 2 }), fc.array(simple(true), { maxLength: 2 }))
  .map(([threads, dpc]) => [...threads, [], dpc]);

function scenarioOf(all: Programs): Scenario {
  const puts = all.flatMap((steps, thread) =>
    steps.map(
      ({ code, cell: at, value }, index): Action => ({ do: "call", driver: 0, function: "Put", args: [thread, index, CODES.indexOf(code), at, value] }),
    ),
  );
  const starts = [0, 1].map((thread): Action => ({ do: "in parallel", actions: [{ do: "call", driver: 0, function: `Carry${thread}` }] }));
  return { name: "programs", summary: "", actions: [{ do: "load", driver: 0 }, ...puts, ...starts, { do: "settle" }] };
}

/** What is left in the cells. */
function cellsOf(k: Kernel): string {
  const block = allocatedBlocks(k).find(({ tag }) => tagText(tag) === "Inpr");
  return block === undefined ? "none" : [...k.memory.u32.subarray((block.address + PoolBlock.bytes) >>> 2).slice(0, 4)].join(" ");
}

interface Ends {
  /** Finished or hung, with what in the cells; and the rules that were broken. */
  readonly ends: readonly string[];
  readonly transitions: number;
  readonly isComplete: boolean;
}

function endsOf(all: Programs, more: Partial<SystemOptions>, merges: boolean): Ends {
  const ends = new Set<string>();
  const system = new TransitionSystem({
    drivers: [driver],
    scenario: scenarioOf(all),
    timePasses: false,
    atEnd: (k, outcome) => ends.add(`${outcome.kind}: ${cellsOf(k)}`),
    ...more,
  });
  let transitions = 0;
  const search = new Search(system, {
    onFailure: ({ transition }) => {
      for (const { rule } of transition.findings) ends.add(`rule ${rule}`);
    },
    mustStop: () => {
      transitions += 1;
      return transitions > MOST_TRANSITIONS;
    },
    merges,
  });
  search.run(ALL);
  return { ends: [...ends].toSorted(), transitions, isComplete: search.isComplete };
}

/** Compares them on that many programs; returns how many transitions each took. */
function compare(count: number, reducedBy: Partial<SystemOptions>): { plain: number; reduced: number } {
  let [plain, reduced] = [0, 0];
  fc.assert(
    fc.property(programs, (all) => {
      const ofPlain = endsOf(all, { points: allCalls }, false);
      fc.pre(ofPlain.isComplete);
      const ofReduced = endsOf(all, reducedBy, true);
      plain += ofPlain.transitions;
      reduced += ofReduced.transitions;
      expect(ofReduced.ends).toEqual(ofPlain.ends);
    }),
    { numRuns: count, seed: 1, endOnFailure: true, maxSkipsPerRun: 1000 },
  );
  return { plain, reduced };
}

describe("the search", () => {
  test(`reaches the same ends, reduced or plain, of ${PROGRAMS} programs`, { timeout: 6_000_000 }, () => {
    const { plain, reduced } = compare(PROGRAMS, {});
    expect(plain).toBeGreaterThan(reduced);
  });

  test("would be found out if it took an operation for one that nobody notices", { timeout: 600_000 }, () => {
    const passes = (routine: string): boolean => isRelease(routine) || routine === "InterlockedExchange";
    expect(() => compare(PROGRAMS, { points: { ...allCalls, passes } })).toThrow("Property failed");
  });
});
