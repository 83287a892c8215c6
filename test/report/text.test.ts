import pico from "picocolors";
import { describe, expect, test } from "vitest";
import type { TextOptions } from "../../src/report/index.ts";
import { type Report, reportAsText } from "../../src/report/index.ts";
import { aBrokenReport, aReport, aRun, aViolation } from "./reports.ts";

const source = ["void MiniportHalt(NDIS_HANDLE c) {", "\tstruct adapter *a = c;", "\tNdisMFreePort(a->handle, a->port);", "}"];

function show(report: Report, more: Partial<TextOptions> = {}): string {
  return reportAsText(report, {
    colors: pico.createColors(false),
    tool: "ndislab",
    width: 100,
    shownPath: (file) => file.replace("/here/", ""),
    readLine: (_file, line) => source[line - 1],
    isQuiet: false,
    isStrict: false,
    againCommand: (scenario) => `ndislab check port-miniport.c --scenario ${scenario}`,
    ...more,
  });
}

describe("The text of a clean report", () => {
  test("names the driver, each scenario, and what the verdict rests on", () => {
    expect(show(aReport())).toBe(
      [
        "port-miniport  miniport driver in C  uses 23 routines of Windows",
        "",
        "✓ ports  2 runs",
        "",
        "✓ clean: 2 runs, 43 rules watched, 30 of them on something that happened",
        "  ndislab list rules  which rules were watched, and which are not yet",
        "",
      ].join("\n"),
    );
  });

  test("quiet is only the verdict", () => {
    expect(show(aReport(), { isQuiet: true })).toMatch(/^✓ clean/);
  });

  test("a missing routine is named with the place that calls it", () => {
    const [target] = aReport().targets;
    const missing = [{ name: "NdisIfRegisterInterface", location: { file: "a.c", line: 7, function: "f" } }];
    const text = show(aReport({ targets: target === undefined ? [] : [{ ...target, imports: { used: 1, missing } }] }));
    expect(text).toContain("uses 1 routine of Windows, 1 more missing");
    expect(text).toContain("missing  NdisIfRegisterInterface, called at a.c:7");
    expect(text).toContain("ndislab explain NdisIfRegisterInterface");
  });
});

const wrong = (count: number, of: number): Report =>
  aReport({
    runs: Array.from({ length: of }, (_, index) =>
      aRun({ answers: `answers ${index}`, ...(index < count ? { outcome: "hung", reason: "nobody closes" } : {}) }),
    ),
  });

describe("A scenario that went wrong", () => {
  test("in some runs: which they are", () => {
    expect(show(wrong(2, 9))).toContain(
      ["✗ ports  9 runs", "    in 2 of 9 the run hung: nobody closes", "      with answers 0; answers 1", ""].join("\n"),
    );
  });

  test("in many runs: the first of them", () => {
    expect(show(wrong(5, 9))).toContain("      with answers 0; answers 1; answers 2; 2 more\n");
  });

  test("in all runs, whatever the answers", () => {
    expect(show(wrong(9, 9))).toContain("✗ ports  9 runs\n    in all the run hung: nobody closes\n\n");
  });
});

describe("What is not clean never says so", () => {
  test("nothing was run", () => {
    expect(show(aReport({ runs: [] }))).toContain("! nothing was run");
  });

  test("a run could not be carried out", () => {
    const text = show(aReport({ runs: [aRun(), aRun({ outcome: "failed", reason: "NdisFoo is missing and was called" })] }));
    expect(text).toContain("the scenario could not be carried out: NdisFoo is missing and was called");
    expect(text).toContain("! no verdict: 1 of 2 runs could not be carried out");
    expect(text).not.toContain("clean");
  });

  test("warnings are not errors, unless strict", () => {
    const report = aBrokenReport(aViolation({ severity: "warning" }));
    expect(show(report)).toContain("✓ no errors, 1 warning: 2 runs");
    expect(show(report, { isStrict: true })).toContain("✗ 1 warning in 2 runs");
  });
});

describe("The text of a violation", () => {
  test("shows the line between its neighbours", () => {
    expect(show(aBrokenReport())).toContain(
      ["      2 |     struct adapter *a = c;", "    > 3 |     NdisMFreePort(a->handle, a->port);", "      4 | }"].join("\n"),
    );
  });

  test("names the file as seen from where the user is", () => {
    const location = { file: "/here/src/a.c", line: 1, function: "f" };
    expect(show(aBrokenReport(aViolation({ location })))).toContain("at        src/a.c:1, in f");
  });

  test("does without the line when the file cannot be read", () => {
    expect(show(aBrokenReport(), { readLine: () => undefined })).toContain("in MiniportHalt\n\n  NdisMFreePort for port 1");
  });

  test("names rule, page, codes and the next commands", () => {
    const text = show(aBrokenReport());
    expect(text).toContain("error port-free-deactivate-first");
    expect(text).toContain("https://learn.microsoft.com/windows-hardware/drivers/network/deactivating-an-ndis-port");
    expect(text).toContain("Windows   NDIS_STATUS_INVALID_PORT_STATE");
    expect(text).toContain("Replay:   ndislab check port-miniport.c --scenario ports");
    expect(text).toContain("Explain:  ndislab explain port-free-deactivate-first");
  });

  test("tells the history thread by thread, the oldest step first", () => {
    expect(show(aBrokenReport())).toContain(
      [
        "    thread 1",
        "    40  NdisMNetPnPEvent(NetEventPortActivation) = NDIS_STATUS_SUCCESS",
        "    thread 2",
        "    41  MiniportHaltEx  port-miniport.c:1",
        "    42  NdisMFreePort(port 1)",
      ].join("\n"),
    );
  });

  test("shows the last steps of a long history and says so", () => {
    const history = Array.from({ length: 30 }, (_, step) => ({ step, thread: 1, text: `step number ${step}` }));
    const text = show(aBrokenReport(aViolation({ history })));
    expect(text).toContain("the last 12 of 30 steps");
    expect(text).not.toContain("step number 17");
    expect(text).toContain("step number 18");
    expect(text).not.toContain("thread 1\n");
  });

  test("the same rule at the same place is told once, with the count", () => {
    const text = show(aBrokenReport(aViolation(), aViolation({ count: 2, token: "p-9" }), aViolation({ driver: "other" })));
    expect(text.match(/^error /gm)).toHaveLength(2);
    expect(text).toContain("error port-free-deactivate-first  in 3 runs");
    expect(text).toContain("✗ 2 errors in 2 runs");
  });

  test("errors come before warnings", () => {
    const text = show(aBrokenReport(aViolation({ severity: "warning", rule: "a" }), aViolation({ rule: "b" })));
    expect(text.indexOf("error b")).toBeLessThan(text.indexOf("warning a"));
    expect(text).toContain("✗ 1 error, 1 warning in 2 runs");
  });

  test("no line of prose passes the width", () => {
    const message = "The adapter is closed while two requests are still on their way. ".repeat(6).trim();
    const text = show(aBrokenReport(aViolation({ message, history: [{ step: 1, thread: 1, text: "x".repeat(300) }] })), {
      width: 60,
    });
    expect(
      text.split("\n").filter((line) => line.length > 70 && !line.startsWith("  page") && !line.includes("ndislab ")),
    ).toEqual([]);
  });

  test("a driver's text cannot steer the terminal", () => {
    const text = show(aBrokenReport(aViolation({ message: "DbgPrint: \u001b[2J gone" })));
    expect(text).toContain("DbgPrint: \\x1b[2J gone");
  });

  test("colours come only when asked for", () => {
    expect(show(aBrokenReport())).not.toContain("\u001b");
    expect(show(aBrokenReport(), { colors: pico.createColors(true) })).toContain("\u001b[31merror\u001b[39m");
  });
});

describe("Further places of a violation", () => {
  const made = { file: "/here/a.c", line: 7, function: "Make" };
  const shown = (more: object) =>
    show(aBrokenReport(aViolation({ history: [], stack: [], related: [{ what: "allocated", stack: [], ...more }] })));

  test("are told with handler, thread, step and what the scenario did, and with their stack, innermost first", () => {
    const stack = [
      { name: "Make", kind: "driver", location: made },
      { name: "Start", kind: "driver", location: { ...made, line: 9 } },
    ] as const;
    const more = { location: made, stack, step: 96, thread: 1, handler: "MiniportInitializeEx", during: "adapter 0 starts" };
    expect(shown(more)).toContain(
      [
        "  Allocated in MiniportInitializeEx, thread 1, step 96 (adapter 0 starts), innermost first",
        "    Make   a.c:7",
        "    Start  a.c:9",
      ].join("\n"),
    );
  });

  test("may have no stack", () => {
    expect(shown({ what: "the other access" })).toContain("\n  The other access\n");
  });
});
