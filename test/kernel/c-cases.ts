/** Short pieces of C, each run in a machine of its own: the statements of a case stand in a driver that a scenario calls. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Entry } from "../../src/kernel/index.ts";
import { Builder } from "../../src/machine/build.ts";
import { Machine, type MachineDriver, type MachineOptions, type Outcome } from "../../src/machine/machine.ts";
import type { Action } from "../../src/machine/actions.ts";
import { cacheFolder } from "../machine/support.ts";

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
  NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES attributes = {0};
  attributes.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES;
  attributes.Header.Revision = NDIS_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  attributes.Header.Size = NDIS_SIZEOF_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES_REVISION_1;
  attributes.MiniportAdapterContext = &Which;
  attributes.AttributeFlags = NDIS_MINIPORT_ATTRIBUTES_BUS_MASTER;
  NdisMSetMiniportAttributes(adapter, (PNDIS_MINIPORT_ADAPTER_ATTRIBUTES)&attributes);
  TheAdapter = adapter;
  TheParameters = parameters;
  Run(Which);
  return NDIS_STATUS_FAILURE;
}
static void Halt(NDIS_HANDLE context, NDIS_HALT_ACTION action) {}
static void Unload(PDRIVER_OBJECT driver) { NdisMDeregisterMiniportDriver(TheMiniport); }
static NDIS_STATUS Pause(NDIS_HANDLE context, PNDIS_MINIPORT_PAUSE_PARAMETERS parameters) { return NDIS_STATUS_SUCCESS; }
static NDIS_STATUS Restart(NDIS_HANDLE context, PNDIS_MINIPORT_RESTART_PARAMETERS parameters) { return NDIS_STATUS_SUCCESS; }
static NDIS_STATUS OidRequest(NDIS_HANDLE context, PNDIS_OID_REQUEST request) { return NDIS_STATUS_NOT_SUPPORTED; }
static void Send(NDIS_HANDLE context, PNET_BUFFER_LIST lists, NDIS_PORT_NUMBER port, ULONG flags) {}
static void Return(NDIS_HANDLE context, PNET_BUFFER_LIST lists, ULONG flags) {}
static void CancelSend(NDIS_HANDLE context, PVOID id) {}
static void PnPEvent(NDIS_HANDLE context, PNET_DEVICE_PNP_EVENT event) {}
static void Shutdown(NDIS_HANDLE context, NDIS_SHUTDOWN_ACTION action) {}
static void CancelOid(NDIS_HANDLE context, PVOID id) {}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath) {
  NDIS_MINIPORT_DRIVER_CHARACTERISTICS own = {0};
  TheDriver = DriverObject;
  TheRegistryPath = RegistryPath;
  own.Header.Type = NDIS_OBJECT_TYPE_MINIPORT_DRIVER_CHARACTERISTICS;
  own.Header.Revision = NDIS_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
  own.Header.Size = NDIS_SIZEOF_MINIPORT_DRIVER_CHARACTERISTICS_REVISION_1;
  own.MajorNdisVersion = 6;
  own.InitializeHandlerEx = Initialize;
  own.HaltHandlerEx = Halt;
  own.UnloadHandler = Unload;
  own.PauseHandler = Pause;
  own.RestartHandler = Restart;
  own.OidRequestHandler = OidRequest;
  own.SendNetBufferListsHandler = Send;
  own.ReturnNetBufferListsHandler = Return;
  own.CancelSendHandler = CancelSend;
  own.DevicePnPEventNotifyHandler = PnPEvent;
  own.ShutdownHandlerEx = Shutdown;
  own.CancelOidRequestHandler = CancelOid;
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
#include <ndis.h>
#include <ntstrsafe.h>
#define CHECK(condition) do { if (!(condition)) DbgPrint("%s", #condition); } while (0)
static PDRIVER_OBJECT TheDriver;
static PUNICODE_STRING TheRegistryPath;
static NDIS_HANDLE TheMiniport, TheAdapter;
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
