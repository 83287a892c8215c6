/**
 * Requests that a driver makes of another driver, and what it may ask about those that it gets.
 *
 * Pages: nf-wdm-iogetdeviceobjectpointer, nf-wdm-iobuilddeviceiocontrolrequest, nf-wdm-iobuildsynchronousfsdrequest,
 * nf-ntifs-iogetrequestorprocess, nf-ntddk-iois32bitprocess.
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import { Handle } from "../object-manager.ts";
import { done, plan, run, step } from "../plan.ts";
import { leaf, local, planned } from "../routine.ts";
import { struct, u32 } from "../struct.ts";
import { DeviceObject, topOfStack } from "./devices.ts";
import { controlBuffers, transferBuffers } from "./buffers.ts";
import { FileObject, closeHandle, openFile } from "./files.ts";
import { Irp, Request, StackLocation, irpFor, requestOf } from "./irps.ts";
import { Process } from "../processes.ts";

/** What a driver makes is the system's: it has no process, and its buffers are the driver's own. */
function driverRequest(
  k: Kernel,
  fields: Partial<Pick<Request, "major" | "code" | "input" | "inputBytes" | "output" | "outputBytes">>,
): Request {
  const request = k.objects.create(Request);
  Object.assign(request, fields);
  request.isOfDriver = true;
  return request;
}

function buildIrp(k: Kernel, request: Request, device: number, event: number, statusBlock: number): number {
  const { StackSize, Flags } = DeviceObject.at(k.memory, device);
  const address = irpFor(k, request, StackSize);
  const irp = Irp.at(k.memory, address);
  irp.UserEvent = event;
  irp.UserIosb = statusBlock;
  irp.Tail_Overlay_Thread = k.current.managed;
  const location = StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation - StackLocation.bytes);
  location.MajorFunction = request.major;
  if (request.major === constant("IRP_MJ_READ") || request.major === constant("IRP_MJ_WRITE"))
    transferBuffers(k, irp, location, request, Flags);
  else controlBuffers(k, irp, location, request);
  return address;
}

const getDevicePointer = plan(
  "IoGetDeviceObjectPointer",
  struct("GetDevicePointer", { name: u32, access: u32, fileVariable: u32, deviceVariable: u32, request: u32, status: u32 }),
  [
    step("the device is opened", (k, p) => {
      const request = k.objects.create(Request);
      request.path = p.name;
      request.code = p.access;
      p.request = request.address;
      return run(openFile, [request.address]);
    }),
    step("the file is referenced and its handle closed", (k, p, status) => {
      const request = Request.at(k.memory, p.request);
      const { handle } = request;
      k.objects.release(request);
      if (status >= 0x8000_0000) return done(status);
      const file = k.objects.resolve(handle, Handle)?.object;
      if (file === undefined) return done(status);
      file.references += 1;
      k.memory.writeU32(p.fileVariable, file.body);
      k.memory.writeU32(p.deviceVariable, topOfStack(k, FileObject.at(k.memory, file.body).DeviceObject));
      return run(closeHandle, [handle]);
    }),
    step("the caller has both", () => done()),
  ],
);

/** The process that made the request. */
function requestorOf(k: Kernel, irp: number): Process | undefined {
  const process = requestOf(k, irp)?.process ?? 0;
  return process === 0 ? undefined : Process.at(k.memory, process);
}

export const driverRequestRoutines = [
  planned("IoGetDeviceObjectPointer", getDevicePointer),
  leaf("IoGetRelatedDeviceObject", (k, file) => topOfStack(k, FileObject.at(k.memory, file).DeviceObject)),
  leaf(
    "IoBuildDeviceIoControlRequest",
    (k, code, device, input, inputBytes, output = 0, outputBytes = 0, isInternal = 0, event = 0, statusBlock = 0) => {
      const major = constant((isInternal & 0xff) === 0 ? "IRP_MJ_DEVICE_CONTROL" : "IRP_MJ_INTERNAL_DEVICE_CONTROL");
      const request = driverRequest(k, { major, code, input, inputBytes, output, outputBytes });
      return buildIrp(k, request, device, event, statusBlock);
    },
  ),
  leaf("IoBuildSynchronousFsdRequest", (k, major, device, data, bytes = 0, offset = 0, event = 0, statusBlock = 0) => {
    const isRead = major === constant("IRP_MJ_READ");
    const request = driverRequest(
      k,
      isRead ? { major, output: data, outputBytes: bytes } : { major, input: data, inputBytes: bytes },
    );
    const address = buildIrp(k, request, device, event, statusBlock);
    if (offset !== 0) {
      const location = Irp.at(k.memory, address).Tail_Overlay_CurrentStackLocation - StackLocation.bytes;
      k.memory.copy(location + StackLocation.offset("Parameters_Read_ByteOffset"), offset, 8);
    }
    return address;
  }),
  // Every process here is a 32-bit one.
  local("IoIs32bitProcess", () => true),
  leaf("IoGetRequestorProcess", (k, irp) => requestorOf(k, irp)?.managed?.body ?? 0),
  leaf("IoGetRequestorProcessId", (k, irp) => (requestorOf(k, irp)?.number ?? 0) * 4),
];
