/** What NDIS guarantees when a miniport activates and deactivates ports. */
import { describe, expect, test } from "vitest";
import { constant } from "../../src/contract/index.ts";
import { story } from "../pages/support.ts";
import {
  MINIPORT,
  THIRD,
  adapter,
  call,
  load,
  protocolWith,
  raise,
  settle,
  started,
  takenDown,
  unload,
} from "../verifier/support.ts";
import { hearsOfPorts, triesPorts } from "./port-listening.ts";
import { tell } from "./tell.ts";

const miniport = (name: string, ...args: number[]) => call(MINIPORT, name, ...args);
const lines = (text: string): string[] => text.trim().split(/\s*\n\s*/);
/** Ports 1, 2 and 3, none of them active. */
const three = [...started, ...["Allocate", "Allocate", "Allocate"].map((name) => miniport(name))];
const threeGone = [...[1, 2, 3].map((number) => miniport("Free", number)), ...takenDown];

/** What is told after the ports are there, until they are freed. */
const between = (told: readonly string[]): string[] => told.filter((line) => !/^(?:allocate|free) |binds/.test(line));
/** The changes of ports other than the default port, once they are allocated. */
const changesOf = (result: Parameters<typeof story>[0]): string[] =>
  story(result, ["port"]).filter((line) => !line.startsWith("port 0") && !line.includes("Unallocated"));

describe("Activating NDIS ports", () => {
  test.each([
    ["is active already", [1], [2, 1, 3], "activate 2 1 3: INVALID_PORT_STATE"],
    ["does not exist", [], [2, 7], "activate 2 7: INVALID_PORT"],
    ["is named twice", [], [2, 2], "activate 2 2: INVALID_PORT_STATE"],
    ["is the default port", [], [2, 0], "activate 2 0: INVALID_PORT"],
  ])("fails if a port of the list %s, and none of them changes its state", (_why, before, numbers, answer) => {
    const told: string[] = [];
    const result = tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told),
      breaking: [numbers.includes(0) ? "port-activate-default-alone" : "port-activate-all-allocated"],
      actions: [
        ...three,
        ...before.map((number) => miniport("Activate", number)),
        miniport("Activate", ...numbers),
        ...before.map((number) => miniport("Deactivate", number)),
        ...threeGone,
      ],
    });
    expect(between(told).filter((line) => !line.endsWith(" 1") && !line.endsWith("SUCCESS"))).toEqual([answer]);
    expect(changesOf(result).filter((line) => !line.startsWith("port 1"))).toEqual([]);
  });

  test("is told to every protocol that is bound; one that binds later has the ports in its bind parameters", () => {
    const told: string[] = [];
    tell({
      protocol: hearsOfPorts(told, "first"),
      miniport: triesPorts(told),
      more: [protocolWith(hearsOfPorts(told, "second")), protocolWith(hearsOfPorts(told, "third"))],
      actions: [
        ...started,
        load(THIRD),
        settle,
        miniport("Allocate"),
        miniport("Allocate"),
        miniport("Activate", 1, 2),
        load(THIRD + 1),
        settle,
        miniport("Deactivate", 1, 2),
        miniport("Free", 1),
        miniport("Free", 2),
        ...takenDown,
        unload(THIRD),
        unload(THIRD + 1),
      ],
    });
    expect(told.filter((line) => !line.includes("SUCCESS") && !line.endsWith("unbinds"))).toEqual(
      lines(`
        first binds: 0
        second binds: 0
        first: + 1 2
        second: + 1 2
        third binds: 0 1 2
        first: - 1 2
        second: - 1 2
        third: - 1 2`),
    );
  });
});

describe("Deactivating NDIS ports", () => {
  test.each([
    ["is not active", [2, 1], "deactivate 2 1: INVALID_PORT_STATE"],
    ["does not exist", [2, 7], "deactivate 2 7: INVALID_PORT"],
    ["is named twice", [2, 2], "deactivate 2 2: INVALID_PORT_STATE"],
    ["is the default port", [2, 0], "deactivate 2 0: INVALID_PORT"],
  ])("fails if a port of the array %s, and none of them changes its state", (_why, numbers, answer) => {
    const told: string[] = [];
    const result = tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told),
      breaking: [numbers.includes(0) ? "port-deactivate-default-alone" : "port-deactivate-all-active"],
      actions: [
        ...three,
        miniport("Activate", 2),
        miniport("Deactivate", ...numbers),
        settle,
        miniport("Deactivate", 2),
        ...threeGone,
      ],
    });
    expect(between(told)).toEqual(["protocol: + 2", "activate 2: SUCCESS", answer, "protocol: - 2", "deactivate 2: SUCCESS"]);
    expect(changesOf(result)).toEqual(["port 2: Allocated -> Activated", "port 2: Activated -> Allocated"]);
  });

  test("the event that is passed up lists the ports that have changed, and none that was inactive", () => {
    const told: string[] = [];
    tell({
      protocol: hearsOfPorts(told),
      miniport: triesPorts(told),
      breaking: ["port-deactivate-all-active"],
      actions: [
        ...three,
        miniport("Activate", 1, 2, 3),
        miniport("Deactivate", 3, 1),
        // Port 1 is inactive by now.
        miniport("Deactivate", 1, 2),
        miniport("Deactivate", 2),
        ...threeGone,
      ],
    });
    expect(between(told).filter((line) => line.startsWith("protocol"))).toEqual(
      lines(`
        protocol: + 1 2 3
        protocol: - 3 1
        protocol: - 2`),
    );
  });

  test("without a buffer, or with a length of zero, fails with NDIS_STATUS_INVALID_PARAMETER", () => {
    const seen: number[] = [];
    const told: string[] = [];
    const result = tell({
      protocol: hearsOfPorts(told),
      miniport: (d, its) => ({
        ...triesPorts(told)(d, its),
        *Raise() {
          const number = d.local("NDIS_OBJECT_HEADER").address;
          const handle = its.get(adapter.handle);
          d.memory.writeU32(number, 1);
          seen.push((yield* raise(d, handle, "NetEventPortDeactivation", 0, 4, 0)) >>> 0);
          seen.push((yield* raise(d, handle, "NetEventPortDeactivation", number, 0, 0)) >>> 0);
        },
      }),
      breaking: ["port-deactivate-event-format"],
      actions: [...three, miniport("Activate", 1), miniport("Raise"), settle, miniport("Deactivate", 1), ...threeGone],
    });
    const INVALID_PARAMETER = constant("NDIS_STATUS_INVALID_PARAMETER") >>> 0;
    expect(seen).toEqual([INVALID_PARAMETER, INVALID_PARAMETER]);
    expect(changesOf(result)).toEqual(["port 1: Allocated -> Activated", "port 1: Activated -> Allocated"]);
  });
});
