/**
 * Line-based interrupts of an adapter. The scenario is the device: it interrupts, NDIS calls MiniportInterrupt at the level of the device, and
 * DPCs do the rest. The machine has no message-signaled interrupts: a driver that can have either gets the line.
 *
 * Pages: nf-ndis-ndismregisterinterruptex, nc-ndis-miniport_isr, nc-ndis-miniport_interrupt_dpc, nf-ndis-ndismqueuedpcex,
 * nf-ndis-ndismsynchronizewithinterruptex, nf-ndis-ndismderegisterinterruptex.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { call, done, plan, step, until } from "../kernel/plan.ts";
import { allocate, free } from "../kernel/pool.ts";
import { leaf, planned } from "../kernel/routine.ts";
import { isScarce } from "../kernel/scarcity.ts";
import { IRQL } from "../kernel/state.ts";
import { type ViewOf, boolean, pointer, struct, u32 } from "../kernel/struct.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { Adapter } from "./objects.ts";
import { NDIS_TAG } from "./pnp-events.ts";
import { adapterOf } from "./stack.ts";

const Characteristics = windowsStruct("NDIS_MINIPORT_INTERRUPT_CHARACTERISTICS");
const Throttle = windowsStruct("NDIS_RECEIVE_THROTTLE_PARAMETERS");
/** A word with a flag in its lowest bit. */
const MORE_PENDING = Throttle.offset("MoreNblsPending");
const GroupAffinity = windowsStruct("GROUP_AFFINITY");

/** An interrupt that a miniport has registered. */
export const Interrupt = struct("Interrupt", {
  slot: u32,
  adapter: pointer(() => Adapter),
  /** MiniportInterruptContext. */
  context: u32,
  interruptHandler: u32,
  dpcHandler: u32,
  /** Address of the thread that runs MiniportInterrupt or MiniportSynchronizeInterrupt: one at a time. */
  holder: u32,
  /** Interrupts and DPCs that have come and are not over. */
  underWay: u32,
  isDeregistering: boolean,
});
export type Interrupt = ViewOf<typeof Interrupt>;

const interruptAt = (k: Kernel, address: number): Interrupt => Interrupt.at(k.memory, address);

function interruptOf(k: Kernel, handle: number, what = "an interrupt handle"): Interrupt | undefined {
  const interrupt = k.objects.resolve(handle, Interrupt);
  if (interrupt === undefined) k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, Interrupt)}: ${what} was expected`);
  return interrupt;
}

function register(k: Kernel, handle: number, context: number, characteristics: number, handleVariable: number): string {
  const adapter = adapterOf(k, handle);
  // Undocumented: the statuses of these refusals. The attributes have to be set first, and each of the four handlers has to be there.
  if (adapter === undefined || !adapter.hasRegistrationAttributes) return "NDIS_STATUS_FAILURE";
  const types = ["NDIS_OBJECT_TYPE_MINIPORT_INTERRUPT"];
  const sizes = ["NDIS_SIZEOF_MINIPORT_INTERRUPT_CHARACTERISTICS_REVISION_1"];
  if (!hasHeader(k, characteristics, types, sizes)) return "NDIS_STATUS_BAD_CHARACTERISTICS";
  const given = Characteristics.at(k.memory, characteristics);
  const { InterruptHandler, InterruptDpcHandler, DisableInterruptHandler, EnableInterruptHandler } = given;
  if ([InterruptHandler, InterruptDpcHandler, DisableInterruptHandler, EnableInterruptHandler].includes(0)) {
    return "NDIS_STATUS_BAD_CHARACTERISTICS";
  }
  if (isScarce(k)) return "NDIS_STATUS_RESOURCES";
  const interrupt = k.objects.create(Interrupt);
  interrupt.slot = k.driverOfThread(k.current);
  interrupt.adapter = adapter;
  interrupt.context = context;
  interrupt.interruptHandler = InterruptHandler;
  interrupt.dpcHandler = InterruptDpcHandler;
  given.InterruptType = constant("NDIS_CONNECT_LINE_BASED");
  given.MessageInfoTable = 0;
  k.memory.writeU32(handleVariable, k.objects.handleOf(interrupt));
  return "NDIS_STATUS_SUCCESS";
}

/** Queues the DPC on the processor; false: it is queued there already. */
function queueDpc(k: Kernel, interrupt: Interrupt, processor: number, dpcContext: number): boolean {
  const isQueued = k.threads.some(
    ({ state, kind, subject, processor: on, hasStarted }) =>
      state === "Live" && kind === "Dpc" && subject === interrupt.address && on === processor && !hasStarted,
  );
  if (isQueued) return false;
  interrupt.underWay += 1;
  const start = { kind: "plan", plan: interruptDpc, args: [interrupt.address, dpcContext, processor] } as const;
  k.startThread("Dpc", start, { irql: IRQL.DISPATCH, processor, subject: interrupt.address });
  return true;
}

/** Queues the DPC on each processor of the mask; the result is the mask of those where it was not queued before. */
function queueDpcs(k: Kernel, interrupt: Interrupt, mask: number, dpcContext: number): number {
  let queued = 0;
  for (let processor = 0; processor < k.header.processorCount; processor += 1) {
    const bit = 1 << processor;
    if ((mask & bit) !== 0 && queueDpc(k, interrupt, processor, dpcContext)) queued |= bit;
  }
  return queued >>> 0;
}

const interruptDpc = plan(
  "a DPC of an interrupt",
  struct("InterruptDpc", { interrupt: u32, dpcContext: u32, processor: u32, throttle: u32 }),
  [
    step("the miniport does the rest of the interrupt", (k, p) => {
      const { dpcHandler, context } = interruptAt(k, p.interrupt);
      p.throttle = allocate(k, Throttle.bytes, NDIS_TAG, -1);
      Throttle.at(k.memory, p.throttle).MaxNblsToIndicate = constant("NDIS_INDICATE_ALL_NBLS");
      return call(dpcHandler, "MiniportInterruptDPC", [context, p.dpcContext, p.throttle, 0]);
    }),
    step("the DPC is over", (k, p) => {
      const interrupt = interruptAt(k, p.interrupt);
      const hasMore = (k.memory.readU32(p.throttle + MORE_PENDING) & 1) !== 0;
      free(k, p.throttle);
      // A miniport that has more to indicate is called again.
      if (hasMore) queueDpc(k, interrupt, p.processor, p.dpcContext);
      interrupt.underWay -= 1;
    }),
  ],
);

/** The device interrupts once; the thread runs at the device's level. */
const deliverInterrupt = plan("deliver an interrupt", struct("DeliverInterrupt", { interrupt: u32, outputs: u32 }), [
  until("nobody else runs at the level of the interrupt", (k, p) => interruptAt(k, p.interrupt).holder === 0),
  step("the miniport is interrupted", (k, p) => {
    const interrupt = interruptAt(k, p.interrupt);
    interrupt.holder = k.current.address;
    p.outputs = allocate(k, 8, NDIS_TAG, -1);
    return call(interrupt.interruptHandler, "MiniportInterrupt", [interrupt.context, p.outputs, p.outputs + 4]);
  }),
  step("the DPCs that it wants are queued", (k, p) => {
    const interrupt = interruptAt(k, p.interrupt);
    interrupt.holder = 0;
    k.note("interrupt handled", interrupt.address, k.memory.readU32(p.outputs + 4));
    // Whatever the handler returned: the default DPC, or else those of the mask.
    const isDefault = k.memory.u8[p.outputs] !== 0;
    const mask = isDefault ? 1 << k.current.processor : k.memory.readU32(p.outputs + 4);
    free(k, p.outputs);
    queueDpcs(k, interrupt, mask, 0);
    interrupt.underWay -= 1;
  }),
]);

/** The device of the adapter interrupts, on each line that the miniport has registered. */
export function interruptAdapter(k: Kernel, adapter: Adapter): void {
  for (const interrupt of k.objects.all(Interrupt)) {
    if (interrupt.adapter?.address !== adapter.address || interrupt.isDeregistering) continue;
    interrupt.underWay += 1;
    const start = { kind: "plan", plan: deliverInterrupt, args: [interrupt.address] } as const;
    k.startThread("System", start, { irql: IRQL.DEVICE, subject: interrupt.address });
  }
}

const deregister = plan("NdisMDeregisterInterruptEx", struct("DeregisterInterrupt", { handle: u32, interrupt: u32 }), [
  step("no new interrupt is delivered", (k, p) => {
    const interrupt = interruptOf(k, p.handle);
    if (interrupt === undefined) return done();
    interrupt.isDeregistering = true;
    p.interrupt = interrupt.address;
  }),
  until("its handlers have returned", (k, p) => interruptAt(k, p.interrupt).underWay === 0),
  step("the interrupt is gone", (k, p) => k.objects.release(interruptAt(k, p.interrupt))),
]);

const Synchronize = struct("SynchronizeWithInterrupt", {
  handle: u32,
  messageId: u32,
  function: u32,
  context: u32,
  interrupt: u32,
  oldIrql: u32,
});

const synchronize = plan("NdisMSynchronizeWithInterruptEx", Synchronize, [
  step("the caller goes to the level of the interrupt", (k, p) => {
    const interrupt = interruptOf(k, p.handle, "an interrupt to synchronize with");
    if (interrupt === undefined) return done();
    p.interrupt = interrupt.address;
    p.oldIrql = k.scheduler.setIrql(IRQL.DEVICE);
  }),
  until("nobody else runs at the level of the interrupt", (k, p) => interruptAt(k, p.interrupt).holder === 0),
  step("the function runs", (k, p) => {
    interruptAt(k, p.interrupt).holder = k.current.address;
    return call(p.function, "MiniportSynchronizeInterrupt", [p.context]);
  }),
  step("the caller goes back to its level", (k, p, result) => {
    interruptAt(k, p.interrupt).holder = 0;
    k.scheduler.setIrql(p.oldIrql);
    return done(result & 0xff);
  }),
]);

export const interruptRoutines = [
  leaf("NdisMRegisterInterruptEx", register),
  planned("NdisMDeregisterInterruptEx", deregister),
  planned("NdisMSynchronizeWithInterruptEx", synchronize),
  leaf("NdisMQueueDpc", (k, handle, _messageId, mask, dpcContext) => {
    const interrupt = interruptOf(k, handle);
    return interrupt === undefined ? 0 : queueDpcs(k, interrupt, mask, dpcContext ?? 0);
  }),
  leaf("NdisMQueueDpcEx", (k, handle, _messageId, affinity, dpcContext) => {
    const interrupt = interruptOf(k, handle);
    const { Mask, Group } = GroupAffinity.at(k.memory, affinity);
    // The machine has one group of processors.
    return interrupt === undefined || Group !== 0 ? 0 : queueDpcs(k, interrupt, Mask, dpcContext ?? 0);
  }),
];
export const interruptPlans = [interruptDpc, deliverInterrupt];
