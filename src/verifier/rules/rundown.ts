/** The order in which run-down protection is used. */
import type { EntryOf } from "../../kernel/trace.ts";
import { isRunDown, protections } from "../../kernel/rundown.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";

/** Routines that are for an object that is run down. */
const AFTER_RUN_DOWN = [
  "ExReInitializeRundownProtection",
  "ExReInitializeRundownProtectionCacheAware",
  "ExRundownCompleted",
  "ExRundownCompletedCacheAware",
];
/** Routines that release one protection, or as many as their second argument says. */
const RELEASES = ["ExReleaseRundownProtection", "ExReleaseRundownProtectionCacheAware"];

function judgeRelease({ k, report }: RuleContext, { name, args: [reference = 0] }: EntryOf<"call">, count: number): void {
  const acquired = protections(k, reference);
  if (count <= acquired) return;
  report({
    rule: "rundown-order",
    message: `${name}: the run-down protection of 0x${reference.toString(16)} was released ${count} time(s), but acquired only ${acquired}.`,
  });
}

export const rundownRules = ruleSet(
  ["rundown-order"],
  [
    ...AFTER_RUN_DOWN.map((name) =>
      on(`call ${name}`, ({ k, report }, { args: [reference = 0] }) => {
        if (isRunDown(k, reference)) return;
        report({
          rule: "rundown-order",
          message: `${name} was called for 0x${reference.toString(16)}, which is not run down: ExWaitForRundownProtectionRelease comes first.`,
        });
      }),
    ),
    ...RELEASES.map((name) => on(`call ${name}`, (context, entry) => judgeRelease(context, entry, 1))),
    ...RELEASES.map((name) => on(`call ${name}Ex`, (context, entry) => judgeRelease(context, entry, entry.args[1] ?? 0))),
  ],
);
