/**
 * The error log: entries are notes in the trace.
 *
 * Pages: nf-wdm-ioallocateerrorlogentry, nf-ntifs-iowriteerrorlogentry, nf-ntddk-iofreeerrorlogentry.
 */
import { constant } from "../contract/index.ts";
import { readsString } from "./driver-buffers.ts";
import type { Kernel } from "./kernel.ts";
import { allocate, free } from "./pool.ts";
import { leaf } from "./routine.ts";
import { readUtf16, utf16Length } from "./strings.ts";
import { windowsStruct } from "./windows.ts";

const Packet = windowsStruct("IO_ERROR_LOG_PACKET");
const MAXIMUM = constant("ERROR_LOG_MAXIMUM_SIZE");
const LOG_TAG = 0x676f_4c45;

/** An error that somebody may look up in the event viewer; `code` is what kind, `text` what was said to it. */
export function logError(k: Kernel, code: number, text: string): void {
  k.note("error logged", 0, code >>> 0, text);
}

/** Zero-terminated strings, one after the other. */
function stringsAt(k: Kernel, address: number, count: number): string[] {
  const found: string[] = [];
  let at = address;
  while (found.length < count) {
    readsString(k, at, 2);
    const text = readUtf16(k.memory, at, utf16Length(k.memory, at));
    found.push(text);
    at += text.length * 2 + 2;
  }
  return found;
}

function write(k: Kernel, entry: number): void {
  const { ErrorCode, NumberOfStrings, StringOffset } = Packet.at(k.memory, entry);
  logError(k, ErrorCode, stringsAt(k, entry + StringOffset, NumberOfStrings).join(" "));
  free(k, entry);
}

export const errorLogRoutines = [
  leaf("IoAllocateErrorLogEntry", (k, _object, size) => {
    const bytes = size & 0xff;
    return bytes < Packet.offset("DumpData") || bytes > MAXIMUM ? 0 : allocate(k, bytes, LOG_TAG);
  }),
  leaf("IoWriteErrorLogEntry", write),
  leaf("IoFreeErrorLogEntry", (k, entry) => free(k, entry)),
];
