/** The IRQL at which a routine may be called, and the balance of IRQL and spin locks over a handler. */
import { constant, ddi, ddis, kernelRoutines } from "../../contract/index.ts";
import { readTime } from "../../kernel/dispatcher-objects.ts";
import { isUnowned } from "../../kernel/shared-locks.ts";
import { IRQL } from "../../kernel/state.ts";
import { on, ruleSet } from "../rule.ts";
import { isInside } from "./binding.ts";

const LEVELS = ["PASSIVE_LEVEL", "APC_LEVEL", "DISPATCH_LEVEL"];
const levelName = (irql: number): string => LEVELS[irql] ?? `IRQL ${irql}`;

/** The lowest and the highest level at which each routine may be called, as its rule is read for the first time. */
function rangeOf(name: string): readonly [low: number, high: number] {
  const allowed = [0, 1, 2].filter((irql) => isAllowedAt(ddi(name)?.irql, irql));
  return [allowed[0] ?? 0, allowed.at(-1) === 2 && isAllowedAt(ddi(name)?.irql, 31) ? 31 : (allowed.at(-1) ?? 31)];
}
const ranges: ReadonlyMap<string, readonly [number, number]> = new Map(
  [...kernelRoutines(), ...ddis()].map(({ name }) => [name, rangeOf(name)]),
);

/** Whether a routine may be called at that level, by the contract's text: "PASSIVE", "<=DISPATCH", "DISPATCH", ... Unknown: yes. */
export function isAllowedAt(rule: string | null | undefined, irql: number): boolean {
  const levels: Readonly<Record<string, number>> = { PASSIVE: 0, APC: 1, DISPATCH: 2 };
  const match = /^(<=|>=|<)?\s*(PASSIVE|APC|DISPATCH)$/.exec(rule ?? "");
  const level = levels[match?.[2] ?? ""];
  if (match === null || level === undefined) return true;
  if (match[1] === "<=") return irql <= level;
  if (match[1] === ">=") return irql >= level;
  return match[1] === "<" ? irql < level : irql === level;
}

/** Handlers that hand a lock over: to whoever called them, or from there. The rules about IRPs look after the cancel routine. */
const HANDS_OVER: ReadonlySet<string> = new Set(["Cancel", "CsqAcquireLock", "CsqReleaseLock"]);

/** Routines that may be called at DISPATCH_LEVEL if they need not wait, and which argument is their time-out. */
const WAITS = [
  ["KeWaitForSingleObject", 4],
  ["KeWaitForMultipleObjects", 6],
] as const;

/** Routines for whose IRQL the contract has a rule of its own. */
const OWN_RULE: Readonly<Record<string, string>> = {
  NdisMAllocatePort: "port-irql",
  NdisMFreePort: "port-irql",
  NdisWaitEvent: "waitevent-irql",
  NdisMSleep: "sleep-irql",
  NdisMAllocateSharedMemory: "dma-shared-memory-passive",
  NdisAllocateSharedMemory: "dma-shared-memory-passive",
};

export const irqlRules = ruleSet(
  ["irql", "mp-shutdown-no-ndis-calls", ...new Set(Object.values(OWN_RULE))],
  [
    on("call *", ({ k, report }, entry) => {
      if (entry.kind !== "call") return;
      const range = ranges.get(entry.name);
      if (range === undefined || (entry.irql >= range[0] && entry.irql <= range[1])) return;
      if (entry.irql === IRQL.HIGH && entry.name.startsWith("Ndis") && isInside(k, ["MiniportShutdownEx"])) {
        report({
          rule: "mp-shutdown-no-ndis-calls",
          message: `${entry.name} was called inside MiniportShutdownEx in a bug check. There a miniport calls only functions that may be called at any IRQL, and frees nothing.`,
        });
        return;
      }
      report({
        rule: OWN_RULE[entry.name] ?? "irql",
        message: `${entry.name} was called at ${levelName(entry.irql)}. It may be called at ${ddi(entry.name)?.irql} only.`,
      });
    }),
    ...WAITS.map(([name, index]) =>
      on(`call ${name}`, ({ k, report }, { args, irql }) => {
        const timeout = args[index] ?? 0;
        if (irql < 2 || (timeout !== 0 && readTime(k, timeout) === 0)) return;
        report({
          rule: "irql",
          message: `${name} was called at ${levelName(irql)} with a time-out other than zero: a wait needs APC_LEVEL or below.`,
        });
      }),
    ),
    ...["NdisAcquireRWLockRead", "NdisAcquireRWLockWrite"].map((name) =>
      on(`call ${name}`, ({ report }, { args, irql }) => {
        if (irql >= 2 || ((args[2] ?? 0) & constant("NDIS_RWL_AT_DISPATCH_LEVEL")) === 0) return;
        report({
          rule: "irql",
          message: `${name} was called with NDIS_RWL_AT_DISPATCH_LEVEL at ${levelName(irql)}: NDIS believes it, and does not raise the IRQL.`,
        });
      }),
    ),
    on("handler return *", ({ report }, entry) => {
      if (entry.kind !== "handler return" || entry.irql === entry.irqlBefore || HANDS_OVER.has(entry.name)) return;
      report({
        rule: "irql",
        message: `${entry.name} was called at ${levelName(entry.irqlBefore)} and returned at ${levelName(entry.irql)}.`,
        driver: entry.returning,
        target: entry.target,
      });
    }),
  ],
);

export const lockRules = ruleSet(
  ["lock-balance", "spinlock-balanced", "rwlock-release-before-free"],
  [
    on("note spin lock released by the other routine", ({ report }, { address: lock }) => {
      report({
        rule: "spinlock-balanced",
        message: `The spin lock at 0x${lock.toString(16)} was released by the routine of the other pair. What NdisDprAcquireSpinLock acquires, NdisDprReleaseSpinLock releases; what NdisAcquireSpinLock acquires, NdisReleaseSpinLock.`,
      });
    }),
    on("call NdisFreeRWLock", ({ k, report }, { args: [lock = 0] }) => {
      if (isUnowned(k, lock)) return;
      report({
        rule: "rwlock-release-before-free",
        message: `The read/write lock at 0x${lock.toString(16)} was freed while it was held.`,
      });
    }),
    on("lock", ({ report }, { action, holder, thread, lock, what }) => {
      if (action !== "release" || holder === thread) return;
      const who = holder === 0 ? "is not held" : `is held by thread ${holder}`;
      report({
        rule: "lock-balance",
        message: `The ${what} at 0x${lock.toString(16)} was released by thread ${thread}, but it ${who}.`,
        counted: lock,
      });
    }),
    on("handler return *", ({ report }, entry) => {
      if (entry.kind !== "handler return" || entry.locksAfter === entry.locksBefore || HANDS_OVER.has(entry.name)) return;
      const held = entry.locksAfter - entry.locksBefore;
      report({
        rule: "lock-balance",
        message:
          held > 0
            ? `${entry.name} returned with ${held} lock(s) that it acquired still held.`
            : `${entry.name} released ${-held} more lock(s) than it acquired.`,
        ...(held > 0 ? { heldBy: entry.thread } : {}),
        driver: entry.returning,
        target: entry.target,
      });
    }),
  ],
);
