/** How long a protocol may take to pause and to unbind: NDIS watches over both. */
import { bindingAt } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

/**
 * In units of 100 nanoseconds. Undocumented: how much time NDIS gives. A minute: twice the longest time that a send may take, for which a
 * protocol has to wait when it pauses.
 */
const LIMIT = 600_000_000;
const MILLISECOND = 10_000;

/** From a binding to the millisecond, from 1 on, in which it began to pause or to close. */
const since = shadowTable("moments at which bindings pause or close", 64);

const WATCHED = {
  Pausing: { what: "pause", code: "0x1", handler: "netPnPEvent" },
  Closing: { what: "unbind", code: "0x4", handler: "unbindAdapterEx" },
} as const;
const isWatched = (state: string): state is keyof typeof WATCHED => state === "Pausing" || state === "Closing";

export const watchdogRules = ruleSet(
  ["unbind-watchdog"],
  [
    on("state binding", ({ k, shadow, report }, { address, from, to }) => {
      const now = Math.floor(k.header.clock / MILLISECOND) + 1;
      const taken = now - shadow.get(since, address);
      shadow.set(since, address, isWatched(to) ? now : 0);
      if (!isWatched(from) || taken * MILLISECOND <= LIMIT) return;
      const { what, code, handler } = WATCHED[from];
      const { protocol } = bindingAt(k, address);
      report({
        rule: "unbind-watchdog",
        message: `The protocol took ${taken / 1000} s to ${what}. NDIS watches over it, and Windows stops with bug check 0x7c, 0x25, ${code} when it takes too long.`,
        driver: protocol?.slot ?? -1,
        target: protocol?.[handler] ?? 0,
      });
    }),
  ],
  [since],
);
