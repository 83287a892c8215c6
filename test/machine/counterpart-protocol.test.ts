/** What scenarios have the counterpart of a miniport do: requests of every way, frames to anybody, receives that it keeps. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Builder } from "../../src/machine/build.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import type { OidAction } from "../../src/machine/oid-actions.ts";
import { strategyOf } from "../../src/machine/answers.ts";
import { windowsStruct } from "../../src/kernel/windows.ts";
import { run } from "../../src/verifier/run.ts";
import { counterpartFor } from "../../src/verifier/targets.ts";
import { miniportRegisteredWith } from "../verifier/registration.ts";
import { type Change, PENDING, atOnce, indicates, invoke, loaded, miniportWith } from "../verifier/support.ts";
import { cacheFolder } from "./support.ts";

const INFO = windowsStruct("NET_BUFFER_LIST").offset("NetBufferListInfo");
const MINIPORT = 0;
const PROTOCOL = 1;
let counterpart: MachineDriver | undefined;
const builder = new Builder(cacheFolder);
beforeAll(async () => {
  counterpart = await counterpartFor(builder, "miniport", PROTOCOL, () => {});
});
afterAll(() => builder.stop());

const call = (name: string, args: readonly number[] = [], result?: number): Action => ({
  do: "call",
  driver: PROTOCOL,
  function: name,
  args,
  ...(result === undefined ? {} : { result }),
});
const inject: Action = { do: "call", driver: MINIPORT, function: "Inject" };
const settle: Action = { do: "settle" };
const request = (way: OidAction["way"], expected: string): Action => ({
  do: "request",
  driver: PROTOCOL,
  type: "query",
  oid: 1,
  outputBytes: 4,
  expect: expected,
  ...(way === undefined ? {} : { way }),
});

const makeMiniport = miniportRegisteredWith((d) => ({
  DirectOidRequestHandler: d.handler("MiniportDirectOidRequest"),
  CancelDirectOidRequestHandler: d.handler("MiniportCancelDirectOidRequest"),
  SynchronousOidRequestHandler: d.handler("MiniportSynchronousOidRequest"),
}));

/** A run over that miniport; what is wrong with it. */
function wrong(miniport: Change, ...actions: Action[]): string[] {
  if (counterpart === undefined) throw new Error("the counterpart was not built");
  const { outcome, findings } = run({
    drivers: [loaded(miniportWith(miniport, makeMiniport), MINIPORT, false), counterpart],
    scenario: {
      name: "test",
      summary: "",
      actions: [
        { do: "load", driver: PROTOCOL },
        { do: "load", driver: MINIPORT },
        { do: "start adapter", driver: MINIPORT, adapter: 0 },
        settle,
        ...actions,
        settle,
        { do: "stop adapter", adapter: 0 },
        settle,
        { do: "unload", driver: PROTOCOL },
        { do: "unload", driver: MINIPORT },
        settle,
      ],
    },
    strategy: (seen) => strategyOf(atOnce, seen),
    records: false,
  });
  return [...findings.map(({ rule, message }) => `${rule}: ${message}`), ...(outcome.kind === "finished" ? [] : [outcome.kind])];
}

describe("A request of the counterpart protocol", () => {
  test("waits for its turn, or is direct, or is synchronous and made at DISPATCH_LEVEL", () => {
    const told: string[] = [];
    const answering: Change = (d, its) => {
      function* tell(way: string) {
        told.push(`${way} at ${yield* d.KeGetCurrentIrql()}`);
        return "NDIS_STATUS_NOT_SUPPORTED" as const;
      }
      return {
        *MiniportOidRequest(context, given) {
          if (d.view("NDIS_OID_REQUEST", given).DATA_SET_INFORMATION_Oid !== 1)
            return yield* its.inherited("MiniportOidRequest", context, given);
          return yield* tell("queued");
        },
        *MiniportDirectOidRequest() {
          return yield* tell("direct");
        },
        *MiniportSynchronousOidRequest() {
          return yield* tell("synchronous");
        },
        MiniportCancelDirectOidRequest() {},
      };
    };
    const refused = "NDIS_STATUS_NOT_SUPPORTED";
    const all = [request(undefined, refused), request("direct", refused), request("synchronous", refused)];
    expect(wrong(answering, ...all)).toEqual([]);
    expect(told).toEqual(["queued at 0", "direct at 0", "synchronous at 2"]);
  });

  test("that pends is cancelled by its identifier", () => {
    const pending: Change = (d, its) => {
      const word = d.statics(4);
      return {
        *MiniportOidRequest(context, given) {
          if (d.view("NDIS_OID_REQUEST", given).DATA_SET_INFORMATION_Oid !== 1)
            return yield* its.inherited("MiniportOidRequest", context, given);
          d.memory.writeU32(word, given);
          return PENDING;
        },
        *MiniportCancelOidRequest(_context, id) {
          const given = d.memory.readU32(word);
          if (d.view("NDIS_OID_REQUEST", given).RequestId !== id) return;
          yield* d.NdisMOidRequestComplete(its.get(0), given, d.constant("NDIS_STATUS_REQUEST_ABORTED"));
        },
        MiniportDirectOidRequest: () => 0,
        MiniportCancelDirectOidRequest() {},
        MiniportSynchronousOidRequest: () => 0,
      };
    };
    const asked = request(undefined, "NDIS_STATUS_REQUEST_ABORTED");
    expect(
      wrong(pending, { do: "in parallel", actions: [asked] }, { do: "wait", milliseconds: 1 }, call("CancelRequest", [0])),
    ).toEqual([]);
  });
});

/** Handlers that every miniport of these tests has registered. */
const withDirect =
  (change: Change): Change =>
  (d, its) => ({
    MiniportDirectOidRequest: () => 0,
    MiniportCancelDirectOidRequest() {},
    MiniportSynchronousOidRequest: () => 0,
    ...change(d, its),
  });

describe("Frames of the counterpart protocol", () => {
  test("go to the address and into the VLAN that the scenario says, and can be cancelled", () => {
    const told: string[] = [];
    const looking = withDirect((d, its) => ({
      *MiniportSendNetBufferLists(context, lists, port, flags) {
        const list = d.view("NET_BUFFER_LIST", lists);
        const data = d.view("MDL", d.view("NET_BUFFER", list.FirstNetBuffer).MdlChain).MappedSystemVa;
        const info = lists + INFO;
        const tag = d.memory.readU32(info + 4 * d.constant("Ieee8021QNetBufferListInfo"));
        told.push(`to ${[...d.memory.u8.subarray(data, data + 6)].join(".")}, VLAN ${(tag >>> 4) & 0xfff}`);
        told.push(`id ${d.memory.readU32(info + 4 * d.constant("NetBufferListCancelId"))}`);
        yield* its.inherited("MiniportSendNetBufferLists", context, lists, port ?? 0, flags ?? 0);
      },
      MiniportCancelSend: (_context, id) => void told.push(`cancel ${id}`),
    }));
    expect(wrong(looking, call("SendTo", [0, 1, 0x0102, 0x0304_0506, 9], 1), call("CancelSends", [0]))).toEqual([]);
    expect(told).toEqual(["to 1.2.3.4.5.6, VLAN 9", expect.stringMatching(/^id \d+/), told[1]?.replace("id", "cancel")]);
  });
});

describe("What the counterpart protocol receives", () => {
  const telling = (told: string[]): Change =>
    withDirect((d, its) => ({
      ...indicates(d, its),
      *MiniportReturnNetBufferLists(...args) {
        told.push(`returned at ${yield* d.KeGetCurrentIrql()}`);
        yield* invoke(d, indicates(d, its), "MiniportReturnNetBufferLists", ...args);
      },
    }));

  test("is counted for its binding", () => {
    expect(wrong(telling([]), inject, inject, settle, call("ReceivedOn", [0], 2), call("ReceivedOn", [1], 0))).toEqual([]);
  });

  test("is kept until the scenario lets it go, at PASSIVE_LEVEL or at DISPATCH_LEVEL", () => {
    const told: string[] = [];
    const kept = (letGo: Action): Action[] => [call("HoldReceives", [1]), inject, settle, call("ReceivedOn", [0]), letGo];
    expect(wrong(telling(told), ...kept(call("HoldReceives", [0])), ...kept(call("ReturnAtDispatch")))).toEqual([]);
    expect(told).toEqual(["returned at 0", "returned at 2"]);
  });

  test("is let go by a pause", () => {
    const told: string[] = [];
    expect(wrong(telling(told), call("HoldReceives", [1]), inject, settle, { do: "pause", adapter: 0 })).toEqual([]);
    expect(told).toEqual(["returned at 0"]);
  });
});

test("A function that does not return what the scenario expects ends the run", () => {
  expect(
    wrong(
      withDirect(() => ({})),
      call("ReceivedOn", [0], 5),
    ),
  ).toEqual(["scenario-assert: ReceivedOn returned 0, and 5 was expected.", "fault"]);
});
