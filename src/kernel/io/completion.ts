/**
 * An IRP on its way down, from driver to driver, and back up: IoCallDriver and IoCompleteRequest.
 *
 * Pages: nf-wdm-iocalldriver, nf-wdm-iocompleterequest, nc-wdm-io_completion_routine; "Completing IRPs", "Implementing an IoCompletion routine".
 */
import { constant } from "../../contract/index.ts";
import { setSignal } from "../dispatcher-objects.ts";
import { rememberGiving } from "../given-memory.ts";
import type { Kernel } from "../kernel.ts";
import { MDL_FLAG, Mdl, mdlsOf } from "../mdl.ts";
import { ManagedObject, dereference } from "../object-manager.ts";
import { DriverFault } from "../outcome.ts";
import { call, done, goTo, plan, run, step } from "../plan.ts";
import { free } from "../pool.ts";
import { unlockUser } from "../processes.ts";
import { planned } from "../routine.ts";
import { struct, u32 } from "../struct.ts";
import { markWritten } from "../unwritten.ts";
import { deviceOf, dispatchRoutine } from "./devices.ts";
import {
  Dispatch,
  FileObject,
  Irp,
  type Request,
  StackLocation,
  dispatchOf,
  isFreedByIoManager,
  isLiveIrp,
  requestOf,
} from "./irps.ts";

export const STATUS_PENDING = constant("STATUS_PENDING");
const MORE_PROCESSING = constant("STATUS_MORE_PROCESSING_REQUIRED") >>> 0;
const INVALID_DEVICE_REQUEST = constant("STATUS_INVALID_DEVICE_REQUEST");
const MULTIPLE_IRP_COMPLETE_REQUESTS = 0x44;
const NO_MORE_IRP_STACK_LOCATIONS = 0x35;
const PENDING_RETURNED = constant("SL_PENDING_RETURNED");
const ON_SUCCESS = constant("SL_INVOKE_ON_SUCCESS");
const ON_ERROR = constant("SL_INVOKE_ON_ERROR");
const ON_CANCEL = constant("SL_INVOKE_ON_CANCEL");
const BUFFERED = constant("IRP_BUFFERED_IO");
const DEALLOCATE = constant("IRP_DEALLOCATE_BUFFER");
const INPUT = constant("IRP_INPUT_OPERATION");

const FREE_IT = "its completion routine has to free it and return STATUS_MORE_PROCESSING_REQUIRED";

/** What each kind of dispatch routine is called in the documentation, by major function code. */
const DISPATCH_NAMES: Readonly<Record<number, string>> = {
  [constant("IRP_MJ_CREATE")]: "DispatchCreate",
  [constant("IRP_MJ_CLOSE")]: "DispatchClose",
  [constant("IRP_MJ_CLEANUP")]: "DispatchCleanup",
  [constant("IRP_MJ_READ")]: "DispatchRead",
  [constant("IRP_MJ_WRITE")]: "DispatchWrite",
  [constant("IRP_MJ_DEVICE_CONTROL")]: "DispatchDeviceControl",
  [constant("IRP_MJ_INTERNAL_DEVICE_CONTROL")]: "DispatchInternalDeviceControl",
};
export const completionHandlers = ["DispatchRoutine", ...Object.values(DISPATCH_NAMES), "IoCompletion"] as const;
export const dispatchHandlers: readonly string[] = ["DispatchRoutine", ...Object.values(DISPATCH_NAMES)];

/** The status is a success or an information, not a warning and not an error. */
const isSuccess = (status: number): boolean => status >>> 0 < 0x8000_0000;
const isError = (status: number): boolean => status >>> 30 === 3;

/** Sends the IRP to the device's driver: its next stack location becomes the current one. The result is what the dispatch routine returned. */
export const callDriver = plan("IoCallDriver", struct("CallDriver", { device: u32, irp: u32, dispatch: u32 }), [
  step("the IRP goes to the driver", (k, p) => {
    const irp = Irp.at(k.memory, p.irp);
    if (!isLiveIrp(k, p.irp))
      throw new DriverFault(
        "irp-touched-after-completion",
        `0x${p.irp.toString(16)} was sent to a driver, and is no IRP that could be: is it complete already?`,
      );
    const device = deviceOf(k, p.device);
    if (device === undefined)
      throw new DriverFault(
        "use-after-free",
        `an IRP was sent to 0x${p.device.toString(16)}, which is no device object: was it deleted, and not detached from the device below it?`,
      );
    if (irp.CurrentLocation <= 1)
      k.bugCheck(
        NO_MORE_IRP_STACK_LOCATIONS,
        [p.irp, 0, 0, 0],
        "IoCallDriver: the IRP has no stack location left for that driver",
      );
    irp.CurrentLocation -= 1;
    const location = irp.Tail_Overlay_CurrentStackLocation - StackLocation.bytes;
    irp.Tail_Overlay_CurrentStackLocation = location;
    const stack = StackLocation.at(k.memory, location);
    stack.DeviceObject = p.device;
    const above = dispatchOf(k, p.irp);
    if (above !== undefined) above.isPassedOn = true;
    const target = dispatchRoutine(k, device, stack.MajorFunction);
    const dispatch = k.objects.create(Dispatch);
    dispatch.irp = p.irp;
    dispatch.location = location;
    dispatch.device = p.device;
    dispatch.major = stack.MajorFunction;
    dispatch.target = target;
    dispatch.above = above?.address ?? 0;
    irp.ThreadListEntry_Blink = dispatch.address;
    p.dispatch = dispatch.address;
    const request = requestOf(k, p.irp);
    if (request !== undefined) {
      request.target = target;
      request.slot = k.driverOf(target);
    }
    if (target !== 0) return call(target, DISPATCH_NAMES[stack.MajorFunction] ?? "DispatchRoutine", [p.device, p.irp]);
    // The I/O manager's own routine stands where the driver has put none.
    irp.IoStatus_Status = INVALID_DEVICE_REQUEST;
    irp.IoStatus_Information = 0;
    return run(completeRequest, [p.irp]);
  }),
  step("the driver has answered", (k, p, result) => {
    const dispatch = Dispatch.at(k.memory, p.dispatch);
    const status = dispatch.target === 0 ? INVALID_DEVICE_REQUEST >>> 0 : result;
    dispatch.isReturned = true;
    dispatch.returnedStatus = status;
    if (!dispatch.isComplete) dispatch.isMarkedPending = isMarked(k, dispatch.location);
    k.note("irp returned", dispatch.address, status);
    release(k, dispatch);
    return done(status);
  }),
]);

const isMarked = (k: Kernel, location: number): boolean =>
  (StackLocation.at(k.memory, location).Control & PENDING_RETURNED) !== 0;

/** A turn is over when its routine has returned and its IRP is complete. */
function release(k: Kernel, dispatch: Dispatch): void {
  if (dispatch.isReturned && dispatch.isComplete) k.objects.release(dispatch);
}

/** Every driver above gets the IRP back, in turn; then it is finished. */
export const completeRequest = plan("IoCompleteRequest", struct("CompleteRequest", { irp: u32, location: u32 }), [
  step("the IRP is completed", (k, p) => {
    if (!isLiveIrp(k, p.irp)) {
      k.bugCheck(
        MULTIPLE_IRP_COMPLETE_REQUESTS,
        [p.irp, 0, 0, 0],
        "IoCompleteRequest was called for an IRP that is complete already",
      );
    }
    const irp = Irp.at(k.memory, p.irp);
    if (irp.CurrentLocation > irp.StackCount && dispatchOf(k, p.irp) === undefined)
      k.bugCheck(MULTIPLE_IRP_COMPLETE_REQUESTS, [p.irp, 0, 0, 0], "IoCompleteRequest was called for an IRP that no driver has");
    k.note("irp completed", p.irp, irp.IoStatus_Status >>> 0);
  }),
  step("the driver above gets it back", (k, p) => {
    const irp = Irp.at(k.memory, p.irp);
    if (irp.CurrentLocation > irp.StackCount) {
      finish(k, p.irp);
      return done();
    }
    const { IoStatus_Status: status } = irp;
    const own = StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation);
    closeDispatches(k, p.irp, own.address, status);
    irp.PendingReturned = own.Control & PENDING_RETURNED;
    irp.CurrentLocation += 1;
    irp.Tail_Overlay_CurrentStackLocation += StackLocation.bytes;
    const isTop = irp.CurrentLocation > irp.StackCount;
    const wanted =
      (isSuccess(status) && (own.Control & ON_SUCCESS) !== 0) ||
      (!isSuccess(status) && (own.Control & ON_ERROR) !== 0) ||
      (irp.Cancel !== 0 && (own.Control & ON_CANCEL) !== 0);
    if (own.CompletionRoutine !== 0 && wanted) {
      const device = isTop ? 0 : StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation).DeviceObject;
      return call(own.CompletionRoutine, "IoCompletion", [device, p.irp, own.Context]);
    }
    // A driver above that has no completion routine cannot mark the IRP for itself.
    if (irp.PendingReturned !== 0 && !isTop)
      StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation).Control |= PENDING_RETURNED;
    return goTo("the driver above gets it back");
  }),
  step("its completion routine has returned", (k, p, result) => {
    if (result === MORE_PROCESSING) return done();
    if (isLiveIrp(k, p.irp)) return goTo("the driver above gets it back");
    throw new DriverFault(
      "irp-touched-after-completion",
      `a completion routine freed the IRP at 0x${p.irp.toString(16)}, and did not return STATUS_MORE_PROCESSING_REQUIRED`,
    );
  }),
]);

/** The IRP is complete for the driver whose stack location that is, and for those above that lent it theirs by IoSkipCurrentIrpStackLocation. */
function closeDispatches(k: Kernel, irp: number, location: number, status: number): void {
  for (let dispatch = dispatchOf(k, irp); dispatch?.location === location; dispatch = dispatchOf(k, irp)) {
    dispatch.isComplete = true;
    dispatch.completedStatus = status >>> 0;
    dispatch.isMarkedPending = isMarked(k, location);
    Irp.at(k.memory, irp).ThreadListEntry_Blink = dispatch.above;
    if (dispatch.isReturned) k.note("irp completed late", dispatch.address, status >>> 0);
    release(k, dispatch);
  }
}

/** All drivers are through with it: the requester gets its data and its status, and the IRP is gone. */
function finish(k: Kernel, address: number): void {
  const irp = Irp.at(k.memory, address);
  if (!isFreedByIoManager(k, address)) {
    throw new DriverFault(
      "irp-touched-after-completion",
      `the IRP at 0x${address.toString(16)}, which a driver made by IoAllocateIrp, came back to the I/O manager: ${FREE_IT}`,
    );
  }
  const { IoStatus_Status: status, IoStatus_Information: information, Flags } = irp;
  const systemBuffer = irp.AssociatedIrp_SystemBuffer;
  const request = requestOf(k, address);
  if ((Flags & BUFFERED) !== 0 && systemBuffer !== 0) {
    if ((Flags & INPUT) !== 0 && !isError(status)) copyBack(k, systemBuffer, irp.UserBuffer, information, request);
    if ((Flags & DEALLOCATE) !== 0) freeCompleted(k, systemBuffer);
  }
  for (const mdl of mdlsOf(k, irp.MdlAddress)) {
    const structure = Mdl.at(k.memory, mdl);
    if ((structure.MdlFlags & MDL_FLAG.locked) !== 0) unlockUser(k, structure.StartVa + structure.ByteOffset);
    freeCompleted(k, mdl);
  }
  if (irp.UserIosb !== 0) {
    k.memory.writeU32(irp.UserIosb, status >>> 0);
    k.memory.writeU32(irp.UserIosb + 4, information);
  }
  if (irp.UserEvent !== 0) setSignal(k, irp.UserEvent, true);
  if (request !== undefined) {
    signal(k, request);
    request.state = "Complete";
    request.status = status >>> 0;
    request.information = information;
    request.irp = 0;
    if (request.isLeftAlone) letGo(k, request);
    if (request.isOfDriver) k.objects.release(request);
  }
  k.note("irp finished", address, status >>> 0);
  freeCompleted(k, address);
}

/** What belonged to an IRP that is complete, and that no driver may touch any more. */
function freeCompleted(k: Kernel, address: number): void {
  rememberGiving(k, address, "IoCompleteRequest", -1);
  free(k, address);
}

/** Tells those who wait for the request through its event, or through its file if it has none. */
function signal(k: Kernel, request: Request): void {
  const { event, file } = request;
  if (event !== 0) {
    const object = ManagedObject.at(k.memory, event);
    setSignal(k, object.body, true);
    dereference(k, object);
    request.event = 0;
  } else if (file !== 0) setSignal(k, ManagedObject.at(k.memory, file).body + FileObject.offset("Event"), true);
}

/** A request that is complete no longer holds its file. */
export function letGo(k: Kernel, request: Request): void {
  if (request.file === 0) return;
  dereference(k, ManagedObject.at(k.memory, request.file));
  request.file = 0;
}

/** The I/O manager copies as many bytes as the driver says, whether the requester's buffer has them or not. */
function copyBack(k: Kernel, from: number, to: number, bytes: number, request: Request | undefined): void {
  const room = request?.outputBytes ?? bytes;
  if (bytes > room) {
    throw new DriverFault(
      "out-of-bounds",
      `an IRP was completed with IoStatus.Information ${bytes}: so much is copied out of the system buffer, and the output buffer has ${room} bytes`,
    );
  }
  k.memory.copy(to, from, bytes);
  markWritten(k.memory, to, bytes);
}

export const completionRoutines = [planned("IoCallDriver", callDriver), planned("IoCompleteRequest", completeRequest)];
