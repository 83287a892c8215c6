import { describe, expect, test } from "vitest";
import { Machine } from "../../src/machine/machine.ts";
import { MINIPORT_PATHS, PATHS, bindingsAbove, takerAbove, takerBelow } from "../../src/ndis/layers.ts";
import { Adapter, Layer } from "../../src/ndis/objects.ts";

/** An adapter with a miniport and two layers above it that take part in these paths, the lower one first. */
function stackWith(lower: number, upper: number) {
  const { kernel: k } = new Machine({ drivers: [], scenario: { name: "none", summary: "", actions: [] } });
  const adapter = k.objects.create(Adapter);
  const [miniport, first, second] = [k.objects.create(Layer), k.objects.create(Layer), k.objects.create(Layer)];
  miniport.paths = MINIPORT_PATHS;
  for (const [layer, paths] of [
    [first, lower],
    [second, upper],
  ] as const) {
    layer.kind = "Filter";
    layer.paths = paths;
  }
  miniport.above = first.address;
  first.below = miniport.address;
  first.above = second.address;
  second.below = first.address;
  adapter.bottom = miniport.address;
  adapter.top = second.address;
  return { k, adapter, miniport, first, second };
}

describe("The stack of an adapter", () => {
  test("what goes down passes the layers that do not take part, and ends at the miniport", () => {
    const { k, adapter, miniport, first } = stackWith(PATHS.oid, PATHS.receive);
    expect(takerBelow(k, adapter.top, "send").address).toBe(miniport.address);
    expect(takerBelow(k, adapter.top, "oid").address).toBe(first.address);
  });

  test("what comes up goes to the nearest layer that takes part, and past the last one to the protocols", () => {
    const { k, miniport, first, second } = stackWith(PATHS.status, PATHS.status | PATHS.receive);
    expect(takerAbove(k, miniport.address, "status")?.address).toBe(first.address);
    expect(takerAbove(k, first.address, "status")?.address).toBe(second.address);
    expect(takerAbove(k, miniport.address, "receive")?.address).toBe(second.address);
    expect(takerAbove(k, miniport.address, "pnpEvent")).toBeUndefined();
  });

  test("a layer that nobody can call yet is our own defect, not a driver's", () => {
    const { k, adapter } = stackWith(PATHS.receive, 0);
    expect(() => bindingsAbove(k, adapter, "receive")).toThrow(/filter module/);
    expect(bindingsAbove(k, adapter, "status")).toEqual([]);
  });
});
