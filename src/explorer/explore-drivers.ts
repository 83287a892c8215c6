/** `explore`: builds the drivers, explores every stock scenario that fits, and makes a report of it. */
import { InputError } from "../cdriver/errors.ts";
import type { Scenario } from "../machine/actions.ts";
import type { Report, ReportExploration, ReportRun, ReportViolation } from "../report/report.ts";
import { type CheckRequest, type Setup, coverageOf, headOf, setUp } from "../verifier/check.ts";
import { type ExploreOptions, type Explored, type Progress, explore } from "./explore.ts";
import type { Found } from "./failures.ts";
import { racingLines } from "./points.ts";
import { type Token, parseToken } from "./token.ts";

export interface ExploreRequest
  extends Omit<CheckRequest, "points">,
    Pick<ExploreOptions, "runs" | "seed" | "strategy" | "preemptions" | "faults"> {
  readonly seconds: number;
  readonly processors?: number;
  /** Tokens of runs that failed before. */
  readonly saved: readonly string[];
}

export interface ExploreHost extends Pick<ExploreOptions, "now" | "isInterrupted"> {
  /** Lets the process look after other things. */
  readonly breathe: () => Promise<void>;
  /** What is being built, or how far a scenario is. */
  readonly progress: (line: string) => void;
}

/** Throws InputError and CompileError for what the user can put right. */
export async function exploreDrivers(request: ExploreRequest, host: ExploreHost): Promise<Report> {
  const points = [...new Set(request.saved.flatMap(tokenOrNothing).flatMap((token) => token.points ?? []))].toSorted();
  return new DriverExploration(request, host, await setUp({ ...request, points }, host.progress), points).run();
}

class DriverExploration {
  readonly #request: ExploreRequest;
  readonly #host: ExploreHost;
  #setup: Setup;
  #end = 0;
  /** Lines that were seen to race: before their accesses threads are switched. */
  readonly #points: Set<string>;
  readonly #exploration: ReportExploration[] = [];
  readonly #runs: ReportRun[] = [];
  readonly #violations = new Map<string, ReportViolation>();
  readonly #exercised = new Set<string>();

  constructor(request: ExploreRequest, host: ExploreHost, setup: Setup, points: readonly string[]) {
    this.#points = new Set(points);
    this.#request = request;
    this.#host = host;
    this.#setup = setup;
  }

  async run(): Promise<Report> {
    const { now, isInterrupted } = this.#host;
    this.#end = now() + this.#request.seconds * 1000;
    const count = this.#setup.scenarios.length;
    for (let index = 0; index < count && !isInterrupted(); index += 1)
      await this.#explore(index, (this.#end - now()) / (count - index));
    return {
      ...headOf(this.#request, this.#setup, new Set()),
      runs: this.#runs,
      violations: [...this.#violations.values()],
      exploration: this.#exploration,
      coverage: coverageOf(this.#setup, this.#exercised, new Set()),
    };
  }

  /** First a few random runs, to see where threads race; switched there, they may race elsewhere. Then the search, with all those points. */
  async #explore(index: number, budget: number): Promise<void> {
    const failures = new Map<string, Found>();
    let left = budget;
    for (let round = 0; round < SCOUT_ROUNDS; round += 1) {
      const scouted = await this.#runOne(index, { budget: budget * SCOUT_SHARE, runs: SCOUT_RUNS, strategy: "walk" });
      left -= scouted.milliseconds;
      for (const found of scouted.failures) failures.set(found.key, found);
      if (!(await this.#addPoints(scouted.failures))) break;
    }
    const explored = await this.#runOne(index, { budget: left });
    for (const found of explored.failures) failures.set(found.key, found);
    this.#keep(this.#scenarioAt(index).name, explored, [...failures.values()]);
  }

  /** Builds the drivers with points on the lines that raced; false: they have them. */
  async #addPoints(failures: readonly Found[]): Promise<boolean> {
    const before = this.#points.size;
    for (const line of racingLines(failures)) this.#points.add(line);
    if (this.#points.size === before) return false;
    const begun = this.#host.now();
    this.#setup = await setUp({ ...this.#request, points: [...this.#points].toSorted() }, this.#host.progress);
    // The time is for searching.
    this.#end += this.#host.now() - begun;
    return true;
  }

  #scenarioAt(index: number): Scenario {
    const scenario = this.#setup.scenarios[index];
    if (scenario === undefined) throw new InputError("the scenarios have changed meanwhile");
    return scenario;
  }

  async #runOne(index: number, more: Pick<ExploreOptions, "budget" | "runs" | "strategy">): Promise<Explored> {
    const scenario = this.#scenarioAt(index);
    const { processors, saved } = this.#request;
    const points = [...this.#points].toSorted();
    const subject = {
      drivers: this.#setup.stack,
      scenario,
      accessLines: points,
      ...(processors === undefined ? {} : { processors }),
    };
    const exploration = explore(subject, {
      ...this.#request,
      ...this.#host,
      saved: saved.flatMap(tokenOrNothing).filter((token) => token.scenario === scenario.name),
      points,
      progress: (state) => this.#host.progress(progressText(scenario.name, state)),
      ...more,
    });
    return toItsEnd(this.#host, exploration);
  }

  #keep(scenario: string, explored: Explored, failures: readonly Found[]): void {
    const isBroken = failures.some(({ violation }) => violation.severity === "error");
    this.#exploration.push({ ...explorationOf(scenario, explored), ...(isBroken ? { claim: "BROKEN" } : {}) });
    for (const rule of explored.exercised) this.#exercised.add(rule);
    for (const { key, violation } of failures) {
      const known = this.#violations.get(key);
      this.#violations.set(key, known === undefined ? violation : { ...known, count: known.count + 1 });
    }
    this.#runs.push({
      scenario,
      answers: "explored",
      outcome: isBroken ? "violated" : explored.reason === undefined ? "passed" : "failed",
      token: failures[0]?.token ?? "",
      entries: explored.counts.transitions,
      ...(explored.reason === undefined ? {} : { reason: explored.reason }),
    });
  }
}

/** Of the time for a scenario, and the most runs, for a look at where threads race; and so many looks. */
const SCOUT_SHARE = 0.1;
const SCOUT_RUNS = 40;
const SCOUT_ROUNDS = 3;

async function toItsEnd(host: ExploreHost, exploration: Generator<void, Explored>): Promise<Explored> {
  for (let next = exploration.next(); ; next = exploration.next()) {
    if (next.done === true) return next.value;
    await host.breathe();
  }
}

/** What another version has saved is no reason to stop. */
function tokenOrNothing(text: string): Token[] {
  try {
    return [parseToken(text)];
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

function explorationOf(scenario: string, { claim, sampled, counts, runs, milliseconds }: Explored): ReportExploration {
  return {
    scenario,
    claim: claim.kind,
    text: claim.text,
    sampled,
    assumptions: claim.assumptions,
    states: counts.states,
    transitions: counts.transitions,
    merged: counts.merged,
    runs,
    milliseconds: Math.round(milliseconds),
  };
}

function progressText(scenario: string, { rung, states, waiting, runs, found }: Progress): string {
  const failures = found === 0 ? "" : `, ${found} failures`;
  return `${scenario}: ${rungText(rung)}: ${states} states, ${waiting} steps waiting, ${runs} random runs${failures}`;
}

function rungText(rung: Progress["rung"]): string {
  if (rung === undefined) return "at random";
  const { preemptions, faults } = rung;
  const schedules = Number.isFinite(preemptions) ? `${preemptions} preemptions` : "all schedules";
  return `${schedules}, ${Number.isFinite(faults) ? `${faults} faults` : "all faults"}`;
}
