/** Check-for-hang and reset: what NDIS asks, when, and what protocols and requests see of it. */
import { describe, expect, test } from "vitest";
import { play } from "./play.ts";
import { miniportRegisteredWith } from "../verifier/registration.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  SUCCESS,
  type Situation,
  atOnce,
  adapter,
  binding,
  call,
  later,
  reset,
  sendOne,
  settle,
  setGeneralAttributes,
  started,
  takenDown,
  wait,
} from "../verifier/support.ts";

const makeMiniport = miniportRegisteredWith((d) => ({
  ResetHandlerEx: d.handler("MiniportResetEx"),
  CheckForHangHandlerEx: d.handler("MiniportCheckForHangEx"),
}));

/** A reset that pends until `Finish` is called, and an adapter that never hangs; `told` gets what happens. */
const pendingReset =
  (told: string[], addressing = 0): Change =>
  (d, its) => ({
    MiniportResetEx: () => {
      told.push("reset");
      return PENDING;
    },
    MiniportCheckForHangEx: () => 0,
    *Finish() {
      told.push("finish");
      yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, addressing);
    },
  });

/** What ProtocolStatusEx gets. */
const listening =
  (told: string[], more: Change = () => ({})): Change =>
  (d, its) => ({
    ProtocolStatusEx(_context, indication) {
      const { StatusCode } = d.view("NDIS_STATUS_INDICATION", indication);
      if (StatusCode === d.constant("NDIS_STATUS_RESET_START")) told.push("RESET_START");
      if (StatusCode === d.constant("NDIS_STATUS_RESET_END")) told.push("RESET_END");
    },
    ...more(d, its),
  });

const inReset = [...started, { do: "in parallel", actions: [reset] }, wait(1)] as const;

describe("Check for hang", () => {
  const asked = (told: number[], seconds?: number): Situation => ({
    makeMiniport,
    miniport: (d, its) => ({
      ...(seconds === undefined
        ? {}
        : {
            *MiniportInitializeEx(handle) {
              const context = yield* d.NdisAllocateMemoryWithTagPriority(handle, 32, 0x7453_6574, 0);
              d.memory.writeU32(context + adapter.handle, handle);
              yield* d.NdisAllocateSpinLock(context + adapter.lock);
              const attributes = d.local("NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES", {
                MiniportAdapterContext: context,
                CheckForHangTimeInSeconds: seconds,
              });
              d.header(
                attributes.address,
                "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES",
                1,
                "NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1",
              );
              yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
              return yield* setGeneralAttributes(d, handle);
            },
          }),
      MiniportResetEx: () => SUCCESS,
      MiniportCheckForHangEx(context) {
        expect(context).toBe(its.context());
        told.push(told.length + 1);
        return 0;
      },
    }),
    actions: [...started, wait(6500), ...takenDown],
  });

  test("by default NDIS asks about every two seconds", () => {
    const told: number[] = [];
    play(asked(told));
    expect(told).toEqual([1, 2, 3]);
  });

  test("a miniport can set a larger time in its registration attributes", () => {
    const told: number[] = [];
    play(asked(told, 5));
    expect(told).toEqual([1]);
  });

  test("NDIS asks no more from the halt on, and a machine in which nothing else is to come is at rest", () => {
    const told: number[] = [];
    play({ ...asked(told), actions: [...started, settle, ...takenDown, wait(5000)] });
    expect(told).toEqual([]);
  });

  test("an adapter that hangs is reset", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: () => ({
        MiniportResetEx: () => {
          told.push("reset");
          return SUCCESS;
        },
        MiniportCheckForHangEx: () => {
          told.push("hang?");
          return told.length === 1 ? 1 : 0;
        },
      }),
      actions: [...started, wait(4500), ...takenDown],
    });
    expect(told).toEqual(["hang?", "reset", "hang?"]);
  });
});

test("an adapter whose miniport does not complete an OID request within two successive calls is reset", () => {
  const told: string[] = [];
  play({
    makeMiniport,
    protocol: (d, its) => ({
      *Ask() {
        const given = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
        d.header(given.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
        given.RequestType = d.constant("NdisRequestQueryInformation");
        given.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_VENDOR_ID");
        expect(yield* d.NdisOidRequest(its.get(binding.handle), given.address)).toBe(PENDING);
      },
    }),
    miniport: (d, its) => {
      const kept = d.statics(4);
      return {
        MiniportOidRequest(context, request) {
          if (d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_Oid !== d.constant("OID_GEN_VENDOR_ID")) {
            return its.right["MiniportOidRequest"]?.(context, request);
          }
          d.memory.writeU32(kept, request);
          return PENDING;
        },
        MiniportCheckForHangEx: () => {
          told.push("hang?");
          return 0;
        },
        *MiniportResetEx() {
          told.push("reset");
          const aborted = d.constant("NDIS_STATUS_REQUEST_ABORTED");
          yield* d.NdisMOidRequestComplete(its.get(adapter.handle), d.memory.readU32(kept), aborted);
          return SUCCESS;
        },
      };
    },
    actions: [...started, call(PROTOCOL, "Ask"), wait(8500), ...takenDown],
  });
  expect(told).toEqual(["hang?", "hang?", "hang?", "reset", "hang?"]);
});

describe("A reset", () => {
  test("that pends is told to each bound protocol when it begins, and again when it is complete", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: pendingReset(told),
      protocol: listening(told),
      actions: [...inReset, call(MINIPORT, "Finish"), settle, ...takenDown],
    });
    expect(told).toEqual(["reset", "RESET_START", "finish", "RESET_END"]);
  });

  test("that is over when the handler returns is told to nobody", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: () => ({ MiniportResetEx: () => SUCCESS, MiniportCheckForHangEx: () => 0 }),
      protocol: listening(told),
      actions: [...started, reset, ...takenDown],
    });
    expect(told).toEqual([]);
  });

  test("lets no sends and no OID requests through to the miniport, and takes them again with RESET_END", () => {
    const told: string[] = [];
    const sent: number[] = [];
    const situation = {
      makeMiniport,
      miniport: pendingReset(told),
      protocol: listening(told, (d, its) => {
        const request = function* () {
          const context = its.context();
          const given = d.view("NDIS_OID_REQUEST", context + binding.request);
          d.header(given.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          given.RequestType = d.constant("NdisRequestSetInformation");
          given.DATA_SET_INFORMATION_Oid = d.constant("OID_GEN_CURRENT_PACKET_FILTER");
          given.DATA_SET_INFORMATION_InformationBuffer = context + 40;
          given.DATA_SET_INFORMATION_InformationBufferLength = 4;
          sent.push(yield* d.NdisOidRequest(its.get(binding.handle), given.address));
        };
        return {
          *Ask() {
            yield* sendOne(d, its.context());
            yield* request();
          },
          *ProtocolSendNetBufferListsComplete(context, lists, flags) {
            sent.push(d.view("NET_BUFFER_LIST", lists).Status >>> 0);
            yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
          },
        };
      }),
      actions: [...inReset, call(PROTOCOL, "Ask"), call(MINIPORT, "Finish"), settle, call(PROTOCOL, "Ask"), settle, ...takenDown],
    };
    // A protocol holds them itself; NDIS refuses those of one that does not.
    play(situation, atOnce, ["mp-reset-protocol-holds"]);
    const IN_PROGRESS = 0xc001_000d;
    expect(sent).toEqual([IN_PROGRESS, IN_PROGRESS, SUCCESS, SUCCESS]);
  });

  test.each([
    [1, ["set 1", "reset", "finish", "set 1"]],
    [0, ["set 1", "reset", "finish"]],
  ])("has NDIS restore the packet filter if AddressingReset is %i", (addressing, expected) => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: (d, its) => ({
        ...pendingReset(told, addressing)(d, its),
        MiniportOidRequest(context, request) {
          const given = d.view("NDIS_OID_REQUEST", request);
          told.push(`set ${d.memory.readU32(given.DATA_SET_INFORMATION_InformationBuffer)}`);
          return its.right["MiniportOidRequest"]?.(context, request);
        },
      }),
      actions: [...inReset, call(MINIPORT, "Finish"), settle, call(MINIPORT, "Stop"), ...takenDown],
    });
    expect(told.slice(0, expected.length)).toEqual(expected);
    expect(told.slice(expected.length)).not.toContain("set 1");
  });

  test("has NDIS restore the multicast addresses too", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      protocol: (d, its) => {
        const list = d.statics(8);
        return {
          *Ask() {
            d.memory.u8.set([1, 0, 0x5e, 0, 0, 5], list);
            const given = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
            d.header(given.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
            given.RequestType = d.constant("NdisRequestSetInformation");
            given.DATA_SET_INFORMATION_Oid = d.constant("OID_802_3_MULTICAST_LIST");
            given.DATA_SET_INFORMATION_InformationBuffer = list;
            given.DATA_SET_INFORMATION_InformationBufferLength = 6;
            expect(yield* d.NdisOidRequest(its.get(binding.handle), given.address)).toBe(SUCCESS);
          },
        };
      },
      miniport: (d, its) => ({
        ...pendingReset(told, 1)(d, its),
        *MiniportInitializeEx(handle, driver, parameters) {
          const status = yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
          const attributes = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", { MaxMulticastListSize: 4 });
          d.header(
            attributes.address,
            "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
            1,
            "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1",
          );
          yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
          return status;
        },
        MiniportOidRequest(_context, request) {
          const given = d.view("NDIS_OID_REQUEST", request);
          if (given.DATA_SET_INFORMATION_Oid === d.constant("OID_802_3_MULTICAST_LIST")) {
            told.push(`addresses ${given.DATA_SET_INFORMATION_InformationBufferLength / 6}`);
          }
          return SUCCESS;
        },
      }),
      actions: [
        ...started,
        call(PROTOCOL, "Ask"),
        { do: "in parallel", actions: [reset] },
        wait(1),
        call(MINIPORT, "Finish"),
        settle,
      ],
    });
    expect(told).toEqual(["addresses 1", "reset", "finish", "addresses 1"]);
  });

  test("that the miniport asks for with NdisMResetMiniport comes later, in a work item; asked for twice, it comes once", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: (d, its) => ({
        ...pendingReset(told)(d, its),
        *Ask() {
          yield* d.NdisMResetMiniport(its.get(adapter.handle));
          yield* d.NdisMResetMiniport(its.get(adapter.handle));
          told.push("asked");
          yield* later(d, "FinishLater", 0);
        },
        *FinishLater(_context, item) {
          yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
          yield* d.NdisFreeIoWorkItem(item);
        },
      }),
      actions: [...started, call(MINIPORT, "Ask"), settle, ...takenDown],
    });
    expect(told).toEqual(["asked", "reset"]);
  });

  test("may go on while the adapter pauses, and the halt waits for it", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: (d, its) => ({
        ...pendingReset(told)(d, its),
        *MiniportPause(context) {
          told.push("pause");
          yield* later(d, "FinishLater", 0);
          return yield* its.inherited("MiniportPause", context);
        },
        *FinishLater(_context, item) {
          told.push("finish");
          yield* d.NdisMResetComplete(its.get(adapter.handle), SUCCESS, 0);
          yield* d.NdisFreeIoWorkItem(item);
        },
        *MiniportHaltEx(context, action) {
          told.push("halt");
          yield* its.inherited("MiniportHaltEx", context, action);
        },
      }),
      actions: [...inReset, ...takenDown],
    });
    expect(told).toEqual(["reset", "pause", "finish", "halt"]);
  });
});
