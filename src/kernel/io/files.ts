/**
 * What an application, or a driver that acts like one, does with a device: open, read, write, control, close.
 *
 * Pages: "Using Buffered I/O", "Using Direct I/O", "Using Neither Buffered Nor Direct I/O", "Buffer Descriptions for I/O Control Codes",
 * "DispatchCleanup Routines", "DispatchClose Routines", ns-wdm-_file_object.
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import {
  Handle,
  ManagedObject,
  closeHandle as dropHandle,
  createManaged,
  dereference,
  openHandle,
  removeManaged,
  resolveHandle,
} from "../object-manager.ts";
import { type Obligation, done, goTo, plan, run, step, until } from "../plan.ts";
import { allocate } from "../pool.ts";
import { readUnicodeString, setCountedString, writeUtf16 } from "../strings.ts";
import { struct, u32 } from "../struct.ts";
import { windowsStruct } from "../windows.ts";
import { type IrpView, type LocationView, controlBuffers, systemBuffer, transferBuffers } from "./buffers.ts";
import { STATUS_PENDING, callDriver, letGo } from "./completion.ts";
import { Device, DeviceObject, INITIALIZING, lookUp, removeUnusedDevice, topOfStack } from "./devices.ts";
import { Irp, Request, StackLocation, initializeEvent, irpFor } from "./irps.ts";

export const FileObject = windowsStruct("FILE_OBJECT");
const FILE_TAG = 0x656c_6946;
const SYNCHRONOUS = 0x2;
const CLOSE = constant("IRP_MJ_CLOSE");
const CLEANUP = constant("IRP_MJ_CLEANUP");
const READ = constant("IRP_MJ_READ");
const WRITE = constant("IRP_MJ_WRITE");
const FILE_READ_DATA = constant("FILE_READ_DATA");
const FILE_WRITE_DATA = constant("FILE_WRITE_DATA");
/** In Request.options: calls return while their IRP is pending. */
export const OVERLAPPED = 0x8000_0000;

const fileOf = (k: Kernel, request: Request): ManagedObject => ManagedObject.at(k.memory, request.file);
const fileObject = (k: Kernel, file: ManagedObject) => FileObject.at(k.memory, file.body);
const deviceOfFile = (k: Kernel, file: ManagedObject): Device => Device.at(k.memory, file.detail);

/** The drivers that a hung run is told of: who has the request. */
function owes(what: string) {
  return (k: Kernel, p: { request: number }): Obligation => {
    const { slot, target } = Request.at(k.memory, p.request);
    return { what, driver: slot, target };
  };
}

/** The IRP of the request, addressed to the driver at the top of the file's device stack; `fill` writes what that kind of request has. */
function prepare(k: Kernel, request: Request, fill: (irp: IrpView, location: LocationView) => void) {
  const file = fileOf(k, request);
  const object = topOfStack(k, deviceOfFile(k, file).object);
  const address = irpFor(k, request, DeviceObject.at(k.memory, object).StackSize);
  const irp = Irp.at(k.memory, address);
  irp.Tail_Overlay_OriginalFileObject = file.body;
  const location = StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation - StackLocation.bytes);
  location.MajorFunction = request.major;
  location.FileObject = file.body;
  fill(irp, location);
  return run(callDriver, [object, address]);
}

/** Reads, writes and control codes need the access that the file was opened with. */
function isAllowed(request: Request, access: number): boolean {
  if (request.major === READ) return (access & FILE_READ_DATA) !== 0;
  if (request.major === WRITE) return (access & FILE_WRITE_DATA) !== 0;
  const needed = (request.code >>> 14) & 3;
  return (access & needed) === needed;
}

/** A read, a write or a control request on an open file. The result is its status; a file opened for overlapped use does not wait for it. */
export const sendRequest = plan("a request of an application", struct("SendRequest", { request: u32, status: u32 }), [
  step("the handle is looked up", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const handle = resolveHandle(k, request.handle);
    if (handle?.object?.kind !== "File") return refuse(request, "STATUS_INVALID_HANDLE");
    if (!isAllowed(request, handle.access)) return refuse(request, "STATUS_ACCESS_DENIED");
    request.file = handle.object.address;
    handle.object.references += 1;
  }),
  // Requests on a file that was not opened for overlapped use come one after the other.
  until("no other request is on the file", (k, p) => {
    const { Flags, Busy } = fileObject(k, fileOf(k, Request.at(k.memory, p.request)));
    return (Flags & SYNCHRONOUS) === 0 || Busy === 0;
  }),
  step("the request is sent", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const object = fileObject(k, fileOf(k, request));
    if ((object.Flags & SYNCHRONOUS) !== 0) object.Busy = 1;
    return prepare(k, request, (irp, location) => {
      if (request.major === READ || request.major === WRITE) {
        transferBuffers(k, irp, location, request, DeviceObject.at(k.memory, object.DeviceObject).Flags);
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

function refuse(request: Request, status: string) {
  request.state = "Complete";
  request.status = constant(status) >>> 0;
  return done(request.status);
}

/** Waits for a request that was left pending. */
export const awaitRequest = plan("a request is awaited", struct("AwaitRequest", { request: u32 }), [
  until("the request is complete", (k, p) => Request.at(k.memory, p.request).state === "Complete", {
    owes: owes("IoCompleteRequest"),
  }),
  step("the application has its status", (k, p) => done(Request.at(k.memory, p.request).status)),
]);

/** Opens the path; the result is a status, and the request has the handle. */
export const openFile = plan("an application opens a file", struct("OpenFile", { request: u32 }), [
  step("the name is looked up", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const found = lookUp(k, readUnicodeString(k.memory, request.path));
    if (found === undefined) return refuse(request, "STATUS_OBJECT_NAME_NOT_FOUND");
    const { device, rest } = found;
    const { Flags } = DeviceObject.at(k.memory, device.object);
    if ((Flags & INITIALIZING) !== 0) return refuse(request, "STATUS_NO_SUCH_DEVICE");
    if ((Flags & constant("DO_EXCLUSIVE")) !== 0 && device.opens > 0) return refuse(request, "STATUS_ACCESS_DENIED");
    if (device.isClosedToApplications) return refuse(request, "STATUS_ACCESS_DENIED");
    request.file = createFile(k, request, device, rest).address;
  }),
  step("the driver is asked", (k, p) => {
    const request = Request.at(k.memory, p.request);
    return prepare(k, request, (irp, location) => {
      location.Parameters_Create_Options = request.options & ~OVERLAPPED;
      location.Parameters_Create_EaLength = request.inputBytes;
      systemBuffer(k, irp, request, request.inputBytes);
    });
  }),
  until("the create request is complete", (k, p) => Request.at(k.memory, p.request).state === "Complete", {
    owes: owes("IoCompleteRequest"),
  }),
  step("the file is open, or was refused", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const file = fileOf(k, request);
    request.file = 0;
    if (request.status >= 0x8000_0000) {
      removeFile(k, file);
      return done(request.status);
    }
    request.handle = openHandle(k, file, request.code, request.process);
    dereference(k, file);
    return done(request.status);
  }),
]);

function createFile(k: Kernel, request: Request, device: Device, rest: string): ManagedObject {
  const nameBytes = rest.length * 2;
  const body = allocate(k, FileObject.bytes + nameBytes + 2, FILE_TAG, -1);
  const file = FileObject.at(k.memory, body);
  file.Type = constant("IO_TYPE_FILE");
  file.Size = FileObject.bytes;
  file.DeviceObject = device.object;
  file.ReadAccess = (request.code & FILE_READ_DATA) === 0 ? 0 : 1;
  file.WriteAccess = (request.code & FILE_WRITE_DATA) === 0 ? 0 : 1;
  file.Flags = (request.options & OVERLAPPED) === 0 ? SYNCHRONOUS : 0;
  writeUtf16(k.memory, body + FileObject.bytes, rest);
  setCountedString(k.memory, body + FileObject.offset("FileName"), body + FileObject.bytes, nameBytes, nameBytes + 2);
  initializeEvent(k, body + FileObject.offset("Event"));
  device.opens += 1;
  return createManaged(k, "File", body, device.address);
}

function removeFile(k: Kernel, file: ManagedObject): void {
  const device = deviceOfFile(k, file);
  removeManaged(k, file);
  device.opens -= 1;
  removeUnusedDevice(k, device);
}

/** A request of the system's own about a file: cleanup or close. */
function systemRequest(k: Kernel, file: ManagedObject, major: number): Request {
  const request = k.objects.create(Request);
  request.file = file.address;
  request.major = major;
  return request;
}

/** Closes a handle of any kind. The last one of a file brings its driver IRP_MJ_CLEANUP, and IRP_MJ_CLOSE when nothing refers to it any more. */
export const closeHandle = plan("a handle is closed", struct("CloseHandle", { handle: u32, file: u32, request: u32 }), [
  step("the handle is looked up", (k, p) => {
    const handle = resolveHandle(k, p.handle);
    const object = handle?.object;
    if (handle === undefined || object === undefined) return done(constant("STATUS_INVALID_HANDLE"));
    if (object.kind !== "File") {
      dropHandle(k, handle);
      return done();
    }
    p.file = object.address;
    // The file lives while it is cleaned up; the handle is gone at once.
    object.references += 1;
    dropHandle(k, handle);
    if (object.handles > 0) {
      dereference(k, object);
      return done();
    }
  }),
  step("the driver is told to clean up", (k, p) => {
    const request = systemRequest(k, ManagedObject.at(k.memory, p.file), CLEANUP);
    p.request = request.address;
    return prepare(k, request, () => {});
  }),
  until("the cleanup is complete", (k, p) => Request.at(k.memory, p.request).state === "Complete", {
    owes: owes("IoCompleteRequest"),
  }),
  step("the file is closed when nothing refers to it", (k, p) => {
    k.objects.release(Request.at(k.memory, p.request));
    const file = ManagedObject.at(k.memory, p.file);
    dereference(k, file);
    if (file.references === 0) return run(closeFile, [p.file]);
    k.startThread("System", { kind: "plan", plan: closeFile, args: [p.file] });
    return done();
  }),
  step("the handle is closed", () => done()),
]);

/** IRP_MJ_CLOSE: no handle is left, and no reference. */
export const closeFile = plan("a file is closed", struct("CloseFile", { file: u32, request: u32 }), [
  until("nothing refers to the file", (k, p) => ManagedObject.at(k.memory, p.file).references === 0, {
    owes: (k, p) => {
      const pending = k.objects.all(Request).find(({ file, state }) => file === p.file && state === "Sent");
      return { what: "IoCompleteRequest", driver: pending?.slot ?? -1, target: pending?.target ?? 0 };
    },
  }),
  step("the driver is told to close", (k, p) => {
    const request = systemRequest(k, ManagedObject.at(k.memory, p.file), CLOSE);
    p.request = request.address;
    return prepare(k, request, () => {});
  }),
  until("the close is complete", (k, p) => Request.at(k.memory, p.request).state === "Complete", {
    owes: owes("IoCompleteRequest"),
  }),
  step("the file is gone", (k, p) => {
    k.objects.release(Request.at(k.memory, p.request));
    removeFile(k, ManagedObject.at(k.memory, p.file));
  }),
]);

/** All handles of a process, oldest first. */
export const handlesOf = (k: Kernel, process: number): Handle[] =>
  k.objects.all(Handle).filter((handle) => handle.process === process);
