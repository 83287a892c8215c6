/**
 * Cancel-safe IRP queues: the driver keeps the queue and its lock, the system sees to the races with cancellation.
 *
 * Pages: nf-wdm-iocsqinitialize, nf-wdm-iocsqinsertirp, nf-wdm-iocsqremovenextirp, nf-wdm-iocsqremoveirp; "Cancel-Safe IRP Queues".
 */
import { constant } from "../../contract/index.ts";
import type { Kernel } from "../kernel.ts";
import { type Next, call, done, goTo, plan, step } from "../plan.ts";
import { leaf, planned } from "../routine.ts";
import { type ViewBase, struct, u32 } from "../struct.ts";
import { windowsStruct } from "../windows.ts";
import { Irp, StackLocation } from "./irps.ts";

const Csq = windowsStruct("IO_CSQ");
const CsqContext = windowsStruct("IO_CSQ_IRP_CONTEXT");
const CSQ_TYPE = 1;
const CONTEXT_TYPE = 2;
/** DriverContext[3] of an IRP in a queue: the queue, or the context through which it leads there. */
const QUEUE = Irp.offset("Tail_Overlay_DriverContext") + 12;
/** What CancelRoutine holds while the IRP is in a queue: the system's own routine, which is no function of a driver. */
export const CSQ_CANCEL = 0xffff_0001;

export const csqHandlers = [
  "CsqInsertIrp",
  "CsqRemoveIrp",
  "CsqPeekNextIrp",
  "CsqAcquireLock",
  "CsqReleaseLock",
  "CsqCompleteCanceledIrp",
] as const;

/** Where CsqAcquireLock puts the IRQL, in the locals of every plan here: they are memory like any other. */
const irqlOf = (p: ViewBase): number => p.address + 12;

/** Calls the queue's routine of that name. */
const ask = (k: Kernel, csq: number, routine: (typeof csqHandlers)[number], ...args: number[]): Next =>
  call(Csq.at(k.memory, csq)[routine], routine, [csq, ...args]);

/** Takes the cancel routine away; false: a cancellation is under way and has it. */
function claim(k: Kernel, address: number): boolean {
  const irp = Irp.at(k.memory, address);
  const had = irp.CancelRoutine;
  irp.CancelRoutine = 0;
  return had !== 0;
}

/** The IRP is in no queue any more; whoever had a context for it finds nothing there. */
function unlink(k: Kernel, irp: number): void {
  const queue = k.memory.readU32(irp + QUEUE);
  if (queue !== 0 && CsqContext.at(k.memory, queue).Type === CONTEXT_TYPE) CsqContext.at(k.memory, queue).Irp = 0;
  k.memory.writeU32(irp + QUEUE, 0);
}

const insert = plan("IoCsqInsertIrp", struct("CsqInsert", { csq: u32, irp: u32, context: u32, irql: u32 }), [
  step("the queue is locked", (k, p) => {
    k.memory.writeU32(p.irp + QUEUE, p.context === 0 ? p.csq : p.context);
    if (p.context !== 0) {
      const context = CsqContext.at(k.memory, p.context);
      context.Type = CONTEXT_TYPE;
      context.Irp = p.irp;
      context.Csq = p.csq;
    }
    StackLocation.at(k.memory, Irp.at(k.memory, p.irp).Tail_Overlay_CurrentStackLocation).Control |=
      constant("SL_PENDING_RETURNED");
    return ask(k, p.csq, "CsqAcquireLock", irqlOf(p));
  }),
  step("the IRP is inserted", (k, p) => {
    // One that is cancelled already is not inserted.
    if (Irp.at(k.memory, p.irp).Cancel !== 0) return goTo("the queue is unlocked");
    return ask(k, p.csq, "CsqInsertIrp", p.irp);
  }),
  step("it can be cancelled", (k, p) => {
    Irp.at(k.memory, p.irp).CancelRoutine = CSQ_CANCEL;
  }),
  step("it may have been cancelled meanwhile", (k, p) => {
    if (Irp.at(k.memory, p.irp).Cancel === 0 || !claim(k, p.irp)) return goTo("the queue is unlocked and has it");
    return ask(k, p.csq, "CsqRemoveIrp", p.irp);
  }),
  step("the queue is unlocked", (k, p) => {
    unlink(k, p.irp);
    return ask(k, p.csq, "CsqReleaseLock", p.irql & 0xff);
  }),
  step("the cancelled IRP is completed", (k, p) => ask(k, p.csq, "CsqCompleteCanceledIrp", p.irp)),
  step("it was never queued", () => done()),
  step("the queue is unlocked and has it", (k, p) => ask(k, p.csq, "CsqReleaseLock", p.irql & 0xff)),
]);

const removeNext = plan(
  "IoCsqRemoveNextIrp",
  struct("CsqRemoveNext", { csq: u32, peekContext: u32, context: u32, irql: u32, found: u32, irp: u32 }),
  [
    step("the queue is locked", (k, p) => ask(k, p.csq, "CsqAcquireLock", irqlOf(p))),
    step("the queue is asked for an IRP", (k, p) => ask(k, p.csq, "CsqPeekNextIrp", p.found, p.peekContext)),
    step("an IRP is chosen", (k, p, irp) => {
      p.found = irp;
      if (irp === 0) return goTo("the queue is unlocked");
      if (!claim(k, irp)) return goTo("the queue is asked for an IRP");
      p.irp = irp;
      return ask(k, p.csq, "CsqRemoveIrp", irp);
    }),
    step("it leaves the queue", (k, p) => unlink(k, p.irp)),
    step("the queue is unlocked", (k, p) => ask(k, p.csq, "CsqReleaseLock", p.irql & 0xff)),
    step("the driver gets it", (_k, p) => done(p.irp)),
  ],
);

const removeOne = plan("IoCsqRemoveIrp", struct("CsqRemove", { csq: u32, context: u32, reserved: u32, irql: u32, irp: u32 }), [
  step("the queue is locked", (k, p) => ask(k, p.csq, "CsqAcquireLock", irqlOf(p))),
  step("the IRP is looked for", (k, p) => {
    const { Irp: irp } = CsqContext.at(k.memory, p.context);
    if (irp === 0 || !claim(k, irp)) return goTo("the queue is unlocked");
    p.irp = irp;
    return ask(k, p.csq, "CsqRemoveIrp", irp);
  }),
  step("it leaves the queue", (k, p) => unlink(k, p.irp)),
  step("the queue is unlocked", (k, p) => ask(k, p.csq, "CsqReleaseLock", p.irql & 0xff)),
  step("the driver gets it", (_k, p) => done(p.irp)),
]);

/** The system's cancel routine of queued IRPs. */
export const cancelInQueue = plan(
  "a queued IRP is cancelled",
  struct("CsqCancel", { irp: u32, csq: u32, context: u32, irql: u32 }),
  [
    step("the queue is locked", (k, p) => {
      const queue = k.memory.readU32(p.irp + QUEUE);
      const hasContext = CsqContext.at(k.memory, queue).Type === CONTEXT_TYPE;
      p.csq = hasContext ? CsqContext.at(k.memory, queue).Csq : queue;
      return ask(k, p.csq, "CsqAcquireLock", irqlOf(p));
    }),
    step("the IRP leaves the queue", (k, p) => ask(k, p.csq, "CsqRemoveIrp", p.irp)),
    step("the queue is unlocked", (k, p) => {
      unlink(k, p.irp);
      return ask(k, p.csq, "CsqReleaseLock", p.irql & 0xff);
    }),
    step("the IRP is completed", (k, p) => ask(k, p.csq, "CsqCompleteCanceledIrp", p.irp)),
    step("it is cancelled", () => done()),
  ],
);

export const csqRoutines = [
  leaf(
    "IoCsqInitialize",
    (k, csq, insertIrp, removeIrp, peekNextIrp, acquireLock = 0, releaseLock = 0, completeCanceledIrp = 0) => {
      k.memory.clear(csq, Csq.bytes);
      const queue = Csq.at(k.memory, csq);
      queue.Type = CSQ_TYPE;
      queue.CsqInsertIrp = insertIrp;
      queue.CsqRemoveIrp = removeIrp;
      queue.CsqPeekNextIrp = peekNextIrp;
      queue.CsqAcquireLock = acquireLock;
      queue.CsqReleaseLock = releaseLock;
      queue.CsqCompleteCanceledIrp = completeCanceledIrp;
      return "STATUS_SUCCESS";
    },
  ),
  planned("IoCsqInsertIrp", insert),
  planned("IoCsqRemoveNextIrp", removeNext),
  planned("IoCsqRemoveIrp", removeOne),
];
