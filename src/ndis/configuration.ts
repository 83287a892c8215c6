/**
 * Configuration: what drivers read of the registry by keywords, and write.
 *
 * Pages: nf-ndis-ndisopenconfigurationex, nf-ndis-ndisopenconfigurationkeybyname, nf-ndis-ndisopenconfigurationkeybyindex,
 * nf-ndis-ndisreadconfiguration, nf-ndis-ndiswriteconfiguration, nf-ndis-ndisreadnetworkaddress, nf-ndis-ndiscloseconfiguration.
 */
import { constant } from "../contract/index.ts";
import { readsBytes, writesCounted } from "../kernel/driver-buffers.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { append, listOf } from "../kernel/lists.ts";
import { createManaged, dereference } from "../kernel/object-manager.ts";
import { allocate, free } from "../kernel/pool.ts";
import { REG, encode, textOf } from "../kernel/registry/data.ts";
import { type RegistryKey, dataOf, findKey, keyAt, nameOf, setValue, subkeysOf, valueNamed } from "../kernel/registry/tree.ts";
import { leaf } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { readGiven, setCountedString } from "../kernel/strings.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { configurationKey } from "./configuration-keys.ts";
import { Configuration, ConfigurationValue } from "./resource-objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { NDIS_VERSION } from "./support.ts";

const ConfigurationObject = windowsStruct("NDIS_CONFIGURATION_OBJECT");
const Parameter = windowsStruct("NDIS_CONFIGURATION_PARAMETER");
const INTEGER = constant("NdisParameterInteger");
const HEX_INTEGER = constant("NdisParameterHexInteger");
const STRING = constant("NdisParameterString");
const MULTI_STRING = constant("NdisParameterMultiString");
const BINARY = constant("NdisParameterBinary");
const MAC_BYTES = 6;
/** Keywords that no key has a value for. */
const PREDEFINED: Readonly<Record<string, number>> = {
  NDISVERSION: NDIS_VERSION,
  PROCESSORTYPE: constant("NdisProcessorX86"),
};

function configurationOf(k: Kernel, handle: number): Configuration | undefined {
  const configuration = k.objects.resolve(handle, Configuration);
  if (configuration === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Configuration)}: a configuration handle was expected`);
  }
  return configuration;
}

/** The key of an open configuration; undefined: it was deleted meanwhile. */
function keyOf(k: Kernel, configuration: Configuration | undefined): RegistryKey | undefined {
  const address = configuration?.key?.detail ?? 0;
  return address === 0 ? undefined : keyAt(k, address);
}

function openKey(k: Kernel, key: RegistryKey, owner: number, handleVariable: number): void {
  const configuration = k.objects.create(Configuration);
  configuration.slot = k.driverOfThread(k.current);
  configuration.owner = owner;
  configuration.key = createManaged(k, "Key", 0, key.address);
  k.memory.writeU32(handleVariable, k.objects.handleOf(configuration));
}

function open(k: Kernel, object: number, handleVariable: number): string {
  const { NdisHandle } = ConfigurationObject.at(k.memory, object);
  const key = configurationKey(k, NdisHandle);
  if (key === undefined) return "NDIS_STATUS_FAILURE";
  if (isScarce(k)) return "NDIS_STATUS_RESOURCES";
  openKey(k, key, NdisHandle, handleVariable);
  return "NDIS_STATUS_SUCCESS";
}

function setStatus(k: Kernel, variable: number, isGood: boolean): void {
  k.memory.writeU32(variable, constant(isGood ? "NDIS_STATUS_SUCCESS" : "NDIS_STATUS_FAILURE"));
}

function openByName(k: Kernel, status: number, handle: number, name: number, handleVariable: number): void {
  const configuration = configurationOf(k, handle);
  const key = keyOf(k, configuration);
  const subkey = key === undefined ? undefined : findKey(k, readGiven(k, name), key);
  setStatus(k, status, subkey !== undefined);
  if (subkey !== undefined) openKey(k, subkey, configuration?.owner ?? 0, handleVariable);
}

function openByIndex(k: Kernel, status: number, handle: number, index: number, name: number, handleVariable: number): void {
  const configuration = configurationOf(k, handle);
  const key = keyOf(k, configuration);
  const subkey = key === undefined ? undefined : subkeysOf(k, key)[index];
  const bytes = subkey === undefined ? 0 : nameOf(k, subkey).length * 2;
  // Undocumented: a name that does not fit the caller's buffer. The key is not opened.
  const fits = bytes <= k.memory.readU16(name + 2);
  setStatus(k, status, subkey !== undefined && fits);
  if (subkey === undefined || !fits) return;
  writesCounted(k, name, bytes);
  k.memory.copy(k.memory.readU32(name + 4), k.memory.readU32(subkey.name + 4), bytes);
  k.memory.writeU16(name, bytes);
  openKey(k, subkey, configuration?.owner ?? 0, handleVariable);
}

/** What was read stays until the configuration is closed: a block of NDIS's that the configuration remembers. */
function remember(k: Kernel, configuration: Configuration, address: number): number {
  const value = k.objects.create(ConfigurationValue);
  value.block = address;
  configuration.firstValue = append(k.memory, ConfigurationValue, configuration.firstValue, value);
  return address;
}

type Reading = { readonly type: number; readonly number: number } | { readonly type: number; readonly data: Uint8Array };

/** A value as a parameter of that type. Numbers are given as numbers, and as their digits to who wants a string. */
function parameterOf(type: number, data: Uint8Array, wanted: number): Reading | undefined {
  const wantsNumber = wanted === INTEGER || wanted === HEX_INTEGER;
  switch (type) {
    case REG.DWORD: {
      const number = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
      return wanted === STRING
        ? { type: STRING, data: encode(String(number)).bytes }
        : { type: wantsNumber ? wanted : INTEGER, number };
    }
    case REG.SZ:
    case REG.EXPAND_SZ: {
      if (!wantsNumber) return { type: STRING, data };
      const number = Number.parseInt(textOf(data), wanted === HEX_INTEGER ? 16 : 10);
      return Number.isNaN(number) ? undefined : { type: wanted, number };
    }
    case REG.MULTI_SZ:
      return { type: MULTI_STRING, data };
    case REG.BINARY:
      return { type: BINARY, data };
    default:
      // Undocumented: a value of another type. It cannot be read.
      return undefined;
  }
}

function lookUp(k: Kernel, configuration: Configuration, keyword: string, wanted: number): Reading | undefined {
  const predefined = PREDEFINED[keyword.toUpperCase()];
  if (predefined !== undefined) return { type: INTEGER, number: predefined };
  const key = keyOf(k, configuration);
  const value = key === undefined ? undefined : valueNamed(k, key, keyword);
  return value === undefined ? undefined : parameterOf(value.type, dataOf(k, value), wanted);
}

function read(k: Kernel, status: number, parameterVariable: number, handle: number, keyword: number, wanted: number): void {
  const configuration = configurationOf(k, handle);
  const found = configuration === undefined ? undefined : lookUp(k, configuration, readGiven(k, keyword), wanted);
  setStatus(k, status, found !== undefined);
  if (configuration === undefined || found === undefined) return;
  const bytes = "data" in found ? found.data.length : 0;
  const address = remember(k, configuration, allocate(k, Parameter.bytes + bytes, NDIS_TAG, -1));
  const parameter = Parameter.at(k.memory, address);
  parameter.ParameterType = found.type;
  if ("number" in found) parameter.ParameterData_IntegerData = found.number >>> 0;
  else {
    k.memory.u8.set(found.data, address + Parameter.bytes);
    // A string's terminating zero is not part of its length.
    const length = found.type === BINARY ? bytes : Math.max(bytes - 2, 0);
    setCountedString(k.memory, address + Parameter.offset("ParameterData"), address + Parameter.bytes, length, bytes);
  }
  k.memory.writeU32(parameterVariable, address);
}

/** Type and bytes that a parameter is written as; undefined: it has no valid type. */
function writable(k: Kernel, parameter: number): { type: number; bytes: Uint8Array } | undefined {
  const { ParameterType, ParameterData_IntegerData } = Parameter.at(k.memory, parameter);
  const data = parameter + Parameter.offset("ParameterData");
  const start = k.memory.readU32(data + 4);
  const bytes = (): Uint8Array => {
    readsBytes(k, start, k.memory.readU16(data));
    return k.memory.u8.slice(start, start + k.memory.readU16(data));
  };
  switch (ParameterType) {
    case INTEGER:
    case HEX_INTEGER:
      return encode(ParameterData_IntegerData);
    case STRING:
      return encode(readGiven(k, data));
    case MULTI_STRING:
      return { type: REG.MULTI_SZ, bytes: Uint8Array.from([...bytes(), 0, 0]) };
    case BINARY:
      return { type: REG.BINARY, bytes: bytes() };
    default:
      return undefined;
  }
}

function write(k: Kernel, status: number, handle: number, keyword: number, parameter: number): void {
  const configuration = configurationOf(k, handle);
  const value = writable(k, parameter);
  if (value === undefined) {
    k.memory.writeU32(status, constant("NDIS_STATUS_NOT_SUPPORTED"));
    return;
  }
  const key = keyOf(k, configuration);
  const isSet = key !== undefined && setValue(k, key, readGiven(k, keyword), value.type, value.bytes);
  setStatus(k, status, isSet);
}

function readNetworkAddress(k: Kernel, status: number, addressVariable: number, lengthVariable: number, handle: number): void {
  const configuration = configurationOf(k, handle);
  const found = configuration === undefined ? undefined : lookUp(k, configuration, "NetworkAddress", STRING);
  const digits = found !== undefined && "data" in found ? textOf(found.data).replaceAll(/[^0-9a-fA-F]/g, "") : "";
  const isGood = configuration !== undefined && digits.length >= MAC_BYTES * 2;
  setStatus(k, status, isGood);
  if (!isGood) return;
  const address = remember(k, configuration, allocate(k, MAC_BYTES, NDIS_TAG, -1));
  for (let index = 0; index < MAC_BYTES; index += 1) {
    k.memory.u8[address + index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  }
  k.memory.writeU32(addressVariable, address);
  k.memory.writeU32(lengthVariable, MAC_BYTES);
}

function close(k: Kernel, handle: number): void {
  const configuration = configurationOf(k, handle);
  if (configuration === undefined) return;
  for (const value of listOf(k.memory, ConfigurationValue, configuration.firstValue)) {
    free(k, value.block);
    k.objects.release(value);
  }
  if (configuration.key !== undefined) dereference(k, configuration.key);
  k.objects.release(configuration);
}

export const configurationRoutines = [
  leaf("NdisOpenConfigurationEx", open),
  leaf("NdisOpenConfigurationKeyByName", openByName),
  leaf("NdisOpenConfigurationKeyByIndex", (k, status, handle, index, name, handleVariable = 0) =>
    openByIndex(k, status, handle, index, name, handleVariable),
  ),
  leaf("NdisReadConfiguration", (k, status, parameterVariable, handle, keyword, type = 0) =>
    read(k, status, parameterVariable, handle, keyword, type),
  ),
  leaf("NdisWriteConfiguration", write),
  leaf("NdisReadNetworkAddress", readNetworkAddress),
  leaf("NdisCloseConfiguration", close),
];
