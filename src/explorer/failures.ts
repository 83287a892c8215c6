/** From a run that fails to what is reported: played again, made as small as it gets, with a token and a story. */
import type { ReportViolation } from "../report/report.ts";
import { runAndRecord } from "../verifier/recorded.ts";
import type { PlacedFinding, RunOptions, RunResult } from "../verifier/run.ts";
import { keyOf, violationOf } from "../verifier/runs.ts";
import { type Cost, isLess } from "./costs.ts";
import { type Decide, type Replay, type Subject, type ToldDeviation, byDeviations, bySites } from "./replay.ts";
import { tokenText } from "./token.ts";

export interface Found {
  /** The same mistake in the same place has the same. */
  readonly key: string;
  readonly violation: ReportViolation;
  readonly token: string;
  readonly deviations: readonly ToldDeviation[];
  readonly cost: Cost;
}

/** Runs that are tried to make one smaller. */
const MOST_TRIES = 60;

/** Makes a run of the subject. */
export type Play = (decide: Decide, options: Pick<RunOptions, "records" | "words" | "judgesRaces">) => Replay;

export class Failures {
  readonly #subject: Subject;
  readonly #play: Play;
  readonly #found = new Map<string, Found>();

  constructor(subject: Subject, play: Play) {
    this.#subject = subject;
    this.#play = play;
  }

  get all(): readonly Found[] {
    return [...new Set(this.#found.values())];
  }

  knows(finding: PlacedFinding): boolean {
    return this.#found.has(keyOf(finding));
  }

  /**
   * The run that is decided so has failed, in the search or by chance: it is played again, and what is new in it is kept. Returns that. What the
   * search finds shows in a run that does not judge races: a race that comes before would hide it.
   */
  examine(decide: Decide, judgesRaces = true): Found[] {
    const quick = this.#play(decide, { records: false, judgesRaces });
    return quick.result.findings.flatMap((finding) => {
      const known = this.#found.get(keyOf(finding));
      if (known !== undefined && !isLess(quick.cost, known.cost)) return [];
      const smallest = this.#smaller(quick, finding, judgesRaces);
      return this.#keep(smallest, finding, judgesRaces);
    });
  }

  /** Leaves out what the failure does not need, faults first, then the switches that came last. */
  #smaller(run: Replay, finding: PlacedFinding, judgesRaces: boolean): Replay {
    let best = run;
    let tries = 0;
    let isSmaller = true;
    while (isSmaller && tries < MOST_TRIES) {
      isSmaller = false;
      const { deviations } = best;
      const order = [...deviations.keys()].toSorted((one, other) => rank(best, one) - rank(best, other));
      for (const place of order) {
        tries += 1;
        const fewer = this.#play(bySites(deviations.filter((_, index) => index !== place)), { records: false, judgesRaces });
        if (fewer.deviations.length >= deviations.length || !fails(fewer.result, finding)) continue;
        best = fewer;
        isSmaller = true;
        break;
      }
    }
    return best;
  }

  /** Plays it twice more, the second time for the record: what is not the same each time is not told. */
  #keep(run: Replay, wanted: PlacedFinding, judgesRaces: boolean): Found[] {
    const decide = byDeviations(run.deviations);
    const { quick, result } = runAndRecord((options) => this.#play(decide, { ...options, judgesRaces }).result);
    if (!fails(quick, wanted)) return [];
    const { accessLines: points = [] } = this.#subject;
    const token = tokenText({
      points,
      scenario: this.#subject.scenario.name,
      deviations: run.deviations,
      ...processorsOf(this.#subject),
    });
    return result.findings.flatMap((finding) => {
      if (finding.rule !== wanted.rule) return [];
      const key = keyOf(finding);
      const base = { scenario: this.#subject.scenario.name, answers: told(run.cost), token };
      const violation = {
        ...violationOf(finding, result, this.#subject.drivers, base),
        deviations: run.deviations.map(({ label }) => label),
      };
      const known = this.#found.get(key);
      const found = { key, violation, token, deviations: run.deviations, cost: run.cost };
      for (const each of [key, keyOf(wanted)])
        if (known === undefined || isLess(run.cost, known.cost)) this.#found.set(each, found);
      return known === undefined ? [found] : [];
    });
  }
}

const processorsOf = ({ processors }: Subject): { processors?: number } => (processors === undefined ? {} : { processors });

const rank = ({ choices, deviations }: Replay, place: number): number => {
  const index = deviations[place]?.index ?? 0;
  return choices[index]?.what === "schedule" ? choices.length - index : -1;
};

const fails = ({ findings }: RunResult, { rule, location }: PlacedFinding): boolean =>
  findings.some((each) => each.rule === rule && each.location?.line === location?.line && each.location?.file === location?.file);

/** In words. */
export function told({ preemptions, faults }: Cost): string {
  const parts = [count(preemptions, "preemption"), count(faults, "failure or late answer", "failures and late answers")].filter(
    (part) => part !== "",
  );
  return parts.length === 0 ? "nobody interferes" : `with ${parts.join(" and ")}`;
}

const count = (value: number, one: string, many = `${one}s`): string =>
  value === 0 ? "" : `${value} ${value === 1 ? one : many}`;
