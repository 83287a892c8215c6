/**
 * What no run of a check has reached, and what would. Nothing is guessed: scenarios that were left out, and failures that no run had, are tried,
 * and what is said of handlers is what the driver registered them as.
 */
import type { MachineDriver } from "../machine/machine.ts";
import type { Scenario } from "../machine/actions.ts";
import { commonVariants, singleFailures, strategyOf, type AnswerVariant } from "../machine/answers.ts";
import { SCENARIO_FUNCTIONS } from "../machine/build.ts";
import type { CoveredFunction } from "../cdriver/driver-coverage.ts";
import { KernelMemory, scarceCall } from "../kernel/index.ts";
import type { Unreached } from "../report/code-coverage/line-coverage.ts";
import { type CoverageCollector, flagsOf, isSet } from "./line-coverage.ts";
import { registeredRoutines } from "./registered-routines.ts";
import { run } from "./run.ts";

interface Item {
  readonly points: readonly number[];
}

export interface CheckedStack {
  readonly stack: readonly MachineDriver[];
  /** Which of them is told of. */
  readonly driver: MachineDriver;
  readonly scenarios: readonly Scenario[];
  /** Scenarios that fit the driver and were not run. */
  readonly leftOut: readonly Scenario[];
}

export function unreachedOf(collector: CoverageCollector, checked: CheckedStack): Unreached[] {
  const { coverage } = collector;
  const counts = collector.counts();
  const functions = coverage.functions.filter((_, index) => counts.functions[index] === 0);
  const entered = new Set(coverage.functions.filter((each) => !functions.includes(each)).map(({ name }) => name));
  const isMissed = coverage.lines.map(({ function: name }, index) => counts.lines[index] === 0 && entered.has(name));
  const lines = coverage.lines.filter((_, index) => isMissed[index]);
  if (functions.length + lines.length === 0) return [];
  const tried = reasonsByTrying([...functions, ...lines], collector, checked);
  const known = new Map<Item, string>([...reasonsOfFunctions(functions, coverage.functions, checked), ...tried]);
  const found: Unreached[] = functions.map((each) => {
    const { name, file, line } = each;
    const own = coverage.lines.filter((other) => other.file === file && other.function === name);
    const lastLine = Math.max(line, ...own.map((other) => other.line));
    return { kind: "function", file, function: name, line, lastLine, ...withReason(known.get(each)) };
  });
  for (const [index, at] of coverage.lines.entries()) {
    if (isMissed[index] !== true) continue;
    const reason = known.get(at);
    const before = found.at(-1);
    const isNext =
      isMissed[index - 1] === true &&
      before?.kind === "lines" &&
      before.file === at.file &&
      before.function === at.function &&
      before.reason === reason;
    if (isNext) found.splice(-1, 1, { ...before, lastLine: at.line });
    else
      found.push({
        kind: "lines",
        file: at.file,
        function: at.function,
        line: at.line,
        lastLine: at.line,
        ...withReason(reason),
      });
  }
  return found.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}

const withReason = (reason: string | undefined): { reason?: string } => (reason === undefined ? {} : { reason });

/** What is reached when a scenario that was left out is run, or when a call fails that has failed in no run. */
function reasonsByTrying(missed: readonly Item[], collector: CoverageCollector, checked: CheckedStack): Map<Item, string> {
  const { coverage } = collector;
  const reasons = new Map<Item, string>();
  const memory = new KernelMemory();
  const attempt = (scenario: Scenario, variant: AnswerVariant, reason: string): void => {
    if (reasons.size === missed.length) return;
    memory.reset();
    const { machine } = run({
      drivers: checked.stack,
      scenario,
      strategy: (seen) => strategyOf(variant, seen),
      records: false,
      watches: false,
      memory,
    });
    const flags = flagsOf(machine, coverage);
    for (const item of missed) if (!reasons.has(item) && isSet(flags, item)) reasons.set(item, reason);
  };
  for (const variant of commonVariants) {
    for (const scenario of checked.leftOut)
      attempt(scenario, variant, `scenario '${scenario.name}', which was left out, comes here${answering(variant)}`);
  }
  for (const [what, { scenario: name, answers, times }] of collector.neverFailed) {
    const scenario = checked.scenarios.find((each) => each.name === name);
    const variant = commonVariants.find((each) => each.name === answers);
    if (scenario === undefined || variant === undefined) continue;
    for (const failing of singleFailures(variant, new Map([[what, times]]))) {
      const which = times === 1 ? "" : ` (call ${failing.call + 1} of ${times})`;
      const reason = `when ${scarceCall(what)} finds no resources${which}, scenario '${name}' comes here${answering(variant)}; no run had that failure`;
      attempt(scenario, failing, reason);
    }
  }
  return reasons;
}

const answering = (variant: AnswerVariant): string => (variant === commonVariants[0] ? "" : ` with ${variant.name}`);

/** Why a function was not entered, as far as the driver's code and what it registered tell. */
function reasonsOfFunctions(
  missed: readonly CoveredFunction[],
  all: readonly CoveredFunction[],
  checked: CheckedStack,
): Map<Item, string> {
  const registered = registeredRoutines(checked.stack, checked.driver);
  const byIndex = new Map(all.flatMap((each) => each.indexes.map((index) => [index, each] as const)));
  const reasons = new Map<Item, string>();
  for (const each of missed) {
    const uses = each.pointers.flatMap((pointer) => registered.get(pointer) ?? []);
    if (uses.length > 0) {
      reasons.set(each, uses.join("; "));
      continue;
    }
    const callers = new Set(each.callers.flatMap((index) => byIndex.get(index) ?? []).filter((caller) => caller !== each));
    // Whoever has a pointer to it may call it.
    if (each.pointers.length > 0) continue;
    if (SCENARIO_FUNCTIONS.some((name) => name === each.name)) reasons.set(each, "it is for scenarios to call, and none has");
    else if (callers.size > 0 && [...callers].every((caller) => missed.includes(caller)))
      reasons.set(each, `only ${[...callers].map(({ name }) => name).join(", ")} would call it, which no run has entered either`);
  }
  return reasons;
}
