/** What drivers take and have to give back, kind by kind, and what of it a driver still has. */
import { CallbackRegistration } from "../kernel/callbacks.ts";
import { Kdpc } from "../kernel/dpc-queue.ts";
import { Device, SymbolicLink } from "../kernel/io/devices.ts";
import { Request } from "../kernel/io/irps.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { LookasideList } from "../kernel/lookaside-lists.ts";
import { Handle } from "../kernel/object-manager.ts";
import { allocatedBlocks, PoolBlock, tagText } from "../kernel/pool.ts";
import type { ViewBase } from "../kernel/struct.ts";
import { Timer } from "../kernel/timer-queue.ts";
import { NdisDevice } from "../ndis/devices.ts";
import { InterfaceProvider, NetInterface } from "../ndis/interface-objects.ts";
import { Interrupt } from "../ndis/interrupts.ts";
import { BufferPool, ProtocolDriver, ScatterGatherDma } from "../ndis/objects.ts";
import { SharedMemory, TimerObject } from "../ndis/resource-objects.ts";
import type { Thing } from "./origins.ts";
import { type Reach, reachOf } from "./reachability.ts";

/** Something that a driver took and has not given back. */
export interface Left extends Thing {
  /** Of memory; 0: of anything else. */
  readonly bytes: number;
  readonly tag?: string;
  readonly handle?: number;
  readonly reach?: Reach;
}

export interface Kind {
  readonly what: string;
  /** What the driver should have called. */
  readonly undo: string;
  readonly left: (k: Kernel, slot: number) => Left[];
}

const left = (k: Kernel, object: ViewBase): Left => ({
  address: object.address,
  bytes: 0,
  handle: k.objects.handleOf(object),
});

type Owned = ViewBase & { readonly slot: number };
interface OwnedType {
  readonly name: string;
  readonly bytes: number;
  at(memory: ViewBase["memory"], address: number): Owned;
}

/** Objects that know whose they are, and that drivers know by their handles. */
const ofSlot =
  (type: OwnedType) =>
  (k: Kernel, slot: number): Left[] =>
    k.objects
      .all(type)
      .filter((each) => each.slot === slot)
      .map((each) => left(k, each));
const withoutHandle =
  (type: OwnedType) =>
  (k: Kernel, slot: number): Left[] =>
    ofSlot(type)(k, slot).map(({ address }) => ({ address, bytes: 0 }));

/** Devices of IoCreateDevice: those of NdisRegisterDeviceEx are told apart. */
function devices(k: Kernel, slot: number): Left[] {
  const registered = new Set(k.objects.all(NdisDevice).map(({ device }) => device?.address));
  return k.objects
    .all(Device)
    .filter((device) => device.slot === slot && !registered.has(device.address))
    .map((device) => ({ address: device.address, bytes: 0 }));
}

const interfaces = (k: Kernel, slot: number): Left[] =>
  k.objects
    .all(NetInterface)
    .filter(({ provider }) => provider?.slot === slot)
    .map(({ address }) => ({ address, bytes: 0 }));

/** IRPs of IoBuildXxx that were never sent: the I/O manager frees those that come to an end. */
const builtIrps = (k: Kernel, slot: number): Left[] =>
  k.objects
    .all(Request)
    .filter(({ maker, irp }) => maker === slot + 1 && irp !== 0)
    .map(({ irp }) => ({ address: irp, bytes: 0 }));

/** Kernel timers whose DPC, and timers of the executive whose function, is the driver's; with what it belongs to. */
const setTimers = (k: Kernel, slot: number): Left[] =>
  k.objects.all(Timer).flatMap((timer) => {
    const { kind, target } = timer;
    const isOwn =
      (kind === "Executive" && k.driverOf(target) === slot) ||
      (kind === "Kernel" && target !== 0 && k.driverOf(Kdpc.at(k.memory, target).DeferredRoutine) === slot);
    return isOwn ? [{ address: timer.address, bytes: 0 }] : [];
  });

/** DPCs, and work items of the executive, whose routines run when the driver is gone. Other work items keep their device, and so the driver. */
const queued =
  (handler: string) =>
  (k: Kernel, slot: number): Left[] =>
    k.threads
      .filter((thread) => thread.state === "Live" && thread.driver === slot + 1 && thread.kind !== "System")
      .filter((thread) => k.handlerName(k.frame(thread, 0)) === handler)
      .map(({ address }) => ({ address, bytes: 0 }));

/** System threads, which nothing but themselves ends. */
const threads = (k: Kernel, slot: number): Left[] =>
  k.threads
    .filter(({ state, kind, driver }) => state === "Live" && kind === "System" && driver === slot + 1)
    .map(({ managed, address }) => ({ address: managed === 0 ? address : managed, bytes: 0 }));

/** Handles, told apart by what they stand for. */
const handles =
  (kind: string) =>
  (k: Kernel, slot: number): Left[] =>
    k.objects
      .all(Handle)
      .filter(({ opener, object }) => opener === slot + 1 && object?.kind === kind)
      .map((each) => left(k, each));

const HANDLES = (["Event", "Thread", "File", "Key", "Process"] as const).map((kind) => ({
  what: `handle(s) that it opened are not closed; what they stand for: ${kind}`,
  undo: "ZwClose",
  left: handles(kind),
}));

/** What a driver may still have when it is unloaded, besides memory. */
export const KINDS: readonly Kind[] = [
  { what: "net buffer pool(s) of it are left", undo: "the routine that frees its kind of pool", left: ofSlot(BufferPool) },
  { what: "timer object(s) of it are left", undo: "NdisFreeTimerObject", left: ofSlot(TimerObject) },
  { what: "symbolic link(s) of it are left", undo: "IoDeleteSymbolicLink", left: withoutHandle(SymbolicLink) },
  { what: "device(s) of NdisRegisterDeviceEx of it are left", undo: "NdisDeregisterDeviceEx", left: ofSlot(NdisDevice) },
  { what: "device object(s) of it are left", undo: "IoDeleteDevice", left: devices },
  {
    what: "lookaside list(s) of it are left",
    undo: "ExDeleteLookasideListEx or ExDeleteNPagedLookasideList",
    left: withoutHandle(LookasideList),
  },
  { what: "callback registration(s) of it are left", undo: "ExUnregisterCallback", left: ofSlot(CallbackRegistration) },
  { what: "interrupt(s) of it are left", undo: "NdisMDeregisterInterruptEx", left: ofSlot(Interrupt) },
  {
    what: "scatter/gather DMA channel(s) of it are left",
    undo: "NdisMDeregisterScatterGatherDma",
    left: ofSlot(ScatterGatherDma),
  },
  { what: "block(s) of shared memory of it are left", undo: "NdisMFreeSharedMemory", left: withoutHandle(SharedMemory) },
  { what: "interface(s) that it registered are left", undo: "NdisIfDeregisterInterface", left: interfaces },
  {
    what: "registration(s) as an interface provider of it are left",
    undo: "NdisIfDeregisterProvider",
    left: ofSlot(InterfaceProvider),
  },
  { what: "protocol registration(s) of it are left", undo: "NdisDeregisterProtocolDriver", left: ofSlot(ProtocolDriver) },
  { what: "IRP(s) that it built were neither sent nor freed", undo: "IoCallDriver, or IoFreeIrp", left: builtIrps },
  { what: "timer(s) that call it are set", undo: "KeCancelTimer or ExDeleteTimer", left: setTimers },
  { what: "DPC(s) of it are queued or running", undo: "KeFlushQueuedDpcs", left: queued("DeferredRoutine") },
  {
    what: "work item(s) of it that ExQueueWorkItem queued are queued or running",
    undo: "a wait for the routine's end",
    left: queued("WorkerThreadRoutine"),
  },
  {
    what: "system thread(s) of it are still running: wait for their thread objects after telling them to end",
    undo: "",
    left: threads,
  },
  ...HANDLES,
];

/** Memory of the driver, with how it can still be reached. */
export function memoryLeft(k: Kernel, slot: number, isTold: (address: number) => boolean): Left[] {
  const all = allocatedBlocks(k)
    .filter(({ owner }) => owner === slot + 1)
    .map((block) => ({ address: block.address + PoolBlock.bytes, bytes: block.bytes, tag: tagText(block.tag) }));
  const reach = reachOf(k, all);
  return all.filter(({ address }) => !isTold(address)).map((each) => withReach(each, reach));
}

export const withReach = (each: Left, reaches: ReadonlyMap<number, Reach>): Left => {
  const reach = reaches.get(each.address);
  return reach === undefined ? each : { ...each, reach };
};
