/** The drivers of a check: what the user named is built, what kind it is, and which counterpart goes with it. */
import { fileURLToPath } from "node:url";
import { InputError } from "../cdriver/index.ts";
import type { Builder } from "../machine/build.ts";
import { Machine, type MachineDriver } from "../machine/machine.ts";
import type { DriverKind } from "../report/report.ts";
import type { CheckRequest } from "./check.ts";

const COUNTERPARTS = fileURLToPath(new URL("../machine/counterparts", import.meta.url));
export const TYPESCRIPT = /\.(?:[cm]?ts|[cm]?js)$/;

export async function buildTargets(
  builder: Builder,
  request: CheckRequest,
  progress: (line: string) => void,
): Promise<MachineDriver[]> {
  const groups: string[][] = [];
  const sources = request.targets.filter((target) => target.toLowerCase().endsWith(".c"));
  if (sources.length > 0) groups.push(sources);
  for (const target of request.targets) if (!sources.includes(target)) groups.push([target]);
  if (groups.length > 1) {
    const names = groups.map(([name]) => name).join(", ");
    throw new InputError(
      `These are ${groups.length} drivers: ${names}. Check one at a time; --with names the other half of its stack.`,
    );
  }
  if (request.with.length > 1) throw new InputError("--with names one driver: the other half of the stack.");
  for (const target of request.with) groups.push([target]);
  const drivers: MachineDriver[] = [];
  for (const [slot, group] of groups.entries()) {
    const [first = ""] = group;
    progress(`building ${first}`);
    const options = {
      defines: request.defines,
      includeFolders: request.includes,
      ...(request.points === undefined ? {} : { points: request.points }),
      ...(request.ndis === undefined ? {} : { ndis: request.ndis }),
      ...(request.configuration === undefined ? {} : { configuration: request.configuration }),
    };
    drivers.push(
      TYPESCRIPT.test(first)
        ? await builder.typeScript(first, slot)
        : await builder.c(group, slot, { ...options, ...(request.coverage === true && slot === 0 ? { coverage: "lines" } : {}) }),
    );
  }
  return drivers;
}

export async function counterpartFor(
  builder: Builder,
  kind: DriverKind,
  slot: number,
  progress: (line: string) => void,
): Promise<MachineDriver | undefined> {
  progress("building the counterpart");
  if (kind === "protocol") return builder.counterpart("miniport", slot, COUNTERPARTS);
  if (kind === "miniport") return builder.counterpart("protocol", slot, COUNTERPARTS);
  const what =
    kind === "unknown"
      ? "registers neither a protocol nor a miniport"
      : `is a driver of a kind (${kind}) that has no stock scenario yet`;
  throw new InputError(`the driver ${what}; 'ndislab check' takes protocols and miniports.`);
}

/** Whether the two bind to each other. */
export function isOpposite(kind: DriverKind, other: DriverKind): boolean {
  return (kind === "protocol" && other === "miniport") || (kind === "miniport" && other === "protocol");
}

/** What a driver is, by what it imports or by the handlers that it has. */
export function kindOf(driver: MachineDriver | undefined): DriverKind {
  if (driver === undefined) return "unknown";
  const names = driver.kind === "c" ? driver.image.imports.map(({ name }) => name) : handlersOf(driver);
  const has = (routine: string, handler: string): boolean => names.includes(driver.kind === "c" ? routine : handler);
  const isProtocol = has("NdisRegisterProtocolDriver", "ProtocolBindAdapterEx");
  const isMiniport = has("NdisMRegisterMiniportDriver", "MiniportInitializeEx");
  if (has("NdisFRegisterFilterDriver", "FilterAttach")) return "filter";
  if (isProtocol && isMiniport) return "intermediate";
  if (isProtocol) return "protocol";
  return isMiniport ? "miniport" : "unknown";
}

/** Whether the driver makes a device: by what it imports, or by the dispatch routines that it has. */
export function hasDevice(driver: MachineDriver | undefined): boolean {
  if (driver?.kind === "c") return driver.image.imports.some(({ name }) => /^IoCreateDevice|^NdisRegisterDeviceEx$/.test(name));
  return driver !== undefined && handlersOf(driver).includes("DispatchCreate");
}

/** Names of a TypeScript driver's handlers: a machine is made with nothing else on it. */
function handlersOf(driver: MachineDriver): readonly string[] {
  const machine = new Machine({ drivers: [driver], scenario: { name: "nothing", summary: "", actions: [] } });
  return machine.typeScriptHost.handlersOf(driver.slot);
}
