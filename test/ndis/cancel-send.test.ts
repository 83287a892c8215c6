/** Sends that are cancelled by their id. */
import { expect, test } from "vitest";
import { cancelIdSlot, newCancelId, sendCancellable } from "../verifier/cancelling.ts";
import { PROTOCOL, adapter, binding, call, settle, started, takenDown } from "../verifier/support.ts";
import { inProtocol, play } from "./play.ts";

test("every prefix of cancel ids is another byte than the last", () => {
  inProtocol(function* (d) {
    const given = [yield* d.NdisGeneratePartialCancelId(), yield* d.NdisGeneratePartialCancelId()];
    expect(new Set(given).size).toBe(2);
    expect(given.every((value) => value > 0 && value < 256)).toBe(true);
  });
});

test("the miniport gets the cancel id of the binding's adapter, and returns what has it as aborted", () => {
  const told: string[] = [];
  play({
    miniport: (d, its) => {
      const kept = d.statics(4);
      return {
        MiniportSendNetBufferLists(_context, lists) {
          d.memory.writeU32(kept, lists);
        },
        *MiniportCancelSend(context, id) {
          told.push(`cancel ${id} ${context === its.context()}`);
          const lists = d.memory.readU32(kept);
          if (d.memory.readU32(cancelIdSlot(d, lists)) !== id) return;
          d.view("NET_BUFFER_LIST", lists).Status = d.constant("NDIS_STATUS_SEND_ABORTED");
          yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
        },
      };
    },
    protocol: (d, its) => ({
      *Send() {
        yield* sendCancellable(d, its.context(), yield* newCancelId(d, 7));
      },
      *Cancel(id = 0) {
        yield* d.NdisCancelSendNetBufferLists(its.get(binding.handle), id);
      },
      *ProtocolSendNetBufferListsComplete(context, lists, flags) {
        told.push(`complete 0x${(d.view("NET_BUFFER_LIST", lists).Status >>> 0).toString(16)}`);
        yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
      },
    }),
    actions: [
      ...started,
      call(PROTOCOL, "Send"),
      call(PROTOCOL, "Cancel", 0x0100_0008),
      call(PROTOCOL, "Cancel", 0x0100_0007),
      settle,
      ...takenDown,
    ],
  });
  expect(told).toEqual([`cancel ${0x0100_0008} true`, `cancel ${0x0100_0007} true`, "complete 0xc023000c"]);
});
