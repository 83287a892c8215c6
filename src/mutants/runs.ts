/** Runs of vitest in processes of their own, and which tests passed and failed in them. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../docs/files.ts";

export interface TestRun {
  readonly passed: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
}

interface Results {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

const vitest = `${root}node_modules/vitest/vitest.mjs`;

/** A file of tests that cannot be loaded proves nothing: it has neither passed nor failed tests. */
export async function runTests(files: readonly string[], environment: Readonly<Record<string, string>>): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), "ndislab-mutants-"));
  const output = join(folder, "results.json");
  try {
    await new Promise<void>((resolve, reject) => {
      const child = spawn(process.execPath, [vitest, "run", ...files, "--reporter=json", `--outputFile=${output}`], {
        cwd: root,
        env: { ...process.env, ...environment },
        stdio: "ignore",
      });
      child.on("error", reject);
      child.on("close", () => resolve());
    });
    const results = JSON.parse(readFileSync(output, "utf8")) as Results;
    const named = (status: string): Set<string> =>
      new Set(
        results.testResults.flatMap(({ assertionResults }) =>
          assertionResults.filter((each) => each.status === status).map(({ fullName }) => fullName),
        ),
      );
    return { passed: named("passed"), failed: named("failed") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** At most so many at once. */
export async function inParallel<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: most }, worker));
}
