/** Regions without asynchronous procedure calls: what must be done inside one, and that each is left as often as it is entered. */
import type { Kernel } from "../../kernel/kernel.ts";
import { IRQL } from "../../kernel/state.ts";
import { on, ruleSet } from "../rule.ts";

/** Routines whose pages demand that normal kernel APCs are disabled. */
const INSIDE = [
  "ExAcquirePushLockExclusive",
  "ExAcquirePushLockShared",
  "ExAcquireResourceExclusiveLite",
  "ExAcquireResourceSharedLite",
];
const LEAVES = [
  ["KeLeaveCriticalRegion", "KeEnterCriticalRegion", "criticalRegions"],
  ["KeLeaveGuardedRegion", "KeEnterGuardedRegion", "guardedRegions"],
] as const;

const isInside = ({ current: { criticalRegions, guardedRegions } }: Kernel): boolean => criticalRegions > 0 || guardedRegions > 0;

/** Whether a driver's function is still under way on the current thread. */
function isInDriver(k: Kernel): boolean {
  const thread = k.current;
  for (let index = 0; index < thread.depth; index += 1) if (k.frame(thread, index).kind === "Code") return true;
  return false;
}

export const apcRules = ruleSet(
  ["apc-region"],
  [
    ...INSIDE.map((name) =>
      on(`call ${name}`, ({ k, report }, { irql }) => {
        if (irql >= IRQL.APC || isInside(k)) return;
        report({
          rule: "apc-region",
          message: `${name} was called while normal kernel APCs could come: KeEnterCriticalRegion has to be called before.`,
        });
      }),
    ),
    ...LEAVES.map(([name, enter, regions]) =>
      on(`call ${name}`, ({ k, report }) => {
        if (k.current[regions] > 0) return;
        report({ rule: "apc-region", message: `${name} was called more often than ${enter}.` });
      }),
    ),
    on("handler return *", ({ k, report }, entry) => {
      if (entry.kind !== "handler return" || k.current.mutexes !== 0 || isInDriver(k)) return;
      // A mutex keeps APCs away as well; that it is still held is another rule's matter. A system thread begins inside a region.
      const { criticalRegions, guardedRegions } = k.current;
      if (criticalRegions <= (entry.name === "ThreadStart" ? 1 : 0) && guardedRegions === 0) return;
      report({
        rule: "apc-region",
        message: `${entry.name} returned inside a critical or guarded region that was entered and not left.`,
        driver: entry.returning,
        target: entry.target,
      });
    }),
  ],
);
