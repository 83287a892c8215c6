/**
 * Keys by handles: open, create, delete, query, enumerate.
 *
 * Pages: nf-wdm-zwopenkey, nf-wdm-zwcreatekey, nf-wdm-zwdeletekey, nf-wdm-zwquerykey, nf-wdm-zwenumeratekey, nf-wdm-zwflushkey.
 */
import { constant } from "../../contract/index.ts";
import { writesBytes } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { ManagedObject, createManaged, dereference, openHandle, resolveHandle } from "../object-manager.ts";
import { leaf } from "../routine.ts";
import { readGiven } from "../strings.ts";
import { windowsStruct } from "../windows.ts";
import { record, utf16 } from "./data.ts";
import { type RegistryKey, findKey, keyAt, makeKey, nameOf, parentOf, pathOf, removeKey, subkeysOf, valuesOf } from "./tree.ts";

const Attributes = windowsStruct("OBJECT_ATTRIBUTES");
const KERNEL_HANDLE = constant("OBJ_KERNEL_HANDLE");
export const ACCESS = {
  queryValue: constant("KEY_QUERY_VALUE"),
  setValue: constant("KEY_SET_VALUE"),
  createSubkey: constant("KEY_CREATE_SUB_KEY"),
  enumerate: constant("KEY_ENUMERATE_SUB_KEYS"),
  delete: constant("DELETE"),
} as const;
/** What generic rights mean for a key. */
const GENERIC: readonly (readonly [right: number, meaning: number])[] = [
  [constant("GENERIC_READ"), constant("KEY_READ")],
  [constant("GENERIC_WRITE"), constant("KEY_WRITE")],
  [constant("GENERIC_EXECUTE"), constant("KEY_READ")],
  [constant("GENERIC_ALL"), constant("KEY_ALL_ACCESS")],
  [constant("MAXIMUM_ALLOWED"), constant("KEY_ALL_ACCESS")],
];

const grantedOf = (wanted: number): number =>
  GENERIC.reduce((granted, [right, meaning]) => ((wanted & right) === 0 ? granted : granted | meaning), wanted) >>> 0;

/** The key behind the handle, if it was opened for that access; otherwise the status to answer. */
export function keyOf(k: Kernel, handle: number, access: number): RegistryKey | string {
  const found = resolveHandle(k, handle);
  if (found?.object === undefined) return "STATUS_INVALID_HANDLE";
  if (found.object.kind !== "Key") return "STATUS_OBJECT_TYPE_MISMATCH";
  // The handles of a key that was deleted are there until they are closed, and good for nothing else.
  if (found.object.detail === 0) return "STATUS_KEY_DELETED";
  return (found.access & access) === access ? keyAt(k, found.object.detail) : "STATUS_ACCESS_DENIED";
}

export function openKeyHandle(k: Kernel, key: RegistryKey, access: number, isKernelHandle: boolean): number {
  const object = createManaged(k, "Key", 0, key.address);
  const handle = isKernelHandle ? openHandle(k, object, grantedOf(access), 0) : openHandle(k, object, grantedOf(access));
  // The handle holds the only reference.
  dereference(k, object);
  return handle;
}

interface Place {
  readonly path: string;
  readonly from: RegistryKey | undefined;
  readonly isKernelHandle: boolean;
}

/** What OBJECT_ATTRIBUTES name: a path, from the root or from an open key. */
function placeOf(k: Kernel, attributes: number, rootAccess: number): Place | string {
  const given = Attributes.at(k.memory, attributes);
  if (given.Length !== Attributes.bytes) return "STATUS_INVALID_PARAMETER";
  const from = given.RootDirectory === 0 ? undefined : keyOf(k, given.RootDirectory, rootAccess);
  if (typeof from === "string") return from;
  const path = readGiven(k, given.ObjectName);
  if (path.startsWith("\\") === (from !== undefined)) return "STATUS_OBJECT_PATH_SYNTAX_BAD";
  return { path, from, isKernelHandle: (given.Attributes & KERNEL_HANDLE) !== 0 };
}

function open(k: Kernel, handleVariable: number, access: number, attributes: number): string {
  k.memory.writeU32(handleVariable, 0);
  const place = placeOf(k, attributes, 0);
  if (typeof place === "string") return place;
  const key = findKey(k, place.path, place.from);
  if (key === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
  k.memory.writeU32(handleVariable, openKeyHandle(k, key, access, place.isKernelHandle));
  return "STATUS_SUCCESS";
}

function create(k: Kernel, handleVariable: number, access: number, attributes: number, dispositionVariable: number): string {
  k.memory.writeU32(handleVariable, 0);
  const place = placeOf(k, attributes, 0);
  if (typeof place === "string") return place;
  let key = findKey(k, place.path, place.from);
  const disposition = key === undefined ? "REG_CREATED_NEW_KEY" : "REG_OPENED_EXISTING_KEY";
  if (key === undefined) {
    // A new key must be a direct subkey of a key that is there, which was opened for the creation of subkeys.
    const allowed = placeOf(k, attributes, ACCESS.createSubkey);
    if (typeof allowed === "string") return allowed;
    if (parentOf(k, place.path, place.from) === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
    key = makeKey(k, place.path, place.from);
  }
  if (key === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
  k.memory.writeU32(handleVariable, openKeyHandle(k, key, access, place.isKernelHandle));
  if (dispositionVariable !== 0) k.memory.writeU32(dispositionVariable, constant(disposition));
  return "STATUS_SUCCESS";
}

function remove(k: Kernel, handle: number): string {
  const key = keyOf(k, handle, ACCESS.delete);
  if (typeof key === "string") return key;
  if (key.firstChild !== 0 || key.parent === 0) return "STATUS_CANNOT_DELETE";
  for (const object of k.objects.all(ManagedObject)) {
    if (object.kind === "Key" && object.detail === key.address) object.detail = 0;
  }
  removeKey(k, key);
  return "STATUS_SUCCESS";
}

/** A buffer of a caller's, and where the size that it should have goes. */
export interface Room {
  readonly buffer: number;
  readonly length: number;
  readonly resultLength: number;
}

/** Nothing if the fixed part does not fit, a part if the rest does not, or all of it. */
export function give(k: Kernel, room: Room, content: Uint8Array, fixed: number): string {
  k.memory.writeU32(room.resultLength, content.length);
  if (room.length < fixed) return "STATUS_BUFFER_TOO_SMALL";
  writesBytes(k, room.buffer, Math.min(room.length, content.length));
  k.memory.u8.set(content.subarray(0, room.length), room.buffer);
  return room.length < content.length ? "STATUS_BUFFER_OVERFLOW" : "STATUS_SUCCESS";
}

const NO_CLASS = [0xffff_ffff, 0] as const;
const longest = (sizes: readonly number[]): number => Math.max(0, ...sizes);

/** A class of information about a key: its content, and how much of it is fixed. Undefined: there is no such class. */
function informationOf(k: Kernel, key: RegistryKey, which: number): { content: Uint8Array; fixed: number } | undefined {
  const time = [key.written % 0x1_0000_0000, Math.floor(key.written / 0x1_0000_0000), 0] as const;
  const name = utf16(nameOf(k, key));
  if (which === constant("KeyBasicInformation")) return { content: record([...time, name.length], name), fixed: 16 };
  if (which === constant("KeyNodeInformation")) return { content: record([...time, ...NO_CLASS, name.length], name), fixed: 24 };
  if (which !== constant("KeyFullInformation")) return undefined;
  const subkeys = subkeysOf(k, key).map((each) => nameOf(k, each).length * 2);
  const values = valuesOf(k, key);
  const valueNames = values.map((each) => nameOf(k, each).length * 2);
  const counts = [subkeys.length, longest(subkeys), 0, values.length, longest(valueNames), longest(values.map((v) => v.bytes))];
  return { content: record([...time, ...NO_CLASS, ...counts]), fixed: 44 };
}

function query(k: Kernel, handle: number, which: number, room: Room): string {
  const isName = which === constant("KeyNameInformation");
  const key = keyOf(k, handle, isName ? 0 : ACCESS.queryValue);
  if (typeof key === "string") return key;
  if (isName) {
    const path = utf16(pathOf(k, key));
    return give(k, room, record([path.length], path), 4);
  }
  const found = informationOf(k, key, which);
  return found === undefined ? "STATUS_INVALID_PARAMETER" : give(k, room, found.content, found.fixed);
}

function enumerate(k: Kernel, handle: number, index: number, which: number, room: Room): string {
  const key = keyOf(k, handle, ACCESS.enumerate);
  if (typeof key === "string") return key;
  const subkey = subkeysOf(k, key)[index];
  if (subkey === undefined) return "STATUS_NO_MORE_ENTRIES";
  const found = informationOf(k, subkey, which);
  return found === undefined ? "STATUS_INVALID_PARAMETER" : give(k, room, found.content, found.fixed);
}

export const keyRoutines = [
  leaf("ZwOpenKey", open),
  leaf("ZwCreateKey", (k, handleVariable, access, attributes, _title, _class = 0, _options = 0, dispositionVariable = 0) =>
    create(k, handleVariable, access, attributes, dispositionVariable),
  ),
  leaf("ZwDeleteKey", remove),
  leaf("ZwQueryKey", (k, handle, which, buffer, length, resultLength = 0) =>
    query(k, handle, which, { buffer, length, resultLength }),
  ),
  leaf("ZwEnumerateKey", (k, handle, index, which, buffer, length = 0, resultLength = 0) =>
    enumerate(k, handle, index, which, { buffer, length, resultLength }),
  ),
  // The registry of a machine is its memory: there is nothing else to write it to.
  leaf("ZwFlushKey", (k, handle) => {
    const key = keyOf(k, handle, 0);
    return typeof key === "string" ? key : "STATUS_SUCCESS";
  }),
];
