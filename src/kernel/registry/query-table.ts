/**
 * RtlQueryRegistryValues: a table of values that a driver wants, each stored where it says or told to a function of its own.
 *
 * Pages: nf-wdm-rtlqueryregistryvalues, nc-wdm-rtl_query_registry_routine.
 */
import { constant } from "../../contract/index.ts";
import { readsBytes } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { call, done, goTo, plan, step, type Next } from "../plan.ts";
import { allocate, free } from "../pool.ts";
import { planned } from "../routine.ts";
import { struct, u32, type ViewBase } from "../struct.ts";
import { utf16Length, writeUtf16 } from "../strings.ts";
import { windowsStruct } from "../windows.ts";
import { REG, textOf } from "./data.ts";
import { storeDirectly } from "./query-direct.ts";
import { keyAtPath, textAt } from "./run-time.ts";
import { dataOf, findKey, keyAt, nameOf, removeValue, valueNamed, valuesOf } from "./tree.ts";

const Entry = windowsStruct("RTL_QUERY_REGISTRY_TABLE");
type Entry = ReturnType<typeof Entry.at>;
const FLAG = {
  subkey: constant("RTL_QUERY_REGISTRY_SUBKEY"),
  topKey: constant("RTL_QUERY_REGISTRY_TOPKEY"),
  required: constant("RTL_QUERY_REGISTRY_REQUIRED"),
  noValue: constant("RTL_QUERY_REGISTRY_NOVALUE"),
  noExpand: constant("RTL_QUERY_REGISTRY_NOEXPAND"),
  direct: constant("RTL_QUERY_REGISTRY_DIRECT"),
  delete: constant("RTL_QUERY_REGISTRY_DELETE"),
} as const;
const OPTIONAL = constant("RTL_REGISTRY_OPTIONAL");
const BUFFER_TOO_SMALL = constant("STATUS_BUFFER_TOO_SMALL") >>> 0;
const QUERY_TAG = 0x7152_4d43;

const Locals = struct("QueryTable", {
  relativeTo: u32,
  path: u32,
  entry: u32,
  context: u32,
  environment: u32,
  /** The key of the call, and the one that entries are about now; 0: that one is not there. */
  top: u32,
  key: u32,
  /** Value of the key that is told next, and where in a REG_MULTI_SZ it goes on, in bytes. */
  index: u32,
  offset: u32,
  /** Name and data as the driver's function gets them. */
  block: u32,
});
type Locals = ViewBase & ReturnType<typeof Locals.at>;

/** A value as an entry of the table gets it. */
interface Found {
  readonly name: string;
  readonly type: number;
  readonly data: Uint8Array;
}

const fail = (status: string): Next => done(constant(status));
const has = (entry: Entry, flag: number): boolean => (entry.Flags & flag) !== 0;
const isString = (type: number): boolean => type === REG.SZ || type === REG.EXPAND_SZ || type === REG.MULTI_SZ;

/** What the entry says to use when there is no such value. */
function defaultOf(k: Kernel, entry: Entry, name: string): Found | undefined {
  const type = entry.DefaultType & 0xff;
  if (type === REG.NONE) return undefined;
  const from = entry.DefaultData;
  let bytes = entry.DefaultLength;
  if (bytes === 0 && isString(type)) {
    if (type === REG.MULTI_SZ) while (k.memory.readU32(from + bytes) !== 0) bytes += 2;
    bytes += type === REG.MULTI_SZ ? 4 : utf16Length(k.memory, from) * 2 + 2;
  }
  readsBytes(k, from, bytes);
  return { name, type, data: k.memory.u8.slice(from, from + bytes) };
}

/** The value that the entry is about now; undefined: there is none, or no more. */
function valueOf(k: Kernel, p: Locals, entry: Entry): Found | undefined {
  const name = textAt(k, entry.Name);
  const wantsAll = entry.Name === 0 || has(entry, FLAG.subkey);
  if (p.key === 0) return wantsAll || p.index > 0 ? undefined : defaultOf(k, entry, name);
  const key = keyAt(k, p.key);
  const value = wantsAll ? valuesOf(k, key)[p.index] : p.index === 0 ? valueNamed(k, key, name) : undefined;
  if (value !== undefined) return { name: nameOf(k, value), type: value.type, data: dataOf(k, value) };
  return wantsAll || p.index > 0 || has(entry, FLAG.required) ? undefined : defaultOf(k, entry, name);
}

/** Calls the driver's function with copies of name and data. */
function tell(k: Kernel, p: Locals, entry: Entry, { name, type, data }: Found): Next {
  const nameBytes = Math.ceil((name.length * 2 + 2) / 8) * 8;
  p.block = allocate(k, nameBytes + data.length, QUERY_TAG, -1);
  if (p.block === 0) return fail("STATUS_INSUFFICIENT_RESOURCES");
  writeUtf16(k.memory, p.block, name);
  k.memory.u8.set(data, p.block + nameBytes);
  const args = [p.block, type, p.block + nameBytes, data.length, p.context, entry.EntryContext];
  return call(entry.QueryRoutine, "QueryRoutine", args);
}

/** The next string of a REG_MULTI_SZ, with its zero; undefined: the list is at its end. */
function nextString(data: Uint8Array, offset: number): Uint8Array | undefined {
  const text = textOf(data.subarray(offset));
  return text === "" ? undefined : data.slice(offset, offset + text.length * 2 + 2);
}

/** Tells what is found to the driver's function: all of it, or its next string. Undefined: there is nothing more of it. */
function tellNext(k: Kernel, p: Locals, entry: Entry, found: Found): Next | undefined {
  if (has(entry, FLAG.noExpand)) {
    p.index += 1;
    return tell(k, p, entry, found);
  }
  if (found.type !== REG.MULTI_SZ) {
    p.index += 1;
    // No environment has variables here, and a reference to a variable that is not there stays as it is.
    return tell(k, p, entry, { ...found, type: found.type === REG.EXPAND_SZ ? REG.SZ : found.type });
  }
  const data = nextString(found.data, p.offset);
  if (data === undefined) {
    p.index += 1;
    p.offset = 0;
    return undefined;
  }
  p.offset += data.length;
  return tell(k, p, entry, { ...found, type: REG.SZ, data });
}

const NEXT_ENTRY = "the next entry of the table";
const NEXT_VALUE = "the next value that the entry is about";
const ENTRY_IS_DONE = "the entry is done";

/** Where the entry's values are; a status: the table ends here. */
function selectKey(k: Kernel, p: Locals, entry: Entry): string | undefined {
  if (has(entry, FLAG.topKey) || has(entry, FLAG.subkey)) p.key = p.top;
  if (!has(entry, FLAG.subkey)) return undefined;
  if (entry.Name === 0 || has(entry, FLAG.direct)) return "STATUS_INVALID_PARAMETER";
  p.key = p.top === 0 ? 0 : (findKey(k, textAt(k, entry.Name), keyAt(k, p.top))?.address ?? 0);
  return p.key === 0 && has(entry, FLAG.required) ? "STATUS_OBJECT_NAME_NOT_FOUND" : undefined;
}

const queryTable = plan("RtlQueryRegistryValues", Locals, [
  step("the key is opened", (k, p) => {
    const key = keyAtPath(k, (p.relativeTo & ~OPTIONAL) >>> 0, p.path);
    if (typeof key === "string" && ((p.relativeTo & OPTIONAL) === 0 || key !== "STATUS_OBJECT_NAME_NOT_FOUND")) return fail(key);
    p.top = typeof key === "string" ? 0 : key.address;
    p.key = p.top;
  }),
  step(NEXT_ENTRY, (k, p) => {
    const entry = Entry.at(k.memory, p.entry);
    if (entry.QueryRoutine === 0 && entry.Name === 0) return done();
    p.index = 0;
    p.offset = 0;
    const refusal = selectKey(k, p, entry);
    if (refusal !== undefined) return fail(refusal);
    if (has(entry, FLAG.subkey) && entry.QueryRoutine === 0) return goTo(ENTRY_IS_DONE);
    if (has(entry, FLAG.direct)) {
      if (entry.Name === 0 || entry.QueryRoutine !== 0) return fail("STATUS_INVALID_PARAMETER");
      const found = valueOf(k, p, entry);
      if (found === undefined) return has(entry, FLAG.required) ? fail("STATUS_OBJECT_NAME_NOT_FOUND") : goTo(ENTRY_IS_DONE);
      const status = storeDirectly(k, entry, found.type, found.data);
      return status === "STATUS_SUCCESS" ? goTo(ENTRY_IS_DONE) : fail(status);
    }
    return entry.QueryRoutine === 0 ? fail("STATUS_INVALID_PARAMETER") : goTo(NEXT_VALUE);
  }),
  step(NEXT_VALUE, (k, p) => {
    const entry = Entry.at(k.memory, p.entry);
    if (has(entry, FLAG.noValue)) {
      p.index += 1;
      if (p.index > 1) return goTo(ENTRY_IS_DONE);
      return call(entry.QueryRoutine, "QueryRoutine", [entry.Name, REG.NONE, 0, 0, p.context, entry.EntryContext]);
    }
    const found = valueOf(k, p, entry);
    if (found !== undefined) return tellNext(k, p, entry, found) ?? goTo(NEXT_VALUE);
    // None at all, though one is required.
    if (p.index === 0 && has(entry, FLAG.required)) return fail("STATUS_OBJECT_NAME_NOT_FOUND");
    return goTo(ENTRY_IS_DONE);
  }),
  step("the driver's function has answered", (k, p, status) => {
    if (p.block !== 0) free(k, p.block);
    p.block = 0;
    return status >= 0x8000_0000 && status !== BUFFER_TOO_SMALL ? done(status) : goTo(NEXT_VALUE);
  }),
  step(ENTRY_IS_DONE, (k, p) => {
    const entry = Entry.at(k.memory, p.entry);
    if (has(entry, FLAG.delete) && p.key !== 0 && entry.Name !== 0 && !has(entry, FLAG.subkey)) {
      const key = keyAt(k, p.key);
      const value = valueNamed(k, key, textAt(k, entry.Name));
      if (value !== undefined) removeValue(k, key, value);
    }
    p.entry += Entry.bytes;
    return goTo(NEXT_ENTRY);
  }),
]);

export const queryTableRoutines = [planned("RtlQueryRegistryValues", queryTable)];
export const queryTableHandlers = ["QueryRoutine"] as const;
