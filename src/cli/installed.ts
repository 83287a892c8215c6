/** What ndislab has of the contract: asked of the layers below, so that `explain` and `list` never say more than is true. */
import { commonVariants } from "../machine/answers.ts";
import { routines } from "../machine/machine.ts";
import { kernelHandlers } from "../kernel/index.ts";
import { ndisHandlers } from "../ndis/index.ts";
import { stockScenarios } from "../machine/stock-scenarios.ts";
import { watchedRules } from "../verifier/index.ts";
import { readContractTables } from "./contract-tables.ts";
import type { Knowledge } from "./explain/knowledge.ts";

export async function readKnowledge(): Promise<Knowledge> {
  return {
    ...readContractTables(),
    implemented: new Set(routines.map(({ name }) => name)),
    called: new Set<string>([...kernelHandlers, ...ndisHandlers]),
    watched: new Set(watchedRules),
    scenarios: stockScenarios,
    answers: commonVariants.map(({ name }) => name),
  };
}
