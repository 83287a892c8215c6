/**
 * System threads, and who runs now.
 *
 * Pages: nf-wdm-pscreatesystemthread, nf-wdm-psterminatesystemthread, nf-wdm-kegetcurrentthread, nf-ntddk-psgetcurrentthreadid.
 */
import { setSignal } from "./dispatcher-objects.ts";
import type { Kernel } from "./kernel.ts";
import { abandonMutexes } from "./mutexes.ts";
import { dereference, openHandle } from "./object-manager.ts";
import { idOf, threadObject } from "./processes.ts";
import { leaf, local, waiting } from "./routine.ts";
import type { Thread } from "./state.ts";
import { windowsStruct } from "./windows.ts";

const ClientId = windowsStruct("CLIENT_ID");
const THREAD_ALL_ACCESS = 0x001f_ffff;

/** A thread that ends is signalled for whoever waits for it. */
export function threadIsOver(k: Kernel, thread: Thread): void {
  abandonMutexes(k, thread);
  if (thread.managed === 0) return;
  const object = threadObject(k, thread);
  thread.managed = 0;
  setSignal(k, object.body, true);
  dereference(k, object);
}

export const systemThreadRoutines = [
  leaf("PsCreateSystemThread", (k, handleVariable, _access, _attributes, _process, clientId = 0, start = 0, context = 0) => {
    const thread = k.startThread("System", { kind: "code", target: start, handler: "ThreadStart", args: [context] });
    // It runs inside a critical region from its start.
    thread.criticalRegions = 1;
    k.memory.writeU32(handleVariable, openHandle(k, threadObject(k, thread), THREAD_ALL_ACCESS, 0));
    if (clientId !== 0) {
      const id = ClientId.at(k.memory, clientId);
      id.UniqueProcess = idOf(k, 0);
      id.UniqueThread = thread.number * 4;
    }
    return "STATUS_SUCCESS";
  }),
  // Its frames are given up as they are: nothing that waits in them ever goes on.
  waiting("PsTerminateSystemThread", {
    before: (k) => {
      k.current.isTerminated = k.current.kind === "System";
      return 0;
    },
    ready: (k) => k.current.kind !== "System",
    then: () => "STATUS_INVALID_PARAMETER",
  }),
  local("PsGetCurrentThreadId", (k) => k.current.number * 4),
  leaf("KeGetCurrentThread", (k) => threadObject(k, k.current).body),
];

export const systemThreadHandlers = ["ThreadStart"] as const;
