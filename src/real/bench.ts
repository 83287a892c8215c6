/** `npm run real -- DIR --bench`: frames from an application through NDISPROT and back, and how long its check takes. */
import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { firstCome } from "../kernel/index.ts";
import type { Builder } from "../machine/build.ts";
import { run } from "../verifier/run.ts";
import { counterpartFor } from "../verifier/targets.ts";
import { framesThroughNdisprot } from "./ndisprot.ts";

const ROUNDS = 5;
const FRAMES = 5000;
const command = fileURLToPath(new URL("../cli/main.js", import.meta.url));

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Lines to print. */
export async function benchNdisprot(builder: Builder, project: string, cacheFolder: string): Promise<string[]> {
  const driver = await builder.c([project], 0, { configuration: "Release" });
  const counterpart = await counterpartFor(builder, "protocol", 1, () => {});
  const drivers = counterpart === undefined ? [driver] : [driver, counterpart];
  const time = (frames: number, watches: boolean): number => {
    const start = performance.now();
    const { outcome } = run({
      drivers,
      scenario: framesThroughNdisprot(frames),
      strategy: () => firstCome,
      records: false,
      watches,
    });
    if (outcome.kind !== "finished") throw new Error(`the benchmark did not finish: ${outcome.kind}`);
    return performance.now() - start;
  };
  const perFrame = (watches: boolean): number => {
    time(FRAMES, watches);
    return median(Array.from({ length: ROUNDS }, () => ((time(FRAMES, watches) - time(1, watches)) * 1000) / FRAMES));
  };
  const check = (): number => {
    const start = performance.now();
    spawnSync(process.execPath, [command, "check", project, "--quiet"], { env: { ...process.env, NDISLAB_CACHE: cacheFolder } });
    return performance.now() - start;
  };
  check();
  const line = (name: string, each: number): string =>
    `${name}: ${each.toFixed(1)} us, ${Math.round(1e6 / each).toLocaleString("en")} frames/s`;
  return [
    line("a frame of 60 bytes written, looped back and read, rules off", perFrame(false)),
    line("the same, rules on", perFrame(true)),
    `check of ndisprot630, warm cache: ${(median(Array.from({ length: ROUNDS }, check)) / 1000).toFixed(2)} s`,
  ];
}
