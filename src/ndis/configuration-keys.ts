/** Where the registry has the configuration of drivers, adapters and bindings. */
import type { Kernel } from "../kernel/kernel.ts";
import { type RegistryData, encode } from "../kernel/registry/data.ts";
import { type RegistryKey, SYSTEM_PATH, makeKey, setValue } from "../kernel/registry/tree.ts";
import { adapterName } from "./names.ts";
import { Adapter, Binding, MiniportDriver, ProtocolDriver } from "./objects.ts";

const NETWORK_CLASS = "{4D36E972-E325-11CE-BFC1-08002BE10318}";

/** The key of the driver in that slot; its name is the last part of the path that DriverEntry gets. */
export const servicePath = (slot: number): string => `${SYSTEM_PATH}\\Services\\driver${slot}`;
const adapterPath = (index: number): string =>
  `${SYSTEM_PATH}\\Control\\Class\\${NETWORK_CLASS}\\${String(index).padStart(4, "0")}`;
const parametersPath = (slot: number): string => `${servicePath(slot)}\\Parameters`;
/** Undocumented: where the parameters of a binding are. */
const bindingPath = (slot: number, index: number): string =>
  `${parametersPath(slot)}\\Adapters\\${adapterName(index).replace(/^.*\\/, "")}`;

/** Undocumented: a key that nobody has made. It is empty, not missing. */
const keyOfPath = (k: Kernel, path: string): RegistryKey | undefined => makeKey(k, path);

const ofBinding = (k: Kernel, { protocol, adapter }: Binding): RegistryKey | undefined =>
  protocol === undefined || adapter === undefined ? undefined : keyOfPath(k, bindingPath(protocol.slot, adapter.index));

/** The software key of an adapter's device: where its keywords are. */
export const driverKey = (k: Kernel, { index }: Adapter): RegistryKey | undefined => keyOfPath(k, adapterPath(index));
/** Its hardware key. Undocumented: how the bus names the device. */
export const deviceKey = (k: Kernel, { index }: Adapter): RegistryKey | undefined =>
  keyOfPath(k, `${SYSTEM_PATH}\\Enum\\ROOT\\NET\\${String(index).padStart(4, "0")}\\Device Parameters`);

/** The key that an NdisHandle stands for: a driver's, an adapter's, a binding's, or that of a bind which is under way. */
export function configurationKey(k: Kernel, handle: number): RegistryKey | undefined {
  const adapter = k.objects.resolve(handle, Adapter);
  if (adapter !== undefined) return driverKey(k, adapter);
  const driver = k.objects.resolve(handle, MiniportDriver) ?? k.objects.resolve(handle, ProtocolDriver);
  if (driver !== undefined) return keyOfPath(k, parametersPath(driver.slot));
  const binding =
    k.objects.resolve(handle, Binding) ?? k.objects.all(Binding).find((each) => handle !== 0 && each.bindParameters === handle);
  if (binding !== undefined) return ofBinding(k, binding);
  k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Adapter)}: a handle of a driver, adapter or binding was expected`);
  return undefined;
}

function setNamed(k: Kernel, path: string, name: string, data: RegistryData): void {
  const [last = "", ...subkeys] = name.split("\\").toReversed();
  const key = makeKey(k, [path, ...subkeys.toReversed()].join("\\"));
  const { type, bytes } = encode(data);
  if (key !== undefined) setValue(k, key, last, type, bytes);
}

/** Sets a keyword of an adapter; whoever puts a machine together calls it. */
export function setAdapterValue(k: Kernel, index: number, keyword: string, data: RegistryData): void {
  setNamed(k, adapterPath(index), keyword, data);
}

/** Sets a value of a driver's own parameters. */
export function setServiceValue(k: Kernel, slot: number, name: string, data: RegistryData): void {
  setNamed(k, parametersPath(slot), name, data);
}
