/** The story of a run in which nothing can go on: which lists are out, who has them, since when, and which way they went. */
import { describe, expect, test } from "vitest";
import { strategyOf } from "../../src/machine/answers.ts";
import type { Action } from "../../src/machine/actions.ts";
import { run } from "../../src/verifier/run.ts";
import {
  type Change,
  MINIPORT,
  PENDING,
  PROTOCOL,
  atOnce,
  call,
  indicates,
  keepsReceives,
  loaded,
  miniportWith,
  pause,
  protocolWith,
  queuesSends,
  started,
  wait,
} from "./support.ts";

function messages(protocol: Change, miniport: Change, actions: readonly Action[], records: boolean): string[] {
  const { outcome, findings } = run({
    drivers: [loaded(protocolWith(protocol), PROTOCOL, false), loaded(miniportWith(miniport), MINIPORT, false)],
    scenario: { name: "test", summary: "", actions },
    strategy: (seen) => strategyOf(atOnce, seen),
    records,
  });
  expect(outcome.kind).toBe("hung");
  return findings.map(({ message }) => message);
}

const keptSends = [...started, call(PROTOCOL, "Exercise"), wait(7), pause];

describe("The lists that are out when a pause hangs", () => {
  test("are told with their holder, since when, and the way they went", () => {
    const [message = ""] = messages(() => ({}), queuesSends, keptSends, true);
    expect(message).toMatch(/ 3 list\(s\) are out: 0x/);
    const one =
      /0x[0-9a-f]+, sent in step (\d+), is with miniport since step (\d+), 7\.0 ms ago \(protocol -> NDIS -> miniport\)/.exec(
        message,
      );
    expect(Number(one?.[1])).toBeGreaterThan(0);
    expect(Number(one?.[2])).toBeGreaterThan(Number(one?.[1]));
  });

  test("are those that a protocol keeps, too", () => {
    const keptReceives = [...started, call(MINIPORT, "Inject"), pause];
    const waits: Change = (d, its) => ({ ...indicates(d, its), MiniportPause: () => PENDING });
    const message = messages(keepsReceives, waits, keptReceives, true).at(-1) ?? "";
    expect(message).toMatch(
      / 1 list\(s\) are out: 0x[0-9a-f]+, indicated in step \d+, is with protocol .*\(miniport -> NDIS -> protocol\)/,
    );
  });

  test("are not those that are back", () => {
    const forgets: Change = () => ({ MiniportPause: () => PENDING });
    const [message = ""] = messages(() => ({}), forgets, keptSends, true);
    expect(message).toContain("NdisMPauseComplete was never called");
    expect(message).not.toContain("are out");
  });

  test("are known only to a run that is recorded", () => {
    expect(messages(() => ({}), queuesSends, keptSends, false).join()).not.toContain("are out");
  });
});
