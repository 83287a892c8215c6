/** A list that a protocol has may not be indicated again: the descriptor is in use. */
import { listsOf } from "../../ndis/chains.ts";
import { on, ruleSet } from "../rule.ts";
import { withProtocol } from "./net-buffer-lists.ts";

export const receivedAgainRules = ruleSet(
  ["recv-no-reclaim-before-return"],
  [
    on("call NdisMIndicateReceiveNetBufferLists", ({ k, shadow, report }, { args: [, first = 0] }) => {
      for (const list of listsOf(k, first)) {
        if (shadow.get(withProtocol, list) === 0) continue;
        report({
          rule: "recv-no-reclaim-before-return",
          message: `List 0x${list.toString(16).padStart(8, "0")} was indicated while a protocol has it from an earlier indication: it belongs to the miniport again when MiniportReturnNetBufferLists gets it.`,
        });
      }
    }),
  ],
);
