import { describe, expect, test } from "vitest";
import { ladder } from "../../src/explorer/ladder.ts";
import { parseToken, tokenText } from "../../src/explorer/token.ts";

describe("A token", () => {
  const deviations = [
    { index: 192, picked: 1, site: "a7f" },
    { index: 2016, picked: 2, site: "09c" },
  ];

  test.each([
    [{ scenario: "traffic-and-unbind", deviations }, "1/traffic-and-unbind/5c.1.a7f_1k0.2.09c"],
    [{ scenario: "ports", processors: 4, deviations: [] }, "1/ports@4/"],
    [{ scenario: "ports", deviations: [], points: ["recv.c:453", "bind.c:9"] }, "1/ports//recv.c:453,bind.c:9"],
  ])("is a short text from which it can be read", (token, text) => {
    expect(tokenText(token)).toBe(text);
    expect(parseToken(text)).toEqual(token);
  });

  test("of three preemptions and two failures late in a long run has less than 200 characters", () => {
    const five = Array.from({ length: 5 }, (_, place) => ({ index: 900_000 + place, picked: 11, site: "zzz" }));
    expect(tokenText({ scenario: "application-and-unbind", processors: 8, deviations: five }).length).toBeLessThan(200);
  });

  test.each([
    "",
    "1",
    "2/ports/",
    "1//",
    "1/ports/5c",
    "1/ports/5c.1.a7f_5b.1.a7f",
    "1/ports/5c.1.a7f/more",
    "1/ports//a.c:1/more",
  ])("'%s' is none", (text) => expect(() => parseToken(text)).toThrow("is no token: a token looks like"));
});

describe("The ladder", () => {
  test("goes from nothing to everything, and no rung comes twice", () => {
    const rungs = ladder({}).map(({ preemptions, faults }) => `${preemptions},${faults}`);
    expect(rungs[0]).toBe("0,0");
    expect(rungs.at(-1)).toBe("Infinity,Infinity");
    expect(new Set(rungs).size).toBe(rungs.length);
  });

  test("ends at the limits", () => {
    expect(ladder({ preemptions: 1, faults: 0 })).toEqual([
      { preemptions: 0, faults: 0 },
      { preemptions: 1, faults: 0 },
    ]);
  });
});
