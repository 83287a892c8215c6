/**
 * What drivers do with objects and handles.
 *
 * Pages: nf-wdm-obreferenceobjectbyhandle, nf-wdm-obreferenceobject, nf-wdm-obdereferenceobject, nf-wdm-zwclose, nf-ntifs-obclosehandle,
 * nf-ntifs-zwsetevent, nf-wdm-probeforread, nf-wdm-probeforwrite.
 */
import { setSignal } from "./dispatcher-objects.ts";
import { closeHandle } from "./io/files.ts";
import type { Kernel } from "./kernel.ts";
import { MANAGED_KINDS, type ManagedObject, dereference, managedAt, resolveHandle } from "./object-manager.ts";
import { RunFailed } from "./outcome.ts";
import { isUserMemory, threadObject } from "./processes.ts";
import { leaf, local, planned } from "./routine.ts";

const CURRENT_THREAD = 0xffff_fffe;
const KERNEL_MODE = 0;
const REFERENCE_BY_POINTER = 0x18;

/** What the handle stands for; the current thread has one that nobody opens. */
function objectOf(k: Kernel, handle: number): { object: ManagedObject; access: number } | undefined {
  if (handle === CURRENT_THREAD) return { object: threadObject(k, k.current), access: 0xffff_ffff };
  const found = resolveHandle(k, handle);
  return found?.object === undefined ? undefined : { object: found.object, access: found.access };
}

function referenceByHandle(
  k: Kernel,
  handle: number,
  access: number,
  type: number,
  mode = KERNEL_MODE,
  variable = 0,
  information = 0,
): string {
  k.memory.writeU32(variable, 0);
  const found = objectOf(k, handle);
  if (found === undefined) return "STATUS_INVALID_HANDLE";
  if (type !== 0 && MANAGED_KINDS[type - 1] !== found.object.kind) return "STATUS_OBJECT_TYPE_MISMATCH";
  // Kernel-mode callers are not checked.
  if ((mode & 0xff) !== KERNEL_MODE && (found.access & access) !== access) return "STATUS_ACCESS_DENIED";
  found.object.references += 1;
  k.memory.writeU32(variable, found.object.body);
  if (information !== 0) {
    k.memory.writeU32(information, 0);
    k.memory.writeU32(information + 4, found.access);
  }
  return "STATUS_SUCCESS";
}

function objectAt(k: Kernel, body: number, routine: string): ManagedObject {
  const object = managedAt(k, body);
  if (object === undefined || object.references === 0) {
    k.bugCheck(
      REFERENCE_BY_POINTER,
      [0, body, 0, 0],
      `${routine} was called for 0x${body.toString(16)}, which is no object, or none any more`,
    );
  }
  return object;
}

/** A raise that the driver's own handler would catch cannot be carried out. */
function raise(status: string, what: string): never {
  throw new RunFailed(`${what} raises ${status}, and the driver's __except cannot be entered here`);
}

/** The range has to lie in user memory; an empty one always does. */
function probe(name: string) {
  return (k: Kernel, address: number, bytes: number, alignment: number): void => {
    if (bytes === 0) return;
    if (alignment > 1 && address % alignment !== 0) raise("STATUS_DATATYPE_MISALIGNMENT", `${name}(0x${address.toString(16)})`);
    if (!isUserMemory(address, bytes)) raise("STATUS_ACCESS_VIOLATION", `${name}(0x${address.toString(16)}, ${bytes})`);
    k.note("probed", address, bytes, name);
  };
}

export const objectRoutines = [
  leaf("ObReferenceObjectByHandle", referenceByHandle),
  leaf("ObReferenceObject", (k, body) => {
    const object = objectAt(k, body, "ObReferenceObject");
    object.references += 1;
    return object.references;
  }),
  leaf("ObDereferenceObject", (k, body) => {
    const object = objectAt(k, body, "ObDereferenceObject");
    const left = object.references - 1;
    dereference(k, object);
    return left;
  }),
  planned("ZwClose", closeHandle),
  planned("ObCloseHandle", closeHandle),
  leaf("ZwSetEvent", (k, handle, previous) => {
    const object = resolveHandle(k, handle)?.object;
    if (object === undefined) return "STATUS_INVALID_HANDLE";
    if (object.kind !== "Event") return "STATUS_OBJECT_TYPE_MISMATCH";
    const old = setSignal(k, object.body, true);
    if (previous !== 0) k.memory.writeU32(previous, old);
    return "STATUS_SUCCESS";
  }),
  local("ExGetPreviousMode", (k) => (k.current.process === 0 ? KERNEL_MODE : 1)),
  leaf("ProbeForRead", probe("ProbeForRead")),
  leaf("ProbeForWrite", probe("ProbeForWrite")),
];
