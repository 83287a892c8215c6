/**
 * The registry by paths: what the run-time library does with one value, or with one key.
 *
 * Pages: nf-wdm-rtlwriteregistryvalue, nf-wdm-rtldeleteregistryvalue, nf-wdm-rtlcheckregistrykey, nf-wdm-rtlcreateregistrykey.
 */
import { constant } from "../../contract/index.ts";
import { readsBytes, readsString } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { leaf } from "../routine.ts";
import { readUtf16, utf16Length } from "../strings.ts";
import { keyOf } from "./keys.ts";
import { type RegistryKey, SYSTEM_PATH, findKey, makeKey, parentOf, removeValue, setValue, valueNamed } from "./tree.ts";

const HANDLE = constant("RTL_REGISTRY_HANDLE");
const OPTIONAL = constant("RTL_REGISTRY_OPTIONAL");
/** By the constant that a path is relative to. */
const BASES: Readonly<Record<number, string>> = {
  [constant("RTL_REGISTRY_ABSOLUTE")]: "",
  [constant("RTL_REGISTRY_SERVICES")]: `${SYSTEM_PATH}\\Services`,
  [constant("RTL_REGISTRY_CONTROL")]: `${SYSTEM_PATH}\\Control`,
  [constant("RTL_REGISTRY_WINDOWS_NT")]: "\\Registry\\Machine\\Software\\Microsoft\\Windows NT\\CurrentVersion",
  [constant("RTL_REGISTRY_DEVICEMAP")]: "\\Registry\\Machine\\Hardware\\DeviceMap",
  [constant("RTL_REGISTRY_USER")]: "\\Registry\\User\\.Default",
};

export function textAt(k: Kernel, address: number): string {
  if (address === 0) return "";
  readsString(k, address, 2);
  return readUtf16(k.memory, address, utf16Length(k.memory, address));
}

/** The whole path; undefined: `relativeTo` is no base of paths. */
function wholePath(k: Kernel, relativeTo: number, path: number): string | undefined {
  const base = BASES[(relativeTo & ~OPTIONAL) >>> 0];
  const text = textAt(k, path);
  if (base === undefined) return undefined;
  return base !== "" && text !== "" ? `${base}\\${text}` : base + text;
}

/** The key that is meant, or the status to answer. `path` is a handle if the flag says so. */
export function keyAtPath(k: Kernel, relativeTo: number, path: number): RegistryKey | string {
  if ((relativeTo & HANDLE) !== 0) return keyOf(k, path, 0);
  const whole = wholePath(k, relativeTo, path);
  if (whole === undefined) return "STATUS_INVALID_PARAMETER";
  return findKey(k, whole) ?? "STATUS_OBJECT_NAME_NOT_FOUND";
}

/** The key that is meant, made if only its last part is missing. */
function keyToWrite(k: Kernel, relativeTo: number, path: number): RegistryKey | string {
  const found = keyAtPath(k, relativeTo, path);
  if (found !== "STATUS_OBJECT_NAME_NOT_FOUND") return found;
  const whole = wholePath(k, relativeTo, path) ?? "";
  const key = parentOf(k, whole) === undefined ? undefined : makeKey(k, whole);
  return key ?? "STATUS_OBJECT_NAME_NOT_FOUND";
}

function write(k: Kernel, relativeTo: number, path: number, name: number, type: number, data: number, bytes: number): string {
  const key = keyToWrite(k, relativeTo, path);
  if (typeof key === "string") return key;
  readsBytes(k, data, bytes);
  const isSet = setValue(k, key, textAt(k, name), type, k.memory.u8.slice(data, data + bytes));
  return isSet ? "STATUS_SUCCESS" : "STATUS_INSUFFICIENT_RESOURCES";
}

function remove(k: Kernel, relativeTo: number, path: number, name: number): string {
  const key = keyAtPath(k, relativeTo, path);
  if (typeof key === "string") return key;
  const value = valueNamed(k, key, textAt(k, name));
  if (value === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
  removeValue(k, key, value);
  return "STATUS_SUCCESS";
}

const statusOf = (key: RegistryKey | string): string => (typeof key === "string" ? key : "STATUS_SUCCESS");

export const registryRunTimeRoutines = [
  leaf("RtlWriteRegistryValue", (k, relativeTo, path, name, type, data = 0, bytes = 0) =>
    write(k, relativeTo, path, name, type, data, bytes),
  ),
  leaf("RtlDeleteRegistryValue", remove),
  leaf("RtlCheckRegistryKey", (k, relativeTo, path) => statusOf(keyAtPath(k, relativeTo, path))),
  leaf("RtlCreateRegistryKey", (k, relativeTo, path) => statusOf(keyToWrite(k, relativeTo, path))),
];
