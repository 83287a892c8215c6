/** What the end of a run says: that nothing can go on, or that Windows would have stopped. */
import type { BugCheck, Kernel } from "../kernel/index.ts";
import type { Outcome } from "../machine/machine.ts";
import { judgeHung } from "./hung.ts";
import { hungRules } from "./index.ts";
import { isInMalformedEvent } from "./rules/pnp-events.ts";
import type { Finding } from "./rule.ts";

/** What the end of a run says: a hung run, a bug check, a fault. */
export function findingsOf(k: Kernel, outcome: Outcome, isAccused: (slot: number) => boolean): Finding[] {
  if (outcome.kind === "hung") return judgeHung(k, isAccused).map((finding) => ({ ...finding, isEnd: true }));
  if (outcome.kind === "bugcheck") {
    const { code, parameters, message } = outcome.error;
    const text = [code, ...parameters].map((value) => `0x${value.toString(16)}`).join(", ");
    return [{ isEnd: true, rule: ruleOfBugCheck(outcome.error), message: `${message}. Windows stops with bug check ${text}.` }];
  }
  if (outcome.kind === "fault")
    return [
      {
        isEnd: true,
        rule: isInMalformedEvent(k) ? "pnp-validate-data" : outcome.error.rule,
        message: `${capitalised(outcome.error.message)}.`,
        ...(outcome.error.thing === undefined ? {} : { things: [{ address: outcome.error.thing }] }),
        ...(outcome.error.target === undefined ? {} : { target: outcome.error.target }),
      },
    ];
  return [];
}

const MULTIPLE_IRP_COMPLETE_REQUESTS = 0x44;
const BUGCODE_NDIS_DRIVER = 0x7c;
const ILLEGAL_STATE_TRANSITION = 0x1f;
/** By the first parameter of BUGCODE_NDIS_DRIVER: the rule whose breach led to it. */
const RULE_OF_NDIS: Readonly<Record<number, string>> = {
  0x03: "dma-shared-memory-free-exact",
  0x0f: "mp-reset-complete-unexpected",
  0x1b: "im-ifstack",
  0x22: "pnp-illegal-event",
};

/** A finding of a run in which nothing could go on. */
export const isHung = ({ rule }: Finding): boolean => (hungRules as readonly string[]).includes(rule);

function ruleOfBugCheck({ code, parameters, message }: BugCheck): string {
  if (code === MULTIPLE_IRP_COMPLETE_REQUESTS) return "irp-completed-twice";
  if (code !== BUGCODE_NDIS_DRIVER) return "bugcheck";
  if (parameters[0] !== ILLEGAL_STATE_TRANSITION) return RULE_OF_NDIS[parameters[0] ?? 0] ?? "bugcheck";
  return message.startsWith("NdisMRestartComplete") ? "mp-restart-complete-unexpected" : "mp-pause-complete-unexpected";
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
