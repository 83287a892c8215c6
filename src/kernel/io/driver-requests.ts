/**
 * Requests that a driver makes of another driver, and what it may ask about those that it gets.
 *
 * Pages: nf-wdm-iogetdeviceobjectpointer, nf-wdm-ioattachdevice, nf-wdm-iobuilddeviceiocontrolrequest, nf-wdm-iobuildsynchronousfsdrequest,
 * nf-ntifs-iogetrequestorprocess, nf-ntddk-iois32bitprocess.
 */
import { constant } from "../../contract/index.ts";
import { must } from "../assert.ts";
import { givesBytes, readsBytes } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { Handle, type ManagedObject, reference } from "../object-manager.ts";
import { done, goTo, plan, run, step } from "../plan.ts";
import { Process, idOf, systemProcess } from "../processes.ts";
import { leaf, local, planned } from "../routine.ts";
import { struct, u32 } from "../struct.ts";
import { type IrpView, type LocationView, controlBuffers, transferBuffers } from "./buffers.ts";
import { closeHandle } from "./close.ts";
import { DeviceObject, attach, topOfStack } from "./devices.ts";
import { OPEN_EXISTING, openFile } from "./files.ts";
import { FileObject, Irp, Request, StackLocation, irpFor, requestOf } from "./irps.ts";

const READ = constant("IRP_MJ_READ");
const WRITE = constant("IRP_MJ_WRITE");
const CONTROL = constant("IRP_MJ_DEVICE_CONTROL");
const INTERNAL_CONTROL = constant("IRP_MJ_INTERNAL_DEVICE_CONTROL");
const FILE_READ_ATTRIBUTES = constant("FILE_READ_ATTRIBUTES");
const BYTE_OFFSET = StackLocation.offset("Parameters_Read_ByteOffset");

/** What a driver makes is the system's: it has no process, and its buffers are the driver's own. */
function driverRequest(
  k: Kernel,
  fields: Partial<Pick<Request, "major" | "code" | "input" | "inputBytes" | "output" | "outputBytes">>,
): Request {
  const request = k.objects.create(Request);
  Object.assign(request, fields);
  request.isOfDriver = true;
  request.maker = k.driverOfThread(k.current) + 1;
  return request;
}

function buildIrp(k: Kernel, request: Request, device: number, event: number, statusBlock: number): number {
  const { StackSize, Flags } = DeviceObject.at(k.memory, device);
  const address = irpFor(k, request, StackSize);
  const irp = Irp.at(k.memory, address);
  irp.UserEvent = event;
  irp.UserIosb = statusBlock;
  const location = nextLocation(k, irp);
  location.MajorFunction = request.major;
  if (isTransfer(request.major)) transferBuffers(k, irp, location, request, Flags);
  else if (isControl(request.major)) controlBuffers(k, irp, location, request);
  return address;
}

const nextLocation = (k: Kernel, irp: IrpView): LocationView =>
  StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation - StackLocation.bytes);
const isTransfer = (major: number): boolean => major === READ || major === WRITE;
const isControl = (major: number): boolean => major === CONTROL || major === INTERNAL_CONTROL;

/** Where in the file a read or a write is; other requests are nowhere. */
function setOffset(k: Kernel, irp: number, offset: number): void {
  const location = nextLocation(k, Irp.at(k.memory, irp));
  if (offset !== 0 && isTransfer(location.MajorFunction)) k.memory.copy(location.address + BYTE_OFFSET, offset, 8);
}

/** Opens the named device for a moment, in kernel mode whoever the thread works for. */
function openNamed(k: Kernel, p: { request: number; mode: number }, name: number, access: number) {
  const request = k.objects.create(Request);
  request.major = constant("IRP_MJ_CREATE");
  request.path = name;
  request.code = access;
  request.options = OPEN_EXISTING;
  request.isForKernelHandle = true;
  p.request = request.address;
  p.mode = k.current.isFromUserMode ? 1 : 0;
  k.current.isFromUserMode = false;
  return run(openFile, [request.address]);
}

/** The handle that came of it, for as long as the file has no other use; 0: there is none. */
function takeHandle(k: Kernel, p: { request: number; mode: number }): number {
  const request = Request.at(k.memory, p.request);
  const { handle } = request;
  k.objects.release(request);
  return handle;
}

const fileBehind = (k: Kernel, handle: number): ManagedObject =>
  must(k.objects.resolve(handle, Handle)?.object, "a handle that was just opened has no file");

const Opening = { request: u32, mode: u32, status: u32, handle: u32 } as const;

const getDevicePointer = plan(
  "IoGetDeviceObjectPointer",
  struct("GetDevicePointer", { name: u32, access: u32, fileVariable: u32, deviceVariable: u32, ...Opening }),
  [
    step("the device is opened", (k, p) => openNamed(k, p, p.name, p.access)),
    step("the file is referenced and its handle closed", (k, p, status) => {
      p.status = status;
      p.handle = takeHandle(k, p);
      if (p.handle === 0) return goTo("the caller has both");
      const file = fileBehind(k, p.handle);
      reference(k, file);
      k.memory.writeU32(p.fileVariable, file.body);
      k.memory.writeU32(p.deviceVariable, topOfStack(k, FileObject.at(k.memory, file.body).DeviceObject));
      return run(closeHandle, [p.handle]);
    }),
    step("the caller has both", (k, p) => {
      k.current.isFromUserMode = p.mode !== 0;
      return done(p.status);
    }),
  ],
);

/** The cleanup and the close of the file that named the target go through the device that is attached by then. */
const attachDevice = plan("IoAttachDevice", struct("AttachDevice", { source: u32, name: u32, belowVariable: u32, ...Opening }), [
  step("the target is opened", (k, p) => openNamed(k, p, p.name, FILE_READ_ATTRIBUTES)),
  step("the device is attached", (k, p, status) => {
    p.status = status;
    p.handle = takeHandle(k, p);
    if (p.handle === 0) return goTo("the caller goes on");
    const target = FileObject.at(k.memory, fileBehind(k, p.handle).body).DeviceObject;
    const top = topOfStack(k, target);
    k.memory.writeU32(p.belowVariable, top);
    if (attach(k, p.source, target) === 0) {
      k.memory.writeU32(p.belowVariable, 0);
      p.status = constant("STATUS_NO_SUCH_DEVICE") >>> 0;
    }
    return run(closeHandle, [p.handle]);
  }),
  step("the caller goes on", (k, p) => {
    k.current.isFromUserMode = p.mode !== 0;
    return done(p.status);
  }),
]);

/** The object of the process that the request came from; undefined: it came from no thread. */
function requestorOf(k: Kernel, irp: number): ManagedObject | undefined {
  const request = requestOf(k, irp);
  if (request === undefined) return undefined;
  return request.requestor === 0 ? systemProcess(k) : Process.at(k.memory, request.requestor).managed;
}

export const driverRequestRoutines = [
  planned("IoGetDeviceObjectPointer", getDevicePointer),
  planned("IoAttachDevice", attachDevice),
  leaf("IoGetRelatedDeviceObject", (k, file) => topOfStack(k, FileObject.at(k.memory, file).DeviceObject)),
  leaf(
    "IoBuildDeviceIoControlRequest",
    (k, code, device, input, inputBytes, output = 0, outputBytes = 0, isInternal = 0, event = 0, statusBlock = 0) => {
      const major = (isInternal & 0xff) === 0 ? CONTROL : INTERNAL_CONTROL;
      readsBytes(k, input, inputBytes);
      givesBytes(k, output, outputBytes);
      const request = driverRequest(k, { major, code, input, inputBytes, output, outputBytes });
      return buildIrp(k, request, device, event, statusBlock);
    },
  ),
  leaf("IoBuildSynchronousFsdRequest", (k, major, device, data, bytes = 0, offset = 0, event = 0, statusBlock = 0) => {
    const isRead = major === READ;
    if (isTransfer(major)) givesBytes(k, data, bytes);
    const request = driverRequest(
      k,
      isRead ? { major, output: data, outputBytes: bytes } : { major, input: data, inputBytes: bytes },
    );
    const address = buildIrp(k, request, device, event, statusBlock);
    setOffset(k, address, offset);
    return address;
  }),
  // Every process here is a 32-bit one.
  local("IoIs32bitProcess", () => true),
  leaf("IoGetRequestorProcess", (k, irp) => requestorOf(k, irp)?.body ?? 0),
  leaf("IoGetRequestorProcessId", (k, irp) => {
    const process = requestorOf(k, irp);
    return process === undefined ? 0 : idOf(k, process.detail);
  }),
];
