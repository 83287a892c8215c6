import { describe, expect, test } from "vitest";
import { ndislab } from "./worlds.ts";

describe("list", () => {
  test("rules: those for drivers, and which of them are watched", async () => {
    const { exitCode, out } = await ndislab("list rules");
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^ {2}✓ port-free-deactivate-first +An activated port must be deactivated/m);
    expect(out).toMatch(/^ {2}· binding-oid-states /m);
    expect(out).toMatch(/^ {2}[✓·] hung /m);
    expect(out).not.toContain("port-free-anytime");
    expect(out).toMatch(/^Of all 593 entries of the contract \d+ are enforced and \d+ proven/m);
    expect(out).toMatch(/\d+ of \d+ rules are watched \(✓\)\n$/);
  });

  test("ddis: routines and handlers, and which of them are there", async () => {
    const { out } = await ndislab("list ddis");
    expect(out).toMatch(/^ {2}✓ NdisMFreePort +routine, IRQL <=DISPATCH/m);
    expect(out).toMatch(/^ {2}✓ ProtocolUnbindAdapterEx +handler/m);
    expect(out).toMatch(/^ {2}· /m);
  });

  test("a word picks names, and groups", async () => {
    const { out, err } = await ndislab("list rules unbind-must");
    expect(out).toBe(
      out
        .split("\n")
        .filter((line) => line === "" || line === "binding" || line.includes("unbind-must"))
        .join("\n"),
    );
    expect(err).toMatch(/^\d+ names? of \d+\n$/);
    expect((await ndislab("list rules port")).out).toContain("port-free-deactivate-first");
    expect((await ndislab("list rules qqqq")).exitCode).toBe(1);
  });

  test("scenarios and strategies have a name and a sentence each", async () => {
    expect((await ndislab("list scenarios")).out).toMatch(/^bind-and-unbind +load, bind/m);
    expect((await ndislab("list strategies")).out).toMatch(/^ {2}first-come +The thread/m);
  });

  test("lines are cut on a terminal only", async () => {
    const { out } = await ndislab("list rules", { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(Math.max(...out.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect((await ndislab("list rules")).out).not.toContain("…");
  });
});
