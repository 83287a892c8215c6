/** How lists come back to whoever sent or indicated them. */
import { expect, test } from "vitest";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  THIRD,
  adapter,
  call,
  clearFilter,
  createFrame,
  freeFrames,
  indicates,
  invoke,
  load,
  protocolWith,
  queuesSends,
  sendOne,
  settle,
  started,
  takenDown,
  unload,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const RESOURCES = 2;

test("each sent list comes back to its sender once, with its status, though a miniport completes those of two senders together", () => {
  const sent: string[] = [];
  const back: string[] = [];
  const sends =
    (name: string): Change =>
    (d, its) => ({
      *Send() {
        sent.push(`${name} ${(yield* sendOne(d, its.context())).toString(16)} 0xc023000c`);
      },
      *ProtocolSendNetBufferListsComplete(context, lists, flags) {
        for (let list = lists; list !== 0; list = d.view("NET_BUFFER_LIST", list).Next)
          back.push(`${name} ${list.toString(16)} 0x${(d.view("NET_BUFFER_LIST", list).Status >>> 0).toString(16)}`);
        yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
      },
    });
  play({
    protocol: sends("first"),
    more: [protocolWith(sends("second"))],
    miniport: (d, its) => {
      const queue = queuesSends(d, its);
      return {
        ...queue,
        *MiniportSendNetBufferLists(context, lists, port, flags) {
          d.view("NET_BUFFER_LIST", lists).Status = d.constant("NDIS_STATUS_SEND_ABORTED");
          yield* invoke(d, queue, "MiniportSendNetBufferLists", context, lists, port, flags);
        },
      };
    },
    actions: [
      load(THIRD),
      ...started,
      call(PROTOCOL, "Send"),
      call(THIRD, "Send"),
      call(PROTOCOL, "Send"),
      call(MINIPORT, "CompleteSends"),
      settle,
      unload(THIRD),
      ...takenDown,
    ],
  });
  expect(sent).toHaveLength(3);
  expect(back.toSorted()).toEqual(sent.toSorted());
});

test("a list that was indicated with RESOURCES is the miniport's again when the call returns, and is not returned to it", () => {
  const told: string[] = [];
  play({
    protocol: () => ({ ProtocolReceiveNetBufferLists: () => void told.push("received") }),
    miniport: (d, its) => ({
      *Inject() {
        const list = yield* createFrame(d, its.context());
        // The same list again: nobody else has it between the two calls.
        for (let times = 0; times < 2; times += 1) {
          yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, RESOURCES);
          told.push("indicated");
        }
        yield* freeFrames(d, list);
      },
      MiniportReturnNetBufferLists: () => void told.push("returned"),
    }),
    actions: [...started, call(MINIPORT, "Inject"), settle, ...takenDown],
  });
  expect(told).toEqual(["received", "indicated", "received", "indicated"]);
});

test("a binding whose packet filter is zero gets what is indicated all the same", () => {
  let received = 0;
  play({
    protocol: (d, its) => ({
      *Clear() {
        yield* clearFilter(d, its.context());
      },
      *ProtocolReceiveNetBufferLists(context, lists, port, count, flags) {
        received += 1;
        yield* its.inherited("ProtocolReceiveNetBufferLists", context, lists, port, count, flags);
      },
    }),
    miniport: indicates,
    actions: [...started, call(PROTOCOL, "Clear"), call(MINIPORT, "Inject"), settle, ...takenDown],
  });
  expect(received).toBe(1);
});
