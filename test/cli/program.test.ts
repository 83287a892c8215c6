import { describe, expect, test } from "vitest";
import { ndislab } from "./worlds.ts";

describe("The command line", () => {
  test("--version is one word on standard output", async () => {
    expect(await ndislab("--version")).toMatchObject({ exitCode: 0, out: "1.2.3\n", err: "" });
  });

  test("--help names the commands that there are, and not the demo", async () => {
    const { exitCode, out } = await ndislab("--help");
    expect(exitCode).toBe(0);
    expect(out.match(/^ {2}(check|explain|list|demo|explore|replay|report)/gm)).toEqual([
      "  check",
      "  explore",
      "  replay",
      "  explain",
      "  list",
    ]);
  });

  test("nothing at all is a usage error that shows the help", async () => {
    const { exitCode, out, err } = await ndislab("");
    expect(exitCode).toBe(1);
    expect(out).toBe("");
    expect(err).toContain("Usage: ndislab");
  });

  test.each([
    ["report a.json", "there is no command 'report'. The commands are check, explore, replay, explain, list."],
    ["explore a.c --seconds soon", "--seconds soon: a number of at least 0.1 was expected"],
    ["explore a.c --processors 9", "--processors 9: a whole number from 1 to 8 was expected"],
    ["replay 1/traffic-and-unbind/5c.1.a7f", "no failure with this token is saved here"],
    ["replay nonsense a.c", "'nonsense' is no token: a token looks like 1/traffic-and-unbind/5c.1.a7f"],
    ["driver.c", "there is no command 'driver.c'. To check a driver: ndislab check driver.c"],
    ["check", "missing required argument 'target'"],
    ["check a.c --colour", "unknown option '--colour'"],
    ["check a.c --format xml", "argument 'xml' is invalid. Allowed choices are text, json."],
    ["list everything", "Allowed choices are rules, ddis, scenarios, strategies."],
  ])("'%s' is told what is wrong, in exit code 1", async (line, message) => {
    const { exitCode, out, err } = await ndislab(line);
    expect(exitCode).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(/^ndislab: /);
    expect(err).toContain(message);
    expect(err).not.toContain("    at ");
  });
});
