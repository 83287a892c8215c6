/** What a miniport may not do while it moves entries of the RSS indirection table, which is a synchronous request. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { on, ruleSet } from "../rule.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const MOVE_ENTRIES = constant("OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES") >>> 0;
/** The upper layer may have asked from a receive or the completion of a send: those would come in a circle. */
const INDICATIONS = [
  "NdisMIndicateStatusEx",
  "NdisMNetPnPEvent",
  "NdisMIndicateReceiveNetBufferLists",
  "NdisMSendNetBufferListsComplete",
] as const;

/** Whether the current thread is inside the handler, with a request that moves entries. */
function isMoving(k: Kernel): boolean {
  const thread = k.current;
  for (let index = 0; index < thread.depth; index += 1) {
    const frame = k.frame(thread, index);
    if (frame.kind !== "Code" || k.handlerName(frame) !== "MiniportSynchronousOidRequest") continue;
    const request = k.arguments(frame)[1] ?? 0;
    if (Request.at(k.memory, request).DATA_METHOD_INFORMATION_Oid >>> 0 === MOVE_ENTRIES) return true;
  }
  return false;
}

export const synchronousRequestRules = ruleSet(
  ["rss-v2-ite-synchronous"],
  INDICATIONS.map((name) =>
    on(`call ${name}`, ({ k, report }) => {
      if (!isMoving(k)) return;
      report({
        rule: "rss-v2-ite-synchronous",
        message: `${name} was called while OID_GEN_RSS_SET_INDIRECTION_TABLE_ENTRIES is handled. Its handler indicates nothing.`,
      });
    }),
  ),
);
