/** The page "Restarting a Binding", and what its event carries. */
import { describe, expect, test } from "vitest";
import { strategyOf } from "../../src/machine/answers.ts";
import type { Action } from "../../src/machine/actions.ts";
import { record } from "../ndis/play.ts";
import {
  type Change,
  PROTOCOL,
  TAG,
  atOnce,
  binding,
  call,
  isEvent,
  pause,
  restart,
  runOnce,
  settle,
  started,
  takenDown,
  unbind,
} from "../verifier/support.ts";
import { statesOf, story } from "./support.ts";

const RESTARTED: readonly Action[] = [...started, pause, restart, pause, restart, ...takenDown];

describe("NetEventRestart", () => {
  /** What each restart said: the medium's MtuSize from its attributes, or that there was no buffer. */
  const hears =
    (told: (number | "no buffer")[]): Change =>
    (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, "NetEventRestart")) {
          const { NetPnPEvent_Buffer: buffer, NetPnPEvent_BufferLength: length } = d.view("NET_PNP_EVENT_NOTIFICATION", event);
          const attributes = buffer === 0 ? 0 : d.view("NDIS_PROTOCOL_RESTART_PARAMETERS", buffer).RestartAttributes;
          if (buffer !== 0) expect(d.view("NDIS_RESTART_ATTRIBUTES", attributes).Oid).toBe(0x0001_021d);
          const data = d.addressOf("NDIS_RESTART_ATTRIBUTES", attributes, "Data");
          told.push(buffer === 0 ? "no buffer" : d.view("NDIS_RESTART_GENERAL_ATTRIBUTES", data).MtuSize);
          expect(length).toBe(buffer === 0 ? 0 : 40);
        }
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    });
  const sets: Change = (d, its) => ({
    *MiniportInitializeEx(handle, driverContext, parameters) {
      const status = yield* its.inherited("MiniportInitializeEx", handle, driverContext, parameters);
      yield* setMtu(d, handle, 1500);
      return status;
    },
  });
  function* setMtu(d: Parameters<Change>[0], handle: number, mtu: number) {
    const attributes = d.local("NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES", { MediaType: "NdisMedium802_3", MtuSize: mtu });
    const type = "NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES";
    d.header(attributes.address, type, 1, "NDIS_SIZEOF_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES_REVISION_1");
    yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
  }

  test("has a NULL buffer when the restart attributes have not changed since the previous restart", () => {
    const told: (number | "no buffer")[] = [];
    record({ protocol: hears(told), miniport: sets, actions: RESTARTED });
    expect(told).toEqual([1500, "no buffer", "no buffer"]);
  });

  test("has the attributes again when the binding is a new one", () => {
    const told: (number | "no buffer")[] = [];
    record({
      protocol: hears(told),
      miniport: sets,
      actions: [...started, pause, restart, unbind, settle, { do: "bind", adapter: 0 }, settle, ...takenDown],
    });
    expect(told).toEqual([1500, "no buffer", 1500]);
  });

  test("that fails leaves the binding Paused", () => {
    const fails: Change = (d, its) => {
      const restarts = d.statics(4);
      return {
        *ProtocolNetPnPEvent(context, event) {
          const status = yield* its.inherited("ProtocolNetPnPEvent", context, event);
          if (!isEvent(d, event, "NetEventRestart")) return status;
          d.memory.writeU32(restarts, d.memory.readU32(restarts) + 1);
          return d.memory.readU32(restarts) === 1 ? "NDIS_STATUS_RESOURCES" : status;
        },
      };
    };
    const situation = { protocol: fails, actions: [...started, pause, restart, ...takenDown] };
    const result = runOnce(situation, (seen) => strategyOf(atOnce, seen), [], true);
    expect(result.findings.map(({ rule }) => rule)).toEqual(["binding-restart-should-succeed"]);
    // It can be restarted, or unbound, as any other that is Paused.
    expect(statesOf(result, "binding")).toBe(
      "Unbound -> Opening -> Paused -> Restarting -> Paused -> Restarting -> Running -> Pausing -> Paused -> Closing -> Unbound",
    );
  });
});

describe("In the Restarting state a protocol", () => {
  test("may use OID requests and make its pools anew", () => {
    const makesAnew: Change = (d, its) => ({
      *ProtocolNetPnPEvent(context, event) {
        if (isEvent(d, event, "NetEventRestart")) {
          yield* d.NdisFreeNetBufferListPool(d.memory.readU32(context + binding.pool));
          const pool = d.local("NET_BUFFER_LIST_POOL_PARAMETERS", { fAllocateNetBuffer: 1, PoolTag: TAG });
          d.header(pool.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_NET_BUFFER_LIST_POOL_PARAMETERS_REVISION_1");
          d.memory.writeU32(context + binding.pool, yield* d.NdisAllocateNetBufferListPool(0, pool.address));
        }
        return yield* its.inherited("ProtocolNetPnPEvent", context, event);
      },
    });
    const result = record({ protocol: makesAnew, actions: [...started, call(PROTOCOL, "Exercise"), ...takenDown] });
    const told = story(result, ["binding", "NdisAllocateNetBufferListPool", "NdisOidRequest"], { driver: PROTOCOL });
    const begun = told.indexOf("binding: Paused -> Restarting");
    expect(told.slice(begun, begun + 6)).toEqual([
      "binding: Paused -> Restarting",
      "NdisAllocateNetBufferListPool",
      expect.stringMatching(/^NdisAllocateNetBufferListPool = /),
      "NdisOidRequest",
      "NdisOidRequest = SUCCESS",
      "binding: Restarting -> Running",
    ]);
  });
});
