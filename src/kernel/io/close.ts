/**
 * The end of a handle, and of a file: IRP_MJ_CLEANUP after its last handle, IRP_MJ_CLOSE after its last reference.
 *
 * Pages: "DispatchCleanup Routines", "DispatchCreate, DispatchClose, and DispatchCreateClose Routines", nf-wdm-zwclose.
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import { Handle, ManagedObject, closeHandle as dropHandle, dereference, resolveHandle } from "../object-manager.ts";
import { done, plan, run, step, until } from "../plan.ts";
import { struct, u32 } from "../struct.ts";
import { owes, prepare, removeFile } from "./files.ts";
import { Request } from "./irps.ts";

const CLOSE = constant("IRP_MJ_CLOSE");
const CLEANUP = constant("IRP_MJ_CLEANUP");

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
    file.references -= 1;
    // Whoever lets go of it last has it closed otherwise.
    return file.references === 0 ? run(closeFile, [p.file]) : undefined;
  }),
  step("the handle is closed", () => done()),
]);

/** IRP_MJ_CLOSE: no handle is left, and no reference. */
export const closeFile = plan("a file is closed", struct("CloseFile", { file: u32, request: u32 }), [
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
