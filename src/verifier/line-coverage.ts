/** Collects, run by run, which of a driver's code was executed. It is evidence beside the machine: no run depends on it. */
import type { DriverCoverage } from "../cdriver/driver-coverage.ts";
import { isAboutResources } from "../kernel/index.ts";
import type { Machine } from "../machine/machine.ts";
import type { FinishedRun } from "./runs.ts";

/** What is counted: it happened in a run when one of its points was set. */
interface Counted {
  readonly points: readonly number[];
}

/** In how many runs each happened: lines, ways of branches one after the other, functions. */
export interface Counts {
  readonly runs: number;
  readonly lines: Uint32Array;
  readonly ways: Uint32Array;
  readonly functions: Uint32Array;
}

/** A choice about resources, as a run was first asked it. */
export interface Asked {
  readonly scenario: string;
  readonly answers: string;
  readonly times: number;
}

export class CoverageCollector {
  readonly coverage: DriverCoverage;
  readonly #ways: readonly Counted[];
  readonly #byScenario = new Map<string, Counts>();
  readonly #asked = new Map<string, Asked>();
  readonly #failed = new Set<string>();

  constructor(coverage: DriverCoverage) {
    this.coverage = coverage;
    this.#ways = coverage.branches.flatMap(({ outcomes }) => outcomes.map((points) => ({ points })));
  }

  readonly afterRun = ({ machine, run: { scenario, answers }, choices }: FinishedRun): void => {
    const flags = flagsOf(machine, this.coverage);
    const before = this.#byScenario.get(scenario) ?? this.#nothing();
    this.#byScenario.set(scenario, { ...before, runs: before.runs + 1 });
    count(before.lines, this.coverage.lines, flags);
    count(before.ways, this.#ways, flags);
    count(before.functions, this.coverage.functions, flags);
    // The flags are no state of the machine: nobody else clears them for the next run.
    flags.fill(0);
    const times = new Map<string, number>();
    for (const { what, picked } of choices) {
      if (!isAboutResources(what)) continue;
      times.set(what, (times.get(what) ?? 0) + 1);
      if (picked !== 0) this.#failed.add(what);
    }
    for (const [what, asked] of times) if (!this.#asked.has(what)) this.#asked.set(what, { scenario, answers, times: asked });
  };

  get scenarios(): string[] {
    return [...this.#byScenario.keys()];
  }

  /** Of one scenario, or of all. */
  counts(scenario?: string): Counts {
    if (scenario !== undefined) return this.#byScenario.get(scenario) ?? this.#nothing();
    const all = { ...this.#nothing() };
    for (const each of this.#byScenario.values()) {
      all.runs += each.runs;
      for (const kind of ["lines", "ways", "functions"] as const) {
        for (const [index, value] of each[kind].entries()) all[kind][index] = (all[kind][index] ?? 0) + value;
      }
    }
    return all;
  }

  /** Choices about resources that no run has failed. */
  get neverFailed(): ReadonlyMap<string, Asked> {
    return new Map([...this.#asked].filter(([what]) => !this.#failed.has(what)));
  }

  #nothing(): Counts {
    const { lines, functions } = this.coverage;
    return {
      runs: 0,
      lines: new Uint32Array(lines.length),
      ways: new Uint32Array(this.#ways.length),
      functions: new Uint32Array(functions.length),
    };
  }
}

/** The driver's points, a byte each: set where the run that the machine has made came by. */
export function flagsOf({ kernel }: Machine, { base, points }: DriverCoverage): Uint8Array {
  return kernel.memory.u8.subarray(base, base + points);
}

export const isSet = (flags: Uint8Array, { points }: Counted): boolean => points.some((point) => flags[point] !== 0);

function count(into: Uint32Array, counted: readonly Counted[], flags: Uint8Array): void {
  for (const [index, each] of counted.entries()) if (isSet(flags, each)) into[index] = (into[index] ?? 0) + 1;
}
