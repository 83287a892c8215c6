/** `npm run bench`: medians of several rounds in one process, and ratios; machines are shared and noisy, so nothing here is a test. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { MEMORY_BYTES, fingerprint, firstCome, restoreSnapshot, takeSnapshot } from "../kernel/index.ts";
import { Builder } from "../machine/build.ts";
import type { Machine, MachineDriver } from "../machine/machine.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import { run } from "../verifier/run.ts";
import { measureChecks } from "./checks.ts";
import { onBareKernel, overNdis, searchUnbind } from "./exploration.ts";
import { protocol } from "./protocol.ts";

const ROUNDS = 7;
const folder = fileURLToPath(new URL("./drivers", import.meta.url));
const command = fileURLToPath(new URL("../bundle/main.js", import.meta.url));
const example = fileURLToPath(new URL("../../examples/c/pending-protocol.c", import.meta.url));

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const thousands = (value: number): string => Math.round(value).toLocaleString("en");

function scenario(actions: readonly Action[]): Scenario {
  return {
    name: "bench",
    summary: "",
    actions: [{ do: "load", driver: 1 }, { do: "load", driver: 0 }, { do: "start adapter", driver: 1, adapter: 0 }, ...actions],
  };
}

/** Milliseconds that the run took, start-up of the machine left out by a run without the measured actions. */
function time(drivers: readonly MachineDriver[], actions: readonly Action[], watches: boolean): number {
  const start = performance.now();
  const { outcome } = run({ drivers, scenario: scenario(actions), strategy: () => firstCome, records: false, watches });
  if (outcome.kind !== "finished") throw new Error(`the benchmark did not finish: ${outcome.kind}`);
  return performance.now() - start;
}

/** Nanoseconds for one of `count`, rules off and on. */
function measure(drivers: readonly MachineDriver[], name: string, count: number, actions: readonly Action[]): void {
  const perOne = (watches: boolean): number => {
    time(drivers, actions, watches);
    const rounds = Array.from({ length: ROUNDS }, () => time(drivers, actions, watches) - time(drivers, [], watches));
    return (median(rounds) * 1e6) / count;
  };
  const off = perOne(false);
  const on = perOne(true);
  const rate = (each: number): string => `${thousands(each)} ns (${thousands(1e9 / each)}/s)`;
  print(`${name.padEnd(46)} rules off ${rate(off).padEnd(24)} on ${rate(on).padEnd(24)} ratio ${(on / off).toFixed(2)}`);
}

function measureSnapshots(drivers: readonly MachineDriver[]): void {
  const { machine } = run({ drivers, scenario: scenario([]), strategy: () => firstCome, records: false, watches: false });
  const kernel = (machine as Machine).kernel;
  const first = takeSnapshot(kernel);
  const timed = (act: () => unknown): number =>
    median(
      Array.from({ length: 101 }, () => {
        const start = performance.now();
        act();
        return (performance.now() - start) * 1000;
      }),
    );
  const change = (): void => {
    for (const page of [...first.pages.keys()].slice(0, 8))
      kernel.memory.u8[page * 4096 + 4000] = (kernel.memory.u8[page * 4096 + 4000] ?? 0) ^ 1;
  };
  const whole = timed(() => takeSnapshot(kernel));
  change();
  const changed = takeSnapshot(kernel, first).pagesChanged;
  const again = timed(() => takeSnapshot(kernel, first));
  const restored = timed(() => {
    change();
    restoreSnapshot(kernel, first);
  });
  const hashed = timed(() => fingerprint(kernel));
  print(`memory ${MEMORY_BYTES / 1024 / 1024} MiB, ${first.pages.size} pages of 4 KiB in use`);
  print(`snapshot: whole ${whole.toFixed(0)} us; with ${changed} pages changed since the last ${again.toFixed(0)} us`);
  print(`restore of 8 changed pages: ${restored.toFixed(0)} us; fingerprint: ${hashed.toFixed(0)} us`);
}

/** Transitions a second of the search, with a copy, a key and all rules at each. */
async function measureSearch(): Promise<void> {
  const makers = { "over NDIS": overNdis, "on the bare kernel": onBareKernel };
  const own = new Builder();
  for (const [name, make] of Object.entries(makers)) {
    const model = await make(own, 2, 2);
    searchUnbind(model, 2, true);
    const { transitions, seconds, states } = searchUnbind(model, 6, true);
    print(
      `search, two senders and an unbind ${name}: ${thousands(transitions / seconds)} transitions/s (${thousands(states)} states)`,
    );
  }
  own.stop();
}

function measureCommand(): void {
  const cold = mkdtempSync(join(tmpdir(), "ndislab-bench-"));
  const once = (): number => {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, [command, "check", example, "--quiet"], {
      env: { ...process.env, NDISLAB_CACHE: cold },
    });
    if (status !== 0) throw new Error(`check of the example ended with ${status}`);
    return performance.now() - start;
  };
  try {
    const first = once();
    const warm = median(Array.from({ length: ROUNDS }, once));
    print(
      `check of the example protocol: cold cache ${(first / 1000).toFixed(2)} s, warm cache ${(warm / 1000).toFixed(2)} s (median of ${ROUNDS})`,
    );
  } finally {
    rmSync(cold, { recursive: true, force: true });
  }
}

const builder = new Builder();
const drivers = [
  await builder.c([`${folder}/protocol.c`], 0, {}),
  await builder.c([`${folder}/miniport.c`], 1, {}),
  await builder.c([`${folder}/device.c`], 2, {}),
];
builder.stop();
const exercise = (driver: number, what: number, count: number): Action => ({
  do: "call",
  driver,
  function: "Exercise",
  args: [what, count],
});
measure(drivers, "NdisMAllocatePort and NdisMFreePort, from C", 200_000, [exercise(1, 0, 200_000)]);
measure(drivers, "a port: allocate, activate, deactivate, free", 20_000, [exercise(1, 2, 20_000)]);
measure(drivers, "a spin lock pair, from C", 1_000_000, [exercise(1, 1, 1_000_000)]);
measure(drivers, "one NBL: C protocol, C miniport, and back", 200_000, [exercise(0, 0, 200_000)]);
const cycle: Action[] = [
  { do: "unbind", adapter: 0, driver: 0 },
  { do: "bind", adapter: 0 },
];
measure(drivers, "a cycle of unbind and bind, C protocol", 500, Array.from({ length: 500 }, () => cycle).flat());
const inTypeScript = drivers.map((driver) =>
  driver.slot === 0
    ? {
        kind: "typescript" as const,
        slot: 0,
        name: "bench",
        isStock: false,
        driver: protocol,
        files: [],
        placeOf: () => ({ file: "", line: 0 }),
      }
    : driver,
);
measure(inTypeScript, "a cycle of unbind and bind, TypeScript protocol", 500, Array.from({ length: 500 }, () => cycle).flat());
const control: Action = {
  do: "control",
  file: "device",
  code: 0x22_2000,
  input: new Uint8Array(16),
  outputBytes: 16,
  expect: "STATUS_SUCCESS",
};
measure(drivers, "one IRP: application, C driver, and back", 20_000, [
  { do: "load", driver: 2 },
  { do: "open", file: "device", device: "\\\\.\\Bench" },
  { do: "repeat", times: 20_000, actions: [control] },
  { do: "close", file: "device" },
]);
for (const each of await measureChecks(folder)) print(each);
measureSnapshots(drivers);
await measureSearch();
measureCommand();
