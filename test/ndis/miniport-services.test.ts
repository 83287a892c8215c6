/** What a miniport asks NDIS about its device and the machine, and the handlers that it sets when it registers. */
import { describe, expect, test } from "vitest";
import { play } from "./play.ts";
import { tell } from "./tell.ts";
import { miniportRegisteredWith, protocolRegisteredWith } from "../verifier/registration.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  SUCCESS,
  adapter,
  call,
  load,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";

/** A running miniport does that once. */
const inMiniport = (change: Change, makeMiniport = miniportRegisteredWith(() => ({ MinorNdisVersion: 30 }))): void =>
  play({ miniport: change, makeMiniport, actions: [...started, call(MINIPORT, "Try"), ...takenDown] });

describe("NdisMGetDeviceProperty", () => {
  test("gives the physical device, NDIS's functional device attached to it, and empty lists of resources", () => {
    inMiniport((d, its) => ({
      *Try() {
        const out = d.statics(20);
        d.memory.writeU32(out + 12, 7);
        yield* d.NdisMGetDeviceProperty(its.get(adapter.handle), out, out + 4, out + 8, out + 12, out + 16);
        const [physical = 0, functional = 0, next, raw, translated] = [0, 4, 8, 12, 16].map((at) => d.memory.readU32(out + at));
        expect([next, raw, translated]).toEqual([physical, 0, 0]);
        expect(d.view("DEVICE_OBJECT", physical).AttachedDevice).toBe(functional);
        expect(d.view("DEVICE_OBJECT", functional).StackSize).toBe(2);
      },
    }));
  });

  test("every output is optional", () => {
    inMiniport((d, its) => ({
      *Try() {
        yield* d.NdisMGetDeviceProperty(its.get(adapter.handle), 0, 0, 0, 0, 0);
      },
    }));
  });
});

describe("NdisGetRssProcessorInformation", () => {
  test("gives the size that it needs, and then the processors", () => {
    inMiniport((d, its) => ({
      *Try() {
        const size = d.statics(4);
        const tooShort = d.constant("NDIS_STATUS_BUFFER_TOO_SHORT") >>> 0;
        expect(yield* d.NdisGetRssProcessorInformation(its.get(adapter.handle), 0, size)).toBe(tooShort);
        expect(d.memory.readU32(size)).toBe(40 + 2 * 8);
        const information = d.view("NDIS_RSS_PROCESSOR_INFO", d.statics(64));
        expect(yield* d.NdisGetRssProcessorInformation(its.get(adapter.handle), information.address, size)).toBe(SUCCESS);
        const { MaxNumRssProcessors, RssProcessorCount, RssProcessorArrayOffset, RssProcessorEntrySize } = information;
        expect([MaxNumRssProcessors, RssProcessorCount, RssProcessorEntrySize]).toEqual([2, 2, 8]);
        const numbers = [0, 1].map(
          (index) =>
            d.view("NDIS_RSS_PROCESSOR", information.address + RssProcessorArrayOffset + index * RssProcessorEntrySize)
              .ProcNum_Number,
        );
        expect(numbers).toEqual([0, 1]);
        expect(information.RssMaxProcessor_Number).toBe(1);
      },
    }));
  });

  test("a driver before NDIS 6.30 gets the first revision", () => {
    inMiniport(
      (d, its) => ({
        *Try() {
          const size = d.statics(4);
          const information = d.view("NDIS_RSS_PROCESSOR_INFO", d.statics(64));
          d.memory.writeU32(size, 64);
          expect(yield* d.NdisGetRssProcessorInformation(its.get(adapter.handle), information.address, size)).toBe(SUCCESS);
          expect([information.Header_Revision, d.memory.readU32(size)]).toEqual([1, 32 + 2 * 8]);
        },
      }),
      miniportRegisteredWith(() => ({ MinorNdisVersion: 20 })),
    );
  });
});

describe("The set-options handlers", () => {
  test("are called inside the registration, with the driver's handle and context", () => {
    const told: string[] = [];
    play({
      makeProtocol: protocolRegisteredWith((d) => ({ SetOptionsHandler: d.handler("ProtocolSetOptions") })),
      makeMiniport: miniportRegisteredWith((d) => ({ SetOptionsHandler: d.handler("MiniportSetOptions") })),
      protocol: (_d, its) => ({
        *DriverEntry(driver, path) {
          const status = yield* its.inherited("DriverEntry", driver, path);
          told.push("protocol registered");
          return status;
        },
        ProtocolSetOptions: (handle, context) => {
          told.push(`protocol ${handle >= 0x8000_0000} ${context}`);
          return SUCCESS;
        },
      }),
      miniport: (_d, its) => ({
        *DriverEntry(driver, path) {
          const status = yield* its.inherited("DriverEntry", driver, path);
          told.push("miniport registered");
          return status;
        },
        MiniportSetOptions: (handle, context) => {
          told.push(`miniport ${handle >= 0x8000_0000} ${context}`);
          return SUCCESS;
        },
      }),
      actions: [...started, ...takenDown],
    });
    expect(told).toEqual(["protocol true 0", "protocol registered", "miniport true 0", "miniport registered"]);
  });

  test("that fail make the registration fail with their status", () => {
    let status = 0;
    play({
      makeProtocol: protocolRegisteredWith((d) => ({ SetOptionsHandler: d.handler("ProtocolSetOptions") })),
      protocol: (_d, its) => ({
        *DriverEntry(driver, path) {
          status = yield* its.inherited("DriverEntry", driver, path);
          return status;
        },
        ProtocolSetOptions: () => "NDIS_STATUS_RESOURCES",
      }),
      actions: [{ do: "load", driver: PROTOCOL, mayFail: true }, settle],
    });
    expect(status).toBe(0xc000_009a);
  });
});

describe("NdisSetOptionalHandlers", () => {
  const characteristics = (d: Parameters<Change>[0]): number => {
    const given = d.local("NDIS_MINIPORT_PNP_CHARACTERISTICS", {
      MiniportAddDeviceHandler: d.handler("MiniportAddDevice"),
      MiniportRemoveDeviceHandler: d.handler("MiniportRemoveDevice"),
      MiniportFilterResourceRequirementsHandler: d.handler("MiniportFilterResourceRequirements"),
      MiniportStartDeviceHandler: d.handler("MiniportStartDevice"),
    });
    d.header(
      given.address,
      "NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS",
      1,
      "NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1",
    );
    return given.address;
  };
  const makeMiniport = miniportRegisteredWith((d) => ({ SetOptionsHandler: d.handler("MiniportSetOptions") }));

  const plugAndPlay =
    (told: string[], addStatus: "NDIS_STATUS_SUCCESS" | "NDIS_STATUS_RESOURCES" = "NDIS_STATUS_SUCCESS"): Change =>
    (d, its) => {
      const minor = (irp: number): number =>
        d.view("IO_STACK_LOCATION", d.view("IRP", irp).Tail_Overlay_CurrentStackLocation).MinorFunction;
      return {
        *MiniportSetOptions(handle) {
          return yield* d.NdisSetOptionalHandlers(handle, characteristics(d));
        },
        *MiniportAddDevice(handle) {
          told.push("add");
          const attributes = d.local("NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES", { MiniportAddDeviceContext: 77 });
          d.header(
            attributes.address,
            "NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES",
            1,
            "NDIS_SIZEOF_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES_REVISION_1",
          );
          yield* d.NdisMSetMiniportAttributes(handle, attributes.address);
          return addStatus;
        },
        MiniportFilterResourceRequirements(context, irp) {
          told.push(`filter ${context} ${minor(irp)}`);
          // The requirements stay as the bus driver has them.
          return "NDIS_STATUS_FAILURE";
        },
        MiniportStartDevice(context, irp) {
          told.push(`start ${context} ${minor(irp)}`);
          return SUCCESS;
        },
        *MiniportInitializeEx(handle, context, parameters) {
          told.push(`initialize ${d.view("NDIS_MINIPORT_INIT_PARAMETERS", parameters).MiniportAddDeviceContext}`);
          return yield* its.inherited("MiniportInitializeEx", handle, context, parameters);
        },
        *MiniportHaltEx(context, action) {
          told.push("halt");
          yield* its.inherited("MiniportHaltEx", context, action);
        },
        MiniportRemoveDevice: (context) => void told.push(`remove ${context}`),
      };
    };

  test("sets the handlers of Plug and Play: the device is added, filtered and started before the adapter is initialized", () => {
    const told: string[] = [];
    play({ makeMiniport, miniport: plugAndPlay(told), actions: [...started, ...takenDown] });
    expect(told).toEqual(["add", "filter 77 13", "start 77 0", "initialize 77", "halt", "remove 77"]);
  });

  test("a device that MiniportAddDevice refuses is neither started nor removed", () => {
    const told: string[] = [];
    play({
      makeMiniport,
      miniport: plugAndPlay(told, "NDIS_STATUS_RESOURCES"),
      actions: [load(MINIPORT), { do: "start adapter", driver: MINIPORT, adapter: 0, mayFail: true }, settle],
    });
    expect(told).toEqual(["add"]);
  });

  test("fails outside the set-options handler", () => {
    let status = 0;
    tell({
      breaking: ["mp-handlers-fixed"],
      makeMiniport,
      miniport: (d, its) => {
        const handle = d.statics(4);
        return {
          ...plugAndPlay([])(d, its),
          MiniportSetOptions(driver) {
            d.memory.writeU32(handle, driver);
            return SUCCESS;
          },
          *Try() {
            status = yield* d.NdisSetOptionalHandlers(d.memory.readU32(handle), characteristics(d));
          },
        };
      },
      actions: [...started, call(MINIPORT, "Try"), ...takenDown],
    });
    expect(status).toBe(0xc000_0001);
  });
});
