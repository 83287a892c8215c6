/**
 * Files: what a handle to a device stands for, and how it is opened.
 *
 * Pages: ns-wdm-_file_object, nf-ntifs-ntcreatefile, "DispatchCreate, DispatchClose, and DispatchCreateClose Routines",
 * "Specifying Exclusive Access to Device Objects", ns-wdm-_io_security_context.
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import { ManagedObject, createManaged, dereference, openHandle, removeManaged } from "../object-manager.ts";
import { type Obligation, done, plan, run, step, until } from "../plan.ts";
import { allocate, free } from "../pool.ts";
import { readUnicodeString, setCountedString, writeUtf16 } from "../strings.ts";
import { struct, u32 } from "../struct.ts";
import { windowsStruct } from "../windows.ts";
import { type IrpView, type LocationView, systemBuffer } from "./buffers.ts";
import { callDriver } from "./completion.ts";
import { Device, DeviceObject, INITIALIZING, lookUp, removeUnusedDevice, topOfStack } from "./devices.ts";
import { FileObject, Irp, Request, StackLocation, initializeEvent, irpFor } from "./irps.ts";

const SecurityContext = windowsStruct("IO_SECURITY_CONTEXT");
const FILE_TAG = 0x656c_6946;
/** FO_SYNCHRONOUS_IO and FO_ALERTABLE_IO. */
export const SYNCHRONOUS = 0x2;
const ALERTABLE = 0x4;
const FILE_READ_DATA = constant("FILE_READ_DATA");
const FILE_WRITE_DATA = constant("FILE_WRITE_DATA");
const ALERT = constant("FILE_SYNCHRONOUS_IO_ALERT");
const NONALERT = constant("FILE_SYNCHRONOUS_IO_NONALERT");
/** The high byte of a create request's options is its disposition. */
export const OPEN_EXISTING = constant("FILE_OPEN") << 24;
const EXCLUSIVE = constant("DO_EXCLUSIVE");

/** What generic rights mean for a file. */
const GENERIC: readonly (readonly [right: number, meaning: number])[] = [
  [constant("GENERIC_READ"), constant("FILE_GENERIC_READ")],
  [constant("GENERIC_WRITE"), constant("FILE_GENERIC_WRITE")],
  [constant("GENERIC_EXECUTE"), constant("FILE_GENERIC_EXECUTE")],
  [constant("GENERIC_ALL"), constant("FILE_ALL_ACCESS")],
  [constant("MAXIMUM_ALLOWED"), constant("FILE_ALL_ACCESS")],
];
export const fileAccess = (wanted: number): number =>
  GENERIC.reduce((granted, [right, meaning]) => ((wanted & right) === 0 ? granted : (granted & ~right) | meaning), wanted) >>> 0;

export const fileOf = (k: Kernel, request: Request): ManagedObject => ManagedObject.at(k.memory, request.file);
export const fileObject = (k: Kernel, file: ManagedObject) => FileObject.at(k.memory, file.body);
const deviceOfFile = (k: Kernel, file: ManagedObject): Device => Device.at(k.memory, file.detail);

/** The device that requests on the file go to first. */
export const deviceFor = (k: Kernel, file: ManagedObject): number => topOfStack(k, deviceOfFile(k, file).object);

/** The drivers that a hung run is told of: who has the request. */
export function owes(what: string) {
  return (k: Kernel, p: { request: number }): Obligation => {
    const { slot, target } = Request.at(k.memory, p.request);
    return { what, driver: slot, target };
  };
}

/** The IRP of the request, addressed to the driver at the top of the file's device stack; `fill` writes what that kind of request has. */
export function prepare(k: Kernel, request: Request, fill: (irp: IrpView, location: LocationView) => void) {
  const file = fileOf(k, request);
  const object = deviceFor(k, file);
  const address = irpFor(k, request, DeviceObject.at(k.memory, object).StackSize);
  const irp = Irp.at(k.memory, address);
  irp.Tail_Overlay_OriginalFileObject = file.body;
  irp.UserIosb = request.statusBlock;
  const location = StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation - StackLocation.bytes);
  location.MajorFunction = request.major;
  location.FileObject = file.body;
  fill(irp, location);
  return run(callDriver, [object, address]);
}

export function refuse(request: Request, status: string) {
  request.state = "Complete";
  request.status = constant(status) >>> 0;
  return done(request.status);
}

/** Why the device is not to be opened for the request; undefined: it is. */
function refusal(k: Kernel, device: Device, request: Request): string | undefined {
  const { Flags } = DeviceObject.at(k.memory, device.object);
  // Undocumented: the statuses of these refusals.
  if ((Flags & INITIALIZING) !== 0) return "STATUS_NO_SUCH_DEVICE";
  if ((Flags & EXCLUSIVE) !== 0 && device.opens > 0) return "STATUS_ACCESS_DENIED";
  return device.isClosedToApplications && request.process !== 0 ? "STATUS_ACCESS_DENIED" : undefined;
}

/** Opens the path; the result is a status, and the request has the handle. */
export const openFile = plan("a file is opened", struct("OpenFile", { request: u32, security: u32 }), [
  step("the name is looked up", (k, p) => {
    const request = Request.at(k.memory, p.request);
    const found = lookUp(k, readUnicodeString(k.memory, request.path));
    if (found === undefined) return refuse(request, "STATUS_OBJECT_NAME_NOT_FOUND");
    const { device, rest } = found;
    const reason = refusal(k, device, request);
    if (reason !== undefined) return refuse(request, reason);
    request.code = fileAccess(request.code);
    request.file = createFile(k, request, device, rest).address;
  }),
  step("the driver is asked", (k, p) => {
    const request = Request.at(k.memory, p.request);
    p.security = allocate(k, SecurityContext.bytes, FILE_TAG, -1);
    const security = SecurityContext.at(k.memory, p.security);
    security.DesiredAccess = request.code;
    security.FullCreateOptions = request.options & 0x00ff_ffff;
    return prepare(k, request, (irp, location) => {
      location.Parameters_Create_SecurityContext = p.security;
      location.Parameters_Create_Options = request.options;
      location.Parameters_Create_FileAttributes = request.attributes;
      location.Parameters_Create_ShareAccess = request.share;
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
    free(k, p.security);
    if (request.status >= 0x8000_0000) {
      removeFile(k, file);
      return done(request.status);
    }
    const process = request.isForKernelHandle ? 0 : k.current.process;
    request.handle = openHandle(k, file, request.code, process);
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
  file.Flags = (request.options & (ALERT | NONALERT)) === 0 ? 0 : SYNCHRONOUS;
  if ((request.options & ALERT) !== 0) file.Flags |= ALERTABLE;
  writeUtf16(k.memory, body + FileObject.bytes, rest);
  setCountedString(k.memory, body + FileObject.offset("FileName"), body + FileObject.bytes, nameBytes, nameBytes + 2);
  initializeEvent(k, body + FileObject.offset("Event"));
  device.opens += 1;
  return createManaged(k, "File", body, device.address);
}

/** The file is gone, and with its last one a device that was deleted. */
export function removeFile(k: Kernel, file: ManagedObject): void {
  const device = deviceOfFile(k, file);
  removeManaged(k, file);
  device.opens -= 1;
  removeUnusedDevice(k, device);
}
