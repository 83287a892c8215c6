/** The registry: keys in a tree, each with values. Names are compared without regard to case. */
import { keepText } from "../counted-strings.ts";
import { RunFailed } from "../outcome.ts";
import type { Kernel } from "../kernel.ts";
import { append, listOf, remove } from "../lists.ts";
import { allocate, free } from "../pool.ts";
import { readUnicodeString, upcase } from "../strings.ts";
import { f64, struct, u32, type ViewOf } from "../struct.ts";

export const RegistryKey = struct("RegistryKey", {
  /** When the key or one of its values changed last. */
  written: f64,
  parent: u32,
  next: u32,
  firstChild: u32,
  firstValue: u32,
  /** Address of a counted string. */
  name: u32,
});
export type RegistryKey = ViewOf<typeof RegistryKey>;

/** A value of a key. `name` is the address of a counted string, `data` that of a block; a value without data has none. */
export const RegistryValue = struct("RegistryValue", { next: u32, name: u32, type: u32, data: u32, bytes: u32 });
export type RegistryValue = ViewOf<typeof RegistryValue>;

const REGISTRY_TAG = 0x2020_4d43;
const ROOT = "Registry";
/** A link to the control set that is in use. */
const LINK = { name: "CURRENTCONTROLSET", target: "ControlSet001" } as const;
export const SYSTEM_PATH = "\\Registry\\Machine\\System\\CurrentControlSet";

export const nameOf = (k: Kernel, { name }: { readonly name: number }): string => readUnicodeString(k.memory, name);
const isNamed = (k: Kernel, named: { readonly name: number }, name: string): boolean => upcase(nameOf(k, named)) === upcase(name);

export const keyAt = (k: Kernel, address: number): RegistryKey => RegistryKey.at(k.memory, address);
export const subkeysOf = (k: Kernel, key: RegistryKey): RegistryKey[] => listOf(k.memory, RegistryKey, key.firstChild);
export const valuesOf = (k: Kernel, key: RegistryKey): RegistryValue[] => listOf(k.memory, RegistryValue, key.firstValue);

/** The path of the key, from the root on. */
export function pathOf(k: Kernel, key: RegistryKey): string {
  const own = `\\${nameOf(k, key)}`;
  return key.parent === 0 ? own : pathOf(k, keyAt(k, key.parent)) + own;
}

function createKey(k: Kernel, parent: RegistryKey | undefined, name: string): RegistryKey {
  const kept = keepText(k, name, REGISTRY_TAG);
  if (kept === 0) throw new RunFailed(`no pool is left for the registry key '${name}'`);
  const key = k.objects.create(RegistryKey);
  key.name = kept;
  key.written = k.header.clock;
  if (parent === undefined) return key;
  key.parent = parent.address;
  parent.firstChild = append(k.memory, RegistryKey, parent.firstChild, key);
  parent.written = k.header.clock;
  return key;
}

function rootKey(k: Kernel): RegistryKey {
  return k.objects.all(RegistryKey)[0] ?? createKey(k, undefined, ROOT);
}

const partsOf = (path: string): string[] => path.split("\\").filter((part) => part !== "");
const subkeyNamed = (k: Kernel, key: RegistryKey, name: string): RegistryKey | undefined => {
  const wanted = upcase(name) === LINK.name ? LINK.target : name;
  return subkeysOf(k, key).find((each) => isNamed(k, each, wanted));
};

/** Where a path begins: at the root, or at the key that it is relative to. */
function start(k: Kernel, path: string, from: RegistryKey | undefined): { key: RegistryKey; parts: string[] } | undefined {
  const parts = partsOf(path);
  if (from !== undefined) return path.startsWith("\\") ? undefined : { key: from, parts };
  const [first = "", ...rest] = parts;
  return path.startsWith("\\") && upcase(first) === upcase(ROOT) ? { key: rootKey(k), parts: rest } : undefined;
}

/** The key of that path. */
export function findKey(k: Kernel, path: string, from?: RegistryKey): RegistryKey | undefined {
  const begin = start(k, path, from);
  let key = begin?.key;
  for (const part of begin?.parts ?? []) if (key !== undefined) key = subkeyNamed(k, key, part);
  return key;
}

/** The key of that path; what is missing of it is made. Undefined: that is no path of a key. */
export function makeKey(k: Kernel, path: string, from?: RegistryKey): RegistryKey | undefined {
  const begin = start(k, path, from);
  let key = begin?.key;
  for (const part of begin?.parts ?? []) {
    if (key === undefined) return undefined;
    const name = upcase(part) === LINK.name ? LINK.target : part;
    key = subkeyNamed(k, key, part) ?? createKey(k, key, name);
  }
  return key;
}

/** The key that the last part of the path would be a subkey of. */
export function parentOf(k: Kernel, path: string, from?: RegistryKey): RegistryKey | undefined {
  return findKey(k, path.replace(/\\?[^\\]*\\?$/, ""), from);
}

/** A key without subkeys is gone, and its values with it. */
export function removeKey(k: Kernel, key: RegistryKey): void {
  for (const value of valuesOf(k, key)) releaseValue(k, value);
  const parent = keyAt(k, key.parent);
  parent.firstChild = remove(k.memory, RegistryKey, parent.firstChild, key);
  parent.written = k.header.clock;
  free(k, key.name);
  k.objects.release(key);
}

export function valueNamed(k: Kernel, key: RegistryKey, name: string): RegistryValue | undefined {
  return valuesOf(k, key).find((each) => isNamed(k, each, name));
}

export function dataOf(k: Kernel, { data, bytes }: RegistryValue): Uint8Array {
  return k.memory.u8.slice(data, data + bytes);
}

/** Writes a value in place of the one that may be there; false: there is no memory for it. */
export function setValue(k: Kernel, key: RegistryKey, name: string, type: number, data: Uint8Array): boolean {
  const block = data.length === 0 ? 0 : allocate(k, data.length, REGISTRY_TAG, -1);
  if (block === 0 && data.length > 0) return false;
  let value = valueNamed(k, key, name);
  if (value === undefined) {
    const kept = keepText(k, name, REGISTRY_TAG);
    if (kept === 0) {
      if (block !== 0) free(k, block);
      return false;
    }
    value = k.objects.create(RegistryValue);
    value.name = kept;
    key.firstValue = append(k.memory, RegistryValue, key.firstValue, value);
  } else if (value.data !== 0) free(k, value.data);
  k.memory.u8.set(data, block);
  value.type = type;
  value.data = block;
  value.bytes = data.length;
  key.written = k.header.clock;
  return true;
}

export function removeValue(k: Kernel, key: RegistryKey, value: RegistryValue): void {
  key.firstValue = remove(k.memory, RegistryValue, key.firstValue, value);
  key.written = k.header.clock;
  releaseValue(k, value);
}

function releaseValue(k: Kernel, value: RegistryValue): void {
  free(k, value.name);
  if (value.data !== 0) free(k, value.data);
  k.objects.release(value);
}
