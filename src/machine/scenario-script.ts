/** A scenario that is a generator: it decides as it goes. */
import { DriverFault, RunFailed } from "../kernel/outcome.ts";
import { type AnyPlan, type Next, done, goTo, plan, run, step } from "../kernel/plan.ts";
import { struct } from "../kernel/struct.ts";
import type { Action, ScenarioScript } from "./actions.ts";
import type { ApplicationAnswer } from "./application-actions.ts";

/** Asks the script for one action after the other; each gets a plan of its own. */
export function scriptPlan(
  name: string,
  script: ScenarioScript,
  planOf: (name: string, actions: readonly Action[]) => AnyPlan,
  answer: () => ApplicationAnswer,
): AnyPlan {
  const assertion = (condition: boolean, message: string): void => {
    if (!condition) throw new DriverFault("scenario-assert", message);
  };
  const running = script({ assert: assertion, answer });
  let count = 0;
  return plan(`scenario ${name}`, struct("ScriptLocals", {}), [
    step("the next action", (k, _p, result): Next => {
      const { done: isOver, value } = nextOf(running, result);
      if (isOver === true || value === undefined) return done();
      count += 1;
      const action = planOf(`scenario ${name}, action ${count}`, [value]);
      k.listPlan(action);
      return run(action, []);
    }),
    step("the action is done", () => goTo("the next action")),
  ]);
}

function nextOf(running: Generator<Action, void, number>, result: number): IteratorResult<Action, void> {
  try {
    return running.next(result);
  } catch (error) {
    if (error instanceof DriverFault) throw error;
    throw new RunFailed(
      `the scenario itself threw ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    );
  }
}
