/** What goes on around a close and an unbind: indications, requests, levels, and who is asked how often. */
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/verifier/run.ts";
import { record, recordFaulty } from "../ndis/play.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  adapter,
  atOnce,
  binding,
  call,
  clearFilter,
  early,
  freeBinding,
  inParallel,
  indicates,
  isEvent,
  late,
  pending,
  settle,
  started,
  takenDown,
  unbind,
  wait,
} from "../verifier/support.ts";
import { callsOf, entriesOf, statesOf, story } from "./support.ts";

const LATE_CLOSE = late("NdisCloseAdapterEx");
const returnsOf = (result: RunResult, name: string): number[] =>
  entriesOf(result).flatMap((entry) => (entry.kind === "return" && entry.name === name ? [entry.result] : []));

describe("NdisCloseAdapterEx", () => {
  test.each([atOnce, pending, early])("answers SUCCESS or PENDING ($name)", (answers) => {
    const result = record({ actions: [...started, unbind, settle, ...takenDown] }, answers);
    expect(returnsOf(result, "NdisCloseAdapterEx")).toEqual([answers === atOnce ? 0 : PENDING]);
  });

  test("has no other answer for a handle that is closed already, or is none", () => {
    const closes: Change = (d, its) => ({
      *ProtocolUnbindAdapterEx(unbindContext, context) {
        const handle = d.memory.readU32(context + binding.handle);
        const status = yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        yield* d.NdisCloseAdapterEx(handle);
        yield* d.NdisCloseAdapterEx(unbindContext + 1);
        return status;
      },
    });
    const result = recordFaulty({ protocol: closes, actions: [...started, unbind] });
    expect(returnsOf(result, "NdisCloseAdapterEx")).toEqual([0, 0, 0]);
    expect(result.findings.map(({ rule }) => rule)).toEqual(["close-invalidates-handle-immediately", "trap"]);
  });

  /** The first status is handled slowly, so that a close has to wait for it. */
  const isSlow: Change = (d) => {
    const statuses = d.statics(4);
    return {
      *ProtocolStatusEx() {
        d.memory.writeU32(statuses, d.memory.readU32(statuses) + 1);
        if (d.memory.readU32(statuses) === 1) yield* d.NdisMSleep(50_000);
      },
    };
  };
  const tells: Change = (d, its) => ({
    ...indicates(d, its),
    *Indicate() {
      const indication = d.local("NDIS_STATUS_INDICATION", { SourceHandle: its.get(adapter.handle), StatusCode: 0x4001_000b });
      d.header(indication.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
      yield* d.NdisMIndicateStatusEx(its.get(adapter.handle), indication.address);
    },
  });

  test("is followed by receive and status indications until the close is complete, and by none after it", () => {
    const result = record({
      protocol: isSlow,
      miniport: tells,
      actions: [
        ...started,
        inParallel(call(MINIPORT, "Indicate")),
        inParallel(wait(20), call(MINIPORT, "Inject"), call(MINIPORT, "Indicate")),
        wait(10),
        unbind,
        call(MINIPORT, "Inject"),
        call(MINIPORT, "Indicate"),
        settle,
        ...takenDown,
      ],
    });
    expect(
      story(result, [
        "NdisCloseAdapterEx",
        "ProtocolReceiveNetBufferLists",
        "ProtocolStatusEx",
        "ProtocolCloseAdapterCompleteEx",
      ]),
    ).toEqual([
      "ProtocolStatusEx",
      "NdisCloseAdapterEx",
      "NdisCloseAdapterEx = PENDING",
      "ProtocolReceiveNetBufferLists",
      "ProtocolReceiveNetBufferLists = SUCCESS",
      "ProtocolStatusEx",
      "ProtocolStatusEx = SUCCESS",
      "ProtocolStatusEx = SUCCESS",
      "ProtocolCloseAdapterCompleteEx",
      "ProtocolCloseAdapterCompleteEx = SUCCESS",
    ]);
    // What comes then goes back by itself: the handle to return it with is dead.
    expect(callsOf(result, "ProtocolReceiveNetBufferLists").map(({ args }) => args[4])).toEqual([2]);
  });
});

describe("Until the close, in Closing, a protocol", () => {
  test("may make OID requests", () => {
    const result = record({
      protocol: (d, its) => ({
        *ProtocolUnbindAdapterEx(unbindContext, context) {
          yield* clearFilter(d, context);
          yield* clearFilter(d, context);
          return yield* its.inherited("ProtocolUnbindAdapterEx", unbindContext, context);
        },
      }),
      actions: [...started, unbind, settle, ...takenDown],
    });
    const unbinding = { from: "driver 0 is unbound from adapter 0", driver: PROTOCOL };
    expect(story(result, ["binding", "NdisOidRequest", "NdisCloseAdapterEx"], unbinding).slice(2)).toEqual([
      "binding: Paused -> Closing",
      ...["NdisOidRequest", "NdisOidRequest = SUCCESS"],
      ...["NdisOidRequest", "NdisOidRequest = SUCCESS"],
      ...["NdisOidRequest", "NdisOidRequest = SUCCESS"],
      ...["NdisCloseAdapterEx", "NdisCloseAdapterEx = SUCCESS"],
      "binding: Closing -> Unbound",
    ]);
  });
});

describe("NdisCompleteUnbindAdapterEx", () => {
  test("may be called inside ProtocolCloseAdapterCompleteEx when the unbind handler has kept its UnbindContext and pended", () => {
    const result = record({ actions: [...started, unbind, settle, ...takenDown] }, LATE_CLOSE);
    expect(story(result, ["ProtocolUnbindAdapterEx", "ProtocolCloseAdapterCompleteEx", "NdisCompleteUnbindAdapterEx"])).toEqual([
      "ProtocolUnbindAdapterEx",
      "ProtocolUnbindAdapterEx = PENDING",
      "ProtocolCloseAdapterCompleteEx",
      "NdisCompleteUnbindAdapterEx",
      "NdisCompleteUnbindAdapterEx = SUCCESS",
      "ProtocolCloseAdapterCompleteEx = SUCCESS",
    ]);
  });

  test("takes no status: one that is given all the same changes nothing, and the binding is Unbound", () => {
    const givesStatus: Change = (d) => ({
      *ProtocolCloseAdapterCompleteEx(context) {
        const unbindContext = d.memory.readU32(context + binding.unbindContext);
        yield* freeBinding(d, context);
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext, d.constant("NDIS_STATUS_FAILURE"));
      },
    });
    const result = record({ protocol: givesStatus, actions: [...started, unbind, settle, ...takenDown] }, LATE_CLOSE);
    expect(statesOf(result, "binding").endsWith("Closing -> Unbound")).toBe(true);
  });

  test("and NdisCompleteBindAdapterEx may be called at DISPATCH_LEVEL", () => {
    const atDispatch: Change = (d) => ({
      *ProtocolOpenAdapterCompleteEx(context, status) {
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisCompleteBindAdapterEx(d.memory.readU32(context + binding.bindContext), status);
        yield* d.KeLowerIrql(irql);
      },
      *ProtocolCloseAdapterCompleteEx(context) {
        const unbindContext = d.memory.readU32(context + binding.unbindContext);
        yield* freeBinding(d, context);
        const irql = yield* d.KeRaiseIrqlToDpcLevel();
        yield* d.NdisCompleteUnbindAdapterEx(unbindContext);
        yield* d.KeLowerIrql(irql);
      },
    });
    const result = record({ protocol: atDispatch, actions: [...started, unbind, settle, ...takenDown] }, pending);
    const levels = ["NdisCompleteBindAdapterEx", "NdisCompleteUnbindAdapterEx"].map((name) =>
      callsOf(result, name).map(({ irql }) => irql),
    );
    expect(levels).toEqual([[2], [2]]);
  });
});

describe("NdisUnbindAdapter", () => {
  test("succeeds, and leads to no call of ProtocolUnbindAdapterEx, when an unbind of the binding is under way already", () => {
    const told: number[] = [];
    const asks: Change = (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        // Somebody else of the driver asks while the binding is told to pause.
        if (isEvent(d, event, "NetEventPause")) told.push(yield* d.NdisUnbindAdapter(its.get(binding.handle)));
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    });
    const result = record({ protocol: asks, actions: [...started, unbind, settle, ...takenDown] });
    expect(told).toEqual([0]);
    expect(callsOf(result, "ProtocolUnbindAdapterEx")).toHaveLength(1);
  });
});
