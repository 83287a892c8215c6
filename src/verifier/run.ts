/** One run of a scenario with rules watching, and the same run again, recorded, when something was found. */
import type { CodeLocation } from "../cdriver/image.ts";
import { DriverFault, type Entry, type Kernel, KernelMemory, type Strategy } from "../kernel/index.ts";
import { blockAt } from "../kernel/pool.ts";
import { Machine, type MachineDriver, type Outcome } from "../machine/machine.ts";
import type { Scenario } from "../machine/actions.ts";
import { Custody } from "./custody.ts";
import { findingsOf, isHung } from "./endings.ts";
import { allRules } from "./index.ts";
import { type RecordedEntry, type RelatedPlace, callAt, madeAt } from "./origins.ts";
import { partsOf } from "./parts.ts";
import { type RaceRecord, judgeRace } from "./races.ts";
import type { Finding, RuleContext } from "./rule.ts";
import { Shadow } from "./shadow.ts";
import { wrapBehind } from "./wraps.ts";

/** A finding with its place. Places that only the story tells (where a block was allocated, where a thread waits) need a recorded run. */
export interface PlacedFinding extends Finding {
  readonly driver: number;
  readonly location?: CodeLocation;
  readonly stack: readonly CodeLocation[];
  readonly related: readonly RelatedPlace[];
  /** The same for all parts of what a rule reported, and in the recorded run as in the one that was not. */
  readonly number: number;
  /** Index of the entry at which it was found. */
  readonly entry: number;
}

export interface RunResult {
  readonly outcome: Outcome;
  readonly findings: readonly PlacedFinding[];
  /** Picks of all choices, in order. */
  readonly choices: readonly { readonly what: string; readonly picked: number }[];
  readonly entries: readonly RecordedEntry[];
  readonly machine: Machine;
  /** Rules that saw something to judge. */
  readonly exercised: ReadonlySet<string>;
  /** Whether a binding came to Running. */
  readonly hasRun: boolean;
}

export interface RunOptions {
  readonly drivers: readonly MachineDriver[];
  readonly scenario: Scenario;
  /** Made anew for each run; tells each choice to `seen`. */
  readonly strategy: (seen: (what: string, picked: number) => void, kernel: () => Kernel) => Strategy;
  readonly processors?: number;
  readonly records: boolean;
  readonly memory?: KernelMemory;
  /** Words of memory whose accesses are kept, so that a finding can show both of a race. */
  readonly words?: readonly number[];
  readonly watches?: boolean;
  readonly judgesRaces?: boolean;
  /** Sees each entry of a run that is recorded, when it is made. */
  readonly onEntry?: (entry: Entry, machine: Machine) => void;
  /** Ids of rules that are switched off. */
  readonly without?: readonly string[];
}

const tables = allRules.flatMap(({ tables: each }) => each);

/** Runs the scenario once. Nothing that a driver does throws out of here. */
export function run(options: RunOptions): RunResult {
  const choices: { what: string; picked: number }[] = [];
  const entries: RecordedEntry[] = [];
  const findings: PlacedFinding[] = [];
  const reported = new Set<string>();
  const exercised = new Set<string>();
  let hasRun = false;
  const places = new Places(options.drivers);
  const isAccused = (slot: number): boolean => options.drivers.some((driver) => driver.slot === slot && !driver.isStock);

  const nameOf = (slot: number): string => options.drivers.find((driver) => driver.slot === slot)?.name ?? `driver ${slot}`;
  const noticeRunning = (entry: Entry): void => {
    hasRun ||= entry.kind === "state" && entry.to === "Running";
  };
  const report = (k: Kernel, finding: Finding, fault?: readonly CodeLocation[], at?: CodeLocation): void => {
    const running = k.header.currentThread === 0 ? -1 : k.driverOfThread(k.current);
    let driver = finding.driver ?? running;
    // A run that ended in a fault shows one, in whosever code it was: the driver under test is asked about it.
    // But a counterpart that stumbles after a mistake that is known already is no second mistake.
    if (finding.isEnd === true && !isAccused(driver) && (findings.length === 0 || isHung(finding)))
      driver = options.drivers.find(({ isStock }) => !isStock)?.slot ?? -1;
    if (!isAccused(driver) || options.without?.includes(finding.rule) === true) return;
    const key = `${finding.rule} ${finding.message}`;
    if (reported.has(key)) return;
    reported.add(key);
    const stack = finding.isEnd === true && fault !== undefined ? fault : places.now(machine);
    // What a scenario asserts is about data: no line of the driver is to blame.
    const isAssertion = finding.rule === "scenario-assert";
    for (const part of partsOf(entries, finding)) {
      const shown = at ?? entries[callAt(entries, part.shownAt ?? -1)]?.location;
      const location = isAssertion ? undefined : (shown ?? places.of(part, driver, stack, entries, machine));
      const wraps = part.isEnd === true ? wrapsBehind(part, options.drivers, machine, driver, stack) : [];
      const related = [...part.related, ...wraps];
      const placed = { ...part, related, driver, stack, number: reported.size, entry: entries.length };
      findings.push(location === undefined ? placed : { ...placed, location });
    }
  };

  const custody = new Custody();
  const recorder = (entry: Entry): void => {
    if (entry.kind === "call" || entry.kind === "handler") custody.watch(machine.kernel, entry, entries.length);
    entries.push(recorded(entry, places, () => machine));
    options.onEntry?.(entry, machine);
  };

  const machine: Machine = new Machine({
    drivers: options.drivers,
    scenario: options.scenario,
    strategy: options.strategy(
      (what, picked) => choices.push({ what, picked }),
      () => machine.kernel,
    ),
    ...(options.processors === undefined ? {} : { processors: options.processors }),
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    ...(options.judgesRaces === undefined ? {} : { judgesRaces: options.judgesRaces }),
    ...(options.watches === false
      ? {}
      : { watch: (kernel) => [...watchesOf(kernel, report, exercised), ["state binding", noticeRunning] as const] }),
    ...(options.records ? { recorder } : {}),
  });
  if (options.words !== undefined && options.words.length > 0) machine.cHost.checks.watch(options.words);
  machine.start();
  const outcome = machine.run();
  for (const finding of findingsOf(machine.kernel, outcome, isAccused)) {
    const message = outcome.kind === "hung" ? finding.message + custody.story(machine.kernel, nameOf) : finding.message;
    report(machine.kernel, { ...finding, message }, places.stackOfFault(outcome), places.ofFault(outcome));
  }
  // What a thread did after the race says what the access belonged to.
  for (const [index, finding] of findings.entries())
    findings[index] = judged(finding, { checks: machine.cHost.checks, entries, stackOf: (text) => places.inStack(text) });
  return { outcome, findings, choices, entries, machine, exercised, hasRun };
}

/** The watches of all rules, for one machine; `exercised` gets the rules that saw something to judge. */
export function* watchesOf(
  kernel: () => Kernel,
  report: (k: Kernel, finding: Finding) => void,
  exercised: Set<string>,
): Generator<readonly [subject: string, watch: (entry: Entry) => void]> {
  let context: RuleContext | undefined;
  const contextOf = (): RuleContext => {
    const k = kernel();
    context ??= { k, shadow: new Shadow(k, tables), report: (finding) => report(k, finding) };
    return context;
  };
  for (const { watchers, rules } of allRules) {
    let isNew = true;
    for (const { subject, judge } of watchers) {
      yield [
        subject,
        (entry) => {
          if (isNew) for (const rule of rules) exercised.add(rule);
          isNew = false;
          judge(contextOf(), entry);
        },
      ];
    }
  }
}

/** Entries come while the machine is made, too: what is put into its registry is in memory. */
function recorded(entry: Entry, places: Places, machine: () => Machine): RecordedEntry {
  const stack = entry.kind === "call" ? places.now(machine()) : [];
  const [location] = stack;
  return location === undefined ? { entry } : { entry, location, stack };
}

/** A race with the other access, if it was kept, and whether kernel code may be forgiven for it. */
function judged(finding: PlacedFinding, record: RaceRecord): PlacedFinding {
  const race = finding.race === undefined ? undefined : judgeRace(finding.race, finding.entry, record);
  if (race === undefined) return finding;
  const told = { ...finding, message: `${finding.message} ${race.remark}`, related: [...finding.related, ...race.related] };
  return race.isWarning ? { ...told, isWarning: true } : told;
}

/** For an access out of bounds that ended the run. */
function wrapsBehind(
  finding: Finding,
  drivers: readonly MachineDriver[],
  { cHost, kernel }: Machine,
  slot: number,
  stack: readonly CodeLocation[],
): RelatedPlace[] {
  if (finding.rule !== "out-of-bounds") return [];
  const driver = drivers.find((each) => each.slot === slot);
  if (driver?.kind !== "c" || kernel.header.currentThread === 0) return [];
  const block = finding.things?.[0]?.address;
  const blockBytes = block === undefined ? undefined : blockAt(kernel, block)?.bytes;
  const wrap = wrapBehind(cHost.checks.wraps(), driver.image, stack, blockBytes);
  return wrap === undefined ? [] : [wrap];
}

/** From stacks and addresses to places in the drivers' sources. */
class Places {
  readonly #drivers: readonly MachineDriver[];

  constructor(drivers: readonly MachineDriver[]) {
    this.#drivers = drivers;
    Error.stackTraceLimit = 200;
  }

  /** Where the drivers' code is now, innermost first. */
  now(machine: Machine): CodeLocation[] {
    return this.inStack(`${new Error("here").stack ?? ""}\n${machine.typeScriptHost.callStack ?? ""}`);
  }

  inStack(stack: string): CodeLocation[] {
    return stack.split("\n").flatMap((line) => this.#inLine(line) ?? []);
  }

  #inLine(line: string): CodeLocation | undefined {
    if (line.includes("wasm-function[")) {
      const name = /at (\S+) \(/.exec(line)?.[1];
      for (const driver of this.#drivers) {
        if (driver.kind !== "c") continue;
        const [location] = driver.image.locateStack(line);
        if (location !== undefined && (name === undefined || name.endsWith(location.function))) return location;
      }
      return undefined;
    }
    const found = /at (?:(\S+) )?\(?(?:file:\/\/)?(\/[^():]+\.(?:ts|js|mts|mjs)):(\d+):(\d+)\)?/.exec(line);
    if (found === null) return undefined;
    const [, name = "", file = "", lineText = "0", column = "0"] = found;
    const isDriver = this.#drivers.some((driver) => driver.kind === "typescript" && driver.files.includes(file));
    return isDriver
      ? { function: name.split(".").at(-1) ?? "", file, line: Number(lineText), column: Number(column), isApproximate: false }
      : undefined;
  }

  /** The driver's functions that were active when C or TypeScript code threw, innermost first. */
  stackOfFault(outcome: Outcome): CodeLocation[] | undefined {
    if (outcome.kind !== "fault" && outcome.kind !== "bugcheck") return undefined;
    const { error } = outcome;
    const cause = error instanceof DriverFault && error.cause instanceof Error ? error.cause : error;
    return this.inStack(cause.stack ?? "").filter(({ file }) => !file.startsWith("<ndislab>"));
  }

  /** The place of an exception that C or TypeScript code threw. */
  ofFault(outcome: Outcome): CodeLocation | undefined {
    const [first, second] = this.stackOfFault(outcome) ?? [];
    // A function that may not even be entered, for want of stack: the call is the place, which for a recursion is in the function too.
    return first !== undefined && second?.function === first.function ? second : first;
  }

  /** The place to show for a finding. */
  of(
    finding: Finding,
    driver: number,
    stack: readonly CodeLocation[],
    entries: readonly RecordedEntry[],
    machine: Machine,
  ): CodeLocation | undefined {
    if (finding.allocation !== undefined) {
      const made = entries[callAt(entries, madeAt(entries, finding.allocation))];
      if (made?.location !== undefined) return made.location;
    }
    if (finding.thread !== undefined) {
      const waits = entries.findLast(({ entry, location }) => entry.thread === finding.thread && location !== undefined);
      if (waits?.location !== undefined) return waits.location;
    }
    if (finding.target !== undefined && finding.target !== 0) return this.#ofFunction(finding.target, machine);
    const own = stack.find(({ file }) => this.#hasFile(driver, file));
    return (
      own ?? stack[0] ?? entries.findLast(({ entry, location }) => entry.driver === driver && location !== undefined)?.location
    );
  }

  #hasFile(slot: number, file: string): boolean {
    return !file.startsWith("<ndislab>") && this.#drivers.some((driver) => driver.slot === slot);
  }

  #ofFunction(target: number, machine: Machine): CodeLocation | undefined {
    for (const driver of this.#drivers) {
      if (driver.slot !== machine.kernel.driverOf(target)) continue;
      if (driver.kind === "c") return driver.image.functionLocation(target);
      const name = machine.kernel.nameOf(target);
      return { function: name, ...driver.placeOf(name), column: 0, isApproximate: true };
    }
    return undefined;
  }
}
