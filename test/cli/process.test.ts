/** The command as a process: what only the real one can show. `npm test` builds it first. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { root } from "../tidy/source.ts";

const main = `${root}dist/bundle/main.js`;

function start(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", cwd: root });
  return { status, stdout, stderr };
}

describe.skipIf(!existsSync(main))("The process", () => {
  test("results go to standard output, messages to standard error", () => {
    expect(start("--version")).toMatchObject({ status: 0, stderr: "" });
    expect(start("explain", "NdisMFreePort")).toMatchObject({ status: 0, stderr: "" });
    expect(start("frobnicate")).toMatchObject({ status: 1, stdout: "" });
  });

  test("a file that is not there is named, with exit code 1 and without a stack", () => {
    const { status, stdout, stderr } = start("check", "nowhere/driver.c");
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^ndislab: .*nowhere\/driver\.c/);
    expect(stderr).not.toContain("    at ");
  });

  test.each(["examples/c/pending-protocol-forgets.c", "examples/typescript/pending-protocol-forgets.ts"])(
    "the report of %s is the same from one thread and from two",
    (driver) => {
      const [one, two] = ["1", "2"].map((threads) => start("check", driver, "--format", "json", "--threads", threads));
      expect(one?.status).toBe(2);
      expect(two).toEqual(one);
    },
  );

  test("a long output arrives whole in a pipe", () => {
    expect(start("list", "ddis").stdout).toMatch(/routines and handlers are there \(✓\)\n$/);
  });

  test("a reader that goes away early is no failure", async () => {
    const child = spawn(process.execPath, [main, "list", "ddis"], { stdio: ["ignore", "pipe", "pipe"], cwd: root });
    const errors: string[] = [];
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk.toString()));
    child.stdout.destroy();
    const status = await new Promise((resolve) => child.on("exit", resolve));
    expect(errors.join("")).toBe("");
    expect(status).toBe(0);
  });
});
