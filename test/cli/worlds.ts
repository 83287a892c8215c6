/** A world for the commands: what they write is kept, and a check gives the report that the test wants. */
import type { CheckRequest } from "../../src/verifier/check.ts";
import { exploreDrivers } from "../../src/explorer/explore-drivers.ts";
import { replayDrivers } from "../../src/explorer/replay-drivers.ts";
import { runProgram } from "../../src/cli/program.ts";
import { readKnowledge } from "../../src/cli/installed.ts";
import { importsOfTargets } from "../../src/verifier/imports.ts";
import type { CheckDrivers, World } from "../../src/cli/world.ts";
import { root } from "../tidy/source.ts";
import type { Report } from "../../src/report/index.ts";
import { aReport } from "../report/reports.ts";

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly requests: readonly CheckRequest[];
}

export interface RunOptions {
  /** What a check gives, or throws. */
  readonly report?: Report | ((request: CheckRequest) => Report);
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the command line, as typed with blanks between the words. */
export async function ndislab(
  line: string | readonly string[],
  { report = aReport(), isTerminal = false, env = {} }: RunOptions = {},
): Promise<Ran> {
  const written = { out: "", err: "" };
  const requests: CheckRequest[] = [];
  const output = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
    isTerminal,
    columns: isTerminal ? 80 : undefined,
  });
  const checkDrivers: CheckDrivers = async (request, progress) => {
    requests.push(request);
    progress("building the driver");
    return typeof report === "function" ? report(request) : report;
  };
  const world: World = {
    out: output("out"),
    err: output("err"),
    env,
    platform: "linux",
    home: "/somebody",
    folder: root,
    version: "1.2.3",
    checkDrivers: async () => checkDrivers,
    exploreDrivers: async () => exploreDrivers,
    replayDrivers: async () => replayDrivers,
    now: () => 0,
    interrupts: () => ({ isWanted: () => false, stop: () => {} }),
    keys: undefined,
    importsOfTargets: async () => importsOfTargets,
    knowledge: readKnowledge,
  };
  const words = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : line;
  return { exitCode: await runProgram(words, world), ...written, requests };
}
