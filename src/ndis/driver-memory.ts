/**
 * Memory that NDIS lays out for a driver: copies of OID requests, generic objects, strings.
 *
 * Pages: nf-ndis-ndisallocatecloneoidrequest, nf-ndis-ndisfreecloneoidrequest, nf-ndis-ndisallocategenericobject,
 * nf-ndis-ndisfreegenericobject, nf-ndis-ndisinitializestring.
 */
import { constant } from "../contract/index.ts";
import { readsString } from "../kernel/driver-buffers.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf } from "../kernel/routine.ts";
import { readAnsi, setCountedString, writeUtf16 } from "../kernel/strings.ts";
import { windowsStruct } from "../kernel/windows.ts";
import { NDIS_TAG } from "./pnp-events.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const GenericObject = windowsStruct("NDIS_GENERIC_OBJECT");

function cloneRequest(k: Kernel, _source: number, request: number, tag: number, cloneVariable = 0): string {
  const clone = allocate(k, Request.bytes, tag);
  k.memory.writeU32(cloneVariable, clone);
  if (clone === 0) return "NDIS_STATUS_RESOURCES";
  k.memory.copy(clone, request, Math.min(Request.at(k.memory, request).Header_Size, Request.bytes));
  return "NDIS_STATUS_SUCCESS";
}

/** A driver without an NDIS handle passes the object's address where a handle is asked for, to say whose the resource is. */
function allocateGeneric(k: Kernel, driverObject: number, tag: number, bytes: number): number {
  const address = allocate(k, GenericObject.bytes + (bytes & 0xffff), tag);
  if (address === 0) return 0;
  const object = GenericObject.at(k.memory, address);
  // Undocumented: the type in the header. It is that of a structure without one of its own.
  object.Header_Type = constant("NDIS_OBJECT_TYPE_DEFAULT");
  object.Header_Revision = 1;
  object.Header_Size = GenericObject.bytes;
  object.DriverObject = driverObject;
  return address;
}

export const driverMemoryRoutines = [
  leaf("NdisAllocateCloneOidRequest", cloneRequest),
  leaf("NdisFreeCloneOidRequest", (k, _source, request) => free(k, request)),
  leaf("NdisAllocateGenericObject", allocateGeneric),
  leaf("NdisFreeGenericObject", (k, address) => free(k, address)),
  leaf("NdisInitializeString", (k, destination, source) => {
    readsString(k, source, 1);
    const text = readAnsi(k.memory, source);
    const buffer = allocate(k, text.length * 2 + 2, NDIS_TAG);
    // Undocumented: what the string is when there is no memory; the call has no status. It is empty.
    if (buffer === 0) setCountedString(k.memory, destination, 0, 0, 0);
    else setCountedString(k.memory, destination, buffer, writeUtf16(k.memory, buffer, text), text.length * 2 + 2);
  }),
];
