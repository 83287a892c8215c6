/**
 * Errors and events that drivers log through NDIS.
 *
 * Pages: nf-ndis-ndiswriteerrorlogentry, nf-ndis-ndiswriteeventlogentry.
 */
import { constant } from "../contract/index.ts";
import { logError } from "../kernel/error-log.ts";
import { readsBytes, readsString } from "../kernel/driver-buffers.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { leaf } from "../kernel/routine.ts";
import { readUtf16, utf16Length } from "../kernel/strings.ts";
import { adapterOf } from "./stack.ts";

const MAXIMUM = constant("NDIS_MAX_EVENT_LOG_DATA_SIZE");

const words = (k: Kernel, address: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => k.memory.readU32(address + index * 4));
const hex = (value: number): string => `0x${value.toString(16)}`;

function writeEvent(k: Kernel, code: number, strings: readonly number[], data: number, dataBytes: number): string {
  for (const address of strings) readsString(k, address, 2);
  const texts = strings.map((address) => readUtf16(k.memory, address, utf16Length(k.memory, address)));
  const padded = Math.ceil(dataBytes / 4) * 4;
  const bytes = texts.reduce((sum, text) => sum + text.length * 2 + 2, padded);
  if (bytes > MAXIMUM) return "NDIS_STATUS_BUFFER_TOO_SHORT";
  readsBytes(k, data, dataBytes);
  const dump = Array.from(k.memory.u8.subarray(data, data + dataBytes), (byte) => byte.toString(16).padStart(2, "0"));
  logError(k, code, [...texts, ...dump].join(" "));
  return "NDIS_STATUS_SUCCESS";
}

export const errorLogRoutines = [
  leaf("NdisWriteErrorLogEntry", (k, handle, code, count, values = 0) => {
    if (adapterOf(k, handle) !== undefined) logError(k, code, words(k, values, count).map(hex).join(" "));
  }),
  leaf("NdisWriteEventLogEntry", (k, _driver, code, _unique, count, strings = 0, dataBytes = 0, data = 0) =>
    writeEvent(k, code, words(k, strings, count & 0xffff), data, dataBytes),
  ),
];
