/** Chains that a driver has made run in a circle: the run ends and says so, where Windows would go round for ever. */
import { expect, test } from "vitest";
import { strategyOf } from "../../src/machine/answers.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  type Running,
  type Situation,
  adapter,
  allocatePort,
  atOnce,
  binding,
  call,
  createFrame,
  raise,
  runOnce,
  settle,
  started,
} from "../verifier/support.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import { makeBuffer, makeListPool, makePool } from "./buffers.ts";

function goesRound(what: string, situation: Situation): void {
  const { outcome } = runOnce(situation, (seen) => strategyOf(atOnce, seen));
  expect(outcome).toMatchObject({
    kind: "fault",
    error: { rule: "livelock", message: expect.stringContaining(`the chain of ${what} that begins at 0x`) },
  });
}

const inProtocol =
  (act: (d: DriverEnvironment, handle: number) => Running<unknown>): Change =>
  (d, its) => ({
    *Try() {
      yield* act(d, its.get(binding.handle));
    },
  });
const trying = [...started, call(PROTOCOL, "Try"), settle];

/** A list whose data is one byte. */
function* makeList(d: DriverEnvironment): Running<number> {
  const buffer = yield* makeBuffer(d, yield* makePool(d), [1], 0, 1);
  const list = yield* d.NdisAllocateNetBufferList(yield* makeListPool(d), 0, 0);
  d.view("NET_BUFFER_LIST", list).FirstNetBuffer = buffer;
  return list;
}

/** `length` lists, the last of which leads back to the one with that index. */
function* makeCircle(d: DriverEnvironment, length: number, back: number): Running<number> {
  const lists: number[] = [];
  for (let count = 0; count < length; count += 1) lists.push(yield* makeList(d));
  for (const [index, list] of lists.entries()) d.view("NET_BUFFER_LIST", list).Next = lists[index + 1] ?? lists[back] ?? 0;
  return lists[0] ?? 0;
}

test.each([
  [1, 0],
  [2, 0],
  [2, 1],
  [7, 3],
])("Lists are sent: %i of them, the last leads back to number %i", (length, back) => {
  goesRound("NET_BUFFER_LIST structures", {
    protocol: inProtocol(function* (d, handle) {
      yield* d.NdisSendNetBufferLists(handle, yield* makeCircle(d, length, back), 0, 0);
    }),
    actions: trying,
  });
});

test("A list is indicated whose Next is the list itself", () => {
  goesRound("NET_BUFFER_LIST structures", {
    miniport: (d, its) => ({
      *Inject() {
        const list = yield* createFrame(d, its.context());
        d.view("NET_BUFFER_LIST", list).Next = list;
        yield* d.NdisMIndicateReceiveNetBufferLists(its.get(adapter.handle), list, 0, 1, 0);
      },
    }),
    actions: [...started, call(MINIPORT, "Inject"), settle],
  });
});

test("A list is completed whose Next is the list itself", () => {
  goesRound("NET_BUFFER_LIST structures", {
    protocol: inProtocol(function* (d, handle) {
      yield* d.NdisSendNetBufferLists(handle, yield* makeList(d), 0, 0);
    }),
    miniport: (d, its) => ({
      *MiniportSendNetBufferLists(_context, lists) {
        d.view("NET_BUFFER_LIST", lists).Next = lists;
        yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), lists, 0);
      },
    }),
    actions: trying,
  });
});

/** A list with two NET_BUFFER structures that lead to each other. */
function* makeEndlessList(d: DriverEnvironment): Running<number> {
  const list = yield* makeList(d);
  const first = d.view("NET_BUFFER_LIST", list).FirstNetBuffer;
  const second = yield* makeBuffer(d, yield* makePool(d), [1], 0, 1);
  d.view("NET_BUFFER", first).Next = second;
  d.view("NET_BUFFER", second).Next = first;
  return list;
}

test("A list is cloned whose second NET_BUFFER leads back to the first", () => {
  goesRound("NET_BUFFER structures", {
    protocol: inProtocol(function* (d) {
      yield* d.NdisAllocateCloneNetBufferList(yield* makeEndlessList(d), 0, 0, 0);
    }),
    actions: trying,
  });
});

test("A list is retreated whose second NET_BUFFER leads back to the first", () => {
  goesRound("NET_BUFFER structures", {
    protocol: inProtocol(function* (d) {
      yield* d.NdisRetreatNetBufferListDataStart(yield* makeEndlessList(d), 0, 0, 0, 0);
    }),
    actions: trying,
  });
});

/** A NET_BUFFER over an MDL of that many bytes, which is followed by itself. */
function* makeEndlessData(d: DriverEnvironment, bytes: number): Running<number> {
  const buffer = yield* makeBuffer(d, yield* makePool(d), [1], 0, 1);
  const mdl = d.view("MDL", d.view("NET_BUFFER", buffer).MdlChain);
  mdl.ByteCount = bytes;
  mdl.Next = mdl.address;
  return buffer;
}

test.each<[string, number, (d: DriverEnvironment, buffer: number) => Running<unknown>]>([
  [
    "counted in pages",
    1,
    function* (d, buffer) {
      yield* d.NdisQueryNetBufferPhysicalCount(buffer);
    },
  ],
  [
    "advanced over",
    0,
    function* (d, buffer) {
      yield* d.NdisAdvanceNetBufferDataStart(buffer, 1, 0, 0);
    },
  ],
  [
    "read",
    1,
    function* (d, buffer) {
      d.view("NET_BUFFER", buffer).DataLength = 0xffff_ffff;
      yield* d.NdisGetDataBuffer(buffer, 100, d.statics(100), 1, 0);
    },
  ],
])("Data is %s that goes on for ever", (_how, bytes, act) => {
  goesRound("MDLs", {
    protocol: inProtocol(function* (d) {
      yield* act(d, yield* makeEndlessData(d, bytes));
    }),
    actions: trying,
  });
});

test("Ports are activated that are listed again and again", () => {
  goesRound("NDIS_PORT structures", {
    miniport: (d, its) => ({
      *Activate() {
        const number = yield* allocatePort(d, its.get(adapter.handle));
        const port = d.local("NDIS_PORT", { PortCharacteristics_PortNumber: number });
        port.Next = port.address;
        yield* raise(d, its.get(adapter.handle), "NetEventPortActivation", port.address, 80, 0);
      },
    }),
    actions: [...started, call(MINIPORT, "Activate"), settle],
  });
});
