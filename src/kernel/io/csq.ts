/**
 * Cancel-safe IRP queues: the driver keeps the queue and its lock, the system sees to the races with cancellation.
 *
 * Pages: nf-wdm-iocsqinitialize, nf-wdm-iocsqinitializeex, nf-wdm-iocsqinsertirp, nf-wdm-iocsqinsertirpex, nf-wdm-iocsqremovenextirp,
 * nf-wdm-iocsqremoveirp; "Cancel-Safe IRP Queues".
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
const CONTEXT_TYPE = constant("IO_TYPE_CSQ_IRP_CONTEXT");
const CSQ_TYPE = constant("IO_TYPE_CSQ");
const EXTENDED_TYPE = constant("IO_TYPE_CSQ_EX");
const PENDING_RETURNED = constant("SL_PENDING_RETURNED");
/** DriverContext[3] of an IRP in a queue: the queue, or the context through which it leads there. */
const QUEUE = Irp.offset("Tail_Overlay_DriverContext") + 12;
/** What CancelRoutine holds while the IRP is in a queue: the system's own routine, which is no function of a driver. */
export const CSQ_CANCEL = 0xffff_0001;

export const csqHandlers = [
  "CsqInsertIrp",
  "CsqInsertIrpEx",
  "CsqRemoveIrp",
  "CsqPeekNextIrp",
  "CsqAcquireLock",
  "CsqReleaseLock",
  "CsqCompleteCanceledIrp",
] as const;

/** Where CsqAcquireLock puts the IRQL, in the locals of every plan here: they are memory like any other. */
const irqlOf = (p: ViewBase): number => p.address + 12;

/** Calls the queue's routine of that name. */
const ask = (k: Kernel, csq: number, routine: Exclude<(typeof csqHandlers)[number], "CsqInsertIrpEx">, ...args: number[]): Next =>
  call(Csq.at(k.memory, csq)[routine], routine, [csq, ...args]);

const isExtended = (k: Kernel, csq: number): boolean => Csq.at(k.memory, csq).Type === EXTENDED_TYPE;

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

const Insert = struct("CsqInsert", { csq: u32, irp: u32, context: u32, irql: u32, insertContext: u32, status: u32 });

/** IoCsqInsertIrp gets no insert context; whatever a driver's routine answers, it has no result. */
const insertPlan = (name: "IoCsqInsertIrp" | "IoCsqInsertIrpEx") =>
  plan(name, Insert, [
    step("the queue is locked", (k, p) => {
      p.insertContext = name === "IoCsqInsertIrp" ? 0 : p.irql;
      k.memory.writeU32(p.irp + QUEUE, p.context === 0 ? p.csq : p.context);
      if (p.context !== 0) {
        const context = CsqContext.at(k.memory, p.context);
        context.Type = CONTEXT_TYPE;
        context.Irp = p.irp;
        context.Csq = p.csq;
      }
      return ask(k, p.csq, "CsqAcquireLock", irqlOf(p));
    }),
    step("the IRP is inserted", (k, p) => {
      const irp = Irp.at(k.memory, p.irp);
      const location = StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation);
      location.Control |= PENDING_RETURNED;
      // One that is cancelled already is not inserted.
      if (irp.Cancel !== 0) return goTo("the queue is unlocked");
      if (!isExtended(k, p.csq)) return ask(k, p.csq, "CsqInsertIrp", p.irp);
      return call(Csq.at(k.memory, p.csq).CsqInsertIrp, "CsqInsertIrpEx", [p.csq, p.irp, p.insertContext]);
    }),
    step("it can be cancelled", (k, p, result) => {
      const irp = Irp.at(k.memory, p.irp);
      p.status = isExtended(k, p.csq) ? result : 0;
      if (p.status >= 0x8000_0000) {
        // Undocumented: whether an IRP that was not inserted stays marked. It does not: the driver completes it, and returns its status.
        StackLocation.at(k.memory, irp.Tail_Overlay_CurrentStackLocation).Control &= ~PENDING_RETURNED;
        unlink(k, p.irp);
        return goTo("the queue is unlocked and has it");
      }
      irp.CancelRoutine = CSQ_CANCEL;
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
    step("it was never queued", (_k, p) => done(p.status)),
    step("the queue is unlocked and has it", (k, p) => ask(k, p.csq, "CsqReleaseLock", p.irql & 0xff)),
    step("the driver goes on", (_k, p) => done(p.status)),
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

type Callback = "insertIrp" | "removeIrp" | "peekNextIrp" | "acquireLock" | "releaseLock" | "completeCanceledIrp";

function initialize(k: Kernel, csq: number, type: number, routines: Readonly<Record<Callback, number>>): string {
  k.memory.clear(csq, Csq.bytes);
  const queue = Csq.at(k.memory, csq);
  queue.Type = type;
  queue.CsqInsertIrp = routines.insertIrp;
  queue.CsqRemoveIrp = routines.removeIrp;
  queue.CsqPeekNextIrp = routines.peekNextIrp;
  queue.CsqAcquireLock = routines.acquireLock;
  queue.CsqReleaseLock = routines.releaseLock;
  queue.CsqCompleteCanceledIrp = routines.completeCanceledIrp;
  return "STATUS_SUCCESS";
}

const initializers = (
  [
    ["IoCsqInitialize", CSQ_TYPE],
    ["IoCsqInitializeEx", EXTENDED_TYPE],
  ] as const
).map(([name, type]) =>
  leaf(name, (k, csq, insertIrp, removeIrp, peekNextIrp, acquireLock = 0, releaseLock = 0, completeCanceledIrp = 0) =>
    initialize(k, csq, type, { insertIrp, removeIrp, peekNextIrp, acquireLock, releaseLock, completeCanceledIrp }),
  ),
);

export const csqRoutines = [
  ...initializers,
  planned("IoCsqInsertIrp", insertPlan("IoCsqInsertIrp")),
  planned("IoCsqInsertIrpEx", insertPlan("IoCsqInsertIrpEx")),
  planned("IoCsqRemoveNextIrp", removeNext),
  planned("IoCsqRemoveIrp", removeOne),
];
