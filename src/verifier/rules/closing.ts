/** What has to be over before a binding is closed. */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { Frame } from "../../kernel/state.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Binding } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";
import { shadowTable } from "../shadow.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const SET = constant("NdisRequestSetInformation");
const PACKET_FILTER = constant("OID_GEN_CURRENT_PACKET_FILTER");
const MULTICAST_LIST = constant("OID_802_3_MULTICAST_LIST");

/** From a binding to what it asked to clear last: bits. The request may have failed, in a reset or since the device is gone. */
const cleared = shadowTable("bindings whose filters are cleared", 64);
const FILTER_CLEARED = 1;
const MULTICAST_CLEARED = 2;

/** Whether a call of that routine with the handle as its first argument has not returned, on any thread. */
function isUnderWay(k: Kernel, routine: string, handle: number): boolean {
  return k.threads.some((thread) => {
    if (thread.state !== "Live") return false;
    for (let index = 0; index < thread.depth; index += 1) {
      const frame = k.frame(thread, index);
      if (frame.kind !== "Plan" || k.planOf(frame).name !== routine) continue;
      if (k.memory.readU32(frame.address + Frame.offsets.data) === handle) return true;
    }
    return false;
  });
}

export const closingRules = ruleSet(
  ["unbind-clear-filters-first", "close-cancelsend-race", "close-sync-oid-outstanding"],
  [
    on("call NdisOidRequest", ({ k, shadow }, { args }) => {
      const binding = k.objects.resolve(args[0] ?? 0, Binding);
      const request = Request.at(k.memory, args[1] ?? 0);
      if (binding === undefined || request.RequestType !== SET) return;
      const { DATA_SET_INFORMATION_Oid: oid, DATA_SET_INFORMATION_InformationBuffer: buffer } = request;
      const length = request.DATA_SET_INFORMATION_InformationBufferLength;
      const set = (bit: number, isCleared: boolean): void => {
        const bits = shadow.get(cleared, binding.address);
        shadow.set(cleared, binding.address, isCleared ? bits | bit : bits & ~bit);
      };
      if (oid === PACKET_FILTER && length >= 4) set(FILTER_CLEARED, k.memory.readU32(buffer) === 0);
      if (oid === MULTICAST_LIST) set(MULTICAST_CLEARED, length === 0);
    }),
    on("note binding gone", ({ shadow }, { address }) => shadow.set(cleared, address, 0)),
    on("call NdisCloseAdapterEx", ({ k, shadow, report }, { args }) => {
      const [handle = 0] = args;
      const binding = k.objects.resolve(handle, Binding);
      if (binding === undefined || binding.isHandleClosed) return;
      const bits = shadow.get(cleared, binding.address);
      const packetFilter = (bits & FILTER_CLEARED) === 0 ? binding.packetFilter : 0;
      const multicastCount = (bits & MULTICAST_CLEARED) === 0 ? binding.multicastCount : 0;
      if (packetFilter !== 0 || multicastCount !== 0) {
        report({
          rule: "unbind-clear-filters-first",
          message: `NdisCloseAdapterEx was called while the binding's packet filter is 0x${packetFilter.toString(16)} and ${multicastCount} multicast address(es) are set. Set the filter to zero and the list to empty with OID requests first.`,
        });
      }
      if (isUnderWay(k, "NdisCancelSendNetBufferLists", handle)) {
        report({
          rule: "close-cancelsend-race",
          message:
            "NdisCloseAdapterEx was called while a call of NdisCancelSendNetBufferLists with the same handle has not returned. The handle has to stay valid until it has.",
        });
      }
      if (isUnderWay(k, "NdisSynchronousOidRequest", handle)) {
        report({
          rule: "close-sync-oid-outstanding",
          message:
            "NdisCloseAdapterEx was called while a synchronous OID request of the binding is in progress. Wait until NdisSynchronousOidRequest has returned.",
        });
      }
    }),
  ],
  [cleared],
);
