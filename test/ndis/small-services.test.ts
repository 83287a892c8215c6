/** Names, copies, strings, processors and device events: what NDIS does for drivers on the side. */
import { describe, expect, test } from "vitest";
import { readUnicodeString } from "../../src/kernel/strings.ts";
import { MINIPORT, PROTOCOL, SUCCESS, TAG, adapter, binding, call, started, takenDown } from "../verifier/support.ts";
import { inProtocol, play } from "./play.ts";

describe("The friendly name of an adapter", () => {
  test("is the same for its miniport, for a protocol that binds, and for one that is bound; the caller frees it", () => {
    const names: string[] = [];
    play({
      miniport: (d, its) => ({
        *Name() {
          const string = d.statics(8);
          expect(yield* d.NdisMQueryAdapterInstanceName(string, its.get(adapter.handle))).toBe(SUCCESS);
          names.push(readUnicodeString(d.memory, string));
          yield* d.NdisFreeMemory(d.memory.readU32(string + 4), 0, 0);
        },
      }),
      protocol: (d, its) => ({
        *ProtocolBindAdapterEx(driver, bindContext, parameters) {
          const string = d.statics(8);
          expect(yield* d.NdisQueryBindInstanceName(string, bindContext)).toBe(SUCCESS);
          names.push(readUnicodeString(d.memory, string));
          yield* d.NdisFreeMemory(d.memory.readU32(string + 4), 0, 0);
          return yield* its.inherited("ProtocolBindAdapterEx", driver, bindContext, parameters);
        },
        *Name() {
          const string = d.statics(8);
          expect(yield* d.NdisQueryAdapterInstanceName(string, its.get(binding.handle))).toBe(SUCCESS);
          names.push(readUnicodeString(d.memory, string));
          yield* d.NdisFreeMemory(d.memory.readU32(string + 4), 0, 0);
        },
      }),
      actions: [...started, call(MINIPORT, "Name"), call(PROTOCOL, "Name"), ...takenDown],
    });
    expect(names).toEqual(["ndislab adapter 1", "ndislab adapter 1", "ndislab adapter 1"]);
  });
});

describe("Device events", () => {
  test("the miniport hears of the power profile when it is initialized, and of what the scenario does to the device", () => {
    const told: string[] = [];
    play({
      miniport: (d, its) => ({
        *MiniportInitializeEx(handle, context, parameters) {
          told.push("initialize");
          return yield* its.inherited("MiniportInitializeEx", handle, context, parameters);
        },
        *MiniportDevicePnPEventNotify(context, event) {
          const { DevicePnPEvent, InformationBuffer, InformationBufferLength } = d.view("NET_DEVICE_PNP_EVENT", event);
          const profile = InformationBufferLength === 4 ? ` ${d.memory.readU32(InformationBuffer)}` : "";
          told.push(`event ${DevicePnPEvent}${profile}`);
          yield* its.inherited("MiniportDevicePnPEventNotify", context, event);
        },
      }),
      actions: [
        ...started,
        { do: "device event", adapter: 0, event: "on battery" },
        { do: "device event", adapter: 0, event: "surprise removed" },
        ...takenDown,
      ],
    });
    expect(told).toEqual(["initialize", "event 5 1", "event 5 0", "event 2"]);
  });
});

describe("Memory that NDIS lays out", () => {
  test("a clone of an OID request has all of its information", () => {
    inProtocol(function* (d) {
      const request = d.staticStruct("NDIS_OID_REQUEST");
      d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
      request.RequestId = 9;
      request.DATA_SET_INFORMATION_Oid = 0x1010103;
      const variable = d.statics(4);
      expect(yield* d.NdisAllocateCloneOidRequest(0, request.address, TAG, variable)).toBe(SUCCESS);
      const clone = d.view("NDIS_OID_REQUEST", d.memory.readU32(variable));
      expect([clone.RequestId, clone.DATA_SET_INFORMATION_Oid, clone.Header_Type]).toEqual([9, 0x1010103, request.Header_Type]);
      yield* d.NdisFreeCloneOidRequest(0, clone.address);
    });
  });

  test("a generic object has the driver object and room for its owner", () => {
    inProtocol(function* (d) {
      const object = yield* d.NdisAllocateGenericObject(77, TAG, 16);
      expect(d.view("NDIS_GENERIC_OBJECT", object).DriverObject).toBe(77);
      d.memory.u8.fill(1, object + 16, object + 32);
      yield* d.NdisFreeGenericObject(object);
    });
  });

  test("NdisInitializeString makes a Unicode string of its own from one-byte characters", () => {
    inProtocol(function* (d) {
      const source = d.statics(8);
      for (const [index, character] of [..."abc"].entries()) d.memory.u8[source + index] = character.charCodeAt(0);
      const string = d.statics(8);
      yield* d.NdisInitializeString(string, source);
      expect(readUnicodeString(d.memory, string)).toBe("abc");
      expect([d.memory.readU16(string), d.memory.readU16(string + 2)]).toEqual([6, 8]);
      yield* d.NdisFreeMemoryWithTag(d.memory.readU32(string + 4), TAG);
    });
  });
});

describe("The processors", () => {
  test("are cores of one package", () => {
    inProtocol(function* (d) {
      const given = d.staticStruct("NDIS_SYSTEM_PROCESSOR_INFO");
      const tooShort = d.constant("NDIS_STATUS_BUFFER_TOO_SHORT") >>> 0;
      expect(yield* d.NdisGetProcessorInformation(given.address)).toBe(tooShort);
      d.header(given.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_SYSTEM_PROCESSOR_INFO_REVISION_1");
      given.RssProcessors = d.statics(32);
      expect(yield* d.NdisGetProcessorInformation(given.address)).toBe(SUCCESS);
      expect([given.NumPhysicalPackages, given.NumCores, given.RssCpuCount]).toEqual([1, 2, 2]);
      expect([...d.memory.u8.subarray(given.RssProcessors, given.RssProcessors + 2)]).toEqual([0, 1]);
    });
  });

  test("are listed with their numbers, in as much room as NDIS says that it needs", () => {
    inProtocol(function* (d) {
      const size = d.statics(4);
      yield* d.NdisGetProcessorInformationEx(0, 0, size);
      expect(d.memory.readU32(size)).toBe(40 + 2 * 20);
      const given = d.view("NDIS_SYSTEM_PROCESSOR_INFO_EX", d.statics(80));
      expect(yield* d.NdisGetProcessorInformationEx(0, given.address, size)).toBe(SUCCESS);
      const second = given.address + given.ProcessorInfoOffset + given.ProcessorInfoEntrySize;
      expect(d.view("NDIS_PROCESSOR_INFO_EX", second).ProcNum_Number).toBe(1);
    });
  });

  test("run below no hypervisor", () => {
    inProtocol(function* (d) {
      const given = d.staticStruct("NDIS_HYPERVISOR_INFO");
      d.header(given.address, "NDIS_OBJECT_TYPE_DEFAULT", 1, "NDIS_SIZEOF_HYPERVISOR_INFO_REVISION_1");
      given.Flags = 1;
      expect(yield* d.NdisGetHypervisorInfo(given.address)).toBe(SUCCESS);
      expect(given.Flags).toBe(0);
    });
  });
});
