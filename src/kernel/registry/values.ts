/**
 * Values of keys by handles.
 *
 * Pages: nf-wdm-zwqueryvaluekey, nf-wdm-zwsetvaluekey, nf-wdm-zwdeletevaluekey, nf-wdm-zwenumeratevaluekey.
 */
import { constant } from "../../contract/index.ts";
import { readsBytes } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { leaf } from "../routine.ts";
import { readGiven } from "../strings.ts";
import { record, utf16 } from "./data.ts";
import { ACCESS, type Room, give, keyOf } from "./keys.ts";
import { type RegistryValue, dataOf, nameOf, removeValue, setValue, valueNamed, valuesOf } from "./tree.ts";

/** Undocumented: how the data behind a name is aligned. At a multiple of 4. */
const DATA_ALIGNMENT = 4;

function tell(k: Kernel, value: RegistryValue, which: number, room: Room): string {
  const name = utf16(nameOf(k, value));
  const data = dataOf(k, value);
  if (which === constant("KeyValueBasicInformation")) return give(k, room, record([0, value.type, name.length], name), 12);
  if (which === constant("KeyValuePartialInformation")) return give(k, room, record([0, value.type, data.length], data), 12);
  if (which !== constant("KeyValueFullInformation")) return "STATUS_INVALID_PARAMETER";
  const offset = Math.ceil((20 + name.length) / DATA_ALIGNMENT) * DATA_ALIGNMENT;
  const gap = new Uint8Array(offset - 20 - name.length);
  return give(k, room, record([0, value.type, offset, data.length, name.length], name, gap, data), 20);
}

function query(k: Kernel, handle: number, name: number, which: number, room: Room): string {
  const key = keyOf(k, handle, ACCESS.queryValue);
  if (typeof key === "string") return key;
  const value = valueNamed(k, key, readGiven(k, name));
  return value === undefined ? "STATUS_OBJECT_NAME_NOT_FOUND" : tell(k, value, which, room);
}

function enumerate(k: Kernel, handle: number, index: number, which: number, room: Room): string {
  const key = keyOf(k, handle, ACCESS.queryValue);
  if (typeof key === "string") return key;
  const value = valuesOf(k, key)[index];
  return value === undefined ? "STATUS_NO_MORE_ENTRIES" : tell(k, value, which, room);
}

function set(k: Kernel, handle: number, name: number, type: number, data: number, bytes: number): string {
  const key = keyOf(k, handle, ACCESS.setValue);
  if (typeof key === "string") return key;
  readsBytes(k, data, bytes);
  const isSet = setValue(k, key, readGiven(k, name), type, k.memory.u8.slice(data, data + bytes));
  return isSet ? "STATUS_SUCCESS" : "STATUS_INSUFFICIENT_RESOURCES";
}

function remove(k: Kernel, handle: number, name: number): string {
  const key = keyOf(k, handle, ACCESS.setValue);
  if (typeof key === "string") return key;
  const value = valueNamed(k, key, readGiven(k, name));
  if (value === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
  removeValue(k, key, value);
  return "STATUS_SUCCESS";
}

export const valueRoutines = [
  leaf("ZwQueryValueKey", (k, handle, name, which, buffer, length = 0, resultLength = 0) =>
    query(k, handle, name, which, { buffer, length, resultLength }),
  ),
  leaf("ZwEnumerateValueKey", (k, handle, index, which, buffer, length = 0, resultLength = 0) =>
    enumerate(k, handle, index, which, { buffer, length, resultLength }),
  ),
  leaf("ZwSetValueKey", (k, handle, name, _title, type, data = 0, bytes = 0) => set(k, handle, name, type, data, bytes)),
  leaf("ZwDeleteValueKey", remove),
];
