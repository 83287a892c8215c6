/**
 * I/O request packets: their making and their end. The stack locations follow the IRP in memory, the lowest driver's first.
 *
 * Pages: nf-wdm-ioallocateirp, nf-wdm-iofreeirp, nf-wdm-ioreuseirp, nf-wdm-ioinitializeirp.
 */
import { constant } from "../../contract/index.ts";
import { initializeDispatcher, DISPATCHER_TYPE } from "../dispatcher-objects.ts";
import type { Kernel } from "../kernel.ts";
import { allocate, blockAt, free } from "../pool.ts";
import { threadObject } from "../processes.ts";
import { leaf } from "../routine.ts";
import { boolean, oneOf, struct, u32, type ViewOf, words } from "../struct.ts";
import { windowsStruct } from "../windows.ts";

export const Irp = windowsStruct("IRP");
export const StackLocation = windowsStruct("IO_STACK_LOCATION");
export const FileObject = windowsStruct("FILE_OBJECT");
const IRP_TAG = 0x2070_7249;
const IRP_TYPE = constant("IO_TYPE_IRP");
/** In AllocationFlags: the I/O manager frees the IRP when it is complete. */
const FREED_BY_IO_MANAGER = 1;

/**
 * One driver's turn with an IRP, from the call of its dispatch routine until both the routine has returned and the IRP is complete at that
 * level. The rules look at it when the routine returns.
 */
export const Dispatch = struct("Dispatch", {
  irp: u32,
  /** Stack location of the driver. */
  location: u32,
  device: u32,
  major: u32,
  /** The dispatch routine. */
  target: u32,
  /** The dispatch of the driver above, for the same IRP. */
  above: u32,
  isReturned: boolean,
  isComplete: boolean,
  isMarkedPending: boolean,
  /** Passed to a lower driver: its status is that driver's. */
  isPassedOn: boolean,
  returnedStatus: u32,
  completedStatus: u32,
});
export type Dispatch = ViewOf<typeof Dispatch>;

/** What an application, or a driver through IoBuildXxx, asked for: it outlives the IRP. */
export const Request = struct("Request", {
  /** A name of the scenario's, as a number; 0: none. */
  name: u32,
  /** The ManagedObject of the file. */
  file: u32,
  /** The process of the application; 0: a driver asks, in kernel mode. */
  process: u32,
  /** The process that the thread belonged to, or was attached to. */
  requestor: u32,
  irp: u32,
  major: u32,
  /** IOCTL code; access mask of a create. */
  code: u32,
  input: u32,
  inputBytes: u32,
  output: u32,
  outputBytes: u32,
  state: oneOf("Sent", "Complete"),
  /** Nobody waits for it: its file is let go when it completes. */
  isLeftAlone: boolean,
  /** Made by a driver, which learns of its end through an event and a status block: it goes with its IRP. */
  isOfDriver: boolean,
  /** 1 + slot of that driver. */
  maker: u32,
  /** Its process ends, and has asked for it to be cancelled. */
  isCancelled: boolean,
  status: u32,
  information: u32,
  /** Of a read or a write: where in the file. */
  byteOffset: words(2),
  /** The ManagedObject of the event that is set at its end, and the status block that is written then; 0: none. */
  event: u32,
  statusBlock: u32,
  /** Of a create: options with the disposition in the high byte, share access, file attributes, and the kind of its handle. */
  options: u32,
  share: u32,
  attributes: u32,
  isForKernelHandle: boolean,
  /** The address of the path; the handle that was opened, or is used. */
  path: u32,
  handle: u32,
  /** The dispatch routine that has it, and its driver. */
  target: u32,
  slot: u32,
});
export type Request = ViewOf<typeof Request>;

export const irpBytes = (stackSize: number): number => Irp.bytes + stackSize * StackLocation.bytes;

/** Address of a cleared IRP that is ready to be sent, or 0. */
export function allocateIrp(k: Kernel, stackSize: number, owner?: number): number {
  const irp = allocate(k, irpBytes(stackSize), IRP_TAG, owner);
  if (irp !== 0) initializeIrp(k, irp, stackSize);
  return irp;
}

export function initializeIrp(k: Kernel, address: number, stackSize: number): void {
  k.memory.clear(address, irpBytes(stackSize));
  const irp = Irp.at(k.memory, address);
  irp.Type = IRP_TYPE;
  irp.Size = irpBytes(stackSize);
  irp.StackCount = stackSize;
  irp.CurrentLocation = stackSize + 1;
  irp.Tail_Overlay_CurrentStackLocation = address + irpBytes(stackSize);
}

/** Whether an IRP that is not complete is there. */
export function isLiveIrp(k: Kernel, address: number): boolean {
  if (!k.memory.isAddress(address, Irp.bytes)) return false;
  const { Type, StackCount, CurrentLocation } = Irp.at(k.memory, address);
  const block = blockAt(k, address);
  return Type === IRP_TYPE && block?.state !== "Freed" && CurrentLocation <= StackCount + 1;
}

/** The system's own word about an IRP lies where Windows links the IRPs of a thread. */
export const requestOf = (k: Kernel, irp: number): Request | undefined => {
  const { ThreadListEntry_Flink: address } = Irp.at(k.memory, irp);
  return address === 0 ? undefined : Request.at(k.memory, address);
};
export const dispatchOf = (k: Kernel, irp: number): Dispatch | undefined => {
  const { ThreadListEntry_Blink: address } = Irp.at(k.memory, irp);
  return address === 0 ? undefined : Dispatch.at(k.memory, address);
};

/** An IRP of the system's for the request; what the drivers find of it in the IRP itself is the caller's to fill in. */
export function irpFor(k: Kernel, request: Request, stackSize: number): number {
  const address = allocateIrp(k, stackSize, -1);
  const irp = Irp.at(k.memory, address);
  irp.AllocationFlags = FREED_BY_IO_MANAGER;
  irp.ThreadListEntry_Flink = request.address;
  irp.RequestorMode = request.process === 0 ? 0 : 1;
  irp.Tail_Overlay_Thread = threadObject(k, k.current).body;
  request.requestor = k.current.process;
  request.irp = address;
  return address;
}

export const isFreedByIoManager = (k: Kernel, irp: number): boolean =>
  (Irp.at(k.memory, irp).AllocationFlags & FREED_BY_IO_MANAGER) !== 0;

export const irpRoutines = [
  leaf("IoAllocateIrp", (k, stackSize) => allocateIrp(k, stackSize & 0xff)),
  leaf("IoInitializeIrp", (k, irp, _bytes, stackSize) => initializeIrp(k, irp, stackSize & 0xff)),
  leaf("IoReuseIrp", (k, irp, status) => {
    const { StackCount, AllocationFlags } = Irp.at(k.memory, irp);
    initializeIrp(k, irp, StackCount);
    Irp.at(k.memory, irp).AllocationFlags = AllocationFlags;
    Irp.at(k.memory, irp).IoStatus_Status = status;
  }),
  leaf("IoFreeIrp", (k, irp) => free(k, irp)),
];

/** A KEVENT that is not signalled. */
export function initializeEvent(k: Kernel, event: number): void {
  initializeDispatcher(k, event, DISPATCHER_TYPE.NotificationEvent, false);
}
