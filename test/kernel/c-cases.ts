/** Short pieces of C, each run in a machine of its own: the statements of a case stand in a driver that a scenario calls. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/kernel/index.ts";
import { Builder } from "../../src/machine/build.ts";
import { Machine, type MachineDriver, type MachineOptions, type Outcome } from "../../src/machine/machine.ts";
import { cacheFolder } from "../machine/support.ts";

export interface CaseResult {
  readonly outcome: Outcome;
  /** Conditions of CHECK that did not hold, and whatever else was printed. */
  readonly printed: readonly string[];
  readonly machine: Machine;
}

export const allHolds = { outcome: { kind: "finished" }, printed: [] };

export type Case<N extends string> = (name: N, options?: Partial<MachineOptions>) => CaseResult;

/** What a case of which every CHECK holds gives, without the machine. */
export function verdict({ outcome, printed }: CaseResult): Pick<CaseResult, "outcome" | "printed"> {
  return { outcome, printed };
}

/** Builds a driver of the cases; each may CHECK conditions. `shared` stands before them. */
export async function buildCases<N extends string>(shared: string, cases: Readonly<Record<N, string>>): Promise<Case<N>> {
  const names = Object.keys(cases) as N[];
  const source = `
#include <ndis.h>
#include <ntstrsafe.h>
#define CHECK(condition) do { if (!(condition)) DbgPrint("%s", #condition); } while (0)
static PDRIVER_OBJECT TheDriver;
static PUNICODE_STRING TheRegistryPath;
${shared}
${names.map((name, index) => `static void Case${index}(void) {\n${cases[name]}\n}`).join("\n")}
void Exercise(ULONG which) {
  switch (which) {
${names.map((_, index) => `  case ${index}: Case${index}(); break;`).join("\n")}
  }
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  TheDriver = DriverObject;
  TheRegistryPath = RegistryPath;
  return STATUS_SUCCESS;
}
`;
  const driver = await build(source);
  return (name, options = {}) => {
    const printed: string[] = [];
    const recorder = (entry: Entry): void => {
      if (entry.kind === "note" && entry.what === "print") printed.push(entry.text);
    };
    const machine = new Machine({
      drivers: [driver],
      scenario: {
        name,
        summary: "",
        actions: [
          { do: "load", driver: 0 },
          { do: "call", driver: 0, function: "Exercise", args: [names.indexOf(name)] },
          { do: "settle" },
        ],
      },
      recorder,
      ...options,
    });
    machine.start();
    return { outcome: machine.run(), printed, machine };
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
