/**
 * Context areas of a driver object, by an address that identifies each.
 *
 * Pages: nf-wdm-ioallocatedriverobjectextension, nf-wdm-iogetdriverobjectextension.
 */
import type { Kernel } from "./kernel.ts";
import { allocate } from "./pool.ts";
import { leaf } from "./routine.ts";
import { struct, u32 } from "./struct.ts";

/** It stays as long as the driver object, which is the system's. */
export const DriverExtension = struct("DriverExtension", { driver: u32, identification: u32, block: u32 });

const EXTENSION_TAG = 0x7478_4544;

const extensionOf = (k: Kernel, driver: number, identification: number) =>
  k.objects.all(DriverExtension).find((each) => each.driver === driver && each.identification === identification);

export const driverExtensionRoutines = [
  leaf("IoAllocateDriverObjectExtension", (k, driver, identification, bytes, variable) => {
    k.memory.writeU32(variable, 0);
    if (extensionOf(k, driver, identification) !== undefined) return "STATUS_OBJECT_NAME_COLLISION";
    const block = allocate(k, bytes, EXTENSION_TAG, -1);
    if (block === 0) return "STATUS_INSUFFICIENT_RESOURCES";
    const extension = k.objects.create(DriverExtension);
    extension.driver = driver;
    extension.identification = identification;
    extension.block = block;
    k.memory.writeU32(variable, block);
    return "STATUS_SUCCESS";
  }),
  leaf("IoGetDriverObjectExtension", (k, driver, identification) => extensionOf(k, driver, identification)?.block ?? 0),
];
