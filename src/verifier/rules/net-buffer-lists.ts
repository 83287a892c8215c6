/** Who has a NET_BUFFER_LIST: its sender, the miniport that it was sent to, or a protocol that it was indicated to. */
import { PoolBlock, allocatedBlocks } from "../../kernel/pool.ts";
import { NetBufferList, listsOf } from "../../ndis/chains.ts";
import { Adapter, Binding } from "../../ndis/objects.ts";
import { constant } from "../../contract/index.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

/** From a list to the adapter whose miniport has it, and from a list to the binding whose protocol has it. */
const withMiniport = shadowTable("lists that a miniport has", 4096);
export const withProtocol = shadowTable("lists that a protocol has", 4096);

/** Lists whose makers are shown. */
const SHOWN = 8;
const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

export const netBufferListRules = ruleSet(
  [
    "send-miniport-complete",
    "send-ownership-transfer",
    "recv-return-same-binding",
    "recv-no-reclaim-before-return",
    "nbl-pool-free-when-empty",
  ],
  [
    on("handler MiniportSendNetBufferLists", ({ k, shadow }, { args }) => {
      for (const list of listsOf(k, args[1] ?? 0)) shadow.set(withMiniport, list, (args[0] ?? 0) | 1);
    }),
    on("call NdisMSendNetBufferListsComplete", ({ k, shadow, report }, { args }) => {
      const [handle = 0, first = 0] = args;
      const adapter = k.objects.resolve(handle, Adapter);
      if (adapter === undefined) return;
      for (const list of listsOf(k, first)) {
        const holder = shadow.get(withMiniport, list);
        if (holder !== (adapter.context | 1) >>> 0) {
          const why =
            holder === 0
              ? "which the miniport does not have: it was completed before, or never sent to it"
              : "which was sent to another adapter";
          report({
            rule: "send-miniport-complete",
            message: `NdisMSendNetBufferListsComplete was called for list ${hex(list)}, ${why}.`,
          });
        }
        shadow.set(withMiniport, list, 0);
      }
    }),
    on("handler ProtocolReceiveNetBufferLists", ({ k, shadow }, { args }) => {
      const [context = 0, first = 0, , , flags = 0] = args;
      if ((flags & RESOURCES) !== 0) return;
      for (const list of listsOf(k, first)) shadow.set(withProtocol, list, context | 1);
    }),
    on("call NdisReturnNetBufferLists", ({ k, shadow, report }, { args }) => {
      const [handle = 0, first = 0] = args;
      const binding = k.objects.resolve(handle, Binding);
      if (binding === undefined || binding.isHandleClosed) return;
      for (const list of listsOf(k, first)) {
        const holder = shadow.get(withProtocol, list);
        if (holder !== (binding.context | 1) >>> 0) {
          const why =
            holder === 0
              ? "which the protocol does not have: it was returned before, or indicated with the RESOURCES flag"
              : "which was indicated to another binding";
          report({
            rule: "recv-return-same-binding",
            message: `NdisReturnNetBufferLists was called for list ${hex(list)}, ${why}.`,
          });
        }
        shadow.set(withProtocol, list, 0);
      }
    }),
    on("note list freed", ({ shadow, report }, { address }) => {
      if (shadow.get(withMiniport, address) !== 0) {
        report({
          rule: "send-ownership-transfer",
          message: `List ${hex(address)} was freed while a miniport has it: it belongs to the sender again when ProtocolSendNetBufferListsComplete gets it.`,
        });
      }
      if (shadow.get(withProtocol, address) !== 0) {
        report({
          rule: "recv-no-reclaim-before-return",
          message: `List ${hex(address)} was freed while a protocol has it: it belongs to the miniport again when MiniportReturnNetBufferLists gets it.`,
        });
      }
      shadow.set(withMiniport, address, 0);
      shadow.set(withProtocol, address, 0);
    }),
    on("note pool freed with buffers", ({ k, report }, { address: pool, value: count }) => {
      const lists = allocatedBlocks(k)
        .map(({ address }) => address + PoolBlock.bytes)
        .filter((address) => NetBufferList.at(k.memory, address).NdisPoolHandle === pool);
      report({
        rule: "nbl-pool-free-when-empty",
        message: `A net buffer list pool was freed while ${count} lists of it are not freed.`,
        things: lists.slice(0, SHOWN).map((address) => ({ address, name: "a list" })),
      });
    }),
  ],
  [withMiniport, withProtocol],
);
