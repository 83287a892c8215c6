/** Drivers for the tests of whole machines: built once per test file, in a cache that test files share. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Entry, MEMORY_BYTES, type Strategy } from "../../src/kernel/index.ts";
import { shadows } from "../../src/kernel/memory.ts";
import { Builder } from "../../src/machine/build.ts";
import { Machine, type MachineDriver } from "../../src/machine/machine.ts";
import type { Scenario } from "../../src/machine/actions.ts";

export const cacheFolder = join(tmpdir(), "ndislab-test-cache");

export const repositoryFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Builds each C source for the slot of its place in the list. */
/** `functions`: those that scenarios call, beside what the sources export themselves. */
export async function buildAll(sources: readonly string[], functions?: readonly string[]): Promise<MachineDriver[]> {
  const builder = new Builder(cacheFolder);
  try {
    const drivers: MachineDriver[] = [];
    for (const [slot, source] of sources.entries()) drivers.push(await builder.c([repositoryFile(source)], slot, {}, functions));
    return drivers;
  } finally {
    builder.stop();
  }
}

/** A number that depends on the seed and on how many choices came before, so that a run can go on in another machine. */
function pick(seed: number, index: number, count: number): number {
  let state = Math.imul(seed + 1, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b);
  state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d);
  state = Math.imul(state ^ (state >>> 12), 0x297a_2d39);
  return ((state ^ (state >>> 15)) >>> 0) % count;
}

export class SeededStrategy implements Strategy {
  readonly preempts = true;
  readonly parksAlways: boolean;
  readonly seed: number;
  /** Choices made so far. */
  made: number;
  constructor(seed: number, made = 0, parksAlways = false) {
    this.seed = seed;
    this.made = made;
    this.parksAlways = parksAlways;
  }
  readonly choose = (count: number, what: string): number => {
    this.made += 1;
    if (what.endsWith("no resources")) return 0;
    // Mostly go on, so that runs are not all switches.
    const picked = pick(this.seed, this.made, what === "schedule" ? count * 2 : count);
    return picked < count ? picked : 0;
  };
}

/** A machine that records its trace as text, one line an entry. */
export function recordingMachine(
  drivers: readonly MachineDriver[],
  scenario: Scenario,
  strategy: Strategy,
): { machine: Machine; trace: string[] } {
  const trace: string[] = [];
  const recorder = (entry: Entry): void => void trace.push(JSON.stringify(entry));
  return { machine: new Machine({ drivers, scenario, strategy, recorder }), trace };
}

/** All memory of the machine, and which of it may be accessed. */
export function memoryOf(machine: Machine): Uint8Array {
  const { u8 } = machine.kernel.memory;
  return Buffer.concat([u8.subarray(0, MEMORY_BYTES), u8.subarray(shadows.poison.start, shadows.poison.end)]);
}
