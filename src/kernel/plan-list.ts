/** The plans of a machine: memory names each by its number. */
import { InternalError, assert } from "./assert.ts";
import type { AnyPlan } from "./plan.ts";

export class PlanList {
  readonly #plans: AnyPlan[] = [];
  readonly #numbers = new Map<AnyPlan, number>();

  /** Plans are listed before they run, in an order that depends on nothing but the run. */
  add(plan: AnyPlan): void {
    if (this.#numbers.has(plan)) return;
    this.#numbers.set(plan, this.#plans.length);
    this.#plans.push(plan);
  }

  at(number: number): AnyPlan {
    const plan = this.#plans[number];
    if (plan === undefined) throw new InternalError(`no plan ${number}`);
    return plan;
  }

  numberOf(plan: AnyPlan): number {
    const number = this.#numbers.get(plan);
    assert(number !== undefined, `plan '${plan.name}' is not listed`);
    return number;
  }
}
