/** Why an entry of the contract is neither enforced nor proven. */
import type { Rule } from "../contract/index.ts";

const of = (...names: string[]): ReadonlySet<string> => new Set(names);

/** Parts of NDIS that are outside, each with what that is. The first that fits counts. */
const OUTSIDE: readonly { readonly why: string; readonly fits: (rule: Rule) => boolean }[] = [
  { why: "Wi-Fi drivers are not run", fits: ({ id, statement }) => id.startsWith("Wlan") || statement.includes("802.11") },
  {
    why: "connection-oriented NDIS is not run",
    fits: ({ id }) => /^(?:co-|Irql_(?:CallManager|Connection|MCM|MCO)_)/.test(id),
  },
  {
    why: "filter drivers are not run yet",
    fits: ({ id, object, drivers }) =>
      of("filter-module", "filter-driver").has(object) || id.includes("Filter") || drivers.every((driver) => driver === "filter"),
  },
  {
    why: "intermediate drivers are not run yet",
    fits: ({ object, drivers }) => object === "intermediate" || drivers.every((driver) => of("im", "intermediate").has(driver)),
  },
  {
    why: "interrupts and DMA are the hardware's",
    fits: ({ id, object }) =>
      of("interrupt", "dma", "rss").has(object) || /Interrupt|DMA|RegisterSG|MapIoSpace|IoPort|SharedMemory/.test(id),
  },
  { why: "selective suspend is not run yet", fits: ({ object }) => object === "selective-suspend" },
];

/** What one entry has against it. */
const SINGLE: Readonly<Record<string, string>> = {
  "nbl-access-by-macros": "the accessor macros are gone when the compiler has run",
  "header-zero-first": "memory that happens to be zero and memory that was zeroed are the same",
  Flags_Irql: "a driver may ask for its IRQL for other reasons; static analysis only",
  "send-dispatch-flag": "what a caller knows cannot be seen; that the flag is wrong can",
  "send-completion-order-free": "what a sender assumes cannot be seen; other orders of completion are run",
  "oid-filter-serialized": "filter drivers are not run yet",
  "oid-sync-order": "filter drivers are not run yet",
  "oid-sync-filter-complete-iff-success": "filter drivers are not run yet",
  "oid-no-hw-wait": "what a handler waits for cannot be seen",
  "mp-halt-watchdog": "no page says how long NDIS waits; a handler that never ends is told of as a run that hangs",
  "mp-mapiospace-in-init": "a driver that maps the memory of a device does not run here",
  "mp-init-resource-order": "the page says what is usual; another order breaks nothing",
  "mp-init-packet-filter-zero": "the filter lies in the miniport's own memory or in its hardware",
  "pm-d3-no-hardware": "behind a device there is no hardware that could be touched",
  "pm-d0-restore": "what a driver keeps of the settings of its hardware cannot be seen",
  "pm-list-full": "how many entries its lists have is known to the hardware alone",
  "pm-protocol-cannot-disable-others":
    "NDIS does not keep what each protocol has enabled: OID_PM_PARAMETERS reaches the miniport as it is",
  "refcount-imbalance": "the references that NDIS counts for itself are never out of balance here",
  "bugcheck-0x7c-0x02": "NDIS keeps nothing of its own in the pages of shared memory",
  "bugcheck-0x7c-0x04": "Windows has it in an instrumented NDIS only",
  "bugcheck-0x7c-0x1e": "the references that NDIS counts for itself are never out of balance here",
  "bugcheck-0x7c-0x23": "PacketDirect is not run",
  "bugcheck-0x7c-0x24": "it is for mistakes of NDIS itself",
  "recv-dpc-throttle": "no DPC of a real interrupt indicates here",
};

export const outsideOf = (rule: Rule): string | undefined => OUTSIDE.find(({ fits }) => fits(rule))?.why;

export const isDuty = ({ modality }: Rule): boolean => modality === "must" || modality === "must-not";

export function reasonFor(rule: Rule): string {
  const reason = SINGLE[rule.id] ?? outsideOf(rule);
  if (reason !== undefined) return reason;
  if (rule.class === "bugcheck") return "no test leads to it yet";
  return isDuty(rule) || rule.modality === "should" || rule.modality === "should-not"
    ? "no rule watches it yet"
    : "no test is named for it yet";
}
