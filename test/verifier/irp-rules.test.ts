import { describe } from "vitest";
import type { Action } from "../../src/machine/actions.ts";
import { STATUS_CANCELLED, STATUS_PENDING, STATUS_SUCCESS, deviceDriver } from "./device-driver.ts";
import { THIRD, allows, breaks, inParallel, load, settle, unload, wait } from "./support.ts";

type DeviceChange = Parameters<typeof deviceDriver>[0];
const BUFFERED_CONTROL = 0x12_0000;
const changed = (change?: DeviceChange): { more: ReturnType<typeof deviceDriver>[] } => ({ more: [deviceDriver(change)] });
const open: Action = { do: "open", file: "f", device: "\\\\.\\Test", overlapped: true, expect: "STATUS_SUCCESS" };
const close: Action = { do: "close", file: "f" };
const read: Action = { do: "read", file: "f", bytes: 16, request: "r", expect: "STATUS_PENDING" };
const awaited = (expect: string): Action => ({ do: "await", request: "r", expect });
const control = (outputBytes = 4): Action => ({
  do: "control",
  file: "f",
  code: BUFFERED_CONTROL,
  input: [1, 2, 3, 4],
  outputBytes,
});
const life = (...actions: Action[]): Action[] => [load(THIRD), open, ...actions, close, settle, unload(THIRD)];

describe("A dispatch routine that does not finish its IRP at once", () => {
  breaks("irp-pending-not-marked", "a read is kept and STATUS_PENDING returned, without IoMarkIrpPending", {
    by: THIRD,
    says: /STATUS_PENDING was returned for IRP_MJ_READ \(0x[0-9a-f]+\), which was not marked pending/,
    ...changed((d, its) => ({
      DispatchRead(_device, irp) {
        d.memory.writeU32(its.waiting, irp);
        d.view("IRP", irp).CancelRoutine = d.handler("Cancel");
        return STATUS_PENDING;
      },
    })),
    actions: life(read, { do: "cancel", request: "r" }, awaited("STATUS_CANCELLED")),
  });

  breaks("irp-pending-not-marked", "an IRP is marked pending, completed at once, and its status returned", {
    by: THIRD,
    says: /STATUS_SUCCESS was returned for IRP_MJ_DEVICE_CONTROL .* marked pending/,
    ...changed((_d, its) => ({
      *DispatchDeviceControl(_device, irp) {
        its.markPending(irp);
        return yield* its.complete(irp, STATUS_SUCCESS);
      },
    })),
    actions: life(control()),
  });

  allows("irp-pending-not-marked", "an IRP is marked pending, completed at once, and STATUS_PENDING returned", {
    ...changed((_d, its) => ({
      *DispatchDeviceControl(_device, irp) {
        its.markPending(irp);
        yield* its.complete(irp, STATUS_SUCCESS);
        return STATUS_PENDING;
      },
    })),
    actions: life(control()),
  });

  breaks("irp-never-completed", "a control request is refused by its status only", {
    by: THIRD,
    says: /STATUS_INVALID_DEVICE_REQUEST was returned .* which has not been completed/,
    ends: "hung",
    ...changed(() => ({ DispatchDeviceControl: () => "STATUS_INVALID_DEVICE_REQUEST" })),
    actions: life(control()),
  });

  breaks("irp-never-completed", "a read without a cancel routine is left behind when its file is closed", {
    by: THIRD,
    says: /IoCompleteRequest was never called/,
    ends: "hung",
    ...changed((_d, its) => ({
      DispatchRead(_device, irp) {
        its.markPending(irp);
        return STATUS_PENDING;
      },
    })),
    actions: life(read, { do: "cancel", request: "r", expect: "STATUS_SUCCESS" }),
  });

  allows("irp-never-completed", "a read that pends is completed when its file is cleaned up", {
    ...changed(),
    actions: [load(THIRD), open, read, close, awaited("STATUS_CANCELLED"), settle, unload(THIRD)],
  });
});

describe("Completing an IRP", () => {
  breaks("irp-status-mismatch", "another status is returned than the IRP was completed with", {
    by: THIRD,
    says: /STATUS_SUCCESS was returned for IRP_MJ_DEVICE_CONTROL .* completed with STATUS_CANCELLED/,
    ...changed((_d, its) => ({
      *DispatchDeviceControl(_device, irp) {
        yield* its.complete(irp, STATUS_CANCELLED);
        return STATUS_SUCCESS;
      },
    })),
    actions: life(control()),
  });

  breaks("irp-status-mismatch", "an IRP is completed with STATUS_PENDING", {
    by: THIRD,
    says: /completed with STATUS_PENDING/,
    ...changed((_d, its) => ({
      *DispatchDeviceControl(_device, irp) {
        its.markPending(irp);
        return yield* its.complete(irp, STATUS_PENDING);
      },
    })),
    actions: life(control()),
  });

  allows("irp-status-mismatch", "a failure is completed and returned", {
    ...changed((_d, its) => ({ DispatchDeviceControl: (_device, irp) => its.complete(irp, STATUS_CANCELLED) })),
    actions: life(control()),
  });

  breaks("irp-completed-twice", "a read that a write has completed is completed again", {
    by: THIRD,
    says: /complete already/,
    ends: "bugcheck",
    ...changed((d, its) => ({
      *DispatchWrite(_device, irp) {
        const waiting = d.memory.readU32(its.waiting);
        d.view("IRP", waiting).CancelRoutine = 0;
        yield* its.complete(waiting, STATUS_SUCCESS);
        yield* d.IoCompleteRequest(waiting, 0);
        return yield* its.complete(irp, STATUS_SUCCESS);
      },
    })),
    actions: life(read, { do: "write", file: "f", data: [1] }),
  });

  allows("irp-completed-twice", "two reads are completed, one after the other", {
    ...changed(),
    actions: life(...[1, 2].flatMap((): Action[] => [read, { do: "write", file: "f", data: [1] }, awaited("STATUS_SUCCESS")])),
  });

  breaks("irp-touched-after-completion", "the status is written into an IRP after its completion", {
    by: THIRD,
    says: /IRP_MJ_DEVICE_CONTROL .* was written to after it was complete/,
    ...changed((d, its) => ({
      *DispatchDeviceControl(_device, irp) {
        yield* its.complete(irp, STATUS_SUCCESS);
        d.view("IRP", irp).IoStatus_Information = 1;
        return STATUS_SUCCESS;
      },
    })),
    actions: life(control()),
  });

  allows("irp-touched-after-completion", "what is needed of an IRP is read before its completion", {
    ...changed((d, its) => ({
      *DispatchDeviceControl(_device, irp) {
        const location = d.view("IO_STACK_LOCATION", its.stackLocation(irp));
        const code = location.Parameters_DeviceIoControl_IoControlCode;
        yield* its.complete(irp, STATUS_SUCCESS);
        return code === BUFFERED_CONTROL ? STATUS_SUCCESS : STATUS_CANCELLED;
      },
    })),
    actions: life(control()),
  });

  const completesUnderLock =
    (isHeld: boolean): DeviceChange =>
    (d, its) => {
      const lock = d.statics(4);
      return {
        *DispatchDeviceControl(_device, irp) {
          const irql = yield* d.KeAcquireSpinLockRaiseToDpc(lock);
          if (!isHeld) yield* d.KeReleaseSpinLock(lock, irql);
          yield* its.complete(irp, STATUS_SUCCESS);
          if (isHeld) yield* d.KeReleaseSpinLock(lock, irql);
          return STATUS_SUCCESS;
        },
      };
    };
  breaks("irp-completed-under-lock", "an IRP is completed inside a spin lock", {
    by: THIRD,
    says: /completed while the thread held a spin lock/,
    ...changed(completesUnderLock(true)),
    actions: life(control()),
  });
  allows("irp-completed-under-lock", "an IRP is completed after the spin lock is released", {
    ...changed(completesUnderLock(false)),
    actions: life(control()),
  });
});

describe("Cancelling an IRP", () => {
  const cancelled = life(read, { do: "cancel", request: "r", expect: "STATUS_SUCCESS" }, awaited("STATUS_CANCELLED"));

  breaks("irp-cancel", "the cancel routine keeps the cancel spin lock", {
    by: THIRD,
    says: /without IoReleaseCancelSpinLock/,
    also: ["irp-completed-under-lock"],
    ...changed((d, its) => ({
      *Cancel(_device, irp) {
        d.memory.writeU32(its.waiting, 0);
        yield* its.complete(irp, STATUS_CANCELLED);
      },
    })),
    actions: cancelled,
  });

  breaks("irp-cancel", "a read is completed while its cancel routine is set", {
    by: THIRD,
    says: /while its cancel routine was set/,
    ...changed((d, its) => ({
      *DispatchWrite(_device, irp) {
        yield* its.complete(d.memory.readU32(its.waiting), STATUS_SUCCESS);
        return yield* its.complete(irp, STATUS_SUCCESS);
      },
    })),
    actions: life(read, { do: "write", file: "f", data: [1] }, awaited("STATUS_SUCCESS")),
  });

  /** The dispatch routine waits before it sets its cancel routine, and meanwhile the request is cancelled. */
  const setsLate =
    (looks: boolean): DeviceChange =>
    (d, its) => {
      const interval = d.statics(8);
      return {
        *DispatchRead(_device, irp) {
          d.memory.writeU32(interval, -100_000 >>> 0);
          d.memory.writeU32(interval + 4, 0xffff_ffff);
          its.markPending(irp);
          yield* d.KeDelayExecutionThread(0, 0, interval);
          const request = d.view("IRP", irp);
          request.CancelRoutine = d.handler("Cancel");
          if (!looks || request.Cancel === 0) {
            d.memory.writeU32(its.waiting, irp);
            return STATUS_PENDING;
          }
          if (request.CancelRoutine !== 0) {
            request.CancelRoutine = 0;
            yield* its.complete(irp, STATUS_CANCELLED);
          }
          return STATUS_PENDING;
        },
      };
    };
  const cancelledEarly: Action[] = [
    load(THIRD),
    open,
    inParallel({ do: "read", file: "f", bytes: 16, request: "r" }),
    wait(1),
    { do: "cancel", request: "r", expect: "STATUS_SUCCESS" },
    wait(100),
    close,
    awaited("STATUS_CANCELLED"),
    settle,
    unload(THIRD),
  ];
  breaks("irp-cancel", "a cancel routine is set after the IRP was cancelled, and nobody looks", {
    by: THIRD,
    says: /cancelled before its cancel routine was set/,
    ...changed(setsLate(false)),
    actions: cancelledEarly,
  });
  allows("irp-cancel", "a cancel routine is set after the IRP was cancelled, and the driver looks", {
    ...changed(setsLate(true)),
    actions: cancelledEarly,
  });
  allows("irp-cancel", "a read is cancelled", { ...changed(), actions: cancelled });
});
