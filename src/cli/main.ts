#!/usr/bin/env node
/** The `ndislab` command: connects the program with this process. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import type { WriteStream } from "node:tty";
import { setFlagsFromString } from "node:v8";
import { tellError } from "./errors.ts";
import { runProgram } from "./program.ts";
import { keysOf } from "./terminal-keys.ts";
import type { Output, World } from "./world.ts";

/** A reader that has gone away (`ndislab list rules | head`) is no failure. */
function outputOf(stream: WriteStream): Output {
  stream.on("error", (error: Error & { code?: string }) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY === true,
    columns: stream.columns,
  };
}

/** Resolves when all that was written is gone to the reader, or the reader is gone. */
function flushed(stream: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

/** The first interrupt is a wish, the second the end. */
function interrupts(): ReturnType<World["interrupts"]> {
  let isWanted = false;
  const want = (): void => {
    if (isWanted) process.exit(130);
    isWanted = true;
  };
  process.on("SIGINT", want);
  return { isWanted: () => isWanted, stop: () => void process.off("SIGINT", want) };
}

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
const world: World = {
  out: outputOf(process.stdout),
  err: outputOf(process.stderr),
  env: process.env,
  platform: process.platform,
  home: homedir(),
  folder: process.cwd(),
  version,
  checkDrivers: async () => {
    // A check is over before the engine has gained what it spends, in each thread, on putting functions into each other.
    setFlagsFromString("--max-inlined-bytecode-size-cumulative=250");
    return (await import("../verifier/check.ts")).checkDrivers;
  },
  exploreDrivers: async () => (await import("../explorer/explore-drivers.ts")).exploreDrivers,
  replayDrivers: async () => (await import("../explorer/replay-drivers.ts")).replayDrivers,
  now: () => performance.now(),
  interrupts,
  keys: process.stdin.isTTY === true ? () => keysOf(process.stdin) : undefined,
  importsOfTargets: async () => (await import("../verifier/imports.ts")).importsOfTargets,
  knowledge: async () => (await import("./installed.ts")).readKnowledge(),
};

process.on("uncaughtException", (error) => {
  process.exit(tellError(error, world));
});
const exitCode = await runProgram(process.argv.slice(2), world);
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(exitCode);
