/** The scenarios that `check` runs, by what they are for. */
import type { Scenario } from "./actions.ts";
import { miniportScenarios } from "./stock-miniport.ts";
import { protocolScenarios } from "./stock-protocol.ts";
import type { StockScenario } from "./stock-support.ts";

export const stockScenarios: readonly StockScenario[] = [...protocolScenarios, ...miniportScenarios];

/** Those that fit a driver of that kind. */
export const stockFor = (kind: string, hasDevice: boolean): StockScenario[] =>
  stockScenarios.filter(({ fits, needsDevice }) => fits === kind && (needsDevice !== true || hasDevice));

export function scenarioFor(stock: StockScenario, driver: number, counterpart: number): Scenario {
  const { name, summary, failures = "common" } = stock;
  return { name, summary, failures, actions: stock.actions(driver, counterpart) };
}
