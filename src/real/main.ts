/** `npm run real -- DIR`: public drivers, unmodified, from the folder of their repositories; what they come to is compared with verdicts.json. */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheFolder } from "../cli/cache-folder.ts";
import { Builder } from "../machine/build.ts";
import { benchNdisprot } from "./bench.ts";
import { type RealDriver, realDrivers } from "./drivers.ts";
import { type Verdict, differences, verdictOf } from "./verdict.ts";

const VERDICTS = fileURLToPath(new URL("../../src/real/verdicts.json", import.meta.url));
const cache = cacheFolder({ env: process.env, platform: process.platform, home: homedir() });
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The folder of a repository in DIR: by its name, or by one that ends with it. */
function repositoryIn(folder: string, name: string): string | undefined {
  const found = readdirSync(folder, { withFileTypes: true }).find((entry) => entry.isDirectory() && entry.name.endsWith(name));
  return found === undefined ? undefined : join(folder, found.name);
}

async function verdictFor(builder: Builder, driver: RealDriver, folder: string): Promise<Verdict | string> {
  const repository = repositoryIn(folder, driver.repository);
  if (repository === undefined) return `there is no ${driver.repository} in ${folder}`;
  const project = join(repository, driver.project);
  if (!existsSync(project)) return `there is no ${driver.project} in ${repository}`;
  const includes = [];
  for (const { repository: other, path } of driver.includes ?? []) {
    const library = repositoryIn(folder, other);
    if (library === undefined) return `it needs headers of ${other}, which is not in ${folder}`;
    includes.push(join(library, path));
  }
  return verdictOf(builder, driver, project, includes);
}

/** The number of drivers whose verdict is not the committed one. */
async function main(folder: string, pattern: string | undefined, updates: boolean): Promise<number> {
  const committed = JSON.parse(readFileSync(VERDICTS, "utf8")) as Record<string, Verdict>;
  const wanted = realDrivers.filter(({ name }) => pattern === undefined || name.includes(pattern));
  const builder = new Builder(cache);
  let different = 0;
  try {
    for (const driver of wanted) {
      const verdict = await verdictFor(builder, driver, folder);
      if (typeof verdict === "string") {
        print(`- ${driver.name}: skipped, ${verdict}`);
        continue;
      }
      const { entered, total } = verdict.functions;
      const share = ((entered / total) * 100).toFixed(0);
      const what = differences(committed[driver.name], verdict);
      print(
        `${what.length === 0 || updates ? "✓" : "✗"} ${driver.name}: ${verdict.runs} runs, ${verdict.violations.length} violations, ` +
          `${entered} of ${total} functions entered (${share} %)`,
      );
      for (const line of what) print(`    ${line}`);
      if (what.length > 0) different += 1;
      committed[driver.name] = verdict;
    }
  } finally {
    builder.stop();
  }
  if (updates) writeFileSync(VERDICTS, `${JSON.stringify(committed, undefined, 2)}\n`);
  return updates ? 0 : different;
}

async function bench(folder: string): Promise<void> {
  const repository = repositoryIn(folder, "Windows-driver-samples");
  const driver = realDrivers.find(({ name }) => name === "ndisprot630 Release");
  if (repository === undefined || driver === undefined) return print(`Skipped: there is no Windows-driver-samples in ${folder}`);
  const builder = new Builder(cache);
  try {
    for (const line of await benchNdisprot(builder, join(repository, driver.project), cache)) print(line);
  } finally {
    builder.stop();
  }
}

const args = process.argv.slice(2);
const updates = args.includes("--update");
const [folder, pattern] = args.filter((arg) => !arg.startsWith("--"));
if (folder === undefined || !existsSync(folder)) {
  const repositories = [...new Set(realDrivers.map(({ repository }) => repository))].join(", ");
  print(`Skipped: name the folder where the repositories ${repositories} are: npm run real -- DIR`);
} else if (args.includes("--bench")) {
  await bench(folder);
} else {
  process.exitCode = (await main(folder, pattern, updates)) === 0 ? 0 : 2;
}
