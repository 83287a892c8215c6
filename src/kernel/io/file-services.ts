/**
 * Files that drivers open themselves, by the Zw routines: requests in kernel mode, for whatever process the driver is in.
 *
 * Pages: nf-wdm-zwcreatefile, nf-wdm-zwopenfile, nf-wdm-zwreadfile, nf-wdm-zwwritefile, nf-ntifs-zwdeviceiocontrolfile,
 * nf-ntifs-ntreadfile.
 */
import { constant } from "../../contract/index.ts";
import { setSignal } from "../dispatcher-objects.ts";
import { readsBytes, mayWriteBytes } from "../driver-buffers.ts";
import type { Kernel } from "../kernel.ts";
import { ManagedObject, dereference, resolveHandle } from "../object-manager.ts";
import { RunFailed } from "../outcome.ts";
import { done, plan, run, step } from "../plan.ts";
import { planned } from "../routine.ts";
import { readGiven } from "../strings.ts";
import { struct, u32 } from "../struct.ts";
import { windowsStruct } from "../windows.ts";
import { OPEN_EXISTING, openFile } from "./files.ts";
import { FileObject, Request } from "./irps.ts";
import { sendRequest } from "./requests.ts";

const Attributes = windowsStruct("OBJECT_ATTRIBUTES");
const KERNEL_HANDLE = constant("OBJ_KERNEL_HANDLE");
const CREATE = constant("IRP_MJ_CREATE");
const READ = constant("IRP_MJ_READ");

/** What a driver's call asks for, while it is in the call; the mode of the thread from before goes back to it afterwards. */
function enter(k: Kernel, p: { request: number; mode: number }, major: number): Request {
  const request = k.objects.create(Request);
  request.major = major;
  p.request = request.address;
  p.mode = k.current.isFromUserMode ? 1 : 0;
  k.current.isFromUserMode = false;
  return request;
}

function leave(k: Kernel, p: { request: number; mode: number }): Request {
  k.current.isFromUserMode = p.mode !== 0;
  return Request.at(k.memory, p.request);
}

function writeStatusBlock(k: Kernel, block: number, status: number, information: number): void {
  k.memory.writeU32(block, status);
  k.memory.writeU32(block + 4, information);
}

interface OpenCall {
  readonly access: number;
  readonly attributes: number;
  readonly share: number;
  request: number;
  mode: number;
}

/** The request that the call makes, or why it makes none. */
function openRequest(k: Kernel, p: OpenCall, options: number): Request | string {
  const given = Attributes.at(k.memory, p.attributes);
  if (given.Length !== Attributes.bytes) return "STATUS_INVALID_PARAMETER";
  if (given.RootDirectory !== 0)
    throw new RunFailed("a driver opens a file relative to a directory, and there are no directories here");
  if (!readGiven(k, given.ObjectName).startsWith("\\")) return "STATUS_OBJECT_PATH_SYNTAX_BAD";
  const request = enter(k, p, CREATE);
  request.path = given.ObjectName;
  request.code = p.access;
  request.options = options;
  request.share = p.share;
  request.isForKernelHandle = (given.Attributes & KERNEL_HANDLE) !== 0;
  return request;
}

/** After the open: the handle, and what the driver that was asked says about it. */
function opened(k: Kernel, p: { request: number; mode: number; handleVariable: number; statusBlock: number }, status: number) {
  const request = leave(k, p);
  if (request.handle !== 0) k.memory.writeU32(p.handleVariable, request.handle);
  writeStatusBlock(k, p.statusBlock, status, request.information);
  k.objects.release(request);
  return done(status);
}

const OpenLocals = {
  handleVariable: u32,
  access: u32,
  attributes: u32,
  statusBlock: u32,
} as const;

const createFile = plan(
  "ZwCreateFile",
  struct("ZwCreateFile", {
    ...OpenLocals,
    allocation: u32,
    fileAttributes: u32,
    share: u32,
    disposition: u32,
    options: u32,
    extended: u32,
    extendedBytes: u32,
    request: u32,
    mode: u32,
  }),
  [
    step("the file is opened", (k, p) => {
      const request = openRequest(k, p, ((p.disposition << 24) | p.options) >>> 0);
      if (typeof request === "string") return done(constant(request));
      request.attributes = p.fileAttributes;
      request.input = p.extended;
      request.inputBytes = p.extendedBytes;
      return run(openFile, [request.address]);
    }),
    step("the driver has its handle", opened),
  ],
);

const openExisting = plan(
  "ZwOpenFile",
  struct("ZwOpenFile", { ...OpenLocals, share: u32, options: u32, request: u32, mode: u32 }),
  [
    step("the file is opened", (k, p) => {
      const request = openRequest(k, p, OPEN_EXISTING | p.options);
      return typeof request === "string" ? done(constant(request)) : run(openFile, [request.address]);
    }),
    step("the driver has its handle", opened),
  ],
);

/** Every transfer: the file, the event that tells its end, the APC that would, the status block, and the data. */
const Transfer = { file: u32, event: u32, apcRoutine: u32, apcContext: u32, statusBlock: u32 } as const;

interface TransferCall {
  readonly file: number;
  readonly event: number;
  readonly apcRoutine: number;
  readonly statusBlock: number;
  request: number;
  mode: number;
}

/** The request that the call makes, or why it makes none. */
function transferRequest(k: Kernel, p: TransferCall, major: number): Request | string {
  if (p.apcRoutine !== 0) throw new RunFailed("a driver asks for an APC at the end of a request, and there are no APCs here");
  const event = p.event === 0 ? undefined : resolveHandle(k, p.event);
  if (p.event !== 0 && event?.object?.kind !== "Event")
    return event === undefined ? "STATUS_INVALID_HANDLE" : "STATUS_OBJECT_TYPE_MISMATCH";
  const request = enter(k, p, major);
  request.handle = p.file;
  request.statusBlock = p.statusBlock;
  if (event?.object !== undefined) {
    event.object.references += 1;
    setSignal(k, event.object.body, false);
    request.event = event.object.address;
  }
  return request;
}

/** The call returns; a request that is still under way goes with its IRP. */
function transferred(k: Kernel, p: TransferCall, status: number) {
  const request = leave(k, p);
  if (request.state === "Sent") {
    request.isOfDriver = true;
    request.isLeftAlone = true;
    return done(status);
  }
  // Its end was told already, unless it never began.
  if (request.event !== 0) dereference(k, ManagedObject.at(k.memory, request.event));
  k.objects.release(request);
  return done(status);
}

/** Where in the file: as the caller says, or where the file stands. */
function setOffset(k: Kernel, request: Request, offset: number): void {
  const object = resolveHandle(k, request.handle)?.object;
  const from = offset === 0 && object?.kind === "File" ? object.body + FileObject.offset("CurrentByteOffset") : offset;
  if (from !== 0) k.memory.copy(request.address + Request.offsets.byteOffset, from, 8);
}

const transfer = (name: "ZwReadFile" | "ZwWriteFile", major: number) =>
  plan(name, struct(name, { ...Transfer, buffer: u32, bytes: u32, offset: u32, key: u32, request: u32, mode: u32 }), [
    step("the request is made", (k, p) => {
      const request = transferRequest(k, p, major);
      if (typeof request === "string") return done(constant(request));
      setOffset(k, request, p.offset);
      if (major === READ) {
        mayWriteBytes(k, p.buffer, p.bytes);
        request.output = p.buffer;
        request.outputBytes = p.bytes;
      } else {
        readsBytes(k, p.buffer, p.bytes);
        request.input = p.buffer;
        request.inputBytes = p.bytes;
      }
      return run(sendRequest, [request.address]);
    }),
    step("the driver has its answer", transferred),
  ]);

const control = plan(
  "ZwDeviceIoControlFile",
  struct("ZwDeviceIoControlFile", {
    ...Transfer,
    code: u32,
    input: u32,
    inputBytes: u32,
    output: u32,
    outputBytes: u32,
    request: u32,
    mode: u32,
  }),
  [
    step("the request is made", (k, p) => {
      const request = transferRequest(k, p, constant("IRP_MJ_DEVICE_CONTROL"));
      if (typeof request === "string") return done(constant(request));
      readsBytes(k, p.input, p.inputBytes);
      mayWriteBytes(k, p.output, p.outputBytes);
      request.code = p.code;
      request.input = p.input;
      request.inputBytes = p.inputBytes;
      request.output = p.output;
      request.outputBytes = p.outputBytes;
      return run(sendRequest, [request.address]);
    }),
    step("the driver has its answer", transferred),
  ],
);

export const fileServiceRoutines = [
  planned("ZwCreateFile", createFile),
  planned("ZwOpenFile", openExisting),
  planned("ZwReadFile", transfer("ZwReadFile", READ)),
  planned("ZwWriteFile", transfer("ZwWriteFile", constant("IRP_MJ_WRITE"))),
  planned("ZwDeviceIoControlFile", control),
];
