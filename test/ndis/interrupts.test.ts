/** Interrupts of an adapter: the handler at the device's level, its DPCs, and functions that are synchronized with it. */
import { describe, expect, test } from "vitest";
import type { DriverEnvironment } from "../../src/tsdriver/driver.ts";
import {
  type Change,
  MINIPORT,
  type Running,
  atOnce,
  breaks,
  call,
  inParallel,
  invoke,
  load,
  pending,
  settle,
  started,
  stop,
  takenDown,
  unload,
  wait,
} from "../verifier/support.ts";
import { play } from "./play.ts";

const interrupt = { do: "interrupt", adapter: 0 } as const;

function* register(d: DriverEnvironment, handle: number, variable: number): Running<number> {
  const characteristics = d.local("NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS", {
    InterruptHandler: d.handler("MiniportInterrupt"),
    InterruptDpcHandler: d.handler("MiniportInterruptDPC"),
    DisableInterruptHandler: d.handler("MiniportDisableInterruptEx"),
    EnableInterruptHandler: d.handler("MiniportEnableInterruptEx"),
  });
  d.header(
    characteristics.address,
    "NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT",
    1,
    "NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1",
  );
  const status = yield* d.NdisMRegisterInterruptEx(handle, 55, characteristics.address, variable);
  expect(characteristics.InterruptType).toBe(d.constant("NDIS_CONNECT_LINE_BASED"));
  return status;
}

/** A miniport with an interrupt; `wants` is how the handler asks for DPCs: "default" or a mask. */
const interrupted =
  (
    told: string[],
    wants: "default" | number,
    more: (d: DriverEnvironment, variable: number) => ReturnType<Change> = () => ({}),
  ): Change =>
  (d, its) => {
    const variable = d.statics(4);
    return {
      *MiniportInitializeEx(handle, driver, parameters) {
        const status = yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
        expect(yield* register(d, handle, variable)).toBe(0);
        return status;
      },
      *MiniportHaltEx(context, action) {
        yield* d.NdisMDeregisterInterruptEx(d.memory.readU32(variable));
        yield* its.inherited("MiniportHaltEx", context, action);
      },
      *MiniportInterrupt(context, isDefault, targets) {
        told.push(`interrupt ${context} at ${yield* d.KeGetCurrentIrql()}`);
        d.memory.u8[isDefault] = wants === "default" ? 1 : 0;
        d.memory.writeU32(targets, wants === "default" ? 0xff : wants);
        return 1;
      },
      *MiniportInterruptDPC(context, dpcContext, throttle) {
        const all = d.view("NDIS_RECEIVE_THROTTLE_PARAMETERS", throttle).MaxNblsToIndicate === 0xffff_ffff;
        told.push(`dpc ${context} ${dpcContext} ${all} at ${yield* d.KeGetCurrentIrql()}`);
      },
      MiniportDisableInterruptEx() {},
      MiniportEnableInterruptEx() {},
      ...more(d, variable),
    };
  };

describe("An interrupt", () => {
  test.each([atOnce, pending])("calls the handler at the device's level, and the default DPC follows ($name)", (answers) => {
    const told: string[] = [];
    play({ miniport: interrupted(told, "default"), actions: [...started, interrupt, settle, ...takenDown] }, answers);
    expect(told).toEqual(["interrupt 55 at 5", "dpc 55 0 true at 2"]);
  });

  test("has DPCs on the processors of the mask, or none", () => {
    const told: string[] = [];
    play({ miniport: interrupted(told, 3), actions: [...started, interrupt, settle, ...takenDown] });
    expect(told).toEqual(["interrupt 55 at 5", "dpc 55 0 true at 2", "dpc 55 0 true at 2"]);
    told.length = 0;
    play({ miniport: interrupted(told, 0), actions: [...started, interrupt, settle, ...takenDown] });
    expect(told).toEqual(["interrupt 55 at 5"]);
  });

  test("whose DPC has more to indicate has another one", () => {
    const told: string[] = [];
    play({
      miniport: interrupted(told, "default", (d) => ({
        MiniportInterruptDPC(_context, _dpcContext, throttle) {
          told.push("dpc");
          d.memory.writeU32(
            d.addressOf("NDIS_RECEIVE_THROTTLE_PARAMETERS", throttle, "MoreNblsPending"),
            told.length < 3 ? 1 : 0,
          );
        },
      })),
      actions: [...started, interrupt, settle, ...takenDown],
    });
    expect(told).toEqual(["interrupt 55 at 5", "dpc", "dpc"]);
  });

  test("can come as soon as it is registered, inside MiniportInitializeEx, and until it is deregistered in MiniportHaltEx", () => {
    const told: string[] = [];
    play({
      miniport: (d, its) => {
        const base = interrupted(told, 0)(d, its);
        return {
          ...base,
          *MiniportInitializeEx(...args) {
            const status = yield* invoke(d, base, "MiniportInitializeEx", ...args);
            yield* d.NdisMSleep(10_000);
            told.push("initialized");
            return status;
          },
          *MiniportHaltEx(...args) {
            yield* d.NdisMSleep(10_000);
            yield* invoke(d, base, "MiniportHaltEx", ...args);
            told.push("halted");
          },
        };
      },
      actions: [
        load(MINIPORT),
        inParallel({ do: "start adapter", driver: MINIPORT, adapter: 0 }),
        wait(5),
        interrupt,
        wait(20),
        inParallel(stop),
        wait(5),
        interrupt,
        wait(20),
        unload(MINIPORT),
      ],
    });
    expect(told).toEqual(["interrupt 55 at 5", "initialized", "interrupt 55 at 5", "halted"]);
  });

  test("is delivered to nobody before the registration and after the halt", () => {
    const told: string[] = [];
    play({
      miniport: (_d, its) => ({ ...its.right }),
      actions: [...started, interrupt, settle, ...takenDown],
    });
    expect(told).toEqual([]);
  });
});

describe("DPCs that a miniport asks for", () => {
  test("are queued on each processor once, and get their context", () => {
    const told: string[] = [];
    play({
      miniport: interrupted(told, 0, (d, variable) => ({
        *Ask() {
          const affinity = d.staticStruct("GROUP_AFFINITY");
          affinity.Mask = 3;
          const old = yield* d.KeRaiseIrqlToDpcLevel();
          const first = yield* d.NdisMQueueDpcEx(d.memory.readU32(variable), 0, affinity.address, 7);
          const second = yield* d.NdisMQueueDpc(d.memory.readU32(variable), 0, 3, 8);
          told.push(`queued ${first} ${second}`);
          yield* d.KeLowerIrql(old);
        },
      })),
      actions: [...started, call(MINIPORT, "Ask"), settle, ...takenDown],
    });
    expect(told).toEqual(["queued 3 0", "dpc 55 7 true at 2", "dpc 55 7 true at 2"]);
  });
});

describe("NdisMSynchronizeWithInterruptEx", () => {
  test("runs the function at the device's level and gives its answer; the caller is at its level again", () => {
    const told: string[] = [];
    play({
      miniport: interrupted(told, 0, (d, variable) => ({
        *MiniportSynchronizeInterrupt(context) {
          told.push(`synchronized ${context} at ${yield* d.KeGetCurrentIrql()}`);
          return 1;
        },
        *Ask() {
          const target = d.handler("MiniportSynchronizeInterrupt");
          const answer = yield* d.NdisMSynchronizeWithInterruptEx(d.memory.readU32(variable), 0, target, 9);
          told.push(`answer ${answer} at ${yield* d.KeGetCurrentIrql()}`);
        },
      })),
      actions: [...started, call(MINIPORT, "Ask"), settle, ...takenDown],
    });
    expect(told).toEqual(["synchronized 9 at 5", "answer 1 at 0"]);
  });
});

describe("NdisMDeregisterInterruptEx", () => {
  test("returns when the last DPC of the interrupt is over", () => {
    const told: string[] = [];
    play({
      miniport: interrupted(told, "default", (d, variable) => ({
        *MiniportInterruptDPC() {
          for (let times = 0; times < 20; times += 1) yield* d.KeStallExecutionProcessor(50);
          told.push("dpc is over");
        },
        *Deregister() {
          const handle = d.memory.readU32(variable);
          const old = yield* d.KeRaiseIrqlToDpcLevel();
          const affinity = d.staticStruct("GROUP_AFFINITY");
          affinity.Mask = 2;
          yield* d.NdisMQueueDpcEx(handle, 0, affinity.address, 7);
          yield* d.KeLowerIrql(old);
          yield* d.NdisMDeregisterInterruptEx(handle);
          told.push("deregistered");
        },
      })),
      actions: [...started, call(MINIPORT, "Deregister"), settle],
    });
    expect(told).toEqual(["dpc is over", "deregistered"]);
  });
});

breaks("leak-handle", "an interrupt is left registered when the driver is unloaded", {
  miniport: (d, its) => ({
    ...interrupted([], 0)(d, its),
    *MiniportHaltEx(context, action) {
      yield* its.inherited("MiniportHaltEx", context, action);
    },
  }),
  by: MINIPORT,
  also: ["mp-halt-deregister-interrupt"],
  says: /1 interrupt\(s\)/,
});
