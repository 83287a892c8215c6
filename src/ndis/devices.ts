/**
 * Devices of NDIS drivers: beside their adapters, for applications to talk to.
 *
 * Pages: nf-ndis-ndisregisterdeviceex, nf-ndis-ndisderegisterdeviceex, nf-ndis-ndisgetdevicereservedextension,
 * ns-ndis-_ndis_device_object_attributes.
 */
import { constant } from "../contract/index.ts";
import { keepString } from "../kernel/counted-strings.ts";
import {
  Device,
  DeviceObject,
  INITIALIZING,
  createDevice,
  createSymbolicLink,
  deleteDevice,
  deleteSymbolicLink,
  deviceOf,
} from "../kernel/io/devices.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { admitsApplications, parseSddl } from "../kernel/sddl.ts";
import { readGiven, readUnicodeString } from "../kernel/strings.ts";
import { pointer, struct, u32 } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { MiniportDriver } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";

const Attributes = windowsStruct("NDIS_DEVICE_OBJECT_ATTRIBUTES");
const NETWORK_DEVICE = constant("FILE_DEVICE_NETWORK");
const SECURE_OPEN = constant("FILE_DEVICE_SECURE_OPEN");
const FIRST_POWER = constant("IRP_MJ_POWER");
const MAJOR_FUNCTIONS = constant("IRP_MJ_MAXIMUM_FUNCTION") + 1;

/** A device that NdisRegisterDeviceEx made. */
export const NdisDevice = struct("NdisDevice", {
  device: pointer(() => Device),
  slot: u32,
  /** UNICODE_STRING of the symbolic link. */
  link: u32,
  /** Context space of the driver's, apart from the device extension, which is NDIS's. */
  extension: u32,
});

function registerDevice(
  k: Kernel,
  driverHandle: number,
  attributes: number,
  deviceVariable: number,
  handleVariable: number,
): string {
  k.memory.writeU32(deviceVariable, 0);
  const miniport = k.objects.resolve(driverHandle, MiniportDriver);
  if (miniport === undefined) return "NDIS_STATUS_NOT_SUPPORTED";
  if (
    !hasHeader(k, attributes, ["NDIS_OBJECT_TYPE_DEVICE_OBJECT_ATTRIBUTES"], ["NDIS_SIZEOF_DEVICE_OBJECT_ATTRIBUTES_REVISION_1"])
  ) {
    return "NDIS_STATUS_INVALID_PARAMETER";
  }
  const {
    DeviceName: name,
    SymbolicName: link,
    MajorFunctions: functions,
    ExtensionSize: extensionBytes,
    DefaultSDDLString: sddl,
  } = Attributes.at(k.memory, attributes);
  const entries = sddl === 0 ? undefined : parseSddl(readGiven(k, sddl));
  // Undocumented: the status for a string that describes no security.
  if (sddl !== 0 && entries === undefined) return "NDIS_STATUS_FAILURE";
  const device = createDevice(k, {
    driver: miniport.driverObject,
    extensionBytes: 0,
    name,
    type: NETWORK_DEVICE,
    characteristics: SECURE_OPEN,
    isExclusive: false,
  });
  if (typeof device === "string") return device;
  device.isClosedToApplications = entries !== undefined && !admitsApplications(entries);
  if (link !== 0) {
    const status = createSymbolicLink(k, link, name);
    if (status !== "STATUS_SUCCESS") {
      deleteDevice(k, device);
      return status;
    }
  }
  const dispatch = allocate(k, MAJOR_FUNCTIONS * 4, NDIS_TAG, -1);
  const extension = extensionBytes === 0 ? 0 : allocate(k, extensionBytes, NDIS_TAG, -1);
  const keptLink = link === 0 ? 0 : keepString(k, link, NDIS_TAG);
  if (dispatch === 0 || (extensionBytes !== 0 && extension === 0) || (link !== 0 && keptLink === 0)) {
    for (const block of [dispatch, extension, keptLink]) if (block !== 0) free(k, block);
    if (link !== 0) deleteSymbolicLink(k, readUnicodeString(k.memory, link));
    deleteDevice(k, device);
    return "NDIS_STATUS_RESOURCES";
  }
  device.dispatch = dispatch;
  k.memory.copy(device.dispatch, functions, MAJOR_FUNCTIONS * 4);
  // The device is for no hardware: it gets no power and no PnP requests.
  for (const major of [FIRST_POWER, constant("IRP_MJ_PNP")]) k.memory.writeU32(device.dispatch + major * 4, 0);
  // NDIS clears DO_DEVICE_INITIALIZING for the driver.
  DeviceObject.at(k.memory, device.object).Flags &= ~INITIALIZING;
  const registered = k.objects.create(NdisDevice);
  registered.device = device;
  registered.slot = miniport.slot;
  registered.link = keptLink;
  registered.extension = extension;
  k.memory.writeU32(deviceVariable, device.object);
  k.memory.writeU32(handleVariable, k.objects.handleOf(registered));
  return "NDIS_STATUS_SUCCESS";
}

function deregisterDevice(k: Kernel, handle: number): void {
  const registered = k.objects.resolve(handle, NdisDevice);
  if (registered === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, NdisDevice)}: the handle of a device was expected`);
    return;
  }
  const { device, link, extension } = registered;
  if (link !== 0) {
    deleteSymbolicLink(k, readUnicodeString(k.memory, link));
    free(k, link);
  }
  // Undocumented: what becomes of the extension while files are open. It goes at once, as the page says without exception.
  if (extension !== 0) free(k, extension);
  if (device !== undefined) deleteDevice(k, device);
  k.objects.release(registered);
}

export const deviceRoutines = [
  leaf("NdisRegisterDeviceEx", registerDevice),
  leaf("NdisDeregisterDeviceEx", deregisterDevice),
  leaf("NdisGetDeviceReservedExtension", (k, object) => {
    const device = deviceOf(k, object);
    return k.objects.all(NdisDevice).find((each) => each.device?.address === device?.address)?.extension ?? 0;
  }),
];
