/** Every scenario with every kind of answer: what the runs came to, and what they found. */
import { rule as ruleFacts, windowsNames } from "../contract/index.ts";
import type { CodeLocation } from "../cdriver/image.ts";
import { KernelMemory, clearUsed } from "../kernel/index.ts";
import {
  type AnswerVariant,
  commonVariants,
  failureVariants,
  singleFailures,
  singleVariants,
  strategyOf,
} from "../machine/answers.ts";
import type { Machine, MachineDriver } from "../machine/machine.ts";
import type { Scenario } from "../machine/actions.ts";
import type { Location, ReportRelated, ReportRun, ReportViolation, StackFrame } from "../report/report.ts";
import { historyOf } from "./history.ts";
import type { RelatedPlace } from "./origins.ts";
import { isHung } from "./endings.ts";
import { runAndRecord } from "./recorded.ts";
import { type PlacedFinding, type RunResult, run } from "./run.ts";

export interface RunsOptions {
  readonly progress: (line: string) => void;
  /** Sees each machine when its run is over. */
  readonly afterRun?: (finished: FinishedRun) => void;
}

export interface FinishedRun {
  readonly machine: Machine;
  readonly run: ReportRun;
  readonly choices: RunResult["choices"];
}

export interface RunsResult {
  readonly runs: readonly ReportRun[];
  readonly violations: readonly ReportViolation[];
  readonly exercised: ReadonlySet<string>;
  /** Names of the routines that TypeScript drivers called. */
  readonly called: ReadonlySet<string>;
}

/** What the runs of one scenario came to; it can be sent from thread to thread. */
export interface ScenarioResult extends Omit<RunsResult, "violations"> {
  /** By what makes two findings the same violation. */
  readonly violations: ReadonlyMap<string, ReportViolation>;
}

/** Runs one scenario after the other in this thread. */
export function runScenarios(stack: readonly MachineDriver[], scenarios: readonly Scenario[], options: RunsOptions): RunsResult {
  const memory = runMemory();
  return together(
    scenarios.map((scenario) => {
      options.progress(`running ${scenario.name}`);
      return runScenario(stack, scenario, memory, options.afterRun);
    }),
  );
}

/** One result of those of several scenarios, in their order. What was found in several is told as the first found it. */
export function together(results: readonly ScenarioResult[]): RunsResult {
  const violations = new Map<string, ReportViolation>();
  for (const [key, violation] of results.flatMap((each) => [...each.violations])) {
    const before = violations.get(key);
    violations.set(key, before === undefined ? violation : { ...before, count: before.count + violation.count });
  }
  return {
    runs: results.flatMap(({ runs }) => runs),
    violations: [...violations.values()],
    exercised: new Set(results.flatMap(({ exercised }) => [...exercised])),
    called: new Set(results.flatMap(({ called }) => [...called])),
  };
}

/** No scenario knows what another one found: so it does not matter which are run before it, and where. */
export function runScenario(
  stack: readonly MachineDriver[],
  scenario: Scenario,
  memory: RunMemory,
  afterRun?: (finished: FinishedRun) => void,
): ScenarioResult {
  const runs: ReportRun[] = [];
  const violations = new Map<string, ReportViolation>();
  /** From a finding, as a run that is not recorded has it, to the violations that it turned out to be. */
  const known = new Map<string, readonly string[]>();
  const exercised = new Set<string>();
  const called = new Set<string>();
  const asked = new Set<string>();
  const runVariant = (variant: AnswerVariant): RunResult["choices"] => {
    const result = runOnce(stack, scenario, variant, memory, asked, known);
    afterRun?.(result);
    runs.push(result.run);
    for (const rule of result.exercised) exercised.add(rule);
    for (const name of result.called) called.add(name);
    for (const [key, violation] of new Map(result.violations)) {
      const before = violations.get(key);
      violations.set(key, before === undefined ? violation : { ...before, count: before.count + 1 });
    }
    return result.choices;
  };
  const common = commonVariants.map((variant) => ({ variant, choices: runVariant(variant) }));
  for (const variant of singleVariants(asked)) runVariant(variant);
  if (scenario.failures !== undefined) for (const variant of failureVariants(asked)) runVariant(variant);
  if (scenario.failures === "each") {
    for (const { variant, choices } of common) {
      for (const failing of singleFailures(variant, timesAsked(choices))) runVariant(failing);
    }
  }
  return { runs, violations, exercised, called };
}

/** A memory for runs that follow each other: what the last one used is cleared before the next. */
export function runMemory(): RunMemory {
  const memory = new KernelMemory();
  let last: RunResult | undefined;
  return {
    cleared: () => {
      if (last !== undefined) clearUsed(last.machine.kernel);
      return memory;
    },
    ofRun: (result) => {
      last = result;
      return result;
    },
  };
}

export interface RunMemory {
  cleared(): KernelMemory;
  ofRun(result: RunResult): RunResult;
}

function timesAsked(choices: RunResult["choices"]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { what } of choices) times.set(what, (times.get(what) ?? 0) + 1);
  return times;
}

/** One run with rules; when something was found, the same run again, recorded, for places and story. */
function runOnce(
  stack: readonly MachineDriver[],
  scenario: Scenario,
  variant: AnswerVariant,
  memory: RunMemory,
  asked: Set<string>,
  known: Map<string, readonly string[]>,
): {
  run: ReportRun;
  violations: (readonly [key: string, violation: ReportViolation])[];
  exercised: ReadonlySet<string>;
  called: ReadonlySet<string>;
  choices: RunResult["choices"];
  machine: Machine;
} {
  const strategy = (seen: (what: string, picked: number) => void) =>
    strategyOf(variant, (what, picked) => {
      asked.add(what);
      seen(what, picked);
    });
  // What was found before, in the same place, has its story already.
  const { quick, result } = runAndRecord(
    (options) => memory.ofRun(run({ drivers: stack, scenario, strategy, memory: memory.cleared(), ...options })),
    (finding) => known.has(keyOf(finding)),
  );
  // A stock scenario that never brought anything to life has checked nothing, unless it was told to fail.
  const isIdle = !quick.hasRun && !variant.name.startsWith("fails") && typeof scenario.actions !== "function";
  const token = tokenOf(result);
  const base = { scenario: scenario.name, answers: variant.name, token };
  const reason =
    reasonOf(result) ?? (isIdle ? "no binding came to Running: the protocol was not bound, or its bind failed" : undefined);
  return {
    run: {
      ...base,
      outcome: isIdle && outcomeOf(result) === "passed" ? "failed" : outcomeOf(result),
      entries: result.machine.kernel.header.callsMade,
      ...(reason === undefined ? {} : { reason }),
    },
    violations: quick.findings.flatMap((finding) => {
      const parts = result.findings.filter(({ number }) => number === finding.number);
      const told = result === quick ? [] : parts.map((part) => [keyOf(part), violationOf(part, result, stack, base)] as const);
      const keys = known.get(keyOf(finding)) ?? (told.length > 0 ? told.map(([key]) => key) : [keyOf(finding)]);
      // Where a call of a TypeScript driver is, only a recorded run knows: the next finding like this one may be of another call.
      const isPlaced = finding.location !== undefined || parts.every(({ location }) => location === undefined);
      if (isPlaced || !isTypeScript(stack, finding.driver)) known.set(keyOf(finding), keys);
      return told.length > 0 ? told : keys.map((key) => [key, violationOf(finding, result, stack, base)] as const);
    }),
    exercised: result.exercised,
    called: result.machine.typeScriptHost.calledRoutines,
    choices: result.choices,
    machine: result.machine,
  };
}

const isTypeScript = (stack: readonly MachineDriver[], slot: number): boolean =>
  stack.some((driver) => driver.slot === slot && driver.kind === "typescript");

/** The same mistake in the same place; where the place is not known before a run is recorded, the same sentence but for its numbers. */
export function keyOf({ rule, location, message, left, race }: PlacedFinding): string {
  // Two writes are worse than a read and a write, which may be an idiom.
  const kind = race === undefined ? "" : race.access.writes && race.otherWrites ? " writes" : " read and write";
  if (location !== undefined) return `${rule} ${location.file}:${location.line}${kind}`;
  // Sizes and tags tell apart what was left here and there.
  const sizes = new Set(left?.things.map(({ bytes, tag = "" }) => `${tag}:${bytes}`));
  return `${rule} ${message.replaceAll(/0x[0-9a-f]+|\d+/g, "#")} ${[...sizes].toSorted().join(" ")}`;
}

function outcomeOf({ outcome, findings }: RunResult): ReportRun["outcome"] {
  if (outcome.kind === "hung" || outcome.kind === "bugcheck" || outcome.kind === "failed") return outcome.kind;
  return findings.length > 0 || outcome.kind === "fault" ? "violated" : "passed";
}

function reasonOf({ outcome, findings }: RunResult): string | undefined {
  if (outcome.kind === "failed" || outcome.kind === "bugcheck" || outcome.kind === "fault") return outcome.error.message;
  return outcome.kind === "hung" ? (findings.find(isHung)?.message ?? "nothing can go on") : undefined;
}

/** The choices that differ from the default, by their number: enough to run it again. */
function tokenOf({ choices }: RunResult): string {
  const picked = choices.flatMap(({ picked: pick }, index) => (pick === 0 ? [] : [`${index.toString(36)}.${pick.toString(36)}`]));
  return `1-${picked.join("-")}`;
}

export function violationOf(
  finding: PlacedFinding,
  result: RunResult,
  stack: readonly MachineDriver[],
  base: { scenario: string; answers: string; token: string },
): ReportViolation {
  const facts = ruleFacts(finding.rule);
  const isDuty = facts === undefined || facts.modality === "must" || facts.modality === "must-not";
  const isError = isDuty && finding.isWarning !== true;
  const location = locationOf(finding.location);
  return {
    rule: finding.rule,
    severity: isError ? "error" : "warning",
    driver: stack.find(({ slot }) => slot === finding.driver)?.name ?? "",
    title: facts?.statement ?? finding.rule,
    message: finding.message,
    page: facts?.docPath ?? "",
    codes: facts === undefined ? [] : windowsNames(facts),
    ...base,
    ...(location === undefined ? {} : { location }),
    stack: finding.stack.map(frameOf),
    ...(finding.related.length === 0 ? {} : { related: finding.related.map(relatedOf) }),
    history: historyOf(result, finding.entry, stack),
    count: 1,
  };
}

const frameOf = (at: CodeLocation): StackFrame => ({
  name: at.function,
  kind: "driver",
  ...optional("location", locationOf(at)),
});

function relatedOf({ what, stack, entry, thread, handler, during }: RelatedPlace): ReportRelated {
  return {
    what,
    ...optional("location", locationOf(stack[0])),
    stack: stack.map(frameOf),
    ...optional("step", entry),
    ...optional("thread", thread),
    ...optional("handler", handler),
    ...optional("during", during),
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

export function locationOf(at: CodeLocation | undefined): Location | undefined {
  return at === undefined ? undefined : { file: at.file, line: at.line, function: at.function };
}
