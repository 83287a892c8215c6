/** OID requests that NDIS answers itself, and those that it makes of several bindings' requests. */
import { describe, expect, test } from "vitest";
import type { ConstantName } from "../../src/contract/index.ts";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  type Itself,
  MINIPORT,
  PENDING,
  PROTOCOL,
  type Running,
  SUCCESS,
  THIRD,
  adapter,
  atOnce,
  binding,
  call,
  load,
  pending,
  protocolWith,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const BUFFER_BYTES = 256;

/** A protocol that can make requests and waits for them. */
interface Asker {
  request(oid: ConstantName, type: "NdisRequestQueryInformation" | "NdisRequestSetInformation", bytes: number): Running<number>;
  readonly buffer: number;
  /** Of the last request. */
  readonly given: { DATA_QUERY_INFORMATION_BytesWritten: number; DATA_QUERY_INFORMATION_BytesNeeded: number };
}

function askerOf(d: DriverEnvironment, its: Itself): Asker {
  const buffer = d.statics(BUFFER_BYTES);
  const given = d.view("NDIS_OID_REQUEST", d.statics(160));
  return {
    buffer,
    given,
    *request(oid, type, bytes) {
      d.header(given.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      given.RequestType = d.constant(type);
      given.DATA_QUERY_INFORMATION_Oid = d.constant(oid);
      given.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
      given.DATA_QUERY_INFORMATION_InformationBufferLength = bytes;
      const context = its.context();
      yield* d.NdisInitializeEvent(context + binding.ready);
      const status = yield* d.NdisOidRequest(its.get(binding.handle), given.address);
      if (status !== PENDING) return status;
      yield* d.NdisWaitEvent(context + binding.ready, 0);
      return d.memory.readU32(context + 24);
    },
  };
}

const ATTRIBUTES = {
  MediaType: "NdisMedium802_3",
  PhysicalMediumType: "NdisPhysicalMedium802_3",
  MtuSize: 1400,
  LookaheadSize: 1300,
  MediaConnectState: "MediaConnectStateConnected",
  MacOptions: 9,
  MaxMulticastListSize: 3,
  MacAddressLength: 6,
  XmitLinkSpeed: 1_000_000_000n,
  RcvLinkSpeed: 10_000_000n,
} as const;

/** A miniport with these attributes; `told` gets the OIDs that reach it. */
const attributed =
  (told: number[], oids: readonly ConstantName[] = [], answer: (request: number) => number = () => SUCCESS): Change =>
  (d, its) => ({
    *MiniportInitializeEx(handle, driver, parameters) {
      const status = yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
      const list = d.statics(64);
      for (const [index, oid] of oids.entries()) d.memory.writeU32(list + index * 4, d.constant(oid));
      const attributes = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", {
        ...ATTRIBUTES,
        SupportedOidList: list,
        SupportedOidListLength: oids.length * 4,
      });
      d.header(
        attributes.address,
        "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES",
        1,
        "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1",
      );
      yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
      // The list was the driver's: NDIS has its own.
      d.memory.clear(list, 64);
      return status;
    },
    MiniportOidRequest(_context, request) {
      told.push(d.view("NDIS_OID_REQUEST", request).DATA_SET_INFORMATION_Oid);
      return answer(request);
    },
  });

/** Runs `ask` in the protocol over a miniport with attributes, with everything answered at once and with everything pending. */
function asking(
  ask: (d: DriverEnvironment, asker: Asker, told: number[]) => Running<void>,
  oids: readonly ConstantName[] = [],
  miniport: (told: number[]) => Change = (told) => attributed(told, oids),
): void {
  for (const answers of [atOnce, pending]) {
    const told: number[] = [];
    play(
      {
        miniport: miniport(told),
        protocol: (d, its) => {
          const asker = askerOf(d, its);
          return {
            *Ask() {
              told.length = 0;
              yield* ask(d, asker, told);
            },
          };
        },
        actions: [...started, call(PROTOCOL, "Ask"), settle, ...takenDown],
      },
      answers,
    );
  }
}

describe("A query that NDIS answers", () => {
  test.each([
    ["OID_GEN_MAXIMUM_FRAME_SIZE", 1400],
    ["OID_GEN_MAXIMUM_LOOKAHEAD", 1300],
    ["OID_GEN_CURRENT_LOOKAHEAD", 1300],
    ["OID_GEN_MAC_OPTIONS", 9],
    ["OID_GEN_MEDIA_SUPPORTED", 0],
    ["OID_GEN_MEDIA_CONNECT_STATUS", 0],
    ["OID_GEN_PHYSICAL_MEDIUM", 0],
    ["OID_GEN_PHYSICAL_MEDIUM_EX", 14],
    ["OID_GEN_LINK_SPEED", 10_000_000],
    ["OID_GEN_CURRENT_PACKET_FILTER", 1],
  ] as const)("%s comes from what the miniport reported and the bindings set, and does not reach the miniport", (oid, value) => {
    asking(function* (d, asker, told) {
      expect(yield* asker.request(oid, "NdisRequestQueryInformation", 4)).toBe(SUCCESS);
      expect([d.memory.readU32(asker.buffer), asker.given.DATA_QUERY_INFORMATION_BytesWritten]).toEqual([value, 4]);
      expect(told).toEqual([]);
    });
  });

  test("OID_GEN_SUPPORTED_LIST is the miniport's list; a buffer that is too short is told what it needs", () => {
    asking(
      function* (d, asker, told) {
        const short = yield* asker.request("OID_GEN_SUPPORTED_LIST", "NdisRequestQueryInformation", 4);
        expect(short).toBe(d.constant("NDIS_STATUS_BUFFER_TOO_SHORT") >>> 0);
        expect(asker.given.DATA_QUERY_INFORMATION_BytesNeeded).toBe(8);
        expect(yield* asker.request("OID_GEN_SUPPORTED_LIST", "NdisRequestQueryInformation", 64)).toBe(SUCCESS);
        const list = [0, 4].map((at) => d.memory.readU32(asker.buffer + at));
        expect(list).toEqual([d.constant("OID_GEN_STATISTICS"), d.constant("OID_GEN_VENDOR_ID")]);
        expect(told).toEqual([]);
      },
      ["OID_GEN_STATISTICS", "OID_GEN_VENDOR_ID"],
    );
  });

  test("OID_GEN_DRIVER_VERSION is the miniport's NDIS version, major number high", () => {
    asking(function* (d, asker) {
      expect(yield* asker.request("OID_GEN_DRIVER_VERSION", "NdisRequestQueryInformation", 4)).toBe(SUCCESS);
      expect([d.memory.readU16(asker.buffer), asker.given.DATA_QUERY_INFORMATION_BytesWritten]).toEqual([0x0600, 2]);
    });
  });

  test("OID_GEN_ENUMERATE_PORTS lists the active ports", () => {
    asking(function* (d, asker, told) {
      expect(yield* asker.request("OID_GEN_ENUMERATE_PORTS", "NdisRequestQueryInformation", 256)).toBe(SUCCESS);
      const ports = d.view("NDIS_PORT_ARRAY", asker.buffer);
      expect(ports.NumberOfPorts).toBe(2);
      const pointers = d.addressOf("NDIS_PORT_ARRAY", asker.buffer, "Ports");
      const numbers = [0, 4].map((at) => d.view("NDIS_PORT_CHARACTERISTICS", d.memory.readU32(pointers + at)).PortNumber);
      expect(numbers).toEqual([0, 1]);
      expect(told).toEqual([]);
    });
  });

  test("other queries reach the miniport", () => {
    asking(function* (d, asker, told) {
      yield* asker.request("OID_GEN_VENDOR_ID", "NdisRequestQueryInformation", 4);
      expect(told).toEqual([d.constant("OID_GEN_VENDOR_ID")]);
    });
  });

  test("the link state is the one that the miniport indicated last", () => {
    const seen: bigint[] = [];
    play({
      miniport: (d, its) => ({
        ...attributed([])(d, its),
        *LinkDown() {
          const state = d.local("NDIS_LINK_STATE", { MediaConnectState: "MediaConnectStateDisconnected", XmitLinkSpeed: 5n });
          d.header(state.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_LINK_STATE_REVISION_1");
          const indication = d.local("NDIS_STATUS_INDICATION", {
            SourceHandle: its.get(adapter.handle),
            StatusCode: "NDIS_STATUS_LINK_STATE",
            StatusBuffer: state.address,
            StatusBufferSize: 40,
          });
          d.header(indication.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
          yield* d.NdisMIndicateStatusEx(its.get(adapter.handle), indication.address);
        },
      }),
      protocol: (d, its) => {
        const asker = askerOf(d, its);
        return {
          *Ask() {
            expect(yield* asker.request("OID_GEN_LINK_STATE", "NdisRequestQueryInformation", 40)).toBe(SUCCESS);
            const { MediaConnectState, XmitLinkSpeed } = d.view("NDIS_LINK_STATE", asker.buffer);
            seen.push(BigInt(MediaConnectState), XmitLinkSpeed);
          },
        };
      },
      actions: [...started, call(PROTOCOL, "Ask"), call(MINIPORT, "LinkDown"), call(PROTOCOL, "Ask"), ...takenDown],
    });
    expect(seen).toEqual([1n, 1_000_000_000n, 2n, 5n]);
  });
});

describe("A query of one statistic", () => {
  test("becomes OID_GEN_STATISTICS for the miniport, and the one counter for the protocol, in 8 bytes or in 4", () => {
    asking(
      function* (d, asker, told) {
        expect(yield* asker.request("OID_GEN_BYTES_XMIT", "NdisRequestQueryInformation", 8)).toBe(SUCCESS);
        expect([d.memory.readU32(asker.buffer), d.memory.readU32(asker.buffer + 4)]).toEqual([77, 1]);
        expect(asker.given.DATA_QUERY_INFORMATION_BytesWritten).toBe(8);
        expect(yield* asker.request("OID_GEN_BYTES_XMIT", "NdisRequestQueryInformation", 4)).toBe(SUCCESS);
        expect(asker.given.DATA_QUERY_INFORMATION_BytesWritten).toBe(4);
        const short = yield* asker.request("OID_GEN_BYTES_XMIT", "NdisRequestQueryInformation", 2);
        expect(short).toBe(d.constant("NDIS_STATUS_BUFFER_TOO_SHORT") >>> 0);
        expect([...new Set(told)]).toEqual([d.constant("OID_GEN_STATISTICS")]);
      },
      [],
      (told) => (d, its) =>
        attributed(told, [], (request) => {
          const given = d.view("NDIS_OID_REQUEST", request);
          if (given.DATA_QUERY_INFORMATION_Oid !== d.constant("OID_GEN_STATISTICS")) return SUCCESS;
          d.view("NDIS_STATISTICS_INFO", given.DATA_QUERY_INFORMATION_InformationBuffer).ifHCOutOctets = 0x1_0000_004dn;
          return SUCCESS;
        })(d, its),
    );
  });

  test("fails with the miniport's status", () => {
    asking(
      function* (_d, asker) {
        expect(yield* asker.request("OID_GEN_RCV_DISCARDS", "NdisRequestQueryInformation", 8)).toBe(0xc000_00bb);
      },
      [],
      (told) => (d, its) =>
        attributed(told, [], (request) =>
          d.view("NDIS_OID_REQUEST", request).RequestType === d.constant("NdisRequestSetInformation")
            ? SUCCESS
            : d.constant("NDIS_STATUS_NOT_SUPPORTED") >>> 0,
        )(d, its),
    );
  });
});

describe("A set request that NDIS refuses", () => {
  test.each([
    ["OID_GEN_CURRENT_LOOKAHEAD", 2000, 4, "NDIS_STATUS_INVALID_DATA"],
    ["OID_GEN_CURRENT_LOOKAHEAD", 1, 2, "NDIS_STATUS_INVALID_LENGTH"],
    ["OID_802_3_MULTICAST_LIST", 1, 5, "NDIS_STATUS_INVALID_LENGTH"],
    ["OID_802_3_MULTICAST_LIST", 2, 6, "NDIS_STATUS_MULTICAST_FULL"],
    ["OID_802_3_DELETE_MULTICAST_ADDRESS", 1, 6, "NDIS_STATUS_MULTICAST_NOT_FOUND"],
  ] as const)("%s with %i in %i bytes: %s", (oid, value, bytes, expected) => {
    asking(function* (d, asker, told) {
      d.memory.writeU32(asker.buffer, value);
      expect(yield* asker.request(oid, "NdisRequestSetInformation", bytes)).toBe(d.constant(expected) >>> 0);
      expect(told).toEqual([]);
    });
  });
});

describe("Multicast addresses", () => {
  /** The last bytes of the addresses that the miniport is told, list by list. */
  function listsIn(
    actions: (ask: (driver: number, oid: number, ...last: number[]) => ReturnType<typeof call>) => ReturnType<typeof call>[],
  ) {
    const lists: number[][] = [];
    const statuses: number[] = [];
    const OIDS = ["OID_802_3_MULTICAST_LIST", "OID_802_3_ADD_MULTICAST_ADDRESS", "OID_802_3_DELETE_MULTICAST_ADDRESS"] as const;
    const protocol: Change = (d, its) => {
      const asker = askerOf(d, its);
      return {
        *Ask(which = 0, ...last: number[]) {
          for (const [index, value] of last.entries()) {
            d.memory.u8.set([1, 0, 0x5e, 0, 0, value], asker.buffer + index * 6);
          }
          const oid = OIDS[which] ?? "OID_802_3_MULTICAST_LIST";
          statuses.push(yield* asker.request(oid, "NdisRequestSetInformation", last.length * 6));
        },
      };
    };
    play({
      protocol,
      more: [protocolWith(protocol)],
      // They leave it to NDIS to clear their lists.
      stock: [PROTOCOL, THIRD],
      miniport: (d, its) =>
        attributed([], [], (request) => {
          const given = d.view("NDIS_OID_REQUEST", request);
          if (given.DATA_SET_INFORMATION_Oid !== d.constant("OID_802_3_MULTICAST_LIST")) return SUCCESS;
          const { DATA_SET_INFORMATION_InformationBuffer: buffer, DATA_SET_INFORMATION_InformationBufferLength: bytes } = given;
          lists.push(
            Array.from({ length: bytes / 6 }, (_, index) => d.memory.u8[buffer + index * 6 + 5] ?? 0).toSorted((a, b) => a - b),
          );
          return SUCCESS;
        })(d, its),
      actions: [
        load(THIRD),
        ...started,
        ...actions((driver, oid, ...last) => call(driver, "Ask", oid, ...last)),
        settle,
        { do: "unbind", adapter: 0, driver: PROTOCOL },
        settle,
        { do: "unbind", adapter: 0, driver: THIRD },
        settle,
        { do: "stop adapter", adapter: 0 },
      ],
    });
    return { lists, statuses };
  }
  const [LIST, ADD, DELETE] = [0, 1, 2];

  test("of all bindings are told together, each once; those of a binding that closes go", () => {
    const { lists, statuses } = listsIn((ask) => [ask(PROTOCOL, LIST, 1, 2, 1), ask(THIRD, LIST, 2, 3)]);
    expect(lists).toEqual([[1, 2], [1, 2, 3], [2, 3], []]);
    expect(statuses).toEqual([0, 0]);
  });

  test("are added and deleted one by one, as a list for the miniport; deleted as often as they were added", () => {
    const { lists, statuses } = listsIn((ask) => [
      ask(PROTOCOL, ADD, 5),
      ask(PROTOCOL, ADD, 5),
      ask(THIRD, ADD, 5),
      ask(PROTOCOL, DELETE, 5),
      ask(PROTOCOL, DELETE, 5),
      ask(THIRD, DELETE, 5),
    ]);
    expect(lists).toEqual([[5], []]);
    expect(statuses).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("are more than the miniport can have: NDIS_STATUS_MULTICAST_FULL, and nothing changes", () => {
    const { lists, statuses } = listsIn((ask) => [ask(PROTOCOL, LIST, 1, 2), ask(THIRD, LIST, 3, 4), ask(THIRD, ADD, 3)]);
    expect(lists).toEqual([[1, 2], [1, 2, 3], [3], []]);
    expect(statuses).toEqual([0, 0xc001_0009, 0]);
  });
});
