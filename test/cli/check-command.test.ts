import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CompileError, InputError } from "../../src/cdriver/errors.ts";
import { aBrokenReport, aReport, aRun, aViolation } from "../report/reports.ts";
import { aLineCoverage } from "../report/coverage-reports.ts";
import { ndislab } from "./worlds.ts";

const throws = (error: Error) => () => {
  throw error;
};

describe("What the command line asks for", () => {
  test("targets come before or after the options", async () => {
    const { requests } = await ndislab("check --ndis 6.30 a.c b.c --strict");
    const { requests: others } = await ndislab("check a.c --strict b.c --ndis 6.30");
    expect(requests[0]?.targets).toEqual(["a.c", "b.c"]);
    expect(requests).toEqual(others);
  });

  test("a number of threads", async () => {
    expect((await ndislab("check a.c --threads 2")).requests[0]).toMatchObject({ threads: 2 });
    expect((await ndislab("check a.c")).requests[0]).not.toHaveProperty("threads");
    const { exitCode, err } = await ndislab("check a.c --threads many");
    expect([exitCode, err]).toEqual([1, "ndislab: --threads many: a number from 1 to 99 was expected\n"]);
  });

  test("-D and -I are as in clang: with a blank or without, repeatable, function-like too", async () => {
    const { requests } = await ndislab(["check", "-DDBG=1", "-D", "PORTS", "-D", "TRACE(x)=0", "-Iinclude", "-I", "more", "a.c"]);
    expect(requests[0]).toMatchObject({
      targets: ["a.c"],
      defines: ["DBG=1", "PORTS", "TRACE(x)=0"],
      includes: ["include", "more"],
    });
  });

  test("every other option arrives, and nothing that was not given", async () => {
    const line = "check a.vcxproj --with b.c --with c.c --ndis 6.30 --configuration Debug --scenario port*";
    const { requests } = await ndislab(line, { env: { NDISLAB_CACHE: "/cache" } });
    expect(requests[0]).toEqual({
      targets: ["a.vcxproj"],
      with: ["b.c", "c.c"],
      defines: [],
      includes: [],
      ndis: "6.30",
      configuration: "Debug",
      scenario: "port*",
      cacheFolder: "/cache",
      version: "1.2.3",
    });
    const { requests: plain } = await ndislab("check a.c");
    expect(Object.keys(plain[0] ?? {})).toEqual(["targets", "with", "defines", "includes", "cacheFolder", "version"]);
  });

  test("a version that is not of NDIS 6 is refused", async () => {
    const { exitCode, err, requests } = await ndislab("check a.c --ndis 5.1");
    expect(exitCode).toBe(1);
    expect(err).toContain("--ndis 5.1: a version of NDIS 6 was expected");
    expect(requests).toEqual([]);
  });
});

describe("The exit code", () => {
  test("0: nothing broken", async () => {
    expect((await ndislab("check a.c")).exitCode).toBe(0);
  });

  test("2: a rule is broken", async () => {
    expect((await ndislab("check a.c", { report: aBrokenReport() })).exitCode).toBe(2);
  });

  test("warnings are 0, with --strict 2", async () => {
    const report = aBrokenReport(aViolation({ severity: "warning" }));
    expect((await ndislab("check a.c", { report })).exitCode).toBe(0);
    expect((await ndislab("check a.c --strict", { report })).exitCode).toBe(2);
  });

  test("1: a run could not be carried out, or there was none", async () => {
    expect((await ndislab("check a.c", { report: aReport({ runs: [aRun({ outcome: "failed" })] }) })).exitCode).toBe(1);
    expect((await ndislab("check a.c", { report: aReport({ runs: [] }) })).exitCode).toBe(1);
  });

  test("1: input that cannot be used, in one message without a stack", async () => {
    const { exitCode, out, err } = await ndislab("check a.c", { report: throws(new InputError("a.c: there is no such file")) });
    expect(exitCode).toBe(1);
    expect(out).toBe("");
    expect(err).toBe("ndislab: a.c: there is no such file\n");
  });

  test("1: a source that does not compile, as clang says it", async () => {
    const text = "a.c:3:1: error: unknown type name 'NDIS_HANDEL'\n";
    const { exitCode, err } = await ndislab("check a.c", { report: throws(new CompileError(text)) });
    expect(exitCode).toBe(1);
    expect(err).toMatch(/^a\.c:3:1: error: unknown type name 'NDIS_HANDEL'\nndislab: the driver could not be built/);
    expect(err).not.toContain("    at ");
  });

  test("3: our own failure, with all that helps to find it", async () => {
    const { exitCode, err } = await ndislab("check a.c", { report: throws(new TypeError("x is not a function")) });
    expect(exitCode).toBe(3);
    expect(err).toContain("this is a mistake in ndislab, not in your driver. Please report it");
    expect(err).toContain("TypeError: x is not a function\n    at ");
  });

  test("3: a report that its schema refuses is our own failure too", async () => {
    const report = aReport({ runs: [aRun({ entries: -1 })] });
    expect((await ndislab("check a.c --format json", { report })).exitCode).toBe(3);
  });
});

describe("The report", () => {
  test("is text on standard output; without a terminal there is no progress and no colour", async () => {
    const { out, err } = await ndislab("check a.c");
    expect(out).toContain("✓ clean: 2 runs");
    expect(out).not.toContain("\u001b");
    expect(err).toBe("");
  });

  test("is JSON when asked for, whole and without colours", async () => {
    const { out } = await ndislab("check a.c --format json", { report: aBrokenReport(), isTerminal: true });
    expect(JSON.parse(out)).toEqual(aBrokenReport());
  });

  test("on a terminal has colours and progress in one line that is gone at the end", async () => {
    const { out, err } = await ndislab("check a.c", { isTerminal: true });
    expect(out).toContain("\u001b[32m");
    expect(err).toBe("\r\u001b[2Kbuilding the driver\r\u001b[2K");
  });

  test("NO_COLOR is obeyed", async () => {
    const { out } = await ndislab("check a.c", { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(out).not.toContain("\u001b");
  });

  test("quiet is the verdict only, without progress", async () => {
    const { out, err } = await ndislab("check a.c --quiet", { isTerminal: true, env: { NO_COLOR: "1" } });
    expect(out).toMatch(/^✓ clean/);
    expect(err).toBe("");
  });

  test("the progress line goes away when the check fails", async () => {
    const { err } = await ndislab("check a.c", {
      isTerminal: true,
      env: { NO_COLOR: "1" },
      report: throws(new InputError("no")),
    });
    expect(err).toBe("\r\u001b[2Kbuilding the driver\r\u001b[2Kndislab: no\n");
  });

  test("says how to run the failed scenario again, with the same options", async () => {
    const { out } = await ndislab(["check", "my driver.c", "-DDBG=1", "--ndis", "6.30"], { report: aBrokenReport() });
    expect(out).toContain("Replay:   ndislab check 'my driver.c' -DDBG=1 --ndis 6.30 --scenario ports");
  });

  test("in a clone, the commands to type next are those that work there", async () => {
    const { out } = await ndislab("check a.c", { report: aBrokenReport(), env: { NDISLAB_COMMAND: "npm start --" } });
    expect(out).toContain("Explain:  npm start -- explain port-free-deactivate-first");
  });
});

describe("--coverage", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ndislab-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const report = aReport({ coverage: { ...aReport().coverage, lines: aLineCoverage } });

  test.each(["--coverage", "--coverage-scenarios", "--coverage-lcov f", "--coverage-cobertura f", "--coverage-html f"])(
    "%s has it counted, and without it nothing is",
    async (option) => {
      // The report has none, as for a driver in TypeScript: nothing is written, and that is said.
      const { requests, err } = await ndislab(`check a.c ${option}`);
      expect(requests[0]?.coverage).toBe(true);
      expect(err).toBe("ndislab: coverage is counted for drivers in C; this one is in TypeScript, and nothing was written.\n");
      const { out, requests: plain } = await ndislab("check a.c", { report });
      expect(plain[0]).not.toHaveProperty("coverage");
      expect(out).not.toContain("Coverage");
    },
  );

  test("a driver's name after --coverage is a target", async () => {
    expect((await ndislab("check --coverage a.c", { report })).requests[0]?.targets).toEqual(["a.c"]);
  });

  test("text comes after the report, and not when it is quiet", async () => {
    const { out } = await ndislab("check a.c --coverage", { report });
    expect(out).toMatch(/✓ clean[^]*\n\nCoverage in 10 runs\n/);
    expect(out).not.toContain("Each scenario alone");
    expect((await ndislab("check a.c --coverage-scenarios", { report })).out).toContain("Each scenario alone");
    expect((await ndislab("check a.c --coverage --quiet", { report })).out).not.toContain("Coverage");
  });

  test("each form goes to its file, and standard output says so", async () => {
    const [lcov, xml, html] = ["a.info", "a.xml", "a.html"].map((name) => join(folder, name)) as [string, string, string];
    const options = ["--coverage-lcov", lcov, "--coverage-cobertura", xml, "--coverage-html", html];
    const { out } = await ndislab(["check", "a.c", ...options], { report });
    expect(out).toContain(`the coverage as LCOV is in ${lcov}\n`);
    expect(readFileSync(lcov, "utf8")).toMatch(/^TN:\nSF:/);
    expect(readFileSync(xml, "utf8")).toContain('version="ndislab 1.2.3"');
    expect(readFileSync(html, "utf8")).toContain("<h1>Coverage of port-miniport</h1>");
  });

  test("JSON has it in the report, and standard output nothing else", async () => {
    const file = join(folder, "a.info");
    const { out } = await ndislab(["check", "a.c", "--format", "json", "--coverage-lcov", file], { report });
    expect(JSON.parse(out)).toEqual(report);
    expect(readdirSync(folder)).toEqual(["a.info"]);
  });
});

describe("--output", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "ndislab-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("writes the whole report to the file, and the verdict to standard output", async () => {
    const file = join(folder, "report.txt");
    const { out, exitCode } = await ndislab(["check", "a.c", "--output", file], { report: aBrokenReport(), isTerminal: true });
    expect(exitCode).toBe(2);
    expect(out).toContain("1 error in 2 runs");
    expect(out).toContain(`the report is in ${file}`);
    const text = readFileSync(file, "utf8");
    expect(text).toContain("error port-free-deactivate-first");
    expect(text).not.toContain("\u001b");
    expect(readdirSync(folder)).toEqual(["report.txt"]);
  });

  test("a name that ends in .json gets JSON, unless another format is named", async () => {
    const file = join(folder, "report.json");
    await ndislab(["check", "a.c", "--output", file]);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(aReport());
    await ndislab(["check", "a.c", "--output", file, "--format", "text"]);
    expect(readFileSync(file, "utf8")).toContain("✓ clean");
  });

  test("a folder that is not there is named, and nothing is left behind", async () => {
    const file = join(folder, "nowhere", "report.json");
    const { exitCode, err } = await ndislab(["check", "a.c", "--output", file]);
    expect(exitCode).toBe(1);
    expect(err).toBe(`ndislab: ${file}: there is no such file or folder\n`);
    expect(readdirSync(folder)).toEqual([]);
  });
});
