/** What C leaves undefined and a driver does nevertheless: the checks in the drivers' code find it. */
import { on, ruleSet } from "../rule.ts";

export const undefinedBehaviourRules = ruleSet(
  ["undefined-behaviour"],
  [
    on("note undefined behaviour", ({ report }, { text }) => {
      report({ rule: "undefined-behaviour", message: `${text.charAt(0).toUpperCase()}${text.slice(1)}.` });
    }),
  ],
);
