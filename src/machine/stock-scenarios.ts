/** The scenarios that `check` runs, by what they are for. */
import type { Scenario } from "./actions.ts";
import { miniportScenarios } from "./stock-miniport.ts";
import { protocolScenarios } from "./stock-protocol.ts";
import type { StockScenario } from "./stock-support.ts";

export const stockScenarios: readonly StockScenario[] = [...protocolScenarios, ...miniportScenarios];

export function scenarioFor(stock: StockScenario, driver: number, counterpart: number): Scenario {
  return { name: stock.name, summary: stock.summary, actions: stock.actions(driver, counterpart) };
}
