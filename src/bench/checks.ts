/** What the checks of memory and races cost: drivers built with them and without, and the same C natively with AddressSanitizer beside it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { noChecks } from "../cdriver/index.ts";
import { firstCome } from "../kernel/index.ts";
import { Builder } from "../machine/build.ts";
import type { MachineDriver } from "../machine/machine.ts";
import type { Action } from "../machine/actions.ts";
import { run } from "../verifier/run.ts";

const ROUNDS = 7;
const LOOPS = [
  "checksum of a frame of 1500 bytes",
  "transforming a frame, byte by byte",
  "a walk over a list of 64 entries",
] as const;
const COUNT = 40_000;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Nanoseconds of one of `count` that the actions make, without what the machine takes to start. */
function perOne(drivers: readonly MachineDriver[], before: readonly Action[], actions: readonly Action[], count: number): number {
  const time = (more: readonly Action[]): number => {
    const start = performance.now();
    const scenario = { name: "bench", summary: "", actions: [...before, ...more] };
    const { outcome } = run({ drivers, scenario, strategy: () => firstCome, records: false, watches: false });
    if (outcome.kind !== "finished") throw new Error(`the benchmark did not finish: ${outcome.kind}`);
    return performance.now() - start;
  };
  time(actions);
  return (median(Array.from({ length: ROUNDS }, () => time(actions) - time([]))) * 1e6) / count;
}

const exercise = (driver: number, what: number, count: number): Action => ({
  do: "call",
  driver,
  function: "Exercise",
  args: [what, count],
});

/** Lines to print. */
export async function measureChecks(folder: string): Promise<string[]> {
  const builder = new Builder();
  const build = async (name: string, slot: number, isChecked: boolean) =>
    builder.c([`${folder}/${name}.c`], slot, isChecked ? {} : { checks: noChecks });
  const lines: string[] = [];
  const native = nativeLoops(folder);
  const both = async (names: readonly string[]) => [
    await Promise.all(names.map(async (name, slot) => build(name, slot, false))),
    await Promise.all(names.map(async (name, slot) => build(name, slot, true))),
  ];
  const [plain = [], checked = []] = await both(["protocol", "miniport"]);
  const [plainLoops = [], checkedLoops = []] = await both(["loops"]);
  builder.stop();

  for (const [what, name] of LOOPS.entries()) {
    const load: Action[] = [{ do: "load", driver: 0 }];
    const [off, on] = [plainLoops, checkedLoops].map((drivers) => perOne(drivers, load, [exercise(0, what, COUNT)], COUNT));
    lines.push(line(name, off ?? 0, on ?? 0, native?.[what]));
  }
  const stack: Action[] = [
    { do: "load", driver: 1 },
    { do: "load", driver: 0 },
    { do: "start adapter", driver: 1, adapter: 0 },
  ];
  const [off, on] = [plain, checked].map((drivers) => perOne(drivers, stack, [exercise(0, 0, 100_000)], 100_000));
  lines.push(line("one NBL: C protocol, C miniport, and back", off ?? 0, on ?? 0));
  return lines;
}

function line(name: string, off: number, on: number, native?: readonly [plain: number, asan: number]): string {
  const ratio = (one: number, other: number): string =>
    `${one.toFixed(0)} and ${other.toFixed(0)} ns, ${(other / one).toFixed(2)}x`;
  const beside = native === undefined ? "" : `; natively without and with AddressSanitizer ${ratio(...native)}`;
  return `${name.padEnd(46)} without and with checks ${ratio(off, on)}${beside}`;
}

/** Per loop, without and with AddressSanitizer; undefined: no compiler is here that has it. */
function nativeLoops(folder: string): (readonly [number, number])[] | undefined {
  const compiler = ["clang", "gcc"].find((each) => spawnSync(each, ["--version"]).status === 0);
  if (compiler === undefined) return undefined;
  const out = mkdtempSync(join(tmpdir(), "ndislab-bench-"));
  const times = (name: string, flags: readonly string[]): number[] | undefined => {
    const program = join(out, name);
    const source = `${folder}/loops-native.c`;
    if (spawnSync(compiler, ["-O1", "-fno-inline", ...flags, source, "-o", program]).status !== 0) return undefined;
    const rounds = Array.from({ length: ROUNDS }, () =>
      execFileSync(program, [String(COUNT)], { encoding: "utf8" })
        .trim()
        .split("\n"),
    );
    return LOOPS.map((_, what) => median(rounds.map((round) => Number(round[what]))));
  };
  try {
    const plain = times("plain", []);
    const asan = times("asan", ["-fsanitize=address"]);
    if (plain === undefined || asan === undefined) return undefined;
    return LOOPS.map((_, what) => [plain[what] ?? 0, asan[what] ?? 0] as const);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}
