/**
 * Scenarios: what is done to the drivers, as data. The interpreter is a plan, so that a machine can be copied in the middle of one.
 */
import { statusName } from "../contract/index.ts";
import { assert, must } from "../kernel/assert.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type AnyPlan, type Next, type PlanStep, call, done, goTo, plan, run, step, until } from "../kernel/plan.ts";
import { endedWorkItems } from "../kernel/ordering.ts";
import { DriverFault, RunFailed } from "../kernel/outcome.ts";
import type { Thread } from "../kernel/state.ts";
import { boolean, struct, u32 } from "../kernel/struct.ts";
import { scriptPlan } from "./scenario-script.ts";
import { Device, DriverObject, devicesAreReady } from "../kernel/io/devices.ts";
import { requestOwedBy } from "../kernel/io/requests.ts";
import type { Action, Scenario } from "./actions.ts";
import { type ApplicationAction, type ApplicationAnswer, isApplicationAction } from "./application-actions.ts";
import { applicationSteps } from "./applications.ts";
import { deviceSteps } from "./device-actions.ts";
import { createDriverObject, driverObject, forgetDriverObject } from "./driver-objects.ts";
import { type OidAction, oidSteps } from "./oid-actions.ts";
import { isProtocolAction, protocolSteps } from "./protocol-actions.ts";
import {
  bindToRunningStack,
  createAdapter,
  pauseStack,
  resetAdapter,
  restartStack,
  startAdapter,
  stopAdaptersOf,
  unbindWhenFree,
} from "../ndis/index.ts";
import { Adapter } from "../ndis/objects.ts";
import { PAUSE_REASON } from "../ndis/pause-restart.ts";
import { bindingsOf, miniportDrivers } from "../ndis/stack.ts";

/** What the interpreter needs to know of the machine's drivers. */
export interface ScenarioWorld {
  /** Table address of a function that the driver exports; undefined: none of that name. */
  addressOf(driver: number, name: string): number | undefined;
}

const Locals = struct("ScenarioLocals", {
  request: u32,
  /** What the action does is done already. */
  isLeftOut: boolean,
});

export const scenarioHandlers = ["ScenarioFunction"] as const;

function adapterNumber(k: Kernel, index: number): Adapter {
  const found = k.objects.all(Adapter).find((adapter) => adapter.index === index);
  if (found === undefined) throw new RunFailed(`the scenario names adapter ${index}, which is not there`);
  if (found.state === "Shutdown") throw new RunFailed("the scenario goes on after the system was shut down");
  return found;
}

/** Makes the plans that carry the scenario out: its own first, then those of the actions that it does in parallel. */
export function scenarioPlans(scenario: Scenario, world: ScenarioWorld): [AnyPlan, ...AnyPlan[]] {
  const parallel: AnyPlan[] = [];
  let last: ApplicationAnswer = { status: 0, information: 0, output: new Uint8Array() };
  const hear = (answer: ApplicationAnswer): void => {
    last = answer;
  };
  const planOf = (name: string, actions: readonly Action[], isMain = false): AnyPlan =>
    plan(name, Locals, [
      ...actions.flatMap((action) => (isMain ? beginningWithPoint(action, stepsFor(name, action)) : stepsFor(name, action))),
      step("it is over", (_k, _p, result) => done(result)),
    ]);
  const stepsFor = (name: string, action: Action): PlanStep<Locals>[] => {
    if (isApplicationAction(action)) return applicationSteps(action, hear);
    if (action.do === "request") return oidSteps(action, world.addressOf, hear);
    if (action.do === "repeat") {
      const round = planOf(`${name}, repeated`, action.actions);
      const rounds = repeated(`${name}, ${action.times} times`, action.times, round);
      parallel.push(round, rounds);
      return [
        step(`${action.times} rounds`, (k) => {
          for (const each of [round, rounds]) k.listPlan(each);
          return run(rounds, []);
        }),
      ];
    }
    if (action.do !== "in parallel") return stepsOf(action, world);
    const part = planOf(`${name}, in parallel`, action.actions);
    parallel.push(part);
    return [
      step("a part is started in parallel", (k) => {
        k.listPlan(part);
        k.startThread("Scenario", { kind: "plan", plan: part, args: [] });
      }),
    ];
  };
  if (typeof scenario.actions === "function") return [scriptPlan(scenario.name, scenario.actions, planOf, () => last)];
  return [planOf(`scenario ${scenario.name}`, scenario.actions, true), ...parallel];
}

/** Parts that are started one after the other run as if they were started at once. */
function beginningWithPoint(action: Action, steps: readonly PlanStep<Locals>[]): PlanStep<Locals>[] {
  const point = action.do === "in parallel" ? "never" : "always";
  return steps.map((each, index) => (index === 0 && each.kind === "step" ? { ...each, point } : each));
}

const repeated = (name: string, times: number, round: AnyPlan): AnyPlan =>
  plan(name, struct("Repeated", { rounds: u32 }), [
    step("a round", (_k, p) => (p.rounds < times ? run(round, []) : done())),
    step("the round is over", (_k, p) => {
      p.rounds += 1;
      return goTo("a round");
    }),
  ]);

type Locals = ReturnType<typeof Locals.at>;

function stepsOf(
  action: Exclude<Action, ApplicationAction | OidAction | { do: "in parallel" | "repeat" }>,
  world: ScenarioWorld,
): PlanStep<Locals>[] {
  if (isProtocolAction(action)) return protocolSteps(action, adapterNumber);
  switch (action.do) {
    case "load":
      return [
        step(`driver ${action.driver} is loaded`, (k, p): Next | undefined => {
          p.isLeftOut = action.again === true && driverObject(k, action.driver) !== 0;
          if (p.isLeftOut) return undefined;
          const { object, path } = createDriverObject(k, action.driver);
          const entry = must(world.addressOf(action.driver, "DriverEntry"), "a driver without DriverEntry was built");
          return call(entry, "DriverEntry", [object, path]);
        }),
        step(`driver ${action.driver} has answered`, (k, p, status) => {
          if (p.isLeftOut) return;
          devicesAreReady(k, driverObject(k, action.driver));
          k.note("driver loaded", action.driver, status);
          if (status < 0x8000_0000) return;
          if (action.mayFail !== true) throw new RunFailed(`DriverEntry failed with ${nameOfStatus(status)}`);
          // Windows unloads the image without a call of DriverUnload.
          k.note("driver unloaded", action.driver, status);
          forgetDriverObject(k, action.driver);
        }),
      ];
    case "unload":
      return [
        // Windows does not call DriverUnload while a file of one of the driver's devices is open.
        until(
          `no file of a device of driver ${action.driver} is open`,
          (k) => k.objects.all(Device).every(({ slot, opens }) => slot !== action.driver || opens === 0),
          { owes: (k) => requestOwedBy(k, action.driver) },
        ),
        // A miniport driver is unloaded when all its adapters are halted.
        step(`the adapters of driver ${action.driver} are removed`, (k) => {
          const miniport = miniportDrivers(k).find(({ slot }) => slot === action.driver);
          return miniport === undefined ? undefined : run(stopAdaptersOf, [miniport.address]);
        }),
        step(`driver ${action.driver} is unloaded`, (k): Next | undefined => {
          const object = driverObject(k, action.driver);
          const miniport = miniportDrivers(k).find(({ slot }) => slot === action.driver);
          // The I/O manager keeps the driver until the routines of its work items have returned.
          k.ordering.acquire(endedWorkItems);
          // NDIS calls MiniportDriverUnload in place of DriverUnload for a miniport driver.
          if (miniport !== undefined) return call(miniport.unload, "MiniportDriverUnload", [object]);
          const unload = DriverObject.at(k.memory, object).DriverUnload;
          return unload === 0 ? undefined : call(unload, "DriverUnload", [object]);
        }),
        step(`driver ${action.driver} is gone`, (k) => k.note("driver unloaded", action.driver)),
      ];
    case "start adapter":
      return [
        step(`adapter ${action.adapter} starts`, (k, p): Next | undefined => {
          const miniport = miniportDrivers(k).find(({ slot }) => slot === action.driver);
          if (miniport === undefined) throw new RunFailed("the driver has registered no miniport");
          p.isLeftOut = action.again === true && k.objects.all(Adapter).some(({ index }) => index === action.adapter);
          if (p.isLeftOut) return undefined;
          return run(startAdapter, [createAdapter(k, miniport, action.adapter).address]);
        }),
        step(`adapter ${action.adapter} has started`, (k, p, status) => {
          if (p.isLeftOut) return;
          if (status !== 0 && action.mayFail !== true)
            throw new RunFailed(`MiniportInitializeEx failed with ${nameOfStatus(status)}`);
          k.note("adapter started", action.adapter);
        }),
      ];
    case "pause":
      return stackChange(action.adapter, "pause", (address) => run(pauseStack, [address, PAUSE_REASON]));
    case "restart":
      return stackChange(action.adapter, "restart", (address) => run(restartStack, [address]));
    case "reset":
      return [
        step(`adapter ${action.adapter} is reset`, (k) =>
          run(resetAdapter, [k.objects.handleOf(adapterNumber(k, action.adapter))]),
        ),
      ];
    case "stop adapter":
    case "power":
    case "shut down":
    case "bug check":
    case "interrupt":
    case "device event":
      return deviceSteps(action, adapterNumber);
    case "bind":
      return [
        step(`adapter ${action.adapter}: protocols bind`, (k) =>
          run(bindToRunningStack, [adapterNumber(k, action.adapter).address]),
        ),
      ];
    case "unbind":
      return [
        step(`driver ${action.driver} is unbound from adapter ${action.adapter}`, (k) => {
          const adapter = adapterNumber(k, action.adapter);
          const binding = bindingsOf(k, adapter).find(({ protocol }) => protocol?.slot === action.driver);
          return binding === undefined ? undefined : run(unbindWhenFree, [adapter.address, k.objects.handleOf(binding)]);
        }),
      ];
    case "call":
      return [
        step(`driver ${action.driver} is told to run ${action.function}`, (): Next | undefined => {
          const target = world.addressOf(action.driver, action.function);
          // Only a counterpart, or a driver that was written for it, has functions that scenarios call.
          if (target === undefined) return undefined;
          return call(target, "ScenarioFunction", action.args ?? []);
        }),
        ...(action.result === undefined ? [] : [returning(action.function, action.result)]),
      ];
    case "wait":
      return [
        until(`${action.milliseconds} ms pass`, () => false, {
          deadline: (k) => k.header.clock + Math.max(action.milliseconds * 10_000, 1),
        }),
      ];
    case "settle":
      return [until("everything else has come to rest", isAtRest)];
    default:
      return action satisfies never;
  }
}

function returning(name: string, expected: number): PlanStep<Locals> {
  return step(`${name} returns ${expected}`, (_k, _p, result) => {
    if (result === expected) return;
    throw new DriverFault("scenario-assert", `${name} returned ${result}, and ${expected} was expected`);
  });
}

/** Nothing runs beside the scenario; a thread that a driver made for itself is at rest while it waits, if only for its next round. */
function isAtRest(k: Kernel): boolean {
  const others = k.threads.filter(({ state, kind }) => state === "Live" && kind !== "Scenario");
  const scenarios = k.threads.filter(({ state, kind }) => state === "Live" && kind === "Scenario");
  return scenarios.length === 1 && others.every((thread) => isOwnThread(thread) && k.scheduler.isWaiting(thread));
}
/** A thread that a driver made by PsCreateSystemThread. */
export const isOwnThread = ({ kind, driver }: Thread): boolean => kind === "System" && driver !== 0;

const nameOfStatus = (status: number): string => statusName(status) ?? `0x${status.toString(16).padStart(8, "0")}`;

/** Something that is done with a stack that nobody else changes meanwhile. */
function stackChange(index: number, what: string, change: (address: number) => Next): PlanStep<Locals>[] {
  return [
    until(`adapter ${index}: no other operation changes the stack`, (k) => adapterNumber(k, index).busy === 0),
    step(`adapter ${index}: the stack is told to ${what}`, (k) => {
      const adapter = adapterNumber(k, index);
      assert(adapter.busy === 0, "a stack is changed twice");
      adapter.busy = 1;
      return change(adapter.address);
    }),
    step(`adapter ${index}: the stack is free`, (k) => {
      adapterNumber(k, index).busy = 0;
    }),
  ];
}
