/** A driver of this repository, right or with one defect put into it, built and explored as `explore` does it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ExploreOptions, type Explored, explore } from "../explorer/explore.ts";
import type { Found } from "../explorer/failures.ts";
import { racingLines } from "../explorer/points.ts";
import type { Subject } from "../explorer/replay.ts";
import type { Action, Scenario } from "../machine/actions.ts";
import { type Builder, SCENARIO_FUNCTIONS } from "../machine/build.ts";
import type { MachineDriver } from "../machine/machine.ts";

export interface SeededDriver {
  readonly name: string;
  /** From the root of the repository. */
  readonly source: string;
  /** The other half of the stack, which is not accused. */
  readonly counterpart: string;
  /** Functions that the scenarios call, beside the usual ones. */
  readonly functions?: readonly string[];
  /** What is done: the driver's slot is 0, its counterpart's is 1. */
  readonly scenarios: Readonly<Record<string, readonly Action[]>>;
  /** It is not made to find no resources. */
  readonly isAmple?: boolean;
}

export interface Defect {
  readonly driver: string;
  /** Of those of its driver, in which it shows. */
  readonly scenario: string;
  /** What is wrong, in a few words. */
  readonly what: string;
  /** Occurs in the source exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** One exploration: its tokens lead through the driver as it was built for that one, with scheduling points at some lines. */
export interface Look {
  readonly subject: Subject;
  readonly failures: readonly Found[];
}

export interface ExploredDriver {
  readonly looks: readonly Look[];
  readonly subject: Subject;
  /** Of the looks at where threads race and of the search. */
  readonly failures: readonly Found[];
  readonly explored: Explored;
  /** From the first run to the last. */
  readonly seconds: number;
}

export interface Effort {
  /** Milliseconds, without those in which drivers are built. */
  readonly budget: number;
  readonly isEnough?: ExploreOptions["isEnough"];
}

const root = fileURLToPath(new URL("../../", import.meta.url));
/** As `explore` has it. */
const SCOUT_SHARE = 0.1;
const SCOUT_RUNS = 40;
const SCOUT_ROUNDS = 3;

/** Throws if the text that a defect replaces is not there exactly once. */
export function sourceWith(source: string, defect: Pick<Defect, "find" | "replace" | "what"> | undefined): string {
  const text = readFileSync(`${root}${source}`, "utf8");
  if (defect === undefined) return text;
  const count = text.split(defect.find).length - 1;
  if (count !== 1) throw new Error(`${defect.what}: what is to be replaced occurs ${count} times in ${source}`);
  return text.replace(defect.find, () => defect.replace);
}

/** First a few random runs, to see where threads race; then the search, with threads switched there too. */
export async function exploreSeeded(
  builder: Builder,
  driver: SeededDriver,
  scenarioName: string,
  defect: Defect | undefined,
  effort: Effort,
): Promise<ExploredDriver> {
  const folder = mkdtempSync(join(tmpdir(), "ndislab-seeded-"));
  try {
    return await new SeededExploration(builder, driver, scenarioName, defect, effort, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class SeededExploration {
  readonly #builder: Builder;
  readonly #driver: SeededDriver;
  readonly #scenario: Scenario;
  readonly #effort: Effort;
  readonly #path: string;
  readonly #points = new Set<string>();
  readonly #failures = new Map<string, Found>();
  readonly #looks: Look[] = [];
  #left: number;

  constructor(
    builder: Builder,
    driver: SeededDriver,
    scenario: string,
    defect: Defect | undefined,
    effort: Effort,
    folder: string,
  ) {
    this.#builder = builder;
    this.#driver = driver;
    this.#scenario = scenarioOf(driver, scenario);
    this.#effort = effort;
    this.#left = effort.budget;
    this.#path = join(folder, driver.source);
    mkdirSync(dirname(this.#path), { recursive: true });
    // What it includes from elsewhere is found as from its own place.
    symlinkSync(`${root}test`, join(folder, "test"), "junction");
    writeFileSync(this.#path, sourceWith(driver.source, defect));
  }

  async run(): Promise<ExploredDriver> {
    let subject = await this.#build();
    for (let round = 0; round < SCOUT_ROUNDS && !this.#isDone(); round += 1) {
      this.#explore(subject, { budget: this.#effort.budget * SCOUT_SHARE, runs: SCOUT_RUNS, strategy: "walk" });
      const before = this.#points.size;
      for (const line of racingLines([...this.#failures.values()])) this.#points.add(line);
      if (this.#points.size === before) break;
      subject = await this.#build();
    }
    const explored = this.#explore(subject, { budget: this.#left });
    return {
      looks: this.#looks,
      subject,
      failures: [...this.#failures.values()],
      explored,
      seconds: (this.#effort.budget - this.#left) / 1000,
    };
  }

  #isDone(): boolean {
    return this.#effort.isEnough?.([...this.#failures.values()]) === true;
  }

  async #build(): Promise<Subject> {
    const { source, counterpart, functions = [] } = this.#driver;
    const options = { includeFolders: [dirname(`${root}${source}`)], points: [...this.#points].toSorted() };
    const exported = [...SCENARIO_FUNCTIONS, ...functions];
    const driver = await this.#builder.c([this.#path], 0, options, exported);
    const other: MachineDriver = { ...(await this.#builder.c([`${root}${counterpart}`], 1, {}, exported)), isStock: true };
    return { drivers: [driver, other], scenario: this.#scenario };
  }

  #explore(subject: Subject, more: Pick<ExploreOptions, "budget" | "runs" | "strategy">): Explored {
    const { isEnough } = this.#effort;
    const exploration = explore(subject, {
      seed: 1,
      points: [...this.#points].toSorted(),
      saved: [],
      now: () => performance.now(),
      progress: () => {},
      isInterrupted: () => false,
      ...(isEnough === undefined ? {} : { isEnough }),
      ...more,
    });
    for (let next = exploration.next(); ; next = exploration.next()) {
      if (next.done !== true) continue;
      for (const found of next.value.failures) this.#failures.set(found.key, found);
      this.#looks.push({ subject, failures: next.value.failures });
      this.#left -= next.value.milliseconds;
      return next.value;
    }
  }
}

function scenarioOf({ scenarios, isAmple }: SeededDriver, name: string): Scenario {
  const actions = scenarios[name];
  if (actions === undefined) throw new Error(`no scenario is called ${name}`);
  return { name, summary: "", actions, ...(isAmple === undefined ? {} : { isAmple }) };
}
