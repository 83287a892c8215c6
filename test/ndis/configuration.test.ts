/** The keywords of an adapter, as a miniport reads and writes them in MiniportInitializeEx. */
import { describe, expect, test } from "vitest";
import { portMiniport } from "../../examples/typescript/port-miniport.ts";
import { Machine } from "../../src/machine/machine.ts";
import { readUnicodeString } from "../../src/kernel/strings.ts";
import { type DriverEnvironment, defineDriver } from "../../src/tsdriver/driver.ts";

type Reading = ReturnType<typeof read>;

/** Reads one keyword: its status, and the address of the parameter. */
function* read(
  d: DriverEnvironment,
  configuration: number,
  keyword: string,
  type: "NdisParameterInteger" | "NdisParameterString",
) {
  const status = d.statics(4);
  const parameter = d.statics(4);
  yield* d.NdisReadConfiguration(status, parameter, configuration, d.unicodeString(keyword), d.constant(type));
  return { status: d.memory.readU32(status), parameter: d.memory.readU32(parameter) };
}

/** Runs a miniport that opens its configuration, does that with it, and closes it. */
function withConfiguration(
  registry: Readonly<Record<string, number | string>>,
  use: (d: DriverEnvironment, configuration: number) => Reading,
) {
  const driver = defineDriver("reader", (d) => ({
    ...portMiniport(d, true),
    *MiniportInitializeEx(adapter) {
      const object = d.local("NDIS_CONFIGURATION_OBJECT", { NdisHandle: adapter });
      const handle = d.statics(4);
      yield* d.NdisOpenConfigurationEx(object.address, handle);
      yield* use(d, d.memory.readU32(handle));
      yield* d.NdisCloseConfiguration(d.memory.readU32(handle));
      return d.constant("NDIS_STATUS_FAILURE");
    },
  }));
  const machine = new Machine({
    drivers: [
      {
        kind: "typescript",
        slot: 0,
        name: driver.name,
        isStock: false,
        driver,
        files: [],
        placeOf: () => ({ file: "", line: 1 }),
      },
    ],
    registry: { 0: registry },
    scenario: {
      name: "configuration",
      summary: "",
      actions: [
        { do: "load", driver: 0 },
        { do: "start adapter", driver: 0, adapter: 0, mayFail: true },
      ],
    },
  });
  machine.start();
  expect(machine.run()).toEqual({ kind: "finished" });
}

describe("Reading configuration", () => {
  test("a number is read as a number, and as its digits by who wants a string; keywords have no case", () => {
    withConfiguration({ Speed: 100 }, function* (d, configuration) {
      const number = yield* read(d, configuration, "SPEED", "NdisParameterInteger");
      expect(number.status).toBe(0);
      expect(d.view("NDIS_CONFIGURATION_PARAMETER", number.parameter).ParameterData_IntegerData).toBe(100);
      const text = yield* read(d, configuration, "Speed", "NdisParameterString");
      expect(readUnicodeString(d.memory, d.addressOf("NDIS_CONFIGURATION_PARAMETER", text.parameter, "ParameterData"))).toBe(
        "100",
      );
      return number;
    });
  });

  test("a keyword that is not there, and a text that is no number, fail", () => {
    withConfiguration({ Name: "fast" }, function* (d, configuration) {
      expect((yield* read(d, configuration, "Nothing", "NdisParameterString")).status).toBe(
        d.constant("NDIS_STATUS_FAILURE") >>> 0,
      );
      const number = yield* read(d, configuration, "Name", "NdisParameterInteger");
      expect(number.status).toBe(d.constant("NDIS_STATUS_FAILURE") >>> 0);
      return number;
    });
  });

  test("the network address is read as bytes", () => {
    withConfiguration({ NetworkAddress: "02-00-5E-10-00-FF" }, function* (d, configuration) {
      const [status, address, length] = [d.statics(4), d.statics(4), d.statics(4)];
      yield* d.NdisReadNetworkAddress(status, address, length, configuration);
      expect([d.memory.readU32(status), d.memory.readU32(length)]).toEqual([0, 6]);
      const first = d.memory.readU32(address);
      expect([...d.memory.u8.subarray(first, first + 6)]).toEqual([0x02, 0x00, 0x5e, 0x10, 0x00, 0xff]);
      return { status: 0, parameter: 0 };
    });
  });

  test("what is written is read again", () => {
    withConfiguration({}, function* (d, configuration) {
      const given = d.local("NDIS_CONFIGURATION_PARAMETER", {
        ParameterType: "NdisParameterInteger",
        ParameterData_IntegerData: 7,
      });
      const status = d.statics(4);
      yield* d.NdisWriteConfiguration(status, configuration, d.unicodeString("Depth"), given.address);
      expect(d.memory.readU32(status)).toBe(0);
      const again = yield* read(d, configuration, "Depth", "NdisParameterInteger");
      expect(d.view("NDIS_CONFIGURATION_PARAMETER", again.parameter).ParameterData_IntegerData).toBe(7);
      return again;
    });
  });
});
