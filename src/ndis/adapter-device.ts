/**
 * The device below an adapter: its device objects, and the handlers of a miniport that takes part in Plug and Play.
 *
 * The device is one of software: its bus gives it no hardware resources, so that the resource lists of requests and properties are empty.
 *
 * Pages: nf-ndis-ndismgetdeviceproperty, nc-ndis-miniport_add_device, nc-ndis-miniport_remove_device, nc-ndis-miniport_pnp_irp.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, plan, step } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { struct, u32 } from "../kernel/struct.ts";
import { windowsStruct } from "../kernel/windows.ts";
import type { Adapter } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { NDIS_STATUS_SUCCESS, adapterAt, adapterOf } from "./stack.ts";

const DeviceObject = windowsStruct("DEVICE_OBJECT");
const Irp = windowsStruct("IRP");
const StackLocation = windowsStruct("IO_STACK_LOCATION");
const DEVICE_OBJECT_TYPE = 3;
const NETWORK_DEVICE = 0x17;

function createDevice(k: Kernel, driverObject: number, below: number): number {
  const address = allocate(k, DeviceObject.bytes, NDIS_TAG, -1);
  const device = DeviceObject.at(k.memory, address);
  device.Type = DEVICE_OBJECT_TYPE;
  device.Size = DeviceObject.bytes;
  device.ReferenceCount = 1;
  device.DriverObject = driverObject;
  device.DeviceType = NETWORK_DEVICE;
  device.StackSize = 1;
  if (below !== 0) {
    device.StackSize = DeviceObject.at(k.memory, below).StackSize + 1;
    DeviceObject.at(k.memory, below).AttachedDevice = address;
  }
  return address;
}

/** The bus driver's object for the physical device, and NDIS's functional one attached to it. */
export function createDevices(k: Kernel, adapter: Adapter): void {
  adapter.physicalDevice = createDevice(k, 0, 0);
  adapter.functionalDevice = createDevice(k, adapter.miniport?.driverObject ?? 0, adapter.physicalDevice);
}

export function deleteDevices(k: Kernel, adapter: Adapter): void {
  free(k, adapter.functionalDevice);
  free(k, adapter.physicalDevice);
}

/** A PnP request with its one stack location, in one block. It names no resources. */
function createIrp(k: Kernel, device: number, minorFunction: number): number {
  const address = allocate(k, Irp.bytes + StackLocation.bytes, NDIS_TAG, -1);
  const irp = Irp.at(k.memory, address);
  irp.Type = constant("IO_TYPE_IRP");
  irp.Size = Irp.bytes + StackLocation.bytes;
  irp.StackCount = 1;
  irp.CurrentLocation = 1;
  irp.Tail_Overlay_CurrentStackLocation = address + Irp.bytes;
  const location = StackLocation.at(k.memory, address + Irp.bytes);
  location.MajorFunction = constant("IRP_MJ_PNP");
  location.MinorFunction = minorFunction;
  location.DeviceObject = device;
  return address;
}

/** The miniport learns of the device before MiniportInitializeEx; the result is the first status with which it refuses it. */
export const addDevice = plan("add a device", struct("AddDevice", { adapter: u32, irp: u32 }), [
  step("the miniport adds the device", (k, p) => {
    const adapter = adapterAt(k, p.adapter);
    const { miniport } = adapter;
    if (miniport === undefined || miniport.addDevice === 0) return;
    return call(miniport.addDevice, "MiniportAddDevice", [k.objects.handleOf(adapter), miniport.context]);
  }),
  step("the miniport filters the resources", (k, p, status) => {
    const adapter = adapterAt(k, p.adapter);
    const { miniport } = adapter;
    if ((miniport?.addDevice ?? 0) !== 0 && status !== NDIS_STATUS_SUCCESS) return done(status);
    adapter.isDeviceAdded = true;
    if (miniport === undefined || miniport.filterResourceRequirements === 0) return;
    p.irp = createIrp(k, adapter.functionalDevice, constant("IRP_MN_FILTER_RESOURCE_REQUIREMENTS"));
    const args = [adapter.addDeviceContext, p.irp];
    return call(miniport.filterResourceRequirements, "MiniportFilterResourceRequirements", args);
  }),
  step("the miniport starts the device", (k, p) => {
    // A miniport that fails to filter leaves the requirements as the bus driver has them.
    const { miniport, functionalDevice, addDeviceContext } = adapterAt(k, p.adapter);
    if (p.irp !== 0) free(k, p.irp);
    p.irp = 0;
    if (miniport === undefined || miniport.startDevice === 0) return done(NDIS_STATUS_SUCCESS);
    p.irp = createIrp(k, functionalDevice, constant("IRP_MN_START_DEVICE"));
    return call(miniport.startDevice, "MiniportStartDevice", [addDeviceContext, p.irp]);
  }),
  step("the miniport has started the device", (k, p, status) => {
    free(k, p.irp);
    return done(status);
  }),
]);

/** The miniport releases what it has of the device, if it ever added it. */
export const removeDevice = plan("remove a device", struct("RemoveDevice", { adapter: u32 }), [
  step("the miniport removes the device", (k, p) => {
    const { miniport, isDeviceAdded, addDeviceContext } = adapterAt(k, p.adapter);
    if (miniport === undefined || miniport.removeDevice === 0 || !isDeviceAdded) return;
    return call(miniport.removeDevice, "MiniportRemoveDevice", [addDeviceContext]);
  }),
]);

function getDeviceProperty(
  k: Kernel,
  handle: number,
  physical: number,
  functional: number,
  next = 0,
  raw = 0,
  translated = 0,
): void {
  const adapter = adapterOf(k, handle);
  if (adapter === undefined) return;
  const outputs: readonly (readonly [variable: number, value: number])[] = [
    [physical, adapter.physicalDevice],
    [functional, adapter.functionalDevice],
    // Nothing stands between NDIS's device and the bus driver's.
    [next, adapter.physicalDevice],
    [raw, 0],
    [translated, 0],
  ];
  for (const [variable, value] of outputs) if (variable !== 0) k.memory.writeU32(variable, value);
}

export const adapterDeviceRoutines = [leaf("NdisMGetDeviceProperty", getDeviceProperty)];
export const adapterDevicePlans = [addDevice, removeDevice];
