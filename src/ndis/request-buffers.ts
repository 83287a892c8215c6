/** The buffer of an OID request, as the driver that makes the request says how long it is. */
import { constant } from "../contract/index.ts";
import { readsBytes, mayWriteBytes } from "../kernel/driver-buffers.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { windowsStruct } from "../kernel/windows.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const QUERIES: ReadonlySet<number> = new Set([constant("NdisRequestQueryInformation"), constant("NdisRequestQueryStatistics")]);
const SET = constant("NdisRequestSetInformation");
const METHOD = constant("NdisRequestMethod");

/** What is asked for is written there, what is set is read, and a method does both. */
export function usesRequestBuffer(k: Kernel, request: number): void {
  const given = Request.at(k.memory, request);
  const { RequestType: type, DATA_METHOD_INFORMATION_InformationBuffer: buffer } = given;
  if (QUERIES.has(type)) mayWriteBytes(k, buffer, given.DATA_QUERY_INFORMATION_InformationBufferLength);
  if (type === SET) readsBytes(k, buffer, given.DATA_SET_INFORMATION_InformationBufferLength);
  if (type !== METHOD) return;
  readsBytes(k, buffer, given.DATA_METHOD_INFORMATION_InputBufferLength);
  mayWriteBytes(k, buffer, given.DATA_METHOD_INFORMATION_OutputBufferLength);
}
