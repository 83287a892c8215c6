/**
 * Where a driver finds the data of a request: in a system buffer, behind an MDL, or at the requester's own address.
 *
 * Pages: "Using Buffered I/O", "Using Direct I/O", "Using Neither Buffered Nor Direct I/O", "Buffer Descriptions for I/O Control Codes".
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import { MDL_FLAG, Mdl, allocateBareMdl, writePageNumbers } from "../mdl.ts";
import { allocate } from "../pool.ts";
import { lockUser } from "../processes.ts";
import type { Irp, Request, StackLocation } from "./irps.ts";

export type IrpView = ReturnType<typeof Irp.at>;
export type LocationView = ReturnType<typeof StackLocation.at>;

const BUFFER_TAG = 0x6673_5342;
const READ = constant("IRP_MJ_READ");
const BUFFERED_IO = constant("DO_BUFFERED_IO");
const DIRECT_IO = constant("DO_DIRECT_IO");
const BUFFER_FLAGS = constant("IRP_BUFFERED_IO") | constant("IRP_DEALLOCATE_BUFFER");
const INPUT_OPERATION = constant("IRP_INPUT_OPERATION");

/** A system buffer for the request, with a copy of its input; what comes back goes to its output. */
export function systemBuffer(k: Kernel, irp: IrpView, request: Request, bytes: number): void {
  if (bytes === 0) return;
  const system = allocate(k, bytes, BUFFER_TAG, -1);
  k.memory.copy(system, request.input, request.inputBytes);
  irp.AssociatedIrp_SystemBuffer = system;
  irp.UserBuffer = request.output;
  irp.Flags |= BUFFER_FLAGS | (request.outputBytes > 0 ? INPUT_OPERATION : 0);
}

/** An MDL of locked pages for memory of the requester. */
function lock(k: Kernel, irp: IrpView, address: number, bytes: number): void {
  if (bytes === 0) return;
  const mdl = allocateBareMdl(k, address, bytes);
  const structure = Mdl.at(k.memory, mdl);
  structure.MdlFlags = MDL_FLAG.locked;
  writePageNumbers(k, structure);
  irp.MdlAddress = mdl;
  lockUser(k, address, bytes);
}

/** Where reads and writes find their data depends on what the device asks for. */
export function transferBuffers(k: Kernel, irp: IrpView, location: LocationView, request: Request, deviceFlags: number): void {
  const isRead = request.major === READ;
  const [address, bytes] = isRead ? [request.output, request.outputBytes] : [request.input, request.inputBytes];
  location.Parameters_Read_Length = bytes;
  if ((deviceFlags & BUFFERED_IO) !== 0) systemBuffer(k, irp, request, bytes);
  else if ((deviceFlags & DIRECT_IO) !== 0) lock(k, irp, address, bytes);
  else irp.UserBuffer = address;
}

/** The two lowest bits of a control code say how its buffers are passed. */
export function controlBuffers(k: Kernel, irp: IrpView, location: LocationView, request: Request): void {
  const { code, input, inputBytes, output, outputBytes } = request;
  location.Parameters_DeviceIoControl_IoControlCode = code;
  location.Parameters_DeviceIoControl_InputBufferLength = inputBytes;
  location.Parameters_DeviceIoControl_OutputBufferLength = outputBytes;
  switch (code & 3) {
    case constant("METHOD_BUFFERED"):
      systemBuffer(k, irp, request, Math.max(inputBytes, outputBytes));
      return;
    case constant("METHOD_NEITHER"):
      location.Parameters_DeviceIoControl_Type3InputBuffer = input;
      irp.UserBuffer = output;
      return;
    default:
      if (inputBytes > 0) {
        systemBuffer(k, irp, request, inputBytes);
        irp.Flags &= ~INPUT_OPERATION;
      }
      lock(k, irp, output, outputBytes);
  }
}
