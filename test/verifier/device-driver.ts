/**
 * A driver with a device and nothing else: reads pend in a queue of one until a write completes them, controls echo their input. Tests replace
 * single routines.
 */
import type { DriverEnvironment, Handlers, TypeScriptDriver } from "../../src/tsdriver/driver.ts";
import { defineDriver } from "../../src/tsdriver/driver.ts";
import type { Running } from "./support.ts";

export const STATUS_SUCCESS = 0;
export const STATUS_PENDING = 0x103;
export const STATUS_CANCELLED = 0xc000_0120;
const PENDING_RETURNED = 1;
const DIRECT_IO = 0x10;
const MAJORS = {
  DispatchCreate: 0,
  DispatchClose: 2,
  DispatchRead: 3,
  DispatchWrite: 4,
  DispatchDeviceControl: 14,
  DispatchCleanup: 18,
};

export interface DeviceDriver {
  /** Word with the device object; word with the read that pends. */
  readonly device: number;
  readonly waiting: number;
  complete(irp: number, status: number, information?: number): Running<number>;
  markPending(irp: number): void;
  stackLocation(irp: number): number;
}

export function deviceDriver(change: (d: DriverEnvironment, its: DeviceDriver) => Handlers = () => ({})): TypeScriptDriver {
  return defineDriver("device driver", (d) => {
    const name = d.unicodeString("\\Device\\Test");
    const link = d.unicodeString("\\DosDevices\\Test");
    const device = d.statics(4);
    const waiting = d.statics(4);
    const stackLocation = (irp: number): number => d.view("IRP", irp).Tail_Overlay_CurrentStackLocation;
    const its: DeviceDriver = {
      device,
      waiting,
      stackLocation,
      *complete(irp, status, information = 0) {
        const request = d.view("IRP", irp);
        request.IoStatus_Status = status;
        request.IoStatus_Information = information;
        yield* d.IoCompleteRequest(irp, 0);
        return status;
      },
      markPending(irp) {
        d.view("IO_STACK_LOCATION", stackLocation(irp)).Control |= PENDING_RETURNED;
      },
    };
    const succeed = (_device: number, irp: number): Running<number> => its.complete(irp, STATUS_SUCCESS);
    /** Takes the read that pends, unless its cancel routine has it. */
    function* take(): Running<number> {
      const irp = d.memory.readU32(waiting);
      if (irp === 0) return 0;
      d.memory.writeU32(waiting, 0);
      const routine = yield* d.InterlockedExchangePointer(d.view("IRP", irp).address + 56, 0);
      return routine === 0 ? 0 : irp;
    }
    const right: Handlers = {
      *DriverEntry(object) {
        const status = yield* d.IoCreateDevice(object, 0, name, 0x12, 0, 0, device);
        if (status !== STATUS_SUCCESS) return status;
        const created = d.view("DEVICE_OBJECT", d.memory.readU32(device));
        created.Flags |= DIRECT_IO;
        yield* d.IoCreateSymbolicLink(link, name);
        const functions = d.addressOf("DRIVER_OBJECT", object, "MajorFunction");
        for (const [handler, major] of Object.entries(MAJORS)) d.memory.writeU32(functions + major * 4, d.handler(handler));
        d.view("DRIVER_OBJECT", object).DriverUnload = d.handler("DriverUnload");
        return STATUS_SUCCESS;
      },
      *DriverUnload() {
        yield* d.IoDeleteSymbolicLink(link);
        yield* d.IoDeleteDevice(d.memory.readU32(device));
      },
      DispatchCreate: succeed,
      DispatchClose: succeed,
      *DispatchCleanup(object, irp) {
        const read = yield* take();
        if (read !== 0) yield* its.complete(read, STATUS_CANCELLED);
        return yield* succeed(object, irp);
      },
      DispatchRead(_device, irp) {
        its.markPending(irp);
        d.memory.writeU32(waiting, irp);
        d.view("IRP", irp).CancelRoutine = d.handler("Cancel");
        return STATUS_PENDING;
      },
      *DispatchWrite(_device, irp) {
        const bytes = d.view("IO_STACK_LOCATION", stackLocation(irp)).Parameters_Write_Length;
        const read = yield* take();
        if (read !== 0) yield* its.complete(read, STATUS_SUCCESS, 0);
        return yield* its.complete(irp, STATUS_SUCCESS, bytes);
      },
      *DispatchDeviceControl(_device, irp) {
        const { Parameters_DeviceIoControl_InputBufferLength: input, Parameters_DeviceIoControl_OutputBufferLength: output } =
          d.view("IO_STACK_LOCATION", stackLocation(irp));
        return yield* its.complete(irp, STATUS_SUCCESS, Math.min(input, output));
      },
      *Cancel(_device, irp) {
        d.memory.writeU32(waiting, 0);
        yield* d.IoReleaseCancelSpinLock(d.view("IRP", irp).CancelIrql);
        yield* its.complete(irp, STATUS_CANCELLED);
      },
    };
    return { ...right, ...change(d, its) };
  });
}
