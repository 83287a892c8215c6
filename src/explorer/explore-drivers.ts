/** `explore`: builds the drivers, explores every stock scenario that fits, and makes a report of it. */
import { InputError } from "../cdriver/errors.ts";
import type { Report, ReportExploration } from "../report/report.ts";
import { type CheckRequest, coverageOf, headOf, setUp } from "../verifier/check.ts";
import { type ExploreOptions, type Explored, type Progress, explore } from "./explore.ts";
import { type Token, parseToken } from "./token.ts";

export interface ExploreRequest extends CheckRequest, Pick<ExploreOptions, "runs" | "seed" | "strategy" | "preemptions" | "faults"> {
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
  const setup = await setUp(request, host.progress);
  const saved = request.saved.flatMap(tokenOrNothing);
  const begun = host.now();
  const exploration: ReportExploration[] = [];
  const runs: Report["runs"][number][] = [];
  const violations: Report["violations"][number][] = [];
  const exercised = new Set<string>();
  for (const [index, scenario] of setup.scenarios.entries()) {
    if (host.isInterrupted()) break;
    const left = request.seconds * 1000 - (host.now() - begun);
    const { processors } = request;
    const explored = await toItsEnd(host, explore(
      { drivers: setup.stack, scenario, ...(processors === undefined ? {} : { processors }) },
      {
        ...request,
        now: host.now,
        isInterrupted: host.isInterrupted,
        budget: left / (setup.scenarios.length - index),
        saved: saved.filter((token) => token.scenario === scenario.name),
        progress: (state) => host.progress(progressText(scenario.name, state)),
      },
    ));
    exploration.push(explorationOf(scenario.name, explored));
    for (const rule of explored.exercised) exercised.add(rule);
    for (const { violation } of explored.failures) violations.push(violation);
    runs.push({
      scenario: scenario.name,
      answers: "explored",
      outcome: explored.failures.length > 0 ? "violated" : explored.reason === undefined ? "passed" : "failed",
      token: explored.failures[0]?.token ?? "",
      entries: explored.counts.transitions,
      ...(explored.reason === undefined ? {} : { reason: explored.reason }),
    });
  }
  return {
    ...headOf(request, setup, new Set()),
    runs,
    violations,
    exploration,
    coverage: coverageOf(setup, exercised, new Set()),
  };
}

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
  const bound =
    rung === undefined
      ? "at random"
      : `${Number.isFinite(rung.preemptions) ? `${rung.preemptions} preemptions` : "all schedules"}, ${Number.isFinite(rung.faults) ? `${rung.faults} faults` : "all faults"}`;
  const failures = found === 0 ? "" : `, ${found} failures`;
  return `${scenario}: ${bound}: ${states} states, ${waiting} steps waiting, ${runs} random runs${failures}`;
}
