/** What the stock scenarios together do to every driver, as seen by a driver that writes it down. */
import { beforeAll, describe, expect, test } from "vitest";
import { constant } from "../../src/contract/index.ts";
import { KernelMemory } from "../../src/kernel/index.ts";
import { commonVariants, strategyOf } from "../../src/machine/answers.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { scenarioFor, stockFor } from "../../src/machine/stock-scenarios.ts";
import { counterpartFor } from "../../src/verifier/targets.ts";
import { Builder } from "../../src/machine/build.ts";
import { run } from "../../src/verifier/run.ts";
import { type Change, loaded, miniportWith, protocolWith } from "../verifier/support.ts";
import { cacheFolder } from "./support.ts";

const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");

/** Facts, each in a few words. */
const seen = { protocol: new Set<string>(), miniport: new Set<string>() };

const EVENTS = [
  "NetEventPause",
  "NetEventRestart",
  "NetEventBindsComplete",
  "NetEventBindList",
  "NetEventSetPower",
  "NetEventQueryRemoveDevice",
] as const;
const STATUSES = ["NDIS_STATUS_LINK_STATE", "NDIS_STATUS_RESET_START", "NDIS_STATUS_RESET_END"] as const;
const named = (names: readonly string[], value: number, other: string): string =>
  names.find((name) => constant(name) >>> 0 === value >>> 0) ?? other;

const writesDownAsProtocol: Change = (d, its) => {
  const note = (fact: string): void => void seen.protocol.add(fact);
  let isSending = false;
  const passOn = (name: string) =>
    function* (...args: number[]) {
      note(name);
      return yield* its.inherited(name, ...args);
    };
  return {
    ...Object.fromEntries(
      ["ProtocolBindAdapterEx", "ProtocolUnbindAdapterEx", "ProtocolOpenAdapterCompleteEx", "ProtocolCloseAdapterCompleteEx"].map(
        (name) => [name, passOn(name)],
      ),
    ),
    ProtocolOidRequestComplete: passOn("ProtocolOidRequestComplete"),
    *ProtocolNetPnPEvent(context, event) {
      note(named(EVENTS, d.view("NET_PNP_EVENT_NOTIFICATION", event).NetPnPEvent_NetEvent, "another event"));
      return yield* its.inherited("ProtocolNetPnPEvent", context, event);
    },
    ProtocolStatusEx(_context, indication) {
      note(named(STATUSES, d.view("NDIS_STATUS_INDICATION", indication).StatusCode, "another status"));
    },
    *Exercise() {
      isSending = true;
      const sent = yield* its.inherited("Exercise");
      isSending = false;
      return sent;
    },
    *ProtocolSendNetBufferListsComplete(context, lists, flags) {
      note(isSending ? "a send is complete inside the call" : "a send is complete later");
      return yield* its.inherited("ProtocolSendNetBufferListsComplete", context, lists, flags);
    },
    *ProtocolReceiveNetBufferLists(context, lists, port, count, flags) {
      note((flags & RESOURCES) === 0 ? "a receive" : "a receive with RESOURCES");
      if (count > 1) note("a receive of several lists");
      const mdl = d.view("NET_BUFFER", d.view("NET_BUFFER_LIST", lists).FirstNetBuffer).MdlChain;
      if (d.view("MDL", mdl).Next !== 0) note("a receive whose data is in several MDLs");
      return yield* its.inherited("ProtocolReceiveNetBufferLists", context, lists, port, count, flags);
    },
  };
};

const writesDownAsMiniport: Change = (d, its) => {
  const note = (fact: string): void => void seen.miniport.add(fact);
  let initialized = 0;
  const passOn = (name: string) =>
    function* (...args: number[]) {
      note(name);
      return yield* its.inherited(name, ...args);
    };
  return {
    MiniportPause: passOn("MiniportPause"),
    MiniportHaltEx: passOn("MiniportHaltEx"),
    MiniportShutdownEx: passOn("MiniportShutdownEx"),
    *MiniportInitializeEx(...args) {
      initialized += 1;
      if (initialized > 1) note("two initializations");
      return yield* its.inherited("MiniportInitializeEx", ...args);
    },
    *MiniportDevicePnPEventNotify(context, event) {
      const code = d.view("NET_DEVICE_PNP_EVENT", event).DevicePnPEvent;
      note(
        named(
          ["NdisDevicePnPEventPowerProfileChanged", "NdisDevicePnPEventSurpriseRemoved"],
          code,
          code > constant("NdisDevicePnPEventMaximum") ? "an event of the device that no miniport knows" : "another event",
        ),
      );
      yield* its.inherited("MiniportDevicePnPEventNotify", context, event);
    },
    MiniportOidRequest(context, request) {
      const {
        RequestType,
        DATA_SET_INFORMATION_Oid: oid,
        DATA_SET_INFORMATION_InformationBuffer: buffer,
      } = d.view("NDIS_OID_REQUEST", request);
      const isSet = RequestType === constant("NdisRequestSetInformation");
      if (oid === 0xff0f_0f0f) note("an OID that no miniport knows");
      if (isSet && oid === constant("OID_GEN_CURRENT_PACKET_FILTER"))
        note(d.memory.readU32(buffer) === 0 ? "the packet filter is cleared" : "the packet filter is set");
      return its.right["MiniportOidRequest"]?.(context, request);
    },
    *MiniportSendNetBufferLists(context, lists, port, flags) {
      const first = d.view("NET_BUFFER_LIST", lists);
      if (first.Next !== 0) note("a send of several lists");
      if (d.view("NET_BUFFER", first.FirstNetBuffer).Next !== 0) note("a list of several buffers");
      yield* its.inherited("MiniportSendNetBufferLists", context, lists, port, flags);
    },
  };
};

async function play(kind: "protocol" | "miniport"): Promise<void> {
  const builder = new Builder(cacheFolder);
  try {
    const counterpart = await counterpartFor(builder, kind, 1, () => {});
    const driver = kind === "protocol" ? protocolWith(writesDownAsProtocol) : miniportWith(writesDownAsMiniport);
    const stack: MachineDriver[] = [loaded(driver, 0, false), ...(counterpart === undefined ? [] : [counterpart])];
    const memory = new KernelMemory();
    for (const stock of stockFor(kind, false)) {
      for (const variant of commonVariants) {
        memory.reset();
        const { outcome, findings } = run({
          drivers: stack,
          scenario: scenarioFor(stock, 0, 1),
          strategy: (tell) => strategyOf(variant, tell),
          records: false,
          memory,
        });
        expect({ name: stock.name, outcome: outcome.kind, findings }).toEqual({
          name: stock.name,
          outcome: "finished",
          findings: [],
        });
      }
    }
  } finally {
    builder.stop();
  }
}

describe("Every protocol", () => {
  beforeAll(() => play("protocol"));
  test.each([
    "ProtocolBindAdapterEx",
    "ProtocolUnbindAdapterEx",
    "ProtocolOpenAdapterCompleteEx",
    "ProtocolCloseAdapterCompleteEx",
    "ProtocolOidRequestComplete",
    ...EVENTS,
    "another event",
    ...STATUSES,
    "another status",
    "a send is complete inside the call",
    "a send is complete later",
    "a receive",
    "a receive with RESOURCES",
    "a receive of several lists",
    "a receive whose data is in several MDLs",
  ])("meets %s", (fact) => {
    expect([...seen.protocol]).toContain(fact);
  });
});

describe("Every miniport", () => {
  beforeAll(() => play("miniport"));
  test.each([
    "MiniportPause",
    "MiniportHaltEx",
    "MiniportShutdownEx",
    "two initializations",
    "NdisDevicePnPEventPowerProfileChanged",
    "NdisDevicePnPEventSurpriseRemoved",
    "an event of the device that no miniport knows",
    "an OID that no miniport knows",
    "the packet filter is cleared",
    "the packet filter is set",
    "a send of several lists",
    "a list of several buffers",
  ])("meets %s", (fact) => {
    expect([...seen.miniport]).toContain(fact);
  });
});
