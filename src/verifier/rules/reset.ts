/** Rules of a reset: what the miniport has done by its end, and what it leaves to NDIS. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Adapter, OidOperation } from "../../ndis/objects.ts";
import { bindingsOf } from "../../ndis/stack.ts";
import { on, ruleSet } from "../rule.ts";

const Indication = windowsStruct("NDIS_STATUS_INDICATION");
const OWN_STATUS: ReadonlyMap<number, string> = new Map(
  (["NDIS_STATUS_RESET_START", "NDIS_STATUS_RESET_END"] as const).map((name) => [constant(name) >>> 0, name]),
);

/** Whether some thread is inside that handler, or inside one of those routines. */
function isUnderWay(k: Kernel, handler: string, ...routines: string[]): boolean {
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
  ["mp-reset-complete-irql", "mp-reset-630-complete-pending", "mp-reset-no-own-status"],
  [
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
