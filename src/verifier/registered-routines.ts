/** What a driver's functions are to Windows: what DriverEntry leaves in the driver object, and hands to NDIS. */
import { type StructName, constant, layoutOf } from "../contract/index.ts";
import { type Entry, type Kernel, type Watch, firstCome } from "../kernel/index.ts";
import { DriverObject } from "../kernel/io/devices.ts";
import { driverObject } from "../machine/driver-objects.ts";
import { Machine, type MachineDriver } from "../machine/machine.ts";
import type { Scenario } from "../machine/actions.ts";

/** The request codes that a driver object has routines for, by their names. */
const MAJORS = [
  ...["CREATE", "CREATE_NAMED_PIPE", "CLOSE", "READ", "WRITE", "QUERY_INFORMATION", "SET_INFORMATION", "QUERY_EA", "SET_EA"],
  ...["FLUSH_BUFFERS", "QUERY_VOLUME_INFORMATION", "SET_VOLUME_INFORMATION", "DIRECTORY_CONTROL", "FILE_SYSTEM_CONTROL"],
  ...["DEVICE_CONTROL", "INTERNAL_DEVICE_CONTROL", "SHUTDOWN", "LOCK_CONTROL", "CLEANUP", "CREATE_MAILSLOT", "QUERY_SECURITY"],
  ...["SET_SECURITY", "POWER", "SYSTEM_CONTROL", "DEVICE_CHANGE", "QUERY_QUOTA", "SET_QUOTA", "PNP"],
].map((name) => `IRP_MJ_${name}`);

/** Registrations with a structure of handlers, by the routine: the structure, and which argument points to it. */
const REGISTRATIONS: readonly (readonly [routine: string, struct: StructName, argument: number])[] = [
  ["NdisRegisterProtocolDriver", "NDIS_PROTOCOL_DRIVER_CHARACTERISTICS", 1],
  ["NdisMRegisterMiniportDriver", "NDIS_MINIPORT_DRIVER_CHARACTERISTICS", 3],
];

/** By the pointer to a routine, for what it is there and was not called: the driver is loaded once for that, and nothing else is done. */
export function registeredRoutines(stack: readonly MachineDriver[], { slot }: MachineDriver): ReadonlyMap<number, string[]> {
  const found = new Map<number, string[]>();
  const add = (pointer: number, text: string): void => {
    if (pointer !== 0) found.set(pointer, [...(found.get(pointer) ?? []), text]);
  };
  const watch = (kernel: () => Kernel): (readonly [subject: string, watch: Watch])[] =>
    REGISTRATIONS.map(([routine, struct, argument]) => [
      `call ${routine}`,
      (entry: Entry) => {
        const address = entry.kind === "call" && entry.driver === slot ? entry.args[argument] : undefined;
        if (address !== undefined) for (const [pointer, name] of handlersAt(kernel(), struct, address)) add(pointer, name);
      },
    ]);
  const scenario: Scenario = { name: "load", summary: "", actions: [{ do: "load", driver: slot, mayFail: true }] };
  const machine = new Machine({ drivers: stack, scenario, strategy: firstCome, watch });
  machine.start();
  machine.run();
  const { kernel } = machine;
  const object = driverObject(kernel, slot);
  if (object === 0) return found;
  const majors = object + DriverObject.offset("MajorFunction");
  for (const name of MAJORS) add(kernel.memory.readU32(majors + constant(name) * 4), `no run sent it ${name}`);
  add(DriverObject.at(kernel.memory, object).DriverUnload, "no run had the driver unloaded");
  return found;
}

function handlersAt({ memory }: Kernel, struct: StructName, address: number): [pointer: number, text: string][] {
  return layoutOf(struct).fields.flatMap(({ path, offset, kind }) =>
    kind === "u32" && path.includes("Handler")
      ? [[memory.readU32(address + offset), `NDIS has it as ${path} and had no occasion to call it`] as [number, string]]
      : [],
  );
}
