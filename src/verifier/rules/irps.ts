/**
 * I/O request packets: pending marked and returned, completed once, the status that was returned, cancellation.
 *
 * Pages: "Handling IRPs", "Completing IRPs", "Canceling IRPs", "Points to Consider When Canceling IRPs", nf-wdm-iocompleterequest,
 * nf-wdm-iomarkirppending.
 */
import { constant, ntStatusName } from "../../contract/index.ts";
import { Dispatch, Irp, isLiveIrp } from "../../kernel/io/irps.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { blockAt } from "../../kernel/pool.ts";
import { on, ruleSet } from "../rule.ts";

const PENDING = constant("STATUS_PENDING");
const MAJOR_NAMES: Readonly<Record<number, string>> = {
  [constant("IRP_MJ_CREATE")]: "IRP_MJ_CREATE",
  [constant("IRP_MJ_CLOSE")]: "IRP_MJ_CLOSE",
  [constant("IRP_MJ_CLEANUP")]: "IRP_MJ_CLEANUP",
  [constant("IRP_MJ_READ")]: "IRP_MJ_READ",
  [constant("IRP_MJ_WRITE")]: "IRP_MJ_WRITE",
  [constant("IRP_MJ_DEVICE_CONTROL")]: "IRP_MJ_DEVICE_CONTROL",
};

const statusText = (status: number): string => ntStatusName(status) ?? `0x${status.toString(16).padStart(8, "0")}`;
const nameOf = ({ major, irp }: Dispatch): string =>
  `${MAJOR_NAMES[major] ?? `IRP 0x${major.toString(16)}`} (0x${irp.toString(16)})`;

/** What a dispatch routine has done with its IRP, when it returns. */
interface Judged {
  readonly rule: string;
  readonly message: string;
}

function judgeReturn(k: Kernel, dispatch: Dispatch, status: number): Judged | undefined {
  const { isComplete, isMarkedPending, isPassedOn, completedStatus } = dispatch;
  const name = nameOf(dispatch);
  if (isPassedOn) return undefined;
  if (status === PENDING && !isMarkedPending) {
    return {
      rule: "irp-pending-not-marked",
      message: `STATUS_PENDING was returned for ${name}, which was not marked pending by IoMarkIrpPending.`,
    };
  }
  if (status !== PENDING && isMarkedPending) {
    return {
      rule: "irp-pending-not-marked",
      message: `${statusText(status)} was returned for ${name}, which was marked pending by IoMarkIrpPending: STATUS_PENDING has to be returned.`,
    };
  }
  if (isComplete && status !== PENDING && completedStatus !== status) {
    return {
      rule: "irp-status-mismatch",
      message: `${statusText(status)} was returned for ${name}, which was completed with ${statusText(completedStatus)} in IoStatus.Status.`,
    };
  }
  if (!isComplete && status !== PENDING) {
    return {
      rule: "irp-never-completed",
      message: `${statusText(status)} was returned for ${name}, which has not been completed: complete it, or mark it pending and return STATUS_PENDING.`,
    };
  }
  return isComplete ? undefined : judgeCancel(k, dispatch);
}

/** A cancel routine that is set after the cancellation is never called. */
function judgeCancel(k: Kernel, dispatch: Dispatch): Judged | undefined {
  if (!isLiveIrp(k, dispatch.irp)) return undefined;
  const { Cancel, CancelRoutine } = Irp.at(k.memory, dispatch.irp);
  if (Cancel === 0 || CancelRoutine === 0) return undefined;
  return {
    rule: "irp-cancel",
    message: `${nameOf(dispatch)} was cancelled before its cancel routine was set, so that the routine is never called: after IoSetCancelRoutine, look at Irp->Cancel.`,
  };
}

/** Memory of an IRP that is gone stays clear until it is used again. */
function isTouched(k: Kernel, irp: number): boolean {
  const block = blockAt(k, irp);
  if (block?.state !== "Freed") return false;
  return k.memory.u8.subarray(irp, irp + block.capacity).some((byte) => byte !== 0);
}

export const irpRules = ruleSet(
  [
    "irp-pending-not-marked",
    "irp-status-mismatch",
    "irp-never-completed",
    "irp-cancel",
    "irp-touched-after-completion",
    "irp-completed-under-lock",
  ],
  [
    on("note irp returned", ({ k, report }, { address, value }) => {
      const dispatch = Dispatch.at(k.memory, address);
      if (dispatch.target === 0) return;
      const { target, irp } = dispatch;
      const blame = { driver: k.driverOf(target), target };
      const judged = judgeReturn(k, dispatch, value);
      if (judged !== undefined) report({ ...judged, ...blame });
      if (dispatch.isComplete && isTouched(k, irp)) {
        report({
          rule: "irp-touched-after-completion",
          message: `${nameOf(dispatch)} was written to after it was complete: its memory belongs to the I/O manager again.`,
          ...blame,
        });
      }
    }),
    on("note irp completed", ({ k, report }, { address, value }) => {
      const irp = `The IRP at 0x${address.toString(16)}`;
      if (value === PENDING)
        report({ rule: "irp-status-mismatch", message: `${irp} was completed with STATUS_PENDING in IoStatus.Status.` });
      const { CancelRoutine } = Irp.at(k.memory, address);
      if (CancelRoutine === 0) return;
      report({
        rule: "irp-cancel",
        message: `${irp} was completed while its cancel routine was set: take it back by IoSetCancelRoutine(Irp, NULL) first, and leave the IRP alone if it was not there any more.`,
      });
    }),
    on("note cancel routine returned", ({ k, report }, { address: target, value: isHeld, text }) => {
      const blame = { driver: k.driverOf(target), target };
      if (isHeld === 1)
        report({ rule: "irp-cancel", message: "The cancel routine returned without IoReleaseCancelSpinLock.", ...blame });
      else if (text !== "")
        report({
          rule: "irp-cancel",
          message: `The cancel routine ${text}: give IoReleaseCancelSpinLock the IRP's CancelIrql.`,
          ...blame,
        });
    }),
    on("call IoCompleteRequest", ({ k, report }, { args: [irp = 0] }) => {
      if (k.current.locksHeld === 0) return;
      report({
        rule: "irp-completed-under-lock",
        message: `The IRP at 0x${irp.toString(16)} was completed while the thread held a spin lock.`,
      });
    }),
    on("note driver unloaded", ({ k, report }, { address: slot }) => {
      for (const dispatch of k.objects.all(Dispatch)) {
        if (dispatch.isComplete || k.driverOf(dispatch.target) !== slot) continue;
        report({
          rule: "irp-never-completed",
          message: `The driver is unloaded, and has not completed ${nameOf(dispatch)}.`,
          driver: slot,
          target: dispatch.target,
        });
      }
    }),
  ],
);
