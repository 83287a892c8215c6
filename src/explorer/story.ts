/** A run as a story: each entry with the machine as it was then, so that it can be told forward and backward. */
import { type Entry, type Kernel } from "../kernel/index.ts";
import { placeOf } from "./labels.ts";
import type { Machine } from "../machine/machine.ts";
import type { Location, ReportRun, ReportViolation } from "../report/report.ts";
import { textOf } from "../verifier/history.ts";
import { runAndRecord } from "../verifier/recorded.ts";
import { locationOf, violationOf } from "../verifier/runs.ts";
import { ownerOf } from "./labels.ts";
import { type Decide, type Subject, type ToldDeviation, byToken, replay } from "./replay.ts";
import type { Token } from "./token.ts";

/** A thread between two entries. */
export interface StoryThread {
  readonly number: number;
  /** What it is there for. */
  readonly name: string;
  readonly irql: number;
  readonly locks: number;
  /** Functions of drivers and steps of the library that it is in, outermost first. */
  readonly frames: readonly string[];
  readonly isCurrent: boolean;
}

export interface StoryEntry {
  readonly step: number;
  readonly thread: number;
  /** -1: the system. */
  readonly driver: number;
  readonly irql: number;
  readonly text: string;
  readonly location?: Location;
  readonly threads: readonly StoryThread[];
  /** Addresses and handles that it is about. */
  readonly objects: readonly number[];
}

export interface Story {
  readonly run: ReportRun;
  readonly violations: readonly ReportViolation[];
  readonly exercised: ReadonlySet<string>;
  readonly entries: readonly StoryEntry[];
  /** What the run did in another way than when nobody interferes. */
  readonly deviations: readonly ToldDeviation[];
  /** Where the run could not follow its token. */
  readonly divergence?: string;
}

export function tellRun(subject: Subject, token: Token, text: string): Story {
  let divergence: string | undefined;
  let told: Omit<StoryEntry, "step" | "location">[] = [];
  let deviations: readonly ToldDeviation[] = [];
  const along = (): Decide =>
    byToken(token.deviations, ({ index, site }, found) => {
      divergence ??= `choice ${index} of the token, ${site}, is another one now: ${found}`;
    });
  // A race that comes first hides what else is wrong with the run.
  const judgesRaces = replay(subject, along(), { records: false, judgesRaces: false }).result.findings.length === 0;
  const { result } = runAndRecord(({ words }) => {
    told = [];
    const played = replay(subject, along(), {
      judgesRaces,
      records: true,
      ...(words === undefined ? {} : { words }),
      onEntry: (entry, machine) => void told.push(tell(entry, machine)),
    });
    deviations = played.deviations;
    return played.result;
  });
  if (deviations.length < token.deviations.length)
    divergence ??= `${token.deviations.length - deviations.length} of its ${token.deviations.length} deviations found no place`;
  const base = { scenario: subject.scenario.name, answers: "replayed", token: text };
  const violations = result.findings.map((finding) => violationOf(finding, result, subject.drivers, base));
  const { outcome } = result;
  return {
    run: {
      ...base,
      outcome: outcome.kind === "hung" || outcome.kind === "bugcheck" || outcome.kind === "failed" ? outcome.kind : violations.length > 0 ? "violated" : "passed",
      entries: result.entries.length,
    },
    violations,
    exercised: result.exercised,
    entries: told.map((entry, step) => {
      const location = locationOf(result.entries[step]?.location);
      return { ...entry, step, ...(location === undefined ? {} : { location }) };
    }),
    deviations,
    ...(divergence === undefined ? {} : { divergence }),
  };
}

function tell(entry: Entry, { kernel }: Machine): Omit<StoryEntry, "step" | "location"> {
  return {
    thread: entry.thread,
    driver: entry.driver,
    irql: entry.irql,
    text: textOf(kernel, entry),
    threads: threadsOf(kernel),
    objects: objectsOf(entry),
  };
}

function threadsOf(k: Kernel): StoryThread[] {
  return k.threads
    .filter(({ state }) => state === "Live")
    .map((thread) => ({
      number: thread.number,
      name: ownerOf(k, thread),
      irql: thread.irql,
      locks: thread.locksHeld,
      frames: Array.from({ length: thread.depth }, (_, index) => {
        const frame = k.frame(thread, index);
        if (frame.kind === "Code") return `${k.handlerName(frame)} = ${k.nameOf(frame.code)}`;
        return frame.kind === "Plan" ? `${k.planOf(frame).name}, ${placeOf(k, thread)}` : k.routineOf(frame.code).name;
      }),
      isCurrent: thread.address === k.header.currentThread,
    }));
}

function objectsOf(entry: Entry): number[] {
  switch (entry.kind) {
    case "call":
    case "handler":
      return [...entry.args];
    case "return":
      return [entry.result];
    case "lock":
      return [entry.lock];
    case "state":
    case "note":
      return [entry.address];
    default:
      return [];
  }
}
