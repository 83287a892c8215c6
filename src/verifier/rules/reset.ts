/** Rules of a reset: what the miniport has done by its end, and what it leaves to NDIS. */
import { constant, statusName } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { listsOf, statusOf } from "../../ndis/chains.ts";
import { Adapter, OidOperation } from "../../ndis/objects.ts";
import { bindingsOf } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";
import { isInside } from "./binding.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const OWN_STATUS: ReadonlyMap<number, string> = new Map(
  (["NDIS_STATUS_RESET_START", "NDIS_STATUS_RESET_END"] as const).map((name) => [constant(name) >>> 0, name]),
);

/**
 * How a send ends that was queued when the reset came. Undocumented: the page of NdisMSendNetBufferListsComplete does not know REQUEST_ABORTED, and
 * has two of its own that say the same; a send that was on its way may have succeeded.
 */
const AFTER_RESET: ReadonlySet<number> = new Set(
  (
    ["NDIS_STATUS_REQUEST_ABORTED", "NDIS_STATUS_SEND_ABORTED", "NDIS_STATUS_RESET_IN_PROGRESS", "NDIS_STATUS_SUCCESS"] as const
  ).map((name) => constant(name) >>> 0),
);

/** Whether some thread is inside that handler, or inside one of those routines. */
export function isUnderWay(k: Kernel, handler: string, ...routines: string[]): boolean {
  return k.threads.some((thread) =>
    Array.from({ length: thread.depth }, (_, index) => k.frame(thread, index)).some((frame) =>
      frame.kind === "Code" ? k.handlerName(frame) === handler : frame.kind === "Plan" && routines.includes(k.planOf(frame).name),
    ),
  );
}

/** What the miniport has of NDIS's, in words; what it is just being given or is giving back does not count. */
function heldBy(k: Kernel, adapter: Adapter): string[] {
  const held: string[] = [];
  const requests = k.objects
    .all(OidOperation)
    .filter((operation) => operation.adapter?.address === adapter.address && operation.state === "Active");
  if (requests.length > 0 && !isUnderWay(k, "MiniportOidRequest")) held.push(`${requests.length} OID request(s)`);
  const sends = sendsHeldBy(k, adapter);
  if (sends > 0) held.push(`${sends} list(s) that were sent`);
  return held;
}

/** Lists that were sent and that the miniport has: what it is just being given or is giving back does not count. */
export function sendsHeldBy(k: Kernel, adapter: Adapter): number {
  if (isUnderWay(k, "MiniportSendNetBufferLists", "NdisSendNetBufferLists", "NdisMSendNetBufferListsComplete")) return 0;
  return bindingsOf(k, adapter).reduce((count, { sendsOutstanding }) => count + sendsOutstanding, 0);
}

export const resetRules = ruleSet(
  ["mp-reset-complete-irql", "mp-reset-630-complete-pending", "mp-reset-no-own-status", "mp-reset-abort-queued-sends"],
  [
    on("call NdisMSendNetBufferListsComplete", ({ k, report }, { args: [, first = 0] }) => {
      if (!isInside(k, ["MiniportResetEx"])) return;
      const wrong = listsOf(k, first).find((list) => !AFTER_RESET.has(statusOf(k, list) >>> 0));
      if (wrong === undefined) return;
      const status = statusOf(k, wrong) >>> 0;
      report({
        rule: "mp-reset-abort-queued-sends",
        message: `MiniportResetEx drops a send with ${statusName(status) ?? `0x${status.toString(16)}`}. A send that a reset drops is completed with NDIS_STATUS_REQUEST_ABORTED.`,
      });
    }),
    on("call NdisMResetComplete", ({ k, report }) => {
      const { locksHeld } = k.current;
      if (locksHeld === 0) return;
      report({
        rule: "mp-reset-complete-irql",
        message: `NdisMResetComplete was called with ${locksHeld} spin lock(s) held. A miniport releases its locks before it completes a reset.`,
      });
    }),
    on("note reset complete", ({ k, report }, { address }) => {
      const adapter = Adapter.at(k.memory, address);
      const { miniport } = adapter;
      if (miniport === undefined || miniport.minorVersion < 30) return;
      const held = heldBy(k, adapter);
      if (held.length === 0) return;
      report({
        rule: "mp-reset-630-complete-pending",
        message: `The miniport completed a reset and still has ${held.join(" and ")}. From NDIS 6.30 on these are completed first.`,
        driver: miniport.slot,
        target: miniport.reset,
      });
    }),
    on("call NdisMIndicateStatusEx", ({ k, report }, { args }) => {
      const name = OWN_STATUS.get(Indication.at(k.memory, args[1] ?? 0).StatusCode >>> 0);
      if (name === undefined) return;
      report({
        rule: "mp-reset-no-own-status",
        message: `The miniport indicated ${name}. NDIS tells the protocols itself that a reset begins and ends.`,
      });
    }),
  ],
);
