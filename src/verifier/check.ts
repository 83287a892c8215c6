/** `check`: builds the drivers, runs every stock scenario that fits with every kind of answer, and makes a report of it. */
import { InputError } from "../cdriver/errors.ts";
import { Builder } from "../machine/build.ts";
import type { MachineDriver } from "../machine/machine.ts";
import type { Scenario } from "../machine/actions.ts";
import { scenarioFor, stockFor, stockScenarios } from "../machine/stock-scenarios.ts";
import type { DriverKind, Report, ReportTarget } from "../report/report.ts";
import type { LineCoverage } from "../report/code-coverage/line-coverage.ts";
import { usualThreads } from "../workers/pool.ts";
import { lineCoverageOf } from "./coverage-report.ts";
import { watchedRules } from "./index.ts";
import { implemented, importsOf } from "./imports.ts";
import { CoverageCollector } from "./line-coverage.ts";
import { type RunsResult, runScenarios } from "./runs.ts";
import { type ScenarioThreads, runInThreads, startThreads } from "./scenario-threads.ts";
import { TYPESCRIPT, buildTargets, counterpartFor, hasDevice, isOpposite, kindOf } from "./targets.ts";

export interface CheckRequest {
  readonly targets: readonly string[];
  readonly with: readonly string[];
  readonly defines: readonly string[];
  readonly includes: readonly string[];
  readonly ndis?: string;
  readonly configuration?: string;
  /** Glob over the names of stock scenarios, or a file that exports one. */
  readonly scenario?: string;
  /** Lines of the targets before whose accesses to memory a thread may be switched away, such as "adapter.c:120". */
  readonly points?: readonly string[];
  /** Whether the driver's lines, branches and functions that are executed are counted. */
  readonly coverage?: boolean;
  readonly cacheFolder?: string;
  readonly version: string;
  /** How many threads run scenarios; left out: as many as are of use here. */
  readonly threads?: number;
}

/** What a check is made of, built. */
export interface Setup {
  /** The targets, and what `with` named. */
  readonly drivers: readonly MachineDriver[];
  /** With the counterpart. */
  readonly stack: readonly MachineDriver[];
  readonly kind: DriverKind;
  readonly scenarios: readonly Scenario[];
}

/** Throws InputError and CompileError for what the user can put right. */
export async function checkDrivers(request: CheckRequest, progress: (line: string) => void): Promise<Report> {
  const threads = threadsFor(request);
  try {
    const setup = await setUp(request, progress);
    const { stack, scenarios } = setup;
    if (threads !== undefined) return reportOf(request, setup, await runInThreads(threads, stack, scenarios, progress));
    const counted = request.coverage === true ? countedOf(stack[0]) : undefined;
    const afterRun = counted?.collector.afterRun;
    const result = runScenarios(stack, scenarios, { progress, ...(afterRun === undefined ? {} : { afterRun }) });
    return reportOf(request, setup, result, counted && linesOf(counted, setup, progress));
  } finally {
    await threads?.stop();
  }
}

/** Throws as `checkDrivers` does. */
export async function setUp(request: CheckRequest, progress: (line: string) => void): Promise<Setup> {
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
    const scenarios = await scenariosOf(builder, request, kind, stack);
    if (scenarios.length === 0)
      throw new InputError(`no stock scenario fits: ${request.scenario ?? kind}. See 'ndislab list scenarios'.`);
    return { drivers, stack, kind, scenarios };
  } finally {
    builder.stop();
  }
}

/**
 * They load the library while the drivers are built. Undefined: this thread runs the scenarios. It does when coverage is counted, for the
 * script of a scenario cannot be sent, and for TypeScript that was not compiled, which Node.js 20 cannot run.
 */
function threadsFor({ threads = usualThreads(), coverage, scenario }: CheckRequest): ScenarioThreads | undefined {
  if (coverage === true || import.meta.url.endsWith(".ts")) return undefined;
  const count = Math.min(threads, stockScenarios.filter(({ name }) => matches(scenario, name)).length);
  return count > 1 ? startThreads(count) : undefined;
}

/** The stock scenarios that fit, or the one of a file. */
async function scenariosOf(
  builder: Builder,
  request: CheckRequest,
  kind: DriverKind,
  stack: readonly MachineDriver[],
): Promise<Scenario[]> {
  if (request.scenario !== undefined && TYPESCRIPT.test(request.scenario)) return [await builder.scenario(request.scenario)];
  return stockFor(kind, hasDevice(stack[0]))
    .filter(({ name }) => matches(request.scenario, name))
    .map((stock) => scenarioFor(stock, 0, stack.length - 1));
}

function matches(glob: string | undefined, name: string): boolean {
  if (glob === undefined) return true;
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`).test(name);
}

function reportOf(request: CheckRequest, setup: Setup, result: RunsResult, lines?: LineCoverage): Report {
  const { runs, violations, exercised, called } = result;
  return {
    ...headOf(request, setup, called),
    runs,
    violations,
    coverage: {
      ...coverageOf(setup, exercised, called),
      ...(lines === undefined ? {} : { lines }),
    },
  };
}

/** Names of the routines that the drivers import, or have called. */
function routinesOf({ drivers }: Setup, asked: ReadonlySet<string>): ReadonlySet<string> {
  const imported = drivers.flatMap((driver) => (driver.kind === "c" ? driver.image.imports.map(({ name }) => name) : []));
  return new Set([...imported, ...asked]);
}

/** What every report begins with. */
export function headOf(
  request: CheckRequest,
  setup: Setup,
  asked: ReadonlySet<string>,
): Pick<Report, "schemaVersion" | "tool" | "targets"> {
  const called = routinesOf(setup, asked);
  return {
    schemaVersion: 1,
    tool: { name: "ndislab", version: request.version },
    targets: setup.drivers.map((driver, index) => targetOf(driver, kindOf(driver), request, index, called)),
  };
}

export function coverageOf(
  setup: Setup,
  exercised: ReadonlySet<string>,
  asked: ReadonlySet<string>,
): Pick<Report["coverage"], "rules" | "routines"> {
  return {
    rules: { watched: watchedRules.length, exercised: exercised.size },
    routines: [...routinesOf(setup, asked)].filter((name) => implemented.has(name)).toSorted(),
  };
}

interface CountedDriver {
  readonly driver: MachineDriver;
  readonly collector: CoverageCollector;
}

/** Undefined for a driver in TypeScript. */
function countedOf(driver: MachineDriver | undefined): CountedDriver | undefined {
  const coverage = driver?.kind === "c" ? driver.image.coverage() : undefined;
  return driver === undefined || coverage === undefined ? undefined : { driver, collector: new CoverageCollector(coverage) };
}

function linesOf(
  { driver, collector }: CountedDriver,
  { stack, kind, scenarios }: Setup,
  progress: (line: string) => void,
): LineCoverage {
  progress("looking for what would reach the rest");
  const leftOut = stockFor(kind, hasDevice(driver))
    .filter(({ name }) => scenarios.every((each) => each.name !== name))
    .map((stock) => scenarioFor(stock, 0, stack.length - 1));
  return lineCoverageOf(collector, { stack, driver, scenarios, leftOut });
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
  const { warnings } = driver.image;
  const { used, missing } = importsOf(driver.image);
  return {
    path,
    name: driver.name,
    kind,
    language: "c",
    imports: { used: used.length, missing },
    warnings: [...warnings],
  };
}
