/** Explores one scenario: what failed before, then the search up its ladder, and random runs beside it from the start. */
import type { Finding } from "../verifier/rule.ts";
import type { RunResult } from "../verifier/run.ts";
import { type Claim, type Covered, claimOf, sampledText } from "./claim.ts";
import type { Cost } from "./costs.ts";
import { Failures, type Found } from "./failures.ts";
import { type Limits, ladder } from "./ladder.ts";
import { Player } from "./player.ts";
import { type Answers, type Experience, type RandomStrategy, randomStrategies, randomly, seeded } from "./random.ts";
import { type Decide, type Subject, byDeviations, byToken, byPicks } from "./replay.ts";
import { Search, type SearchCounts } from "./search.ts";
import type { Token } from "./token.ts";
import { TransitionSystem } from "./transition-system.ts";

export interface ExploreOptions extends Limits {
  /** Milliseconds. */
  readonly budget: number;
  /** At most so many random runs. */
  readonly runs?: number;
  readonly seed: number;
  /** Only this; left out: the search, and all random strategies beside it. */
  readonly strategy?: RandomStrategy | "search";
  /** Lines before whose accesses to memory the drivers' threads may be switched: for the claim. */
  readonly points: readonly string[];
  /** Runs that failed before: they come first. */
  readonly saved: readonly Token[];
  /** Milliseconds, from any moment on. */
  readonly now: () => number;
  readonly progress: (state: Progress) => void;
  /** Asked now and then. */
  readonly isInterrupted: () => boolean;
  /** Whether these failures are all that is wanted. Left out: it goes on whatever it finds. */
  readonly isEnough?: (failures: readonly Found[]) => boolean;
}

export interface Progress extends SearchCounts {
  readonly rung: Cost | undefined;
  readonly runs: number;
  readonly found: number;
}

export interface Explored {
  readonly claim: Claim;
  /** What the random runs came to. */
  readonly sampled: string;
  readonly counts: SearchCounts;
  readonly runs: number;
  readonly failures: readonly Found[];
  /** Why the scenario could not be carried out when nobody interfered. */
  readonly reason: string | undefined;
  readonly exercised: ReadonlySet<string>;
  readonly milliseconds: number;
}

/** Of the time, what is for random runs. */
const RANDOM_SHARE = 0.2;
/** Milliseconds of one kind before it is the other's turn. */
const SLICE = 250;
/** How the random runs answer, in turn. */
const ANSWERS: readonly Answers[] = [
  { varies: false, failures: 0 },
  { varies: true, failures: 0 },
  { varies: true, failures: 0 },
  { varies: false, failures: 1 },
  { varies: true, failures: 1 },
];

/** Yields now and then, so that whoever drives it can look after other things. Nothing that a driver does throws out of here. */
export function explore(subject: Subject, options: ExploreOptions): Generator<void, Explored> {
  return new Exploration(subject, options).run();
}

class Exploration {
  readonly #subject: Subject;
  readonly #options: ExploreOptions;
  readonly #begun: number;
  readonly #player: Player;
  readonly #failures: Failures;
  readonly #system: TransitionSystem;
  readonly #search: Search;
  readonly #rungs: Cost[];
  readonly #done: Cost[] = [];
  readonly #exercised = new Set<string>();
  /** Findings of the search that were looked at. */
  readonly #examined = new Set<string>();
  readonly #pairs = new Set<string>();
  readonly #random: () => number;
  #reason: string | undefined;
  #lastNewPair = 0;
  #runs = 0;
  #pctRuns = 0;
  #timeOfRuns = 0;
  #sliceEnd = 0;
  #told = 0;

  constructor(subject: Subject, options: ExploreOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#begun = options.now();
    this.#player = new Player(subject);
    this.#failures = new Failures(subject, (decide, how) => this.#player.play(decide, how));
    this.#system = new TransitionSystem(subject);
    this.#search = new Search(this.#system, {
      onFailure: ({ picks, transition }) => this.#examine(picks, transition.findings),
      mustStop: () => this.#mustStop(),
    });
    this.#rungs = options.strategy === undefined || options.strategy === "search" ? ladder(options) : [];
    this.#random = seeded(options.seed);
  }

  *run(): Generator<void, Explored> {
    for (const { deviations } of this.#options.saved) this.#failures.examine(byToken(deviations, () => {}));
    const experience = this.#firstRun();
    while (!this.#isOver()) {
      this.#sliceEnd = this.#options.now() + SLICE;
      if (this.#isSearchsTurn()) this.#climb();
      else this.#sample(experience);
      this.#tell();
      yield;
    }
    for (const rule of this.#system.exercised) this.#exercised.add(rule);
    const covered = this.#covered(experience);
    return {
      claim: claimOf(covered),
      sampled: sampledText(covered),
      counts: this.#search.counts,
      runs: this.#runs,
      failures: this.#failures.all,
      reason: this.#reason,
      exercised: this.#exercised,
      milliseconds: this.#options.now() - this.#begun,
    };
  }

  get #elapsed(): number {
    return this.#options.now() - this.#begun;
  }

  #isOver(): boolean {
    if (this.#options.isInterrupted() || this.#isEnough() || this.#elapsed >= this.#options.budget) return true;
    return !this.#isSearching() && (!this.#isSampling() || (this.#searches && this.#timeOfRuns >= RANDOM_SHARE * this.#elapsed));
  }

  get #searches(): boolean {
    return this.#options.strategy === undefined || this.#options.strategy === "search";
  }

  #isSearching(): boolean {
    return this.#rungs.length > 0;
  }

  #isSampling(): boolean {
    return this.#options.strategy !== "search" && this.#runs < (this.#options.runs ?? Number.POSITIVE_INFINITY);
  }

  #isSearchsTurn(): boolean {
    if (!this.#isSearching() || !this.#isSampling()) return this.#isSearching();
    return this.#timeOfRuns >= RANDOM_SHARE * this.#elapsed;
  }

  #mustStop(): boolean {
    return this.#options.now() >= this.#sliceEnd || this.#isEnough() || this.#options.isInterrupted();
  }

  #isEnough(): boolean {
    return this.#options.isEnough?.(this.#failures.all) === true;
  }

  /** Up the ladder as far as the slice of time lasts. */
  #climb(): void {
    for (let [rung] = this.#rungs; rung !== undefined && !this.#mustStop(); [rung] = this.#rungs) {
      if (!this.#search.run(rung)) return;
      this.#done.push(rung);
      this.#rungs.shift();
      if (this.#search.isComplete) this.#rungs.length = 0;
    }
  }

  #firstRun(): Experience {
    const { result, experience } = this.#player.playUndisturbed();
    this.#look(byDeviations([]), result);
    if (result.outcome.kind === "failed") this.#reason = result.outcome.error.message;
    return experience;
  }

  #sample(experience: Experience): void {
    const begun = this.#options.now();
    while (!this.#mustStop() && this.#isSampling()) {
      const strategy =
        this.#options.strategy === undefined || this.#options.strategy === "search" ? undefined : this.#options.strategy;
      const picked = strategy ?? randomStrategies[this.#runs % randomStrategies.length] ?? "walk";
      this.#oneRandomRun(picked, experience);
    }
    this.#timeOfRuns += this.#options.now() - begun;
  }

  #oneRandomRun(strategy: RandomStrategy, experience: Experience): void {
    this.#runs += 1;
    const answers = this.#options.faults === 0 ? ANSWERS[0] : ANSWERS[this.#runs % ANSWERS.length];
    if (answers === undefined) return;
    if (strategy === "pct" && !answers.varies) this.#pctRuns += 1;
    const decide = randomly(strategy, seeded(Math.floor(this.#random() * 0x1_0000_0000)), experience, answers);
    const { deviations, result } = this.#player.play(decide, { records: false });
    for (const { site } of deviations) {
      if (this.#pairs.has(site)) continue;
      this.#pairs.add(site);
      this.#lastNewPair = this.#runs;
    }
    this.#look(byDeviations(deviations), result);
  }

  #look(decide: Decide, { findings, exercised }: RunResult): void {
    for (const rule of exercised) this.#exercised.add(rule);
    if (findings.some((finding) => !this.#failures.knows(finding))) this.#failures.examine(decide);
  }

  #examine(picks: readonly number[], findings: readonly Finding[]): void {
    const fresh = findings.filter(({ rule, message }) => !this.#examined.has(briefly(rule, message)));
    if (fresh.length === 0) return;
    for (const { rule, message } of fresh) this.#examined.add(briefly(rule, message));
    this.#failures.examine(byPicks(picks), false);
  }

  #tell(): void {
    if (this.#elapsed - this.#told < TELL_EACH) return;
    this.#told = this.#elapsed;
    const [rung] = this.#rungs;
    this.#options.progress({ ...this.#search.counts, rung, runs: this.#runs, found: this.#failures.all.length });
  }

  #covered({ schedules, steps }: Experience): Covered {
    const { states, transitions, waiting } = this.#search.counts;
    const { strategy } = this.#options;
    const sampling =
      strategy === undefined ? randomStrategies : [strategy].filter((each): each is RandomStrategy => each !== "search");
    return {
      rungs: this.#done,
      isComplete: this.#done.length > 0 && this.#search.isComplete,
      states,
      transitions,
      left: waiting,
      merges: this.#system.canBeCopied,
      sampled: {
        runs: this.#runs,
        strategies: sampling.map((each) => NAMES[each]),
        pairs: this.#pairs.size,
        lastNewPair: this.#lastNewPair,
        ...(this.#pctRuns === 0
          ? {}
          : { missed: (1 - 1 / (Math.max(steps.size, 1) * Math.max(schedules, 1) ** 2)) ** this.#pctRuns }),
      },
      points: this.#options.points,
      processors: this.#subject.processors ?? this.#subject.scenario.processors ?? 2,
    };
  }
}

const NAMES: Readonly<Record<RandomStrategy, string>> = { walk: "random walk", pos: "POS", pct: "PCT", urw: "URW" };
/** Milliseconds. */
const TELL_EACH = 200;

const briefly = (rule: string, message: string): string => `${rule} ${message.replaceAll(/0x[0-9a-f]+|\d+/g, "#")}`;
