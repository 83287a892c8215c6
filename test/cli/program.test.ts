import { describe, expect, test } from "vitest";
import { ndislab } from "./worlds.ts";

describe("The command line", () => {
  test("--version is one word on standard output", async () => {
    expect(await ndislab("--version")).toMatchObject({ exitCode: 0, out: "1.2.3\n", err: "" });
  });

  test("--help names the commands that there are, and not the demo", async () => {
    const { exitCode, out } = await ndislab("--help");
    expect(exitCode).toBe(0);
    expect(out.match(/^ {2}(check|explain|list|demo|explore|replay|report)/gm)).toEqual(["  check", "  explain", "  list"]);
  });

  test("nothing at all is a usage error that shows the help", async () => {
    const { exitCode, out, err } = await ndislab("");
    expect(exitCode).toBe(1);
    expect(out).toBe("");
    expect(err).toContain("Usage: ndislab");
  });

  test.each([
    ["explore a.c --seconds 5", "there is no command 'explore'. The commands are check, explain, list."],
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
