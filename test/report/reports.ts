/** Reports to show. */
import type { Report, ReportRun, ReportViolation } from "../../src/report/report.ts";

export function aRun(more: Partial<ReportRun> = {}): ReportRun {
  return { scenario: "ports", answers: "at once", outcome: "passed", token: "p-0", entries: 120, ...more };
}

export function aViolation(more: Partial<ReportViolation> = {}): ReportViolation {
  return {
    rule: "port-free-deactivate-first",
    severity: "error",
    driver: "port-miniport",
    title: "An activated port must be deactivated with the deactivation event before it is freed.",
    message: "NdisMFreePort for port 1 of adapter 0 while the port is Activated. It must be deactivated first.",
    page: "windows-driver-docs-pr/network/deactivating-an-ndis-port.md",
    codes: ["NDIS_STATUS_INVALID_PORT_STATE"],
    scenario: "ports",
    answers: "at once",
    token: "p-1",
    location: { file: "port-miniport.c", line: 3, function: "MiniportHalt" },
    stack: [
      { name: "NdisMFreePort", kind: "routine" },
      { name: "MiniportHalt", kind: "driver", location: { file: "port-miniport.c", line: 3, function: "MiniportHalt" } },
      { name: "the miniport halts", kind: "step" },
    ],
    history: [
      { step: 40, thread: 1, text: "NdisMNetPnPEvent(NetEventPortActivation) = NDIS_STATUS_SUCCESS" },
      {
        step: 41,
        thread: 2,
        text: "MiniportHaltEx",
        location: { file: "src/port-miniport.c", line: 1, function: "MiniportHalt" },
      },
      { step: 42, thread: 2, text: "NdisMFreePort(port 1) = NDIS_STATUS_INVALID_PORT_STATE" },
    ],
    count: 1,
    ...more,
  };
}

export function aReport(more: Partial<Report> = {}): Report {
  return {
    schemaVersion: 1,
    tool: { name: "ndislab", version: "0.1.0" },
    targets: [
      {
        path: "port-miniport.c",
        name: "port-miniport",
        kind: "miniport",
        language: "c",
        imports: { used: 23, missing: [] },
        warnings: [],
      },
    ],
    runs: [aRun(), aRun({ token: "p-2", answers: "pending" })],
    violations: [],
    coverage: { rules: { watched: 43, exercised: 30 }, routines: ["NdisMFreePort"] },
    ...more,
  };
}

export function aBrokenReport(...violations: readonly ReportViolation[]): Report {
  return aReport({
    runs: [aRun({ outcome: "violated" }), aRun({ token: "p-2", answers: "pending" })],
    violations: violations.length === 0 ? [aViolation()] : violations,
  });
}
