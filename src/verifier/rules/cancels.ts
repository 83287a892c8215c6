/** Cancelling: by the identifiers that requests and sends were given. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { NetBufferList, listsOf } from "../../ndis/chains.ts";
import { Binding } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const CANCEL_ID = NetBufferList.offset("NetBufferListInfo") + constant("NetBufferListCancelId") * 4;

/** How many different pairs of a binding and a RequestId are told apart: of others some are taken for one that was used. */
const KEYS = 509;
const usedIds = shadowTable("ids of OID requests", 1024);
/** From a driver and a high byte to 1, if NDIS gave it that. */
const prefixes = shadowTable("high bytes of cancel ids", 1024);
/** From a list that a protocol has sent to the cancel id that it had then. */
const sentWith = shadowTable("cancel ids of sent lists", 4096);

/** Of a list that was sent without one. */
const NO_ID = 0xffff_ffff;
const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
const keyOf = (handle: number, id: number): number => (((Math.imul(handle, 31) + id) >>> 0) % KEYS) + 1;
const prefixKey = (driver: number, byte: number): number => ((driver + 2) << 8) | byte;
const cancelIdOf = (k: Kernel, list: number): number => k.memory.readU32(list + CANCEL_ID);

export const cancelRules = ruleSet(
  ["oid-cancel-by-id", "send-cancel-id"],
  [
    on("call NdisOidRequest", ({ k, shadow }, { args: [handle = 0, request = 0] }) => {
      shadow.set(usedIds, keyOf(handle, Request.at(k.memory, request).RequestId), 1);
    }),
    on("call NdisCancelOidRequest", ({ k, shadow, report }, { args: [handle = 0, id = 0] }) => {
      if (k.objects.resolve(handle, Binding) === undefined || shadow.get(usedIds, keyOf(handle, id)) !== 0) return;
      report({
        rule: "oid-cancel-by-id",
        message: `NdisCancelOidRequest was called with the RequestId ${hex(id)}, which no OID request of the binding had.`,
      });
    }),
    on("return NdisGeneratePartialCancelId", ({ shadow }, { result, driver }) => {
      shadow.set(prefixes, prefixKey(driver, result & 0xff), 1);
    }),
    on("call NdisSendNetBufferLists", ({ k, shadow, report }, { args, driver }) => {
      for (const list of listsOf(k, args[1] ?? 0)) {
        const id = cancelIdOf(k, list);
        shadow.set(sentWith, list, id === 0 ? NO_ID : id);
        if (id === 0 || shadow.get(prefixes, prefixKey(driver, id >>> 24)) !== 0) continue;
        report({
          rule: "send-cancel-id",
          message: `List ${hex(list)} was sent with the cancel id ${hex(id)}, whose high byte is not from NdisGeneratePartialCancelId: another driver may have the same.`,
        });
      }
    }),
    on("call NdisCancelSendNetBufferLists", ({ k, shadow, report }, { args: [, id = 0], driver }) => {
      if (shadow.get(prefixes, prefixKey(driver, id >>> 24)) === 0) {
        report({
          rule: "send-cancel-id",
          message: `NdisCancelSendNetBufferLists was called with the id ${hex(id)}, whose high byte is not from NdisGeneratePartialCancelId.`,
        });
      }
      for (const [list, before] of shadow.entries(sentWith)) {
        if (before === id || cancelIdOf(k, list) !== id) continue;
        report({
          rule: "send-cancel-id",
          message: `List ${hex(list)} has got the cancel id ${hex(id)} after it was sent. It is set before, or the miniport may have sorted the list already.`,
        });
      }
    }),
    on("handler ProtocolSendNetBufferListsComplete", ({ k, shadow }, { args }) => {
      for (const list of listsOf(k, args[1] ?? 0)) shadow.set(sentWith, list, 0);
    }),
    on("note list freed", ({ shadow }, { address: list }) => shadow.set(sentWith, list, 0)),
  ],
  [usedIds, prefixes, sentWith],
);
