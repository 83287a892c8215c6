import { beforeAll, describe, expect, test } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import { close, code, goodStory, load, open, settle, story, unload } from "../kernel/io-support.ts";
import { buildDriver, call } from "../kernel/support.ts";

let driver: MachineDriver;
beforeAll(async () => {
  driver = await buildDriver("ndis-device");
});

const register = call("RegisterIt");
const deregister = call("DeregisterIt");
const control: Action = { do: "control", file: "f", code: code(1), expect: "STATUS_SUCCESS" };
const life = ["device 0", "device 14", "device 18", "device 2"];

function holds(...actions: Action[]): readonly string[] {
  const { printed, results } = goodStory(driver, load, ...actions, settle, unload);
  expect(actions.flatMap((action, index) => (action.do === "call" ? [results[index + 1]] : [])).filter(Boolean)).toEqual([]);
  return printed;
}

describe("NdisRegisterDeviceEx", () => {
  test("makes a device that applications open by its symbolic name, with a cleared extension of the driver's", () => {
    expect(holds(register, open("Ndis"), control, close, settle, deregister)).toEqual(life);
    expect(holds(register, open("Ndis", { device: "\\Device\\Ndis" }), control, close, settle, deregister)).toEqual(life);
  });

  test("allocates no extension if none is asked for", () => {
    holds(call("RegisterWithout"));
  });

  test("lets no application open a device whose security names none", () => {
    holds(call("RegisterClosed"), open("Ndis", { expect: "STATUS_ACCESS_DENIED" }), deregister);
  });

  test("fails for what is no NDIS driver, for attributes that are none, and for a name that is taken, and leaves nothing behind", () => {
    const wrong = story(driver, load, call("RegisterWrong"), settle, unload);
    expect([wrong.outcome, wrong.results[1]]).toEqual(["finished", 0]);
    expect(wrong.findings).toEqual([expect.stringMatching(/^header-size-revision: NdisRegisterDeviceEx /)]);
    holds(register, call("RegisterTwice"), deregister);
  });
});

describe("NdisGetDeviceReservedExtension", () => {
  test("is NULL for a device that NDIS did not make", () => {
    holds(call("OtherDevice"));
  });
});

describe("NdisDeregisterDeviceEx", () => {
  test("removes the device and its symbolic link", () => {
    const gone = (device: string) => open("Ndis", { device, expect: "STATUS_OBJECT_NAME_NOT_FOUND" });
    holds(register, deregister, gone("\\\\.\\Ndis"), gone("\\Device\\Ndis"), register, deregister);
  });

  test("leaves the device to a file that is open, whose requests still come", () => {
    const { printed } = goodStory(driver, load, call("RegisterIt"), open("Ndis"), close, settle, deregister, settle, unload);
    expect(printed).toEqual(["device 0", "device 18", "device 2"]);
    const late = story(driver, load, register, open("Ndis"), deregister, control, close, settle, unload);
    expect(late.outcome).toBe("finished");
    // The extension is gone at once: what the driver prints is that it has none any more.
    expect(late.printed.filter((line) => line.startsWith("device"))).toEqual(life);
  });

  test("is called before the driver is unloaded: a device that is left is told once, by the routine that made it", () => {
    const { findings } = story(driver, load, register, unload);
    expect(findings).toEqual([
      expect.stringMatching(/^leak-handle: The driver is unloaded, and \d+ symbolic link\(s\) of it are left\./),
      expect.stringMatching(/^leak-handle: The driver is unloaded, and \d+ device\(s\) of NdisRegisterDeviceEx of it are left\./),
    ]);
  });
});
