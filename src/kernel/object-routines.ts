/**
 * What drivers do with objects and handles.
 *
 * Pages: nf-wdm-obreferenceobjectbyhandle, nf-wdm-obreferenceobjectbypointer, nf-wdm-obreferenceobject, nf-wdm-obdereferenceobject,
 * nf-wdm-zwclose, nf-ntifs-obclosehandle, nf-wdm-exgetpreviousmode, nf-wdm-probeforread, nf-wdm-probeforwrite.
 */
import { raise } from "./exceptions.ts";
import { closeHandle } from "./io/close.ts";
import type { Kernel } from "./kernel.ts";
import {
  MANAGED_KINDS,
  type ManagedObject,
  REFERENCE,
  dereference,
  managedAt,
  reference,
  resolveHandle,
} from "./object-manager.ts";
import { currentProcess, isUserMemory, probeUser, threadObject } from "./processes.ts";
import { leaf, local, planned } from "./routine.ts";

const CURRENT_THREAD = 0xffff_fffe;
const CURRENT_PROCESS = 0xffff_ffff;
const KERNEL_MODE = 0;
const USER_MODE = 1;
const ACCESS_VIOLATION = 0xc000_0005;
const DATATYPE_MISALIGNMENT = 0x8000_0002;
const REFERENCE_BY_POINTER = 0x18;

/** What the handle stands for; the current thread and the current process have one each that nobody opens. */
function objectOf(k: Kernel, handle: number): { object: ManagedObject; access: number; isOfSystem: boolean } | undefined {
  if (handle === CURRENT_THREAD) return { object: threadObject(k, k.current), access: 0xffff_ffff, isOfSystem: false };
  if (handle === CURRENT_PROCESS) return { object: currentProcess(k), access: 0xffff_ffff, isOfSystem: false };
  const found = resolveHandle(k, handle);
  if (found?.object === undefined) return undefined;
  return { object: found.object, access: found.access, isOfSystem: found.process === 0 };
}

const isOfType = ({ kind }: ManagedObject, type: number): boolean => MANAGED_KINDS[type - 1] === kind;

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
  const isForUser = (mode & 0xff) !== KERNEL_MODE;
  // An application has no handle of the system's.
  if (found === undefined || (isForUser && found.isOfSystem && k.current.process !== 0)) return "STATUS_INVALID_HANDLE";
  if (type !== 0 && !isOfType(found.object, type)) return "STATUS_OBJECT_TYPE_MISMATCH";
  // Kernel-mode callers are not checked.
  if (isForUser && (found.access & access) !== access) return "STATUS_ACCESS_DENIED";
  reference(k, found.object);
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

/** The range has to lie in user memory; an empty one always does. */
function probe(name: string) {
  return (k: Kernel, address: number, bytes: number, alignment: number): void => {
    if (bytes === 0) return;
    if (alignment > 1 && address % alignment !== 0) raise(k, name, DATATYPE_MISALIGNMENT);
    if (!isUserMemory(address, bytes)) raise(k, name, ACCESS_VIOLATION);
    probeUser(k, address, name === "ProbeForWrite");
    k.note("probed", address, bytes, name);
  };
}

export const objectRoutines = [
  leaf("ObReferenceObjectByHandle", referenceByHandle),
  leaf("ObReferenceObject", (k, body) => {
    const object = objectAt(k, body, "ObReferenceObject");
    reference(k, object);
    return object.references;
  }),
  leaf("ObDereferenceObject", (k, body) => {
    const object = objectAt(k, body, "ObDereferenceObject");
    const left = object.references - 1;
    k.note("given back", object.address, 1, REFERENCE);
    dereference(k, object);
    return left;
  }),
  leaf("ObReferenceObjectByPointer", (k, body, _access, type, mode = KERNEL_MODE) => {
    const object = objectAt(k, body, "ObReferenceObjectByPointer");
    if ((mode & 0xff) !== KERNEL_MODE && !isOfType(object, type)) return "STATUS_OBJECT_TYPE_MISMATCH";
    reference(k, object);
    return "STATUS_SUCCESS";
  }),
  planned("ZwClose", closeHandle),
  planned("ObCloseHandle", closeHandle),
  local("ExGetPreviousMode", (k) => (k.current.isFromUserMode ? USER_MODE : KERNEL_MODE)),
  leaf("ProbeForRead", probe("ProbeForRead")),
  leaf("ProbeForWrite", probe("ProbeForWrite")),
];
