import { objectRanges } from "../../src/kernel/objects.ts";
import { beforeAll, describe, expect, test } from "vitest";
import { MEMORY_BYTES, fingerprint, firstCome, restoreSnapshot, takeSnapshot } from "../../src/kernel/index.ts";
import { PAGE_BYTES } from "../../src/kernel/memory.ts";
import { auditRanges } from "../../src/kernel/snapshot.ts";
import type { MachineDriver } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import { SeededStrategy, buildAll, memoryOf, recordingMachine } from "./support.ts";

let drivers: MachineDriver[] = [];
beforeAll(async () => {
  drivers = await buildAll(["test/machine/fixtures/joint-protocol.c", "test/machine/fixtures/joint-miniport.c"]);
});

const started: readonly Action[] = [
  { do: "load", driver: 1 },
  { do: "load", driver: 0 },
  { do: "start adapter", driver: 1, adapter: 0 },
  { do: "call", driver: 0, function: "Exercise" },
];

function machineAfter(actions: readonly Action[]) {
  const { machine } = recordingMachine(drivers, { name: "snapshot", summary: "", actions }, firstCome);
  machine.start();
  while (machine.step());
  return machine;
}

describe("Snapshots", () => {
  test("what is not in use is zero: a snapshot of the pages in use is a snapshot of all memory", () => {
    const machine = machineAfter(started);
    const used = takeSnapshot(machine.kernel);
    const ofMachine = [...used.pages.keys()].filter((page) => page * PAGE_BYTES < MEMORY_BYTES);
    const all = takeSnapshot(machine.kernel, undefined, auditRanges);
    expect(ofMachine.toSorted((a, b) => a - b)).toEqual([...all.pages.keys()].toSorted((a, b) => a - b));
  });

  test("pages that did not change are shared with the snapshot before", () => {
    const { kernel } = machineAfter(started);
    const first = takeSnapshot(kernel);
    const [page = 0] = first.pages.keys();
    kernel.memory.u8[page * 4096 + 100] = (kernel.memory.u8[page * 4096 + 100] ?? 0) ^ 1;
    const second = takeSnapshot(kernel, first);
    expect(second.pagesChanged).toBe(1);
    expect([...second.pages].filter(([number, bytes]) => first.pages.get(number) !== bytes)).toHaveLength(1);
  });

  test("restoring writes what differs, and nothing else", () => {
    const machine = machineAfter(started);
    const before = memoryOf(machine);
    const snapshot = takeSnapshot(machine.kernel);
    expect(restoreSnapshot(machine.kernel, snapshot)).toBe(0);
    machine.kernel.header.clock += 1;
    expect(restoreSnapshot(machine.kernel, snapshot)).toBe(1);
    expect(Buffer.compare(memoryOf(machine), before)).toBe(0);
  });
});

test("a machine that has gone on is restored whole, and may access what it could", () => {
  const { machine } = recordingMachine(drivers, { name: "snapshot", summary: "", actions: started }, new SeededStrategy(1));
  machine.start();
  for (let steps = 0; steps < 2; steps += 1) machine.step();
  const before = memoryOf(machine);
  const snapshot = takeSnapshot(machine.kernel);
  while (machine.step());
  expect(Buffer.compare(memoryOf(machine), before)).not.toBe(0);
  restoreSnapshot(machine.kernel, snapshot);
  expect(Buffer.compare(memoryOf(machine), before)).toBe(0);
});

describe("Fingerprints", () => {
  test("a copy has the fingerprint of its original, at every step", () => {
    const { machine } = recordingMachine(drivers, { name: "snapshot", summary: "", actions: started }, new SeededStrategy(3));
    const copy = recordingMachine(drivers, { name: "snapshot", summary: "", actions: started }, new SeededStrategy(3)).machine;
    machine.start();
    do {
      restoreSnapshot(copy.kernel, takeSnapshot(machine.kernel));
      expect(fingerprint(copy.kernel)).toBe(fingerprint(machine.kernel));
    } while (machine.step());
  });

  test("the absolute clock and what has been counted are no part of it", () => {
    const short = machineAfter([...started, { do: "wait", milliseconds: 1 }]);
    const long = machineAfter([...started, { do: "wait", milliseconds: 1000 }]);
    expect(long.kernel.header.clock).toBeGreaterThan(short.kernel.header.clock);
    expect(Buffer.compare(memoryOf(long), memoryOf(short))).not.toBe(0);
    expect(fingerprint(long.kernel)).toBe(fingerprint(short.kernel));
  });

  test("a byte of a driver's data, of the pool and of an object are part of it", () => {
    const { kernel } = machineAfter(started);
    const original = fingerprint(kernel);
    const places = [kernel.hosts.dataRanges()[0]?.start ?? 0, (objectRanges(kernel)[0]?.end ?? 0) - 16];
    for (const place of places) {
      kernel.memory.u8[place] = (kernel.memory.u8[place] ?? 0) ^ 1;
      expect(fingerprint(kernel)).not.toBe(original);
      kernel.memory.u8[place] = (kernel.memory.u8[place] ?? 0) ^ 1;
    }
    expect(fingerprint(kernel)).toBe(original);
  });
});
