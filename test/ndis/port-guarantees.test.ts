/** What NDIS guarantees about ports: numbers, allocation, the default port, activation and deactivation. */
import { describe, expect, test } from "vitest";
import { constant } from "../../src/contract/index.ts";
import { NetInterface } from "../../src/ndis/interface-objects.ts";
import { story } from "../pages/support.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  THIRD,
  adapter,
  call,
  createAdapterContext,
  freeAdapterContext,
  late,
  load,
  protocolWith,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
  unload,
} from "../verifier/support.ts";
import { CONTROLS_DEFAULT_PORT, allocateWith, hearsOfPorts, triesPorts } from "./port-listening.ts";
import { tell } from "./tell.ts";

const miniport = (name: string, ...args: number[]) => call(MINIPORT, name, ...args);
const enumerate = call(PROTOCOL, "Enumerate");
const lines = (text: string): string[] => text.trim().split(/\s*\n\s*/);

describe("Allocating an NDIS port", () => {
  test("NDIS always allocates the default port, port 0, and never gives its number to a driver", () => {
    const told: string[] = [];
    const result = tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told),
      actions: [...started, enumerate, miniport("Allocate"), miniport("Free", 1), ...takenDown],
    });
    expect(told).toEqual(
      lines(`
      protocol binds: 0
      enumerated: 0
      allocate 1: SUCCESS
      free 1: SUCCESS
      protocol unbinds`),
    );
    expect(story(result, ["port"])).toEqual(
      lines(`
      port 0: Unallocated -> Allocated
      port 0: Allocated -> Activated
      port 1: Unallocated -> Allocated
      port 1: Allocated -> Unallocated
      port 0: Activated -> Allocated
      port 0: Allocated -> Unallocated`),
    );
  });

  test("NDIS assigns the lowest number that is free", () => {
    const told: string[] = [];
    tell({
      miniport: triesPorts(told),
      actions: [
        ...started,
        ...["Allocate", "Allocate", "Allocate"].map((name) => miniport(name)),
        miniport("Free", 2),
        miniport("Free", 1),
        ...["Allocate", "Allocate", "Allocate"].map((name) => miniport(name)),
        ...[1, 2, 3, 4].map((number) => miniport("Free", number)),
        ...takenDown,
      ],
    });
    expect(told.filter((line) => line.startsWith("allocate")).map((line) => line.replace(": SUCCESS", ""))).toEqual(
      lines(`
      allocate 1
      allocate 2
      allocate 3
      allocate 1
      allocate 2
      allocate 4`),
    );
  });

  test("numbers run from 1 to 0xFFFFFF: a larger one is no port's", () => {
    const told: string[] = [];
    tell({
      miniport: triesPorts(told),
      actions: [...started, ...[0xff_ffff, 0x100_0000].map((number) => miniport("Free", number)), ...takenDown],
    });
    expect(told).toEqual([`free ${0xff_ffff}: INVALID_PORT`, `free ${0x100_0000}: INVALID_DATA`]);
  });

  test("is synchronous, and on success the characteristics hold the number", () => {
    const seen: number[] = [];
    const result = tell({
      miniport: (d, its) => ({
        ...triesPorts([])(d, its),
        *Allocate() {
          yield* d.NdisAcquireSpinLock(its.context() + adapter.lock);
          const { status, number } = yield* allocateWith(d, its.get(adapter.handle), { PortNumber: 77 });
          seen.push(status, number);
          yield* d.NdisReleaseSpinLock(its.context() + adapter.lock);
        },
      }),
      actions: [...started, miniport("Allocate"), miniport("Free", 1), ...takenDown],
    });
    expect(seen).toEqual([0, 1]);
    expect(
      story(result, ["NdisMAllocatePort", "port"])
        .filter((line) => !line.startsWith("port 0"))
        .slice(0, 3),
    ).toEqual(["NdisMAllocatePort", "port 1: Unallocated -> Allocated", "NdisMAllocatePort = SUCCESS"]);
  });

  test("leaves the port allocated, and not active: nobody can use it, and no protocol is told of it", () => {
    const told: string[] = [];
    tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told),
      breaking: ["port-inactive-uses-forbidden"],
      actions: [
        ...started,
        miniport("Allocate"),
        settle,
        enumerate,
        call(PROTOCOL, "AskOn", 1),
        miniport("Free", 1),
        ...takenDown,
      ],
    });
    expect(told).toEqual(
      lines(`
      protocol binds: 0
      allocate 1: SUCCESS
      enumerated: 0
      free 1: SUCCESS
      protocol unbinds`),
    );
  });

  test("raises no PnP event to the overlying drivers", () => {
    const told: string[] = [];
    const result = tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts([]),
      actions: [...started, miniport("Allocate"), settle, miniport("Free", 1), settle, ...takenDown],
    });
    expect(told).toEqual(["protocol binds: 0", "protocol unbinds"]);
    // Its restart, its pause, and what it is told when all binds are complete.
    const events = story(result, ["ProtocolNetPnPEvent"], { from: `driver ${MINIPORT} is told to run Allocate` });
    expect(events).toEqual(["ProtocolNetPnPEvent", "ProtocolNetPnPEvent = SUCCESS"]);
  });

  test("creates no network interface for the port", () => {
    const told: string[] = [];
    const result = tell({
      miniport: triesPorts(told),
      actions: [...started, miniport("Allocate"), miniport("Activate", 1), settle],
    });
    expect(told).toEqual(["allocate 1: SUCCESS", "activate 1: SUCCESS"]);
    expect(result.machine.kernel.objects.all(NetInterface).length).toBe(0);
  });

  test("fails for want of resources, for invalid characteristics, and when the adapter is closing", () => {
    const seen: number[] = [];
    const tries: Change = (d) => ({
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context);
        seen.push((yield* allocateWith(d, handle, {}, "NDIS_SIZEOF_PORT_STATE_REVISION_1")).status);
        seen.push((yield* allocateWith(d, handle, {})).status);
        return yield* setGeneralAttributes(d, handle);
      },
      *MiniportHaltEx(context) {
        seen.push((yield* allocateWith(d, d.memory.readU32(context + adapter.handle), {})).status);
        yield* freeAdapterContext(d, context);
      },
    });
    tell({ miniport: tries, breaking: ["port-alloc-before-halt"], with: late("NdisMAllocatePort: no resources") });
    expect(seen).toEqual(
      (["NDIS_STATUS_INVALID_DATA", "NDIS_STATUS_RESOURCES", "NDIS_STATUS_CLOSING"] as const).map((name) => constant(name) >>> 0),
    );
  });
});

describe("The default port", () => {
  test("is active when the call that sets the registration attributes returns, and may be used at once", () => {
    const told: string[] = [];
    const result = tell({
      protocol: hearsOfPorts(told),
      miniport: (d, its) => ({
        ...triesPorts(told)(d, its),
        *MiniportInitializeEx(handle) {
          const context = yield* createAdapterContext(d, handle);
          yield* setRegistrationAttributes(d, handle, context);
          const indication = d.local("NDIS_STATUS_INDICATION", { SourceHandle: handle, StatusCode: 0 });
          d.header(indication.address, "NDIS_OBJECT_TYPE_STATUS_INDICATION", 1, "NDIS_SIZEOF_STATUS_INDICATION_REVISION_1");
          yield* d.NdisMIndicateStatusEx(handle, indication.address);
          return yield* setGeneralAttributes(d, handle);
        },
      }),
    });
    expect(story(result, ["port", "NdisMSetMiniportAttributes", "NdisMIndicateStatusEx"]).slice(0, 5)).toEqual(
      lines(`
      NdisMSetMiniportAttributes
      port 0: Unallocated -> Allocated
      port 0: Allocated -> Activated
      NdisMSetMiniportAttributes = SUCCESS
      NdisMIndicateStatusEx`),
    );
    expect(told[0]).toBe("protocol binds: 0");
  });

  const controlled = [...started, miniport("Allocate"), miniport("Activate", 1), settle];
  const controlledGone = [miniport("Deactivate", 1), miniport("Free", 1), miniport("Deactivate", 0), settle, ...takenDown];

  test("may be the miniport's to activate: until it does, NDIS binds no protocol", () => {
    const told: string[] = [];
    tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told, CONTROLS_DEFAULT_PORT),
      actions: [
        ...started,
        { do: "bind", adapter: 0 },
        settle,
        miniport("Activate", 0),
        settle,
        miniport("Deactivate", 0),
        ...takenDown,
      ],
    });
    expect(told).toEqual(
      lines(`
      activate 0: SUCCESS
      protocol binds: 0
      protocol unbinds
      deactivate 0: SUCCESS`),
    );
  });

  test("comes before the others: overlying drivers learn of active ports only when it is active", () => {
    const told: string[] = [];
    tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told, CONTROLS_DEFAULT_PORT),
      actions: [...controlled, miniport("Activate", 0), settle, ...controlledGone],
    });
    expect(told).toEqual(
      lines(`
      allocate 1: SUCCESS
      activate 1: SUCCESS
      activate 0: SUCCESS
      protocol binds: 0 1
      protocol: - 1
      deactivate 1: SUCCESS
      free 1: SUCCESS
      protocol unbinds
      deactivate 0: SUCCESS`),
    );
  });

  test("that is deactivated has NDIS close every binding above the adapter; active again, it is bound to again", () => {
    const told: string[] = [];
    tell({
      protocol: hearsOfPorts(told, "first"),
      miniport: triesPorts(told, CONTROLS_DEFAULT_PORT),
      more: [protocolWith(hearsOfPorts(told, "second"))],
      actions: [
        ...started,
        load(THIRD),
        settle,
        miniport("Activate", 0),
        settle,
        miniport("Deactivate", 0),
        miniport("Activate", 0),
        settle,
        miniport("Deactivate", 0),
        ...takenDown,
        unload(THIRD),
      ],
    });
    const round = lines(`
      activate 0: SUCCESS
      first binds: 0
      second binds: 0
      first unbinds
      second unbinds
      deactivate 0: SUCCESS`);
    expect(told).toEqual([...round, ...round]);
  });
});
