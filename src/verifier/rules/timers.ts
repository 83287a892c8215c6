/** Rules of timers: how one is cancelled, and that none is set when what it belongs to is gone. */
import type { Kernel } from "../../kernel/kernel.ts";
import { isSet } from "../../kernel/timer-queue.ts";
import { Adapter } from "../../ndis/objects.ts";
import { TimerObject } from "../../ndis/resource-objects.ts";
import { callbacksOf } from "../../ndis/timers-and-work.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

/** From the handle of a timer to 1 if it was set with a period. */
const periodic = shadowTable("timers that are set with a period", 64);

/** Timers that the adapter has: its own, and those of its driver, which may be another adapter's as long as there is one. */
export function timersOfAdapter(k: Kernel, adapter: Adapter): TimerObject[] {
  const { miniport } = adapter;
  const isOnly = !k.objects
    .all(Adapter)
    .some((other) => other.address !== adapter.address && other.miniport?.address === miniport?.address);
  return k.objects.all(TimerObject).filter((timer) => {
    const owner = k.objects.resolve(timer.owner, Adapter);
    return owner === undefined ? isOnly && timer.slot === miniport?.slot : owner.address === adapter.address;
  });
}

const setTimersOf = (k: Kernel, adapter: Adapter): number =>
  timersOfAdapter(k, adapter).filter(({ address }) => isSet(k, address)).length;
const runningTimersOf = (k: Kernel, adapter: Adapter): number =>
  timersOfAdapter(k, adapter).filter(({ address }) => callbacksOf(k, address).length > 0).length;

export const timerRules = ruleSet(
  ["PeriodicTimer", "timer-cancel-before-halt-end", "mp-init-timer-left", "timer-allocate-free", "timer-oneshot-cancel-sync"],
  [
    ...["NdisSetTimerObject", "NdisSetCoalescableTimerObject"].map((name) =>
      on(`call ${name}`, ({ shadow }, { args: [handle = 0, , period = 0] }) => {
        if (handle !== 0) shadow.set(periodic, handle, period === 0 ? 0 : 1);
      }),
    ),
    on("call NdisFreeTimerObject", ({ shadow }, { args: [handle = 0] }) => {
      if (handle !== 0) shadow.set(periodic, handle, 0);
    }),
    on("call NdisCancelTimerObject", ({ shadow, report }, { args: [handle = 0], irql }) => {
      const wasPeriodic = handle !== 0 && shadow.get(periodic, handle) !== 0;
      if (handle !== 0) shadow.set(periodic, handle, 0);
      if (!wasPeriodic || irql === 0) return;
      report({
        rule: "PeriodicTimer",
        message: "NdisCancelTimerObject was called above PASSIVE_LEVEL for a timer that was set with a period.",
      });
    }),
    on("note timer freed while set", ({ report }) => {
      report({
        rule: "timer-allocate-free",
        message: "NdisFreeTimerObject was called for a timer that is set. It is cancelled first, with NdisCancelTimerObject.",
      });
    }),
    on("note timer freed while its callback runs", ({ report }) => {
      report({
        rule: "timer-oneshot-cancel-sync",
        message:
          "NdisFreeTimerObject was called while the callback of the timer runs or is about to. A driver whose cancel came too late waits for the callback by means of its own.",
      });
    }),
    on("note initialize returned", ({ k, report }, { address, value: status }) => {
      const adapter = Adapter.at(k.memory, address);
      const left = status === 0 ? 0 : setTimersOf(k, adapter);
      if (left === 0) return;
      report({
        rule: "mp-init-timer-left",
        message: `MiniportInitializeEx failed, and ${left} timer(s) of the driver are set. Windows stops when one comes due.`,
        driver: adapter.miniport?.slot ?? -1,
        target: adapter.miniport?.initialize ?? 0,
      });
    }),
    on("note halt returned", ({ k, report }, { address }) => {
      const adapter = Adapter.at(k.memory, address);
      const of = { driver: adapter.miniport?.slot ?? -1, target: adapter.miniport?.halt ?? 0 };
      const left = setTimersOf(k, adapter);
      if (left > 0) {
        const message = `MiniportHaltEx returned, and ${left} timer(s) of the driver are set. Windows stops when one comes due.`;
        report({ rule: "timer-cancel-before-halt-end", message, ...of });
      }
      const running = runningTimersOf(k, adapter);
      if (running > 0) {
        const message = `MiniportHaltEx returned while the callback(s) of ${running} timer(s) run or are about to. A driver whose cancel came too late waits for the callback by means of its own.`;
        report({ rule: "timer-oneshot-cancel-sync", message, ...of });
      }
    }),
  ],
  [periodic],
);
