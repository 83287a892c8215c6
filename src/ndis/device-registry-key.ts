/**
 * The registry keys of an adapter's device, by its physical device object.
 *
 * Page: nf-wdm-ioopendeviceregistrykey.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { openKeyHandle } from "../kernel/registry/keys.ts";
import { leaf } from "../kernel/routine.ts";
import { deviceKey, driverKey } from "./configuration-keys.ts";
import { adapters } from "./stack.ts";

const DEVICE = constant("PLUGPLAY_REGKEY_DEVICE");
const DRIVER = constant("PLUGPLAY_REGKEY_DRIVER");

function open(k: Kernel, device: number, type: number, access: number, handleVariable: number): string {
  k.memory.writeU32(handleVariable, 0);
  const adapter = adapters(k).find(({ physicalDevice }) => physicalDevice === device);
  // One of the two kinds; keys of hardware profiles are deprecated, and there are none.
  if (device === 0 || adapter === undefined || (type !== DEVICE && type !== DRIVER)) return "STATUS_INVALID_PARAMETER";
  const key = type === DRIVER ? driverKey(k, adapter) : deviceKey(k, adapter);
  if (key === undefined) return "STATUS_INVALID_PARAMETER";
  k.memory.writeU32(handleVariable, openKeyHandle(k, key, access, true));
  return "STATUS_SUCCESS";
}

export const deviceRegistryKeyRoutines = [leaf("IoOpenDeviceRegistryKey", open)];
