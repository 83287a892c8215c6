/** `check`: builds the drivers, runs every stock scenario that fits with every kind of answer, and makes a report of it. */
import { rule as ruleFacts } from "../contract/index.ts";
import type { CodeLocation } from "../cdriver/image.ts";
import { InputError } from "../cdriver/errors.ts";
import { KernelMemory } from "../kernel/index.ts";
import { type AnswerVariant, commonVariants, failureVariants, singleVariants, strategyOf } from "../machine/answers.ts";
import { Builder } from "../machine/build.ts";
import { type MachineDriver, routines } from "../machine/machine.ts";
import type { Scenario } from "../machine/scenario.ts";
import { scenarioFor, stockScenarios } from "../machine/stock-scenarios.ts";
import type { DriverKind, Location, Report, ReportRun, ReportTarget, ReportViolation } from "../report/report.ts";
import { historyOf } from "./history.ts";
import { watchedRules } from "./index.ts";
import { TYPESCRIPT, buildTargets, counterpartFor, isOpposite, kindOf } from "./targets.ts";
import { type PlacedFinding, type RunResult, isHung, run } from "./run.ts";

export interface CheckRequest {
  readonly targets: readonly string[];
  readonly with: readonly string[];
  readonly defines: readonly string[];
  readonly includes: readonly string[];
  readonly ndis?: string;
  readonly configuration?: string;
  /** Glob over the names of stock scenarios, or a file that exports one. */
  readonly scenario?: string;
  readonly cacheFolder?: string;
  readonly version: string;
}

const implemented: ReadonlySet<string> = new Set(routines.map(({ name }) => name));

/** Throws InputError and CompileError for what the user can put right. */
export async function checkDrivers(request: CheckRequest, progress: (line: string) => void): Promise<Report> {
  const builder = new Builder(request.cacheFolder);
  try {
    const drivers = await buildTargets(builder, request, progress);
    const kind = kindOf(drivers[0]);
    const given = drivers[1];
    if (given !== undefined && !isOpposite(kind, kindOf(given))) {
      throw new InputError(
        `${request.with[0]} cannot be the other half of a stack: --with takes a ${kind === "protocol" ? "miniport" : "protocol"} for a ${kind}.`,
      );
    }
    const counterpart = given === undefined ? await counterpartFor(builder, kind, drivers.length, progress) : undefined;
    builder.stop();
    const stack = counterpart === undefined ? drivers : [...drivers, counterpart];
    const scenarios = await scenariosOf(builder, request, kind, stack.length - 1);
    if (scenarios.length === 0)
      throw new InputError(`no stock scenario fits: ${request.scenario ?? kind}. See 'ndislab list scenarios'.`);
    return reportOf(request, drivers, stack, kind, scenarios, progress);
  } finally {
    builder.stop();
  }
}

/** The stock scenarios that fit, or the one of a file. */
async function scenariosOf(builder: Builder, request: CheckRequest, kind: DriverKind, counterpart: number): Promise<Scenario[]> {
  if (request.scenario !== undefined && TYPESCRIPT.test(request.scenario)) return [await builder.scenario(request.scenario)];
  return stockScenarios
    .filter(({ fits, name }) => fits === kind && matches(request.scenario, name))
    .map((stock) => scenarioFor(stock, 0, counterpart));
}

function matches(glob: string | undefined, name: string): boolean {
  if (glob === undefined) return true;
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(name);
}

function reportOf(
  request: CheckRequest,
  drivers: readonly MachineDriver[],
  stack: readonly MachineDriver[],
  kind: DriverKind,
  scenarios: readonly Scenario[],
  progress: (line: string) => void,
): Report {
  const runs: ReportRun[] = [];
  const violations = new Map<string, ReportViolation>();
  const isKnown = (finding: PlacedFinding): boolean => violations.has(keyOf(finding));
  const exercised = new Set<string>();
  const called = new Set(drivers.flatMap((driver) => (driver.kind === "c" ? driver.image.imports.map(({ name }) => name) : [])));
  const memory = new KernelMemory();
  const isStock = request.scenario === undefined || !TYPESCRIPT.test(request.scenario);
  for (const scenario of scenarios) {
    progress(`running ${scenario.name}`);
    const asked = new Set<string>();
    const runVariant = (variant: AnswerVariant): void => {
      const result = runOnce(stack, scenario, variant, memory, asked, isKnown);
      runs.push(result.run);
      for (const rule of result.exercised) exercised.add(rule);
      for (const name of result.called) called.add(name);
      for (const [key, violation] of new Map(result.violations)) {
        const known = violations.get(key);
        violations.set(key, known === undefined ? violation : { ...known, count: known.count + 1 });
      }
    };
    for (const variant of commonVariants) runVariant(variant);
    for (const variant of singleVariants(asked)) runVariant(variant);
    // A scenario of the user's own says what it expects, which a failure would change.
    if (isStock) for (const variant of failureVariants(asked)) runVariant(variant);
  }
  return {
    schemaVersion: 1,
    tool: { name: "ndislab", version: request.version },
    targets: drivers.map((driver, index) => targetOf(driver, kindOf(driver), request, index, called)),
    runs,
    violations: [...violations.values()],
    coverage: {
      rules: { watched: watchedRules.length, exercised: exercised.size },
      routines: [...called].filter((name) => implemented.has(name)).toSorted(),
    },
  };
}

function targetOf(
  driver: MachineDriver,
  kind: DriverKind,
  request: CheckRequest,
  index: number,
  called: ReadonlySet<string>,
): ReportTarget {
  const path = [...request.targets, ...request.with][index] ?? driver.name;
  if (driver.kind === "typescript") {
    return { path, name: driver.name, kind, language: "typescript", imports: { used: called.size, missing: [] }, warnings: [] };
  }
  const { imports, warnings } = driver.image;
  const own = imports.filter(({ name }) => !name.startsWith("__"));
  const missing = own.filter(({ name }) => !implemented.has(name));
  return {
    path,
    name: driver.name,
    kind,
    language: "c",
    imports: {
      used: own.length - missing.length,
      missing: missing.map(({ name }) => {
        const location = locationOf(driver.image.importSites(name)[0]);
        return location === undefined ? { name } : { name, location };
      }),
    },
    warnings: [...warnings],
  };
}

/** One run with rules; when something was found, the same run again, recorded, for places and story. */
function runOnce(
  stack: readonly MachineDriver[],
  scenario: Scenario,
  variant: AnswerVariant,
  memory: KernelMemory,
  asked: Set<string>,
  isKnown: (finding: PlacedFinding) => boolean,
): {
  run: ReportRun;
  violations: (readonly [key: string, violation: ReportViolation])[];
  exercised: ReadonlySet<string>;
  called: ReadonlySet<string>;
} {
  const options = (records: boolean) => {
    memory.reset();
    const strategy = (seen: (what: string, picked: number) => void) =>
      strategyOf(variant, (what, picked) => {
        asked.add(what);
        seen(what, picked);
      });
    return { drivers: stack, scenario, strategy, records, memory };
  };
  const quick = run(options(false));
  // What was found before, in the same place, has its story already.
  const result = quick.findings.every(isKnown) ? quick : run(options(true));
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
    violations: quick.findings.map((finding, index) => {
      const told = result.findings[index] ?? finding;
      return [keyOf(finding), violationOf(told, result, stack, base)] as const;
    }),
    exercised: result.exercised,
    called: result.machine.typeScriptHost.calledRoutines,
  };
}

/** The same mistake in the same place; where the place is not known before a run is recorded, the same sentence but for its numbers. */
function keyOf({ rule, location, message }: PlacedFinding): string {
  return location === undefined
    ? `${rule} ${message.replaceAll(/0x[0-9a-f]+|\d+/g, "#")}`
    : `${rule} ${location.file}:${location.line}`;
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

function violationOf(
  finding: PlacedFinding,
  result: RunResult,
  stack: readonly MachineDriver[],
  base: { scenario: string; answers: string; token: string },
): ReportViolation {
  const facts = ruleFacts(finding.rule);
  const isError = facts === undefined || facts.modality === "must" || facts.modality === "must-not";
  const location = locationOf(finding.location);
  return {
    rule: finding.rule,
    severity: isError ? "error" : "warning",
    driver: stack.find(({ slot }) => slot === finding.driver)?.name ?? "",
    title: facts?.statement ?? finding.rule,
    message: finding.message,
    page: facts?.docPath ?? "",
    codes: facts?.result ?? [],
    ...base,
    ...(location === undefined ? {} : { location }),
    stack: finding.stack.map((at) => ({ name: at.function, kind: "driver", ...optional("location", locationOf(at)) })),
    history: historyOf(result, finding.entry, stack),
    count: 1,
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

function locationOf(at: CodeLocation | undefined): Location | undefined {
  return at === undefined ? undefined : { file: at.file, line: at.line, function: at.function };
}
