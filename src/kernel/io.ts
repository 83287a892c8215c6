/** The part of the I/O manager that a driver needs to load: its device object and symbolic links. Requests come with the I/O manager. */
import type { Kernel } from "./kernel.ts";
import { allocate, blockAt, free } from "./pool.ts";
import { leaf } from "./routine.ts";
import { readUnicodeString } from "./strings.ts";
import { struct, u32, type ViewOf } from "./struct.ts";
import { windowsStruct } from "./windows.ts";

export const DriverObject = windowsStruct("DRIVER_OBJECT");
const DeviceObject = windowsStruct("DEVICE_OBJECT");
const DEVICE_TAG = 0x6976_6544;
const DEVICE_OBJECT_TYPE = 3;

/** A name that was given to a device. */
export const SymbolicLink = struct("SymbolicLink", { slot: u32, hash: u32 });
export type SymbolicLink = ViewOf<typeof SymbolicLink>;

/** A short stand-in for a name: links are only compared, never listed by name. */
function hashOf(k: Kernel, string: number): number {
  let hash = 0x811c_9dc5;
  for (const character of readUnicodeString(k.memory, string).toUpperCase()) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x0100_0193) >>> 0;
  }
  return hash;
}

export const ioRoutines = [
  leaf("IoCreateDevice", (k, driver, extensionBytes, _name, type, characteristics, _exclusive, deviceVariable = 0) => {
    const address = allocate(k, DeviceObject.bytes + extensionBytes, DEVICE_TAG);
    if (address === 0) return "STATUS_INSUFFICIENT_RESOURCES";
    const device = DeviceObject.at(k.memory, address);
    device.Type = DEVICE_OBJECT_TYPE;
    device.Size = DeviceObject.bytes + extensionBytes;
    device.DriverObject = driver;
    device.DeviceType = type;
    device.Characteristics = characteristics ?? 0;
    device.DeviceExtension = extensionBytes === 0 ? 0 : address + DeviceObject.bytes;
    device.StackSize = 1;
    device.NextDevice = DriverObject.at(k.memory, driver).DeviceObject;
    DriverObject.at(k.memory, driver).DeviceObject = address;
    k.memory.writeU32(deviceVariable, address);
    return "STATUS_SUCCESS";
  }),
  leaf("IoDeleteDevice", (k, address) => {
    if (blockAt(k, address) === undefined) {
      free(k, address);
      return;
    }
    const device = DeviceObject.at(k.memory, address);
    const driver = DriverObject.at(k.memory, device.DriverObject);
    if (driver.DeviceObject === address) driver.DeviceObject = device.NextDevice;
    else {
      let before = driver.DeviceObject;
      while (before !== 0 && DeviceObject.at(k.memory, before).NextDevice !== address)
        before = DeviceObject.at(k.memory, before).NextDevice;
      if (before !== 0) DeviceObject.at(k.memory, before).NextDevice = device.NextDevice;
    }
    free(k, address);
  }),
  leaf("IoCreateSymbolicLink", (k, name) => {
    const hash = hashOf(k, name);
    if (k.objects.all(SymbolicLink).some((link) => link.hash === hash)) return "STATUS_OBJECT_NAME_COLLISION";
    const link = k.objects.create(SymbolicLink);
    link.slot = k.driverOfThread(k.current);
    link.hash = hash;
    return "STATUS_SUCCESS";
  }),
  leaf("IoDeleteSymbolicLink", (k, name) => {
    const hash = hashOf(k, name);
    const link = k.objects.all(SymbolicLink).find((each) => each.hash === hash);
    if (link === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
    k.objects.release(link);
    return "STATUS_SUCCESS";
  }),
];
