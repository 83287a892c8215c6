/**
 * `npm run mutants`: switches each rule and each behaviour off in turn. What a test notices counts as enforced or proven; the result is
 * src/contract/data/coverage.json, which `ndislab list rules` reads, and docs/coverage.md. With ids after it, only those behaviours are tried,
 * and nothing is written.
 */
import { availableParallelism } from "node:os";
import { type Coverage, rules } from "../contract/index.ts";
import { coveragePage } from "../docs/coverage.ts";
import { writeText } from "../docs/files.ts";
import { groupBy } from "../report/index.ts";
import { watchedRules } from "../verifier/index.ts";
import { type Behaviour, aliases, behaviours, claimOf } from "./entries.ts";
import { type TestRun, inParallel, runTests } from "./runs.ts";

const enforced: Record<string, string> = {};
const proven: Record<string, string> = {};
const problems: string[] = [];
const only: ReadonlySet<string> = new Set(process.argv.slice(2));
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** The tests that pass, and fail when the rule is off. */
const killers = (on: TestRun, off: TestRun, isMeant: (name: string) => boolean): string[] =>
  [...on.passed].filter((name) => isMeant(name) && off.failed.has(name));

async function tryRules(): Promise<void> {
  say("rules: all tests of the rules, each breach with its own rule on, then off");
  const on = await runTests(["test/verifier"], {});
  const off = await runTests(["test/verifier"], { NDISLAB_RULE_OFF: "1" });
  const ofContract = new Set(rules().map(({ id }) => id));
  const enter = (id: string, rule: string, isMeant: (name: string) => boolean): void => {
    const [first, ...more] = killers(on, off, (name) => claimOf(rule, name) !== undefined && isMeant(name));
    if (first === undefined) problems.push(`${id}: no test fails when ${rule} is off`);
    else
      enforced[id] =
        `${id === rule ? "" : `as \`${rule}\`: `}${claimOf(rule, first)}${more.length > 0 ? `, and ${more.length} more` : ""}`;
  };
  for (const id of watchedRules) if (ofContract.has(id)) enter(id, id, () => true);
  for (const { id, rule, test = "" } of aliases()) enter(id, rule, (name) => name.includes(test));
}

async function tryBehaviours(): Promise<void> {
  const all = behaviours().filter(({ id }) => only.size === 0 || only.has(id));
  say(`behaviours: ${all.length}, each changed in a process of its own`);
  const on = await runTests([...new Set(all.map(({ file }) => file))], {});
  // One change may be what several entries are about.
  const byMutation = [...groupBy(all, ({ file, mutation }) => JSON.stringify([file, mutation])).values()];
  await inParallel(byMutation, availableParallelism(), async (group) => {
    const [first] = group;
    if (first === undefined) return;
    const off = await runTests([first.file], { NDISLAB_MUTANT: JSON.stringify(first.mutation) });
    for (const behaviour of group) enterBehaviour(behaviour, on, off);
  });
}

function enterBehaviour({ id, test }: Behaviour, on: TestRun, off: TestRun): void {
  const [name] = killers(on, off, (each) => each.includes(test));
  if (name !== undefined) proven[id] = name;
  else
    problems.push(
      `${id}: '${test}' ${[...on.passed].some((each) => each.includes(test)) ? "passes with the change as well" : "does not pass"}`,
    );
}

const sorted = (record: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));

const started = Date.now();
if (only.size === 0) await tryRules();
await tryBehaviours();
const coverage: Coverage = { enforced: sorted(enforced), proven: sorted(proven) };
if (only.size === 0) {
  writeText("src/contract/data/coverage.json", `${JSON.stringify(coverage, null, 1)}\n`);
  writeText("docs/coverage.md", coveragePage(rules(), coverage));
}
for (const problem of problems) say(problem);
const seconds = Math.round((Date.now() - started) / 1000);
say(
  `${Object.keys(enforced).length} enforced, ${Object.keys(proven).length} proven of ${only.size || rules().length}; ${seconds} s`,
);
if (problems.length > 0) process.exitCode = 1;
