/** The order in which locks are acquired, over the whole run: a circle is a deadlock that waits for the right timing. */
import type { Kernel } from "../../kernel/kernel.ts";
import { type RuleContext, type Watcher, on, ruleSet } from "../rule.ts";
import { type Shadow, shadowTable } from "../shadow.ts";

/** From a lock that is held to the number of the thread that has it, plus 1. */
const held = shadowTable("locks that are held", 256);
/** From a lock to its place in the order, which is never 0. */
const places = shadowTable("locks in the order", 512);
/** From two places, the earlier one high, to the driver's function that acquired the second while it held the first, or 1. */
const order = shadowTable("which lock was acquired under which", 4096);

const HIGH = 0x1_0000;
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

function placeOf(shadow: Shadow, lock: number): number {
  const known = shadow.get(places, lock);
  if (known !== 0) return known;
  const taken = new Set(shadow.entries(places).map(([, place]) => place));
  let place = 1;
  while (taken.has(place)) place += 1;
  shadow.set(places, lock, place);
  return place;
}

/** The driver's function that runs, for the story. */
function runningCode(k: Kernel): number {
  const thread = k.current;
  for (let index = thread.depth - 1; index >= 0; index -= 1) {
    const frame = k.frame(thread, index);
    if (frame.kind === "Code") return frame.code;
  }
  return 1;
}

const nameOf = (k: Kernel, code: number): string => (code === 1 ? "the system" : k.nameOf(code));

/** The function that first went on from the second place on the way back to the first; undefined: there is no way. */
function wayBack(shadow: Shadow, from: number, to: number): number | undefined {
  const edges = shadow.entries(order).map(([key, code]) => ({ before: Math.floor(key / HIGH), after: key % HIGH, code }));
  const seen = new Set([from]);
  const next = [from];
  for (let place = next.pop(); place !== undefined; place = next.pop()) {
    for (const { before, after, code } of edges) {
      if (before !== place) continue;
      if (after === to) return code;
      if (seen.has(after)) continue;
      seen.add(after);
      next.push(after);
    }
  }
  return undefined;
}

function acquired({ k, shadow, report }: RuleContext, lock: number, what: string): void {
  const thread = k.current.number + 1;
  // Only who has another lock adds to the order.
  const others = k.current.locksHeld < 2 ? [] : shadow.entries(held).filter(([other, by]) => by === thread && other !== lock);
  for (const [other] of others) {
    const [before, after] = [placeOf(shadow, other), placeOf(shadow, lock)];
    const key = before * HIGH + after;
    if (shadow.get(order, key) !== 0) continue;
    const code = runningCode(k);
    const opposite = wayBack(shadow, after, before);
    shadow.set(order, key, code);
    if (opposite === undefined) continue;
    report({
      rule: "lock-order",
      message: `The ${what} at ${hex(lock)} was acquired in ${nameOf(k, code)} while the lock at ${hex(other)} was held; they were acquired the other way round in ${nameOf(k, opposite)}. Two threads that do so at once wait for each other for ever.`,
    });
  }
  shadow.set(held, lock, thread);
}

/** Another lock is at that address from now on, or none. */
function forget(shadow: Shadow, lock: number): void {
  const place = shadow.get(places, lock);
  shadow.set(held, lock, 0);
  if (place === 0) return;
  shadow.set(places, lock, 0);
  for (const [key] of shadow.entries(order)) {
    if (Math.floor(key / HIGH) === place || key % HIGH === place) shadow.set(order, key, 0);
  }
}

/** Routines that make or free a lock: its address is their first argument. */
const MAKERS = [
  "NdisAllocateSpinLock",
  "NdisFreeSpinLock",
  "KeInitializeSpinLock",
  "KeInitializeMutex",
  "ExInitializeFastMutex",
  "ExInitializePushLock",
  "ExInitializeResourceLite",
  "ExDeleteResourceLite",
  "NdisFreeRWLock",
] as const;

export const lockOrderRules = ruleSet(
  ["lock-order"],
  [
    on("lock", (context, { action, lock, what }) => {
      if (action === "acquire") acquired(context, lock, what);
      else context.shadow.set(held, lock, 0);
    }),
    ...MAKERS.map((name): Watcher => on(`call ${name}`, ({ shadow }, { args }) => forget(shadow, args[0] ?? 0))),
  ],
  [held, places, order],
);
