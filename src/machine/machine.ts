/** A machine: memory, kernel, NDIS and drivers, put together for one run. */
import { constant } from "../contract/index.ts";
import { CHost } from "../cdriver/host.ts";
import type { DriverImage } from "../cdriver/image.ts";
import {
  BugCheck,
  DriverFault,
  Kernel,
  KernelMemory,
  RunFailed,
  type Strategy,
  type Watch,
  Watchers,
  firstCome,
  resetPoison,
  kernelHandlers,
  kernelObjectTypes,
  kernelPlans,
  kernelRoutines,
} from "../kernel/index.ts";
import { accessPointRoutines } from "../kernel/access-point.ts";
import type { AnyPlan } from "../kernel/plan.ts";
import type { TypeScriptDriver } from "../tsdriver/driver.ts";
import { TypeScriptHost } from "../tsdriver/host.ts";
import type { Routine } from "../kernel/routine.ts";
import { ndisHandlers, ndisObjectTypes, ndisPlans, ndisRoutines, setAdapterValue, setServiceValue } from "../ndis/index.ts";
import { applicationPlans } from "./applications.ts";
import { oidActionPlans } from "./oid-actions.ts";
import { HaltedForPower } from "./device-actions.ts";
import { NamedHandle } from "./named-handles.ts";
import { counterpartRoutines } from "./counterpart-routines.ts";
import type { RegistryValues, Scenario } from "./actions.ts";
import { isOwnThread, scenarioHandlers, scenarioPlans } from "./scenario.ts";

/** A driver as a machine takes it: built C, with its compiled module so that many machines share it, or a TypeScript driver's factory. */
export type MachineDriver = {
  readonly slot: number;
  readonly name: string;
  /** A counterpart of ours: never accused. */
  readonly isStock: boolean;
} & (
  | { readonly kind: "c"; readonly image: DriverImage; readonly module: WebAssembly.Module }
  | {
      readonly kind: "typescript";
      readonly driver: TypeScriptDriver;
      /** Its source files, and where a handler is declared. */
      readonly files: readonly string[];
      readonly placeOf: (handler: string) => { readonly file: string; readonly line: number };
    }
);

export interface MachineOptions {
  readonly drivers: readonly MachineDriver[];
  readonly scenario: Scenario;
  readonly strategy?: Strategy;
  /** In place of the scenario's own. */
  readonly registry?: RegistryValues;
  readonly services?: RegistryValues;
  readonly processors?: number;
  /** Instructions of drivers' loops and calls that a run may take. */
  readonly steps?: number;
  readonly watch?: (k: () => Kernel) => Iterable<readonly [subject: string, watch: Watch]>;
  readonly recorder?: Watch;
  /** Whether drivers' accesses are judged as races; left out: they are. Only a run from its start can. */
  readonly judgesRaces?: boolean;
  /** Reuse this memory: it is cleared first. */
  readonly memory?: KernelMemory;
}

export type Outcome =
  | { readonly kind: "finished" }
  | { readonly kind: "hung" }
  | { readonly kind: "bugcheck"; readonly error: BugCheck }
  | { readonly kind: "fault"; readonly error: DriverFault }
  | { readonly kind: "failed"; readonly error: RunFailed };

const DEFAULT_STEPS = 200_000_000;
/** Quanta of the run loop: a run that only ever switches and sleeps ends too. */
const QUANTA = 20_000;

export const routines: readonly Routine[] = [...kernelRoutines, ...ndisRoutines, ...counterpartRoutines, ...accessPointRoutines];

export class Machine {
  readonly kernel: Kernel;
  readonly cHost: CHost;
  readonly typeScriptHost: TypeScriptHost;
  readonly #scenario: AnyPlan;

  constructor(options: MachineOptions) {
    const memory = options.memory ?? new KernelMemory();
    resetPoison(memory);
    const addressOf = (slot: number, name: string): number | undefined =>
      this.cHost.addressOf(slot, name) ?? this.typeScriptHost.addressOf(slot, name);
    const [scenario, ...parallel] = scenarioPlans(options.scenario, { addressOf });
    this.#scenario = scenario;
    this.kernel = new Kernel({
      memory,
      routines,
      plans: [...kernelPlans, ...ndisPlans, ...applicationPlans, ...oidActionPlans, scenario, ...parallel],
      objectTypes: [...kernelObjectTypes, ...ndisObjectTypes, NamedHandle, HaltedForPower],
      handlers: [...kernelHandlers, ...ndisHandlers, ...scenarioHandlers],
      strategy: options.strategy ?? firstCome,
      watchers: new Watchers(options.watch?.(() => this.kernel) ?? [], options.recorder),
      statusValue: constant,
    });
    this.cHost = new CHost(
      this.kernel,
      options.drivers.filter((driver) => driver.kind === "c"),
      options.judgesRaces,
    );
    this.typeScriptHost = new TypeScriptHost(this.kernel, options.recorder !== undefined);
    for (const driver of options.drivers) {
      if (driver.kind === "typescript") this.typeScriptHost.load(driver.driver, driver.slot);
    }
    for (const { slot, isStock } of options.drivers) if (!isStock) this.kernel.header.driversUnderTest |= 1 << slot;
    this.kernel.header.scarceDrivers = options.scenario.isAmple === true ? 0 : this.kernel.header.driversUnderTest;
    this.kernel.header.processorCount = options.processors ?? options.scenario.processors ?? 2;
    this.kernel.header.stepsLeft = options.steps ?? DEFAULT_STEPS;
    for (const [index, values] of Object.entries(options.registry ?? options.scenario.registry ?? {})) {
      for (const [keyword, value] of Object.entries(values)) setAdapterValue(this.kernel, Number(index), keyword, value);
    }
    for (const [slot, values] of Object.entries(options.services ?? options.scenario.services ?? {})) {
      for (const [name, value] of Object.entries(values)) setServiceValue(this.kernel, Number(slot), name, value);
    }
    this.cHost.memoryChanged();
  }

  /** Puts the scenario's thread on the machine. */
  start(): void {
    this.kernel.startThread("Scenario", { kind: "plan", plan: this.#scenario, args: [] });
  }

  /** Runs one thread until it parks or ends; false: nothing can run any more. */
  step(): boolean {
    return this.kernel.scheduler.runNext();
  }

  /** Runs to the end. Nothing a driver does throws out of here; our own defects do. */
  run(): Outcome {
    return this.runUntil(() => false) as Outcome;
  }

  /** The same, but it stops where that is true between two turns of threads: undefined. */
  runUntil(isThere: () => boolean, turns = QUANTA): Outcome | undefined {
    try {
      for (let turn = 0; turn < turns; turn += 1) {
        if (!this.step() || isOver(this.kernel)) return this.#rest();
        if (isThere()) return undefined;
      }
      throw new DriverFault("livelock", `nothing came to an end in ${turns} turns`);
    } catch (error) {
      if (error instanceof BugCheck) return { kind: "bugcheck", error };
      if (error instanceof DriverFault) return { kind: "fault", error };
      if (error instanceof RunFailed) return { kind: "failed", error };
      throw error;
    }
  }

  #rest(): Outcome {
    const isDone = isOver(this.kernel) || this.kernel.threads.every(({ state }) => state !== "Live");
    return isDone ? { kind: "finished" } : { kind: "hung" };
  }
}

/** The scenario has ended, and what is left are threads that drivers made for themselves, each waiting for its next round. */
function isOver(k: Kernel): boolean {
  const live = k.threads.filter(({ state }) => state === "Live");
  return live.length > 0 && live.every((thread) => isOwnThread(thread) && thread.deadline !== 0 && k.scheduler.isWaiting(thread));
}
