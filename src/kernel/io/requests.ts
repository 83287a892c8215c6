/**
 * Reads, writes and control requests on open files.
 *
 * Pages: "Using Buffered I/O", "Using Direct I/O", "Using Neither Buffered Nor Direct I/O", "Buffer Descriptions for I/O Control Codes",
 * "Defining I/O Control Codes", ns-wdm-_file_object.
 */
import { constant } from "../../contract/index.ts";
import { setSignal } from "../dispatcher-objects.ts";
import type { Kernel } from "../kernel.ts";
import { resolveHandle } from "../object-manager.ts";
import { type Obligation, done, goTo, plan, step, until } from "../plan.ts";
import { struct, u32 } from "../struct.ts";
import { controlBuffers, transferBuffers } from "./buffers.ts";
import { STATUS_PENDING, letGo } from "./completion.ts";
import { DeviceObject } from "./devices.ts";
import { SYNCHRONOUS, deviceFor, fileObject, fileOf, owes, prepare, refuse } from "./files.ts";
import { FileObject, Request, StackLocation } from "./irps.ts";

const READ = constant("IRP_MJ_READ");
const WRITE = constant("IRP_MJ_WRITE");
const FILE_READ_DATA = constant("FILE_READ_DATA");
const FILE_WRITE_DATA = constant("FILE_WRITE_DATA");
const BYTE_OFFSET = StackLocation.offset("Parameters_Read_ByteOffset");

/** Reads, writes and control codes of an application need the access that the file was opened with. */
function isAllowed(request: Request, access: number): boolean {
  if (request.major === READ) return (access & FILE_READ_DATA) !== 0;
  if (request.major === WRITE) return (access & FILE_WRITE_DATA) !== 0;
  const needed = (request.code >>> 14) & 3;
  return (access & needed) === needed;
}

/** A read, a write or a control request on an open file. The result is its status; a file opened for overlapped use does not wait for it. */
export const sendRequest = plan("a request on a file", struct("SendRequest", { request: u32, status: u32 }), [
  step("the handle is looked up", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const handle = resolveHandle(k, request.handle);
    if (handle?.object?.kind !== "File") return refuse(request, "STATUS_INVALID_HANDLE");
    if (request.process !== 0 && !isAllowed(request, handle.access)) return refuse(request, "STATUS_ACCESS_DENIED");
    request.file = handle.object.address;
    handle.object.references += 1;
  }),
  // Requests on a file that was not opened for overlapped use come one after the other.
  until("no other request is on the file", (k, p) => {
    const { Flags, Busy } = fileObject(k, fileOf(k, Request.at(k.memory, p.request)));
    return (Flags & SYNCHRONOUS) === 0 || Busy === 0 || Request.at(k.memory, p.request).isCancelled;
  }),
  step("the request is sent", (k, p) => {
    const request = Request.at(k.memory, p.request);
    if (request.isCancelled) {
      letGo(k, request);
      return refuse(request, "STATUS_CANCELLED");
    }
    const object = fileObject(k, fileOf(k, request));
    if ((object.Flags & SYNCHRONOUS) !== 0) object.Busy = 1;
    setSignal(k, object.address + FileObject.offset("Event"), false);
    return prepare(k, request, (irp, location) => {
      if (request.major === READ || request.major === WRITE) {
        const { Flags } = DeviceObject.at(k.memory, deviceFor(k, fileOf(k, request)));
        transferBuffers(k, irp, location, request, Flags);
        k.memory.copy(location.address + BYTE_OFFSET, request.address + Request.offsets.byteOffset, 8);
      } else controlBuffers(k, irp, location, request);
    });
  }),
  step("the driver has answered", (k, p, status) => {
    p.status = status;
    const request = Request.at(k.memory, p.request);
    const isSynchronous = (fileObject(k, fileOf(k, request)).Flags & SYNCHRONOUS) !== 0;
    if (request.state === "Complete") return;
    if (status !== STATUS_PENDING) return goTo("the file is free again");
    if (isSynchronous) return;
    request.isLeftAlone = true;
    return done(STATUS_PENDING);
  }),
  until("the request is complete", (k, p) => Request.at(k.memory, p.request).state === "Complete", {
    owes: owes("IoCompleteRequest"),
  }),
  step("the file is free again", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const file = fileOf(k, request);
    fileObject(k, file).Busy = 0;
    if (request.state !== "Complete") return done(p.status);
    letGo(k, request);
    return done(request.status);
  }),
]);

/** Waits for a request that was left pending. */
export const awaitRequest = plan("a request is awaited", struct("AwaitRequest", { request: u32 }), [
  until("the request is complete", (k, p) => Request.at(k.memory, p.request).state === "Complete", {
    owes: owes("IoCompleteRequest"),
  }),
  step("the application has its status", (k, p) => done(Request.at(k.memory, p.request).status)),
]);

/** The oldest request that the driver has not completed, as what it owes. */
export function requestOwedBy(k: Kernel, driver: number): Obligation | undefined {
  const left = k.objects.all(Request).find(({ slot, state, irp }) => slot === driver && state === "Sent" && irp !== 0);
  return left === undefined ? undefined : { what: "IoCompleteRequest", driver, target: left.target };
}
