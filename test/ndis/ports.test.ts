/** NDIS ports: the documented statuses of NdisMFreePort, and what NDIS answers about ports itself. */
import { describe, expect, test } from "vitest";
import { PortState } from "../../src/ndis/port-states.ts";
import { portFunctions } from "../verifier/port-functions.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  allocatePort,
  binding,
  call,
  createAdapterContext,
  freeAdapterContext,
  inParallel,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const INVALID_PORT = 0xc023_002d;
const INVALID_DATA = 0xc001_0015;
const miniport = (name: string, ...args: number[]) => call(MINIPORT, name, ...args);

describe("NdisMFreePort", () => {
  const frees =
    (told: number[]): Change =>
    (d, its) => ({
      ...portFunctions(d, its),
      *Try(number) {
        told.push((yield* d.NdisMFreePort(its.get(adapter.handle), number)) >>> 0);
      },
    });

  test("answers INVALID_PORT for a number that is not allocated, and INVALID_DATA for one that no port can have", () => {
    const told: number[] = [];
    play({
      miniport: frees(told),
      actions: [...started, miniport("Try", 2), miniport("Try", 0xff_ffff), miniport("Try", 0x100_0000), ...takenDown],
    });
    expect(told).toEqual([INVALID_PORT, INVALID_PORT, INVALID_DATA]);
  });

  test("of two at once, one succeeds; the number is free for the next allocation", () => {
    const told: number[] = [];
    play({
      miniport: frees(told),
      actions: [
        ...started,
        miniport("Allocate"),
        inParallel(miniport("Try", 2)),
        inParallel(miniport("Try", 2)),
        settle,
        miniport("Allocate"),
        miniport("Try", 2),
        ...takenDown,
      ],
    });
    expect(told).toEqual([SUCCESS, INVALID_PORT, SUCCESS]);
  });

  test("through another adapter's handle frees that adapter's port, or none", () => {
    const told: number[] = [];
    const handles: number[] = [];
    play({
      miniport: (d, its) => ({
        ...frees(told)(d, its),
        *MiniportInitializeEx(handle) {
          const context = yield* createAdapterContext(d, handle);
          yield* setRegistrationAttributes(d, handle, context);
          if (handles.push(handle) === 1) yield* allocatePort(d, handle);
          return yield* setGeneralAttributes(d, handle);
        },
        *TryThrough(index, number) {
          told.push((yield* d.NdisMFreePort(handles[index ?? 0] ?? 0, number)) >>> 0);
        },
        *MiniportHaltEx(context) {
          yield* freeAdapterContext(d, context);
        },
      }),
      actions: [
        ...started,
        { do: "start adapter", driver: MINIPORT, adapter: 1 },
        miniport("TryThrough", 1, 1),
        miniport("TryThrough", 0, 1),
        { do: "stop adapter", adapter: 1 },
        ...takenDown,
      ],
    });
    expect(told).toEqual([INVALID_PORT, SUCCESS]);
  });
});

describe("OID_GEN_PORT_STATE", () => {
  test("is answered by NDIS, with the state that the miniport indicated last", () => {
    const told: number[][] = [];
    const oids: number[] = [];
    play({
      protocol: (d, its) => {
        const buffer = d.statics(PortState.bytes);
        return {
          *Ask(port) {
            const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
            d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
            request.RequestType = d.constant("NdisRequestQueryInformation");
            request.PortNumber = port ?? 0;
            request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_PORT_STATE");
            request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
            request.DATA_QUERY_INFORMATION_InformationBufferLength = PortState.bytes;
            const status = yield* d.NdisOidRequest(its.get(binding.handle), request.address);
            told.push([status >>> 0, d.view("NDIS_PORT_STATE", buffer).MediaConnectState]);
          },
        };
      },
      miniport: (d, its) => ({
        ...portFunctions(d, its),
        MiniportOidRequest(context, request) {
          oids.push(d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_Oid);
          return its.right["MiniportOidRequest"]?.(context, request);
        },
      }),
      actions: [
        ...started,
        call(PROTOCOL, "Ask", 0),
        call(PROTOCOL, "Ask", 1),
        miniport("IndicatePortState", 1, PortState.bytes),
        call(PROTOCOL, "Ask", 1),
        ...takenDown,
      ],
    });
    // The general attributes say that the link is connected; the port's characteristics say nothing.
    expect(told).toEqual([
      [SUCCESS, 1],
      [SUCCESS, 0],
      [SUCCESS, 1],
    ]);
    expect(oids).not.toContain(0x0001_020e);
  });
});
