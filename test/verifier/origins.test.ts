import { beforeAll, describe, expect, test } from "vitest";
import { placesOf } from "../../src/verifier/origins.ts";
import { type Marked, buildMarked, call, life, markedLine, recordedRun } from "./c-drivers.ts";

let marked: Marked;
beforeAll(async () => {
  marked = await buildMarked("leaks/places");
});

const at = (mark: string) => expect.objectContaining({ line: markedLine(marked, mark) });

describe("A thing that a finding is about", () => {
  test("is told of with the calls that made it, innermost first, with the handler and the scenario's step", () => {
    const { findings } = recordedRun(marked, life(call("Leave")));
    expect(findings).toEqual([expect.objectContaining({ rule: "leak-memory", location: at("makes") })]);
    expect(findings[0]?.related).toEqual([
      expect.objectContaining({
        what: "allocated",
        stack: [at("makes"), at("leaves")],
        handler: "ScenarioFunction",
        during: expect.stringContaining("Leave"),
      }),
    ]);
  });

  test("is told of with the call that gave it back, too", () => {
    const { entries, outcome } = recordedRun(marked, life(call("FreeTwice")));
    expect(outcome.kind).toBe("fault");
    const freed = entries.find(({ entry }) => entry.kind === "note" && entry.what === "free")?.entry;
    const places = placesOf(entries, { address: freed?.kind === "note" ? freed.address : 0, name: "the block" });
    expect(places.map(({ what, stack }) => [what, stack])).toEqual([
      ["the block allocated", [at("makes"), at("asks for it")]],
      ["the block freed", [at("unmakes"), at("frees it")]],
    ]);
  });

  test("has no places in a run that is not recorded", () => {
    expect(recordedRun(marked, life(call("Leave")), false).findings[0]?.related).toEqual([]);
  });
});
