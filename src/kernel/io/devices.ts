/**
 * Device objects, their names and symbolic links.
 *
 * Pages: nf-wdm-iocreatedevice, nf-wdmsec-wdmlibiocreatedevicesecure, nf-wdm-iodeletedevice, nf-wdm-iocreatesymboliclink,
 * nf-wdm-iodeletesymboliclink, nf-wdm-ioattachdevicetodevicestack, nf-wdm-iodetachdevice.
 */
import { chainOf } from "../driver-chains.ts";
import { keepString } from "../counted-strings.ts";
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import { allocate, blockAt, free } from "../pool.ts";
import { leaf } from "../routine.ts";
import { isScarce } from "../scarcity.ts";
import { readGiven, readUnicodeString } from "../strings.ts";
import { boolean, struct, u32, type ViewOf } from "../struct.ts";
import { windowsStruct } from "../windows.ts";

export const DriverObject = windowsStruct("DRIVER_OBJECT");
export const DeviceObject = windowsStruct("DEVICE_OBJECT");
const DEVICE_TAG = 0x6976_6544;
const MAJOR_FUNCTION = DriverObject.offset("MajorFunction");
const EXCLUSIVE = constant("DO_EXCLUSIVE");
/** Undocumented: the line size of the machine's data cache. */
const CACHE_LINE_BYTES = 64;
const HAS_NAME = constant("DO_DEVICE_HAS_NAME");
export const INITIALIZING = constant("DO_DEVICE_INITIALIZING");

/** What the I/O manager keeps of a device object. */
export const Device = struct("Device", {
  /** The DEVICE_OBJECT. */
  object: u32,
  /** Address of a UNICODE_STRING; 0: it has no name. */
  name: u32,
  /** Slot of the driver that created it. */
  slot: u32,
  /** Table of dispatch routines of its own, in place of its driver object's; 0: none. */
  dispatch: u32,
  /** Open files. */
  opens: u32,
  /** IoDeleteDevice was called: it goes with its last file. */
  isDeleted: boolean,
  /** Its security lets no application in. */
  isClosedToApplications: boolean,
});
export type Device = ViewOf<typeof Device>;

/** A name that stands for another: the one that applications know. Both are addresses of UNICODE_STRINGs. */
export const SymbolicLink = struct("SymbolicLink", { slot: u32, name: u32, target: u32 });
export type SymbolicLink = ViewOf<typeof SymbolicLink>;

/** Names in the object manager's spelling, for comparison: `\\.\X`, `\DosDevices\X` and `\GLOBAL??\X` are all `\??\X`. */
export function canonicalName(name: string): string {
  return name
    .replace(/^(?:\\\\[.?]\\|\\DosDevices\\(?:Global\\)?|\\GLOBAL\?\?\\|\\\?\?\\(?:Global\\)?)/i, "\\??\\")
    .toUpperCase();
}

export const deviceOf = (k: Kernel, object: number): Device | undefined =>
  k.objects.all(Device).find((device) => device.object === object);

const linkNamed = (k: Kernel, name: string): SymbolicLink | undefined =>
  k.objects.all(SymbolicLink).find((link) => canonicalName(readUnicodeString(k.memory, link.name)) === name);

const deviceNamed = (k: Kernel, name: string): Device | undefined =>
  k.objects.all(Device).find((device) => device.name !== 0 && canonicalName(readUnicodeString(k.memory, device.name)) === name);

/** The device that a path leads to, and what of the path is behind its name, which begins with a backslash or is empty. */
export function lookUp(k: Kernel, path: string): { device: Device; rest: string } | undefined {
  for (let end = path.length; end > 0; end = path.lastIndexOf("\\", end - 1)) {
    const name = canonicalName(path.slice(0, end));
    const rest = path.slice(end);
    const link = linkNamed(k, name);
    if (link !== undefined) return lookUp(k, readUnicodeString(k.memory, link.target) + rest);
    const device = deviceNamed(k, name);
    if (device !== undefined && !device.isDeleted) return { device, rest };
  }
  return undefined;
}

export interface NewDevice {
  readonly driver: number;
  readonly extensionBytes: number;
  /** A UNICODE_STRING, or 0. */
  readonly name: number;
  readonly type: number;
  readonly characteristics: number;
  readonly isExclusive: boolean;
}

/** The new device, or why there is none. It takes no requests until DO_DEVICE_INITIALIZING is cleared. */
export function createDevice(
  k: Kernel,
  wanted: NewDevice,
): Device | "STATUS_OBJECT_NAME_COLLISION" | "STATUS_INSUFFICIENT_RESOURCES" {
  const { driver, extensionBytes, name } = wanted;
  const hasName = name !== 0 && k.memory.readU16(name) !== 0;
  if (hasName && isTaken(k, canonicalName(readGiven(k, name)))) return "STATUS_OBJECT_NAME_COLLISION";
  // Not charged to the driver: one that is left is told as a device.
  const address = isScarce(k) ? 0 : allocate(k, DeviceObject.bytes + extensionBytes, DEVICE_TAG, -1);
  if (address === 0) return "STATUS_INSUFFICIENT_RESOURCES";
  const kept = hasName ? keepString(k, name, DEVICE_TAG) : 0;
  if (hasName && kept === 0) {
    free(k, address);
    return "STATUS_INSUFFICIENT_RESOURCES";
  }
  const object = DeviceObject.at(k.memory, address);
  object.Type = constant("IO_TYPE_DEVICE");
  object.Size = DeviceObject.bytes + extensionBytes;
  object.DriverObject = driver;
  object.DeviceType = wanted.type;
  object.Characteristics = wanted.characteristics;
  object.DeviceExtension = extensionBytes === 0 ? 0 : address + DeviceObject.bytes;
  object.StackSize = 1;
  object.AlignmentRequirement = CACHE_LINE_BYTES - 1;
  object.Flags = INITIALIZING | (wanted.isExclusive ? EXCLUSIVE : 0) | (hasName ? HAS_NAME : 0);
  object.NextDevice = DriverObject.at(k.memory, driver).DeviceObject;
  DriverObject.at(k.memory, driver).DeviceObject = address;
  const device = k.objects.create(Device);
  device.object = address;
  device.slot = k.driverOfThread(k.current);
  device.name = kept;
  return device;
}

const isTaken = (k: Kernel, name: string): boolean => deviceNamed(k, name) !== undefined || linkNamed(k, name) !== undefined;

const devicesOf = (k: Kernel, driver: number): number[] =>
  chainOf(
    "devices of a driver",
    DriverObject.at(k.memory, driver).DeviceObject,
    (each) => DeviceObject.at(k.memory, each).NextDevice,
  );

/** The device is no longer to be found; its object stays for as long as files of it are open. */
export function deleteDevice(k: Kernel, device: Device): void {
  const { NextDevice, DriverObject: driverAddress } = DeviceObject.at(k.memory, device.object);
  const driver = DriverObject.at(k.memory, driverAddress);
  if (driver.DeviceObject === device.object) driver.DeviceObject = NextDevice;
  else {
    for (const each of devicesOf(k, driverAddress)) {
      const before = DeviceObject.at(k.memory, each);
      if (before.NextDevice === device.object) before.NextDevice = NextDevice;
    }
  }
  device.isDeleted = true;
  removeUnusedDevice(k, device);
}

/** The object goes when the device is deleted and no file of it is open. */
export function removeUnusedDevice(k: Kernel, device: Device): void {
  if (!device.isDeleted || device.opens > 0) return;
  if (device.name !== 0) free(k, device.name);
  if (device.dispatch !== 0) free(k, device.dispatch);
  free(k, device.object);
  k.objects.release(device);
}

/** The routine that the device's driver has for requests of that kind; 0: it takes none. */
export function dispatchRoutine(k: Kernel, device: Device, major: number): number {
  const { DriverObject: driver } = DeviceObject.at(k.memory, device.object);
  return k.memory.readU32((device.dispatch === 0 ? driver + MAJOR_FUNCTION : device.dispatch) + major * 4);
}

/** The top of the stack of devices that the device belongs to. */
export function topOfStack(k: Kernel, object: number): number {
  const above = chainOf("attached devices", object, (each) => DeviceObject.at(k.memory, each).AttachedDevice);
  return above.at(-1) ?? object;
}

/** Devices that the driver made in DriverEntry are ready when it has returned. */
export function devicesAreReady(k: Kernel, driver: number): void {
  for (const object of devicesOf(k, driver)) DeviceObject.at(k.memory, object).Flags &= ~INITIALIZING;
}

export function createSymbolicLink(
  k: Kernel,
  name: number,
  target: number,
): "STATUS_SUCCESS" | "STATUS_OBJECT_NAME_COLLISION" | "STATUS_INSUFFICIENT_RESOURCES" {
  if (isTaken(k, canonicalName(readGiven(k, name)))) return "STATUS_OBJECT_NAME_COLLISION";
  const keptName = keepString(k, name, DEVICE_TAG);
  const keptTarget = keptName === 0 ? 0 : keepString(k, target, DEVICE_TAG);
  if (keptTarget === 0) {
    if (keptName !== 0) free(k, keptName);
    return "STATUS_INSUFFICIENT_RESOURCES";
  }
  const link = k.objects.create(SymbolicLink);
  link.slot = k.driverOfThread(k.current);
  link.name = keptName;
  link.target = keptTarget;
  return "STATUS_SUCCESS";
}

export function deleteSymbolicLink(k: Kernel, name: string): boolean {
  const link = linkNamed(k, canonicalName(name));
  if (link === undefined) return false;
  free(k, link.name);
  free(k, link.target);
  k.objects.release(link);
  return true;
}

/** Puts the device on top of the stack that the target belongs to: the device below it, or 0. */
export function attach(k: Kernel, source: number, target: number): number {
  const top = topOfStack(k, target);
  const below = deviceOf(k, top);
  const { Flags, StackSize, AlignmentRequirement, SectorSize } = DeviceObject.at(k.memory, top);
  if (below === undefined || below.isDeleted || (Flags & INITIALIZING) !== 0) return 0;
  DeviceObject.at(k.memory, top).AttachedDevice = source;
  const attached = DeviceObject.at(k.memory, source);
  attached.StackSize = StackSize + 1;
  attached.AlignmentRequirement = AlignmentRequirement;
  attached.SectorSize = SectorSize;
  return top;
}

export const deviceRoutines = [
  leaf("IoCreateDevice", (k, driver, extensionBytes, name, type, characteristics = 0, exclusive = 0, variable = 0) => {
    const isExclusive = (exclusive & 0xff) !== 0;
    const device = createDevice(k, { driver, extensionBytes, name, type, characteristics, isExclusive });
    if (typeof device === "string") return device;
    k.memory.writeU32(variable, device.object);
    return "STATUS_SUCCESS";
  }),
  leaf("IoDeleteDevice", (k, object) => {
    const device = deviceOf(k, object);
    if (device === undefined || blockAt(k, object) === undefined) free(k, object);
    else deleteDevice(k, device);
  }),
  leaf("IoCreateSymbolicLink", createSymbolicLink),
  leaf("IoDeleteSymbolicLink", (k, name) =>
    deleteSymbolicLink(k, readGiven(k, name)) ? "STATUS_SUCCESS" : "STATUS_OBJECT_NAME_NOT_FOUND",
  ),
  leaf("IoAttachDeviceToDeviceStack", attach),
  leaf("IoDetachDevice", (k, target) => {
    DeviceObject.at(k.memory, target).AttachedDevice = 0;
  }),
];
