/** What a hung run means: who waits for what, since when, who has it, and which obligation is not met. */
import type { Kernel } from "../kernel/kernel.ts";
import type { Obligation } from "../kernel/plan.ts";
import { Frame, type Thread } from "../kernel/state.ts";
import { Binding } from "../ndis/objects.ts";
import type { Finding } from "./rule.ts";

/** The rule that is broken when a driver never calls the routine. */
const OWED: Readonly<Record<string, string>> = {
  NdisCompleteBindAdapterEx: "bind-pending-must-complete",
  NdisCompleteUnbindAdapterEx: "unbind-pending-must-complete",
  NdisCompleteNetPnPEvent: "pnp-event-pending-complete",
  NdisMOidRequestComplete: "oid-pending-must-complete",
  NdisMDirectOidRequestComplete: "oid-direct-pending-complete",
  NdisMPauseComplete: "mp-pause-complete-required",
  NdisMRestartComplete: "mp-restart-complete-required",
  NdisMResetComplete: "mp-reset-pending-complete",
  IoCompleteRequest: "irp-never-completed",
};

/** One line per thread that waits, and the thread that has what it waits for. */
export interface Wait {
  readonly thread: number;
  readonly text: string;
  /** Threads that have what it waits for. */
  readonly holders?: readonly number[];
  readonly obligation?: Obligation;
  /** Innermost code of a driver on the thread. */
  readonly driver: number;
  readonly target: number;
}

export function waitsOf(k: Kernel): Wait[] {
  return k.threads.filter(({ state, depth }) => state === "Live" && depth > 0).map((thread) => waitOf(k, thread));
}

function waitOf(k: Kernel, thread: Thread): Wait {
  const frame = k.frame(thread, thread.depth - 1);
  const code = innermostCode(k, thread);
  const base = { thread: thread.number, driver: code === undefined ? -1 : k.driverOf(code.code), target: code?.code ?? 0 };
  const inside = code === undefined ? "" : ` in ${k.handlerName(code)} (${k.nameOf(code.code)})`;
  if (frame.kind === "Plan") {
    const plan = k.planOf(frame);
    const step = plan.steps[frame.step];
    const locals = plan.locals.at(k.memory, frame.address + Frame.offsets.data);
    const obligation = step?.kind === "until" ? step.owes?.(k, locals) : undefined;
    const text = `thread ${thread.number}${inside}: ${plan.name} waits until ${step?.sentence ?? "it goes on"}`;
    return {
      ...base,
      text: obligation === undefined ? text : `${text} (${obligation.what})`,
      ...(obligation === undefined ? {} : { obligation }),
    };
  }
  if (frame.kind !== "Operation")
    return { ...base, text: `thread ${thread.number}${inside} could run, but no processor is free` };
  const routine = k.routineOf(frame.code);
  const args = k.arguments(frame);
  const awaited = routine.kind === "wait" ? routine.awaits?.(k, ...args) : undefined;
  if (awaited === undefined) {
    return { ...base, text: `thread ${thread.number}${inside} waits in ${routine.name}(0x${(args[0] ?? 0).toString(16)})` };
  }
  const holders = awaited.holders.map(({ number }) => number);
  return { ...base, text: `thread ${thread.number}${inside} waits for ${awaited.what}${whoHas(holders)}`, holders };
}

function whoHas(holders: readonly number[]): string {
  if (holders.length === 0) return "";
  return holders.length === 1 ? `, which thread ${holders[0]} has` : `, which threads ${holders.join(" and ")} have`;
}

function innermostCode(k: Kernel, thread: Thread): Frame | undefined {
  for (let index = thread.depth - 1; index >= 0; index -= 1) {
    const frame = k.frame(thread, index);
    if (frame.kind === "Code") return frame;
  }
  return undefined;
}

/** What to report for a run in which nothing can go on. `isAccused` tells whether a slot is a driver under test. */
export function judgeHung(k: Kernel, isAccused: (slot: number) => boolean): Finding[] {
  const waits = waitsOf(k);
  const story = waits.map(({ text }) => text).join("; ");
  const cycle = lockCycle(waits);
  if (cycle !== undefined) {
    return [{ rule: "deadlock", message: `Nothing can go on: ${story}.`, driver: cycle.driver, thread: cycle.thread }];
  }
  const sending = k.objects.all(Binding).filter(({ sendsOutstanding }) => sendsOutstanding > 0);
  // A protocol that pauses waits for its sends: it is the miniport that has to go on.
  const isExcused = ({ what, driver }: Obligation): boolean =>
    what === "NdisCompleteNetPnPEvent" && sending.some(({ protocol }) => protocol?.slot === driver);
  const owed = waits.filter(
    ({ obligation }) => obligation !== undefined && isAccused(obligation.driver) && !isExcused(obligation),
  );
  const findings = owed.map(({ obligation }): Finding => {
    const { what = "", driver = -1, target = 0 } = obligation ?? {};
    return {
      rule: OWED[what] ?? "hung",
      message: `${what} was never called, though ${k.nameOf(target)} answered ${what.startsWith("Io") ? "STATUS_PENDING" : "NDIS_STATUS_PENDING"}. Nothing can go on: ${story}.`,
      driver,
      target,
    };
  });
  for (const { adapter, sendsOutstanding } of sending) {
    const { slot = -1, sendNetBufferLists = 0 } = adapter?.miniport ?? {};
    if (!isAccused(slot)) continue;
    const message = `NdisMSendNetBufferListsComplete was never called for ${sendsOutstanding} lists that were sent. Nothing can go on: ${story}.`;
    findings.push({ rule: "send-miniport-complete", message, driver: slot, target: sendNetBufferLists });
  }
  if (findings.length > 0) return findings;
  const blamed = waits.find(({ driver }) => isAccused(driver));
  return [{ rule: "hung", message: `Nothing can go on: ${story}.`, driver: blamed?.driver ?? -1, thread: blamed?.thread ?? 0 }];
}

/** A thread that waits for a lock which, through others, it has itself. */
function lockCycle(waits: readonly Wait[]): Wait | undefined {
  const byThread = new Map(waits.map((wait) => [wait.thread, wait]));
  return waits.find((start) => {
    const seen = new Set<number>();
    const next = [...(start.holders ?? [])];
    for (let holder = next.pop(); holder !== undefined; holder = next.pop()) {
      if (holder === start.thread) return true;
      if (seen.has(holder)) continue;
      seen.add(holder);
      next.push(...(byThread.get(holder)?.holders ?? []));
    }
    return false;
  });
}
