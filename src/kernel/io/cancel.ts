/**
 * Cancelling IRPs.
 *
 * Pages: nf-wdm-iocancelirp, nf-wdm-ioacquirecancelspinlock, nf-wdm-ioreleasecancelspinlock, nf-wdm-iosetcancelroutine; "Canceling IRPs",
 * "Using the System's Cancel Spin Lock".
 */
import type { Kernel } from "../kernel.ts";
import { type Next, call, done, plan, run, step, until } from "../plan.ts";
import { leaf, planned, waiting } from "../routine.ts";
import { give, isFree, raiseToDispatch, spinLockAt, take } from "../spin-locks.ts";
import { HEADER_ADDRESS, Header } from "../state.ts";
import { struct, u32 } from "../struct.ts";
import { CSQ_CANCEL, cancelInQueue } from "./csq.ts";
import { Irp, Request, StackLocation } from "./irps.ts";

const CANCEL_LOCK = HEADER_ADDRESS + Header.offsets.cancelLock;

/**
 * Asks the IRP's driver to cancel it. The caller has the cancel spin lock, whose IRQL from before goes into the IRP; the driver's cancel routine
 * releases it. `none` is what to do when there is no cancel routine.
 */
function cancel(k: Kernel, address: number, p: { irql: number; routine: number }, none: Next): Next {
  const irp = Irp.at(k.memory, address);
  irp.Cancel = 1;
  const routine = irp.CancelRoutine;
  irp.CancelRoutine = 0;
  if (routine === 0) {
    releaseCancelLock(k, p.irql);
    return none;
  }
  irp.CancelIrql = p.irql;
  if (routine === CSQ_CANCEL) {
    releaseCancelLock(k, p.irql);
    return run(cancelInQueue, [address]);
  }
  p.routine = routine;
  const { DeviceObject: device } = StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation);
  return call(routine, "Cancel", [device, address]);
}

function releaseCancelLock(k: Kernel, irql: number): void {
  give(k, CANCEL_LOCK);
  k.scheduler.setIrql(irql);
}

/** After a cancel routine: TRUE, and the rules are told what it has done with the lock. */
function afterwards(k: Kernel, p: { irql: number; routine: number }): Next {
  if (p.routine === 0) return done(1);
  const isHeld = k.memory.readU32(CANCEL_LOCK) === k.current.address;
  const text = k.current.irql === p.irql ? "" : `returned at IRQL ${k.current.irql}, and IoCancelIrp was called at ${p.irql}`;
  k.note("cancel routine returned", p.routine, isHeld ? 1 : 0, text);
  if (isHeld) give(k, CANCEL_LOCK);
  if (k.current.irql !== p.irql) k.scheduler.setIrql(p.irql);
  return done(1);
}

const cancelIrp = plan("IoCancelIrp", struct("CancelIrp", { irp: u32, irql: u32, routine: u32 }), [
  step("the cancel spin lock is wanted", (k, p) => {
    p.irql = raiseToDispatch(k);
  }),
  until("the cancel spin lock is free", (k) => isFree(k, CANCEL_LOCK)),
  step("the IRP is cancelled", (k, p) => {
    take(k, CANCEL_LOCK);
    return cancel(k, p.irp, p, done(0));
  }),
  step("the cancel routine has returned", afterwards),
]);

/**
 * An application's wish to cancel a request: if it is still under way, its IRP is cancelled. The result is whether it was, and not whether its
 * driver can cancel it now. One that waits for its file to be free ends without having been sent.
 */
export const cancelRequest = plan("a request is cancelled", struct("CancelRequest", { request: u32, irql: u32, routine: u32 }), [
  step("the cancel spin lock is wanted", (k, p) => {
    p.irql = raiseToDispatch(k);
  }),
  until("the cancel spin lock is free", (k) => isFree(k, CANCEL_LOCK)),
  step("the IRP is cancelled", (k, p) => {
    take(k, CANCEL_LOCK);
    const request = Request.at(k.memory, p.request);
    if (request.state === "Sent" && request.irp !== 0) return cancel(k, request.irp, p, done(1));
    releaseCancelLock(k, p.irql);
    if (request.state === "Complete") return done(0);
    request.isCancelled = true;
  }),
  step("the cancel routine has returned", afterwards),
]);

export const cancelHandlers = ["Cancel"] as const;

export const cancelRoutines = [
  planned("IoCancelIrp", cancelIrp),
  waiting("IoAcquireCancelSpinLock", {
    before: raiseToDispatch,
    ready: (k) => isFree(k, CANCEL_LOCK),
    awaits: (k) => spinLockAt(k, CANCEL_LOCK),
    then: (k, irql, _timedOut, variable) => {
      take(k, CANCEL_LOCK);
      k.memory.u8[variable] = irql;
    },
  }),
  leaf("IoReleaseCancelSpinLock", (k, irql) => releaseCancelLock(k, irql & 0xff)),
];
