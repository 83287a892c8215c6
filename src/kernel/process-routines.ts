/**
 * What drivers ask about processes, and how a thread enters one for a while.
 *
 * Pages: nf-wdm-iogetcurrentprocess, nf-ntddk-psgetcurrentprocessid, nf-ntddk-psgetprocessid, nf-ntifs-pslookupprocessbyprocessid,
 * nf-ntifs-kestackattachprocess, nf-ntifs-keunstackdetachprocess.
 */
import type { Kernel } from "./kernel.ts";
import { type ManagedObject, managedAt, reference } from "./object-manager.ts";
import { DriverFault } from "./outcome.ts";
import { currentProcess, idOf, processWithId } from "./processes.ts";
import { leaf, local } from "./routine.ts";

/** In the second word of a KAPC_STATE that holds the process from before; without it, nothing was attached. */
const ATTACHED = 0x6863_7441;

function processAt(k: Kernel, body: number, routine: string): ManagedObject {
  const object = managedAt(k, body);
  if (object?.kind === "Process") return object;
  throw new DriverFault("trap", `${routine} was called for 0x${body.toString(16)}, which is no process`);
}

export const processRoutines = [
  leaf("IoGetCurrentProcess", (k) => currentProcess(k).body),
  local("PsGetCurrentProcessId", (k) => idOf(k, k.current.process)),
  leaf("PsGetProcessId", (k, body) => idOf(k, processAt(k, body, "PsGetProcessId").detail)),
  leaf("PsLookupProcessByProcessId", (k, id, variable) => {
    const object = processWithId(k, id);
    if (object === undefined) return "STATUS_INVALID_CID";
    reference(k, object);
    k.memory.writeU32(variable, object.body);
    return "STATUS_SUCCESS";
  }),
  leaf("KeStackAttachProcess", (k, body, state) => {
    const { detail } = processAt(k, body, "KeStackAttachProcess");
    k.memory.writeU32(state, k.current.process);
    k.memory.writeU32(state + 4, ATTACHED);
    k.current.process = detail;
  }),
  leaf("KeUnstackDetachProcess", (k, state) => {
    if (k.memory.readU32(state + 4) !== ATTACHED)
      throw new DriverFault(
        "trap",
        `KeUnstackDetachProcess was called with 0x${state.toString(16)}, which KeStackAttachProcess has not filled in, or which was used already`,
      );
    k.current.process = k.memory.readU32(state);
    k.memory.writeU32(state + 4, 0);
  }),
];
