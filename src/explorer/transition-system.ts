/**
 * A machine as a transition system: its states are the moments at which several threads could go on, or time could pass, or the scenario comes to
 * its next action; a transition is what happens from one such moment to the next. All of a state is in the machine's memory, so it can be left and
 * entered again.
 */
import { type Candidates, type Kernel, KernelMemory, type Strategy, clearUsed } from "../kernel/index.ts";
import { regions } from "../kernel/memory.ts";
import type { Scenario } from "../machine/actions.ts";
import { Machine, type MachineDriver, type Outcome } from "../machine/machine.ts";
import { findingsOf } from "../verifier/endings.ts";
import type { Finding } from "../verifier/rule.ts";
import { watchesOf } from "../verifier/run.ts";
import { type Choice, aboutSchedule } from "./costs.ts";
import { BLOCK_BYTES, type StateCopy, States, clearDeadStack } from "./states.ts";
import { type Points, pointsFor } from "./points.ts";

export interface SystemOptions {
  readonly drivers: readonly MachineDriver[];
  readonly scenario: Scenario;
  readonly processors?: number;
  /** Left out: the coarsest at which nothing is left out. */
  readonly points?: Points;
  /** Left out: true. */
  readonly timePasses?: boolean;
  /** Sees the machine where a run ends. */
  readonly atEnd?: (kernel: Kernel, outcome: Outcome) => void;
}

export interface Transition {
  /** The choices that were made, the first of them who goes on; without one where nothing was to be chosen. */
  readonly picks: readonly Choice[];
  readonly findings: readonly Finding[];
  /** Undefined: there is a state after it. */
  readonly outcome: Outcome | undefined;
}

/** How a state is entered again: as its copy, or by what led to it. */
export interface Place {
  readonly state: StateCopy | undefined;
  readonly picks: readonly number[];
  readonly stops: number;
}

/** Turns between two states: who only ever switches and sleeps comes to an end too. */
const MAX_TURNS = 20_000;

export class TransitionSystem {
  readonly #options: SystemOptions;
  readonly #memory = new KernelMemory();
  readonly #states = new States(this.#memory);
  readonly #exercised = new Set<string>();
  #machine: Machine | undefined;
  #script: readonly number[] = [];
  #picks: Choice[] = [];
  /** All that was picked since the machine was new, and how many states it came to. */
  #path: number[] = [];
  #stops = 0;
  /** Of states that cannot be compared. */
  #keys = 0;
  #findings: Finding[] = [];

  constructor(options: SystemOptions) {
    this.#options = options;
  }

  /** Whether a state can be left and entered again, and compared with others; else it is reached again from the start, and each is another one. */
  get canBeCopied(): boolean {
    const { drivers, scenario } = this.#options;
    return drivers.every(({ kind }) => kind === "c") && typeof scenario.actions !== "function";
  }

  /** Rules that saw something to judge. */
  get exercised(): ReadonlySet<string> {
    return this.#exercised;
  }

  /** A new machine runs to its first state; `script` is what is picked on the way. */
  begin(script: readonly number[] = []): Transition {
    this.#renew();
    this.#current.start();
    return this.#run(script);
  }

  /** From the state in which the machine is: `script` is what is picked first, then what happens when nobody interferes. */
  take(script: readonly number[]): Transition {
    return this.#run(script);
  }

  /** Who could go on in the state in which the machine is. */
  candidates(): Candidates {
    return this.#kernel.scheduler.candidates();
  }

  copy(): Place {
    if (this.canBeCopied) return { state: this.#states.copy(), picks: [], stops: 0 };
    return { state: undefined, picks: [...this.#path], stops: this.#stops };
  }

  restore({ state, picks, stops }: Place): void {
    if (state === undefined) {
      this.#renew();
      this.#current.start();
      this.#run(picks, stops);
      return;
    }
    if (this.#machine === undefined) this.#renew();
    this.#states.look(this.#kernel);
    this.#states.restore(this.#kernel, state);
  }

  /** Equal for two states from which the same can happen. */
  key(): string {
    if (this.canBeCopied) return this.#states.key(this.#kernel);
    this.#keys += 1;
    return String(this.#keys);
  }

  /** The thread that could go on, as a number that does not depend on the schedule before; 0: none could. */
  currentThread(): number {
    const { header } = this.#kernel;
    return header.isAtPoint ? header.currentThread : 0;
  }

  get #current(): Machine {
    if (this.#machine === undefined) throw new Error("the transition system has not begun");
    return this.#machine;
  }

  get #kernel(): Kernel {
    return this.#current.kernel;
  }

  #renew(): void {
    if (this.#machine !== undefined) clearUsed(this.#machine.kernel);
    else this.#memory.reset();
    const { drivers, scenario, processors } = this.#options;
    this.#machine = new Machine({
      drivers,
      scenario,
      memory: this.#memory,
      strategy: this.#strategy(),
      judgesRaces: false,
      watch: (kernel) => watchesOf(kernel, (k, finding) => this.#hear(k, finding), this.#exercised),
      ...(processors === undefined ? {} : { processors }),
    });
    // What the rules of the run before have left is gone.
    const first = regions.shadow.start / BLOCK_BYTES;
    const count = (regions.shadow.end - regions.shadow.start) / BLOCK_BYTES;
    this.#machine.kernel.shadowWrites = new Set(Array.from({ length: count }, (_, index) => first + index));
    this.#path = [];
    this.#stops = 0;
  }

  #strategy(): Strategy {
    return {
      choose: (count, what, candidates) => {
        const picked = Math.min(this.#script[this.#picks.length] ?? 0, count - 1);
        this.#picks.push({ what, count, picked, ...aboutSchedule(candidates) });
        return picked;
      },
      preempts: true,
      parksAlways: false,
      ...(this.#options.points ?? pointsFor(this.#options.drivers)),
      stops: true,
      timePasses: this.#options.timePasses ?? true,
    };
  }

  #isAccused(slot: number): boolean {
    return this.#options.drivers.some((driver) => driver.slot === slot && !driver.isStock);
  }

  #hear(k: Kernel, finding: Finding): void {
    const driver = finding.driver ?? (k.header.currentThread === 0 ? -1 : k.driverOfThread(k.current));
    if (this.#isAccused(driver)) this.#findings.push(finding);
  }

  /** Between two turns: whether there is something to choose, or the scenario comes to its next action. */
  #isState(k: Kernel): boolean {
    if (k.header.currentThread !== 0) clearDeadStack(k, k.current);
    return k.scheduler.candidates().all.length > 1 || (k.header.isAtPoint && k.current.depth === 1);
  }

  /** Past so many states: to the next one, or on to a state that is reached again. */
  #run(script: readonly number[], stops = this.#stops + 1): Transition {
    this.#script = script;
    this.#picks = [];
    this.#findings = [];
    const machine = this.#current;
    const outcome = machine.runUntil(() => this.#isState(machine.kernel) && this.#countsTo(stops), MAX_TURNS);
    if (!this.canBeCopied) this.#path.push(...this.#picks.map(({ picked }) => picked));
    if (outcome === undefined && this.canBeCopied) this.#states.look(machine.kernel);
    if (outcome !== undefined) {
      this.#options.atEnd?.(machine.kernel, outcome);
      this.#findings.push(...findingsOf(machine.kernel, outcome, (slot) => this.#isAccused(slot)));
      // After an exception no code of the drivers can be run in this machine again.
      if (outcome.kind !== "finished" && outcome.kind !== "hung") this.#machine = undefined;
    }
    return { picks: this.#picks, findings: this.#findings, outcome };
  }

  #countsTo(stops: number): boolean {
    this.#stops += 1;
    return this.#stops >= stops;
  }
}
