/**
 * Configuration: the registry keywords of an adapter, as drivers read them.
 *
 * Pages: nf-ndis-ndisopenconfigurationex, nf-ndis-ndisreadconfiguration, nf-ndis-ndiswriteconfiguration, nf-ndis-ndisreadnetworkaddress,
 * nf-ndis-ndiscloseconfiguration.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { readUnicodeString, setCountedString, writeUtf16 } from "../kernel/strings.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { append, listOf } from "./lists.ts";
import { Adapter, Configuration, ConfigurationValue, RegistryValue } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";

const ConfigurationObject = windowsStruct("NDIS_CONFIGURATION_OBJECT");
const Parameter = windowsStruct("NDIS_CONFIGURATION_PARAMETER");
const INTEGER = constant("NdisParameterInteger");
const HEX_INTEGER = constant("NdisParameterHexInteger");
const STRING = constant("NdisParameterString");
/** Base-16 digits of a network address that are kept. */
const MAC_BYTES = 6;

/** A counted string in memory of NDIS's. */
function countedString(k: Kernel, text: string): number {
  const address = allocate(k, 8 + text.length * 2 + 2, NDIS_TAG, -1);
  const bytes = writeUtf16(k.memory, address + 8, text);
  setCountedString(k.memory, address, address + 8, bytes, bytes + 2);
  return address;
}

/** Sets a keyword of adapter `index`: a number or a text. Whoever puts a machine together calls it, and NdisWriteConfiguration. */
export function setRegistryValue(k: Kernel, index: number, keyword: string, value: number | string): void {
  const known = valueOf(k, index, keyword);
  const entry = known ?? k.objects.create(RegistryValue);
  if (known === undefined) {
    entry.adapter = index;
    entry.keyword = countedString(k, keyword);
  } else if (entry.text !== 0) free(k, entry.text);
  entry.text = typeof value === "string" ? countedString(k, value) : 0;
  entry.number = typeof value === "number" ? value : 0;
}

/** Keywords are compared without regard to case, as the registry does. */
function valueOf(k: Kernel, index: number, keyword: string): RegistryValue | undefined {
  const wanted = keyword.toUpperCase();
  return k.objects
    .all(RegistryValue)
    .find((each) => each.adapter === index && readUnicodeString(k.memory, each.keyword).toUpperCase() === wanted);
}

function configurationOf(k: Kernel, handle: number): Configuration | undefined {
  const configuration = k.objects.resolve(handle, Configuration);
  if (configuration === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Configuration)}: a configuration handle was expected`);
  }
  return configuration;
}

/** What was read stays until the configuration is closed: a block of NDIS's that the configuration remembers. */
function remember(k: Kernel, configuration: Configuration, address: number): number {
  const value = k.objects.create(ConfigurationValue);
  value.block = address;
  configuration.firstValue = append(k.memory, ConfigurationValue, configuration.firstValue, value);
  return address;
}

function open(k: Kernel, object: number, handleVariable: number): string {
  const adapter = k.objects.resolve(ConfigurationObject.at(k.memory, object).NdisHandle, Adapter);
  const configuration = k.objects.create(Configuration);
  configuration.slot = k.driverOfThread(k.current);
  // Undocumented: what a handle that is no adapter's names. The protocol's own key has no keywords here.
  configuration.adapter = adapter === undefined ? 0xffff_ffff : adapter.index;
  k.memory.writeU32(handleVariable, k.objects.handleOf(configuration));
  return "NDIS_STATUS_SUCCESS";
}

/** Numbers are given as numbers, and as their digits to who wants a string; a string of digits to who wants a number. */
function read(k: Kernel, status: number, parameterVariable: number, handle: number, keyword: number, type: number): void {
  const configuration = configurationOf(k, handle);
  const entry = configuration === undefined ? undefined : valueOf(k, configuration.adapter, readUnicodeString(k.memory, keyword));
  if (configuration === undefined || entry === undefined) {
    k.memory.writeU32(status, constant("NDIS_STATUS_FAILURE"));
    return;
  }
  const wantsNumber = type === INTEGER || type === HEX_INTEGER;
  const text = entry.text === 0 ? String(entry.number) : readUnicodeString(k.memory, entry.text);
  const number = entry.text === 0 ? entry.number : Number.parseInt(text, type === HEX_INTEGER ? 16 : 10);
  if (wantsNumber && Number.isNaN(number)) {
    k.memory.writeU32(status, constant("NDIS_STATUS_FAILURE"));
    return;
  }
  const address = remember(k, configuration, allocate(k, Parameter.bytes + text.length * 2 + 2, NDIS_TAG, -1));
  const parameter = Parameter.at(k.memory, address);
  parameter.ParameterType = type;
  if (wantsNumber) parameter.ParameterData_IntegerData = number >>> 0;
  else {
    const bytes = writeUtf16(k.memory, address + Parameter.bytes, text);
    setCountedString(k.memory, address + Parameter.offset("ParameterData"), address + Parameter.bytes, bytes, bytes + 2);
  }
  k.memory.writeU32(parameterVariable, address);
  k.memory.writeU32(status, constant("NDIS_STATUS_SUCCESS"));
}

function write(k: Kernel, status: number, handle: number, keyword: number, parameter: number): void {
  const configuration = configurationOf(k, handle);
  const given = Parameter.at(k.memory, parameter);
  const isString = given.ParameterType === STRING;
  const isNumber = given.ParameterType === INTEGER || given.ParameterType === HEX_INTEGER;
  if (configuration === undefined || !(isString || isNumber)) {
    k.memory.writeU32(status, constant("NDIS_STATUS_NOT_SUPPORTED"));
    return;
  }
  const text = parameter + Parameter.offset("ParameterData");
  const value = isString ? readUnicodeString(k.memory, text) : given.ParameterData_IntegerData;
  setRegistryValue(k, configuration.adapter, readUnicodeString(k.memory, keyword), value);
  k.memory.writeU32(status, constant("NDIS_STATUS_SUCCESS"));
}

function readNetworkAddress(k: Kernel, status: number, addressVariable: number, lengthVariable: number, handle: number): void {
  const configuration = configurationOf(k, handle);
  const entry = configuration === undefined ? undefined : valueOf(k, configuration.adapter, "NetworkAddress");
  const digits = entry === undefined ? "" : readUnicodeString(k.memory, entry.text).replaceAll(/[^0-9a-fA-F]/g, "");
  if (configuration === undefined || digits.length < MAC_BYTES * 2) {
    k.memory.writeU32(status, constant("NDIS_STATUS_FAILURE"));
    return;
  }
  const address = remember(k, configuration, allocate(k, MAC_BYTES, NDIS_TAG, -1));
  for (let index = 0; index < MAC_BYTES; index += 1) {
    k.memory.u8[address + index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  }
  k.memory.writeU32(addressVariable, address);
  k.memory.writeU32(lengthVariable, MAC_BYTES);
  k.memory.writeU32(status, constant("NDIS_STATUS_SUCCESS"));
}

export const configurationRoutines = [
  leaf("NdisOpenConfigurationEx", open),
  leaf("NdisReadConfiguration", (k, status, parameterVariable, handle, keyword, type = 0) =>
    read(k, status, parameterVariable, handle, keyword, type),
  ),
  leaf("NdisWriteConfiguration", write),
  leaf("NdisReadNetworkAddress", readNetworkAddress),
  leaf("NdisCloseConfiguration", (k, handle) => {
    const configuration = configurationOf(k, handle);
    if (configuration === undefined) return;
    for (const value of listOf(k.memory, ConfigurationValue, configuration.firstValue)) {
      free(k, value.block);
      k.objects.release(value);
    }
    k.objects.release(configuration);
  }),
];
