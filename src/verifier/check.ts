/** `check`: builds the drivers, runs every stock scenario that fits with every kind of answer, and makes a report of it. */
import { fileURLToPath } from "node:url";
import { rule as ruleFacts } from "../contract/index.ts";
import type { CodeLocation } from "../cdriver/image.ts";
import { InputError } from "../cdriver/errors.ts";
import { KernelMemory } from "../kernel/index.ts";
import { type AnswerVariant, commonVariants, failureVariants, singleVariants, strategyOf } from "../machine/answers.ts";
import { Builder } from "../machine/build.ts";
import { Machine, type MachineDriver, routines } from "../machine/machine.ts";
import type { Scenario } from "../machine/scenario.ts";
import { scenarioFor, stockScenarios } from "../machine/stock-scenarios.ts";
import type { DriverKind, Location, Report, ReportRun, ReportTarget, ReportViolation } from "../report/report.ts";
import { historyOf } from "./history.ts";
import { watchedRules } from "./index.ts";
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

const COUNTERPARTS = fileURLToPath(new URL("../machine/counterparts", import.meta.url));
const TYPESCRIPT = /\.(?:[cm]?ts|[cm]?js)$/;
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

async function buildTargets(builder: Builder, request: CheckRequest, progress: (line: string) => void): Promise<MachineDriver[]> {
  const groups: string[][] = [];
  const sources = request.targets.filter((target) => target.toLowerCase().endsWith(".c"));
  if (sources.length > 0) groups.push(sources);
  for (const target of request.targets) if (!sources.includes(target)) groups.push([target]);
  if (groups.length > 1) {
    const names = groups.map(([name]) => name).join(", ");
    throw new InputError(
      `These are ${groups.length} drivers: ${names}. Check one at a time; --with names the other half of its stack.`,
    );
  }
  if (request.with.length > 1) throw new InputError("--with names one driver: the other half of the stack.");
  for (const target of request.with) groups.push([target]);
  const drivers: MachineDriver[] = [];
  for (const [slot, group] of groups.entries()) {
    const [first = ""] = group;
    progress(`building ${first}`);
    const options = {
      defines: request.defines,
      includeFolders: request.includes,
      ...(request.ndis === undefined ? {} : { ndis: request.ndis }),
      ...(request.configuration === undefined ? {} : { configuration: request.configuration }),
    };
    drivers.push(TYPESCRIPT.test(first) ? await builder.typeScript(first, slot) : await builder.c(group, slot, options));
  }
  return drivers;
}

async function counterpartFor(
  builder: Builder,
  kind: DriverKind,
  slot: number,
  progress: (line: string) => void,
): Promise<MachineDriver | undefined> {
  progress("building the counterpart");
  if (kind === "protocol") return builder.counterpart("miniport", slot, COUNTERPARTS);
  if (kind === "miniport") return builder.counterpart("protocol", slot, COUNTERPARTS);
  const what =
    kind === "unknown"
      ? "registers neither a protocol nor a miniport"
      : `is a driver of a kind (${kind}) that has no stock scenario yet`;
  throw new InputError(`the driver ${what}; 'ndislab check' takes protocols and miniports.`);
}

/** Whether the two bind to each other. */
function isOpposite(kind: DriverKind, other: DriverKind): boolean {
  return (kind === "protocol" && other === "miniport") || (kind === "miniport" && other === "protocol");
}

/** What a driver is, by what it imports or by the handlers that it has. */
function kindOf(driver: MachineDriver | undefined): DriverKind {
  if (driver === undefined) return "unknown";
  const names = driver.kind === "c" ? driver.image.imports.map(({ name }) => name) : handlersOf(driver);
  const has = (routine: string, handler: string): boolean => names.includes(driver.kind === "c" ? routine : handler);
  const isProtocol = has("NdisRegisterProtocolDriver", "ProtocolBindAdapterEx");
  const isMiniport = has("NdisMRegisterMiniportDriver", "MiniportInitializeEx");
  if (has("NdisFRegisterFilterDriver", "FilterAttach")) return "filter";
  if (isProtocol && isMiniport) return "intermediate";
  if (isProtocol) return "protocol";
  return isMiniport ? "miniport" : "unknown";
}

/** Names of a TypeScript driver's handlers: a machine is made with nothing else on it. */
function handlersOf(driver: MachineDriver): readonly string[] {
  const machine = new Machine({ drivers: [driver], scenario: { name: "nothing", summary: "", actions: [] } });
  return machine.typeScriptHost.handlersOf(driver.slot);
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
    for (const variant of [...singleVariants(asked), ...failureVariants(asked)]) runVariant(variant);
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
