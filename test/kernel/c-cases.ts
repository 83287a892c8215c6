/** Short pieces of C, each run in a machine of its own: the statements of a case stand in a driver that a scenario calls. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/kernel/index.ts";
import { Builder } from "../../src/machine/build.ts";
import { Machine, type MachineDriver, type MachineOptions, type Outcome } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import { cacheFolder, repositoryFile } from "../machine/support.ts";

/** In the source itself: the compiler of a case sees no other files. */
const idleMiniport = readFileSync(repositoryFile("test/c-drivers/idle-miniport.h"), "utf8").replace("#pragma once\n", "");

export interface CaseResult {
  readonly outcome: Outcome;
  /** Conditions of CHECK that did not hold, and whatever else was printed. */
  readonly printed: readonly string[];
  /** Texts of the error log. */
  readonly logged: readonly string[];
}

export const allHolds = { outcome: { kind: "finished" }, printed: [] };

export type Case<N extends string> = (name: N, options?: Partial<MachineOptions>) => CaseResult;

/** Only what says whether every CHECK holds. */
export function verdict({ outcome, printed }: CaseResult): Pick<CaseResult, "outcome" | "printed"> {
  return { outcome, printed };
}

/** A driver that does nothing by itself; the case runs when the scenario calls it. */
const PLAIN = `
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  TheDriver = DriverObject;
  TheRegistryPath = RegistryPath;
  return STATUS_SUCCESS;
}
void Exercise(ULONG which) { Run(which); }
`;

/** A miniport of a bus-master NIC; the case runs in MiniportInitializeEx, which fails after it. */
const MINIPORT = `
static ULONG Which;
static NDIS_STATUS Initialize(NDIS_HANDLE adapter, NDIS_HANDLE context, PNDIS_MINIPORT_INIT_PARAMETERS parameters) {
  SetRegistrationAttributes(adapter, &Which, NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER);
  TheAdapter = adapter;
  TheParameters = parameters;
  Run(Which);
  return NDIS_STATUS_FAILURE;
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS own = IdleMiniport;
  TheDriver = DriverObject;
  TheRegistryPath = RegistryPath;
  own.InitializeHandlerEx = Initialize;
  return NdisMRegisterMiniportDriver(DriverObject, RegistryPath, NULL, &own, &TheMiniport);
}
void Exercise(ULONG which) { Which = which; }
`;

/** Builds a driver of the cases; each may CHECK conditions. `shared` stands before them. */
export async function buildCases<N extends string>(
  shared: string,
  cases: Readonly<Record<N, string>>,
  kind: "plain" | "miniport" = "plain",
): Promise<Case<N>> {
  const names = Object.keys(cases) as N[];
  const source = `
${idleMiniport}
#include <ntstrsafe.h>
#define CHECK(condition) do { if (!(condition)) DbgPrint("%s", #condition); } while (0)
static PDRIVER_OBJECT TheDriver;
static PUNICODE_STRING TheRegistryPath;
static NDIS_HANDLE TheAdapter;
static PNDIS_MINIPORT_INIT_PARAMETERS TheParameters;
${shared}
${names.map((name, index) => `static void Case${index}(void) {\n${cases[name]}\n}`).join("\n")}
static void Run(ULONG which) {
  switch (which) {
${names.map((_, index) => `  case ${index}: Case${index}(); break;`).join("\n")}
  }
}
${kind === "plain" ? PLAIN : MINIPORT}
`;
  const driver = await build(source);
  const start: Action[] = kind === "plain" ? [] : [{ do: "start adapter", driver: 0, adapter: 0, mayFail: true }];
  return (name, options = {}) => {
    const printed: string[] = [];
    const logged: string[] = [];
    const recorder = (entry: Entry): void => {
      if (entry.kind === "note" && entry.what === "print") printed.push(entry.text);
      if (entry.kind === "note" && entry.what === "error logged") logged.push(entry.text);
    };
    const machine = new Machine({
      drivers: [driver],
      scenario: {
        name,
        summary: "",
        actions: [
          { do: "load", driver: 0 },
          { do: "call", driver: 0, function: "Exercise", args: [names.indexOf(name)] },
          ...start,
          { do: "settle" },
        ],
      },
      recorder,
      ...options,
    });
    machine.start();
    return { outcome: machine.run(), printed, logged };
  };
}

async function build(source: string): Promise<MachineDriver> {
  const folder = mkdtempSync(join(tmpdir(), "ndislab-case-"));
  const builder = new Builder(cacheFolder);
  try {
    writeFileSync(join(folder, "driver.c"), source);
    return await builder.c([join(folder, "driver.c")], 0, {});
  } finally {
    builder.stop();
    rmSync(folder, { recursive: true });
  }
}
