/**
 * Objects that are shared by counted references and by handles: files, events, threads, processes, registry keys.
 *
 * What a driver gets of an object is the address of its body (a FILE_OBJECT, a KEVENT); what it gets of a handle is a number that means
 * nothing as an address. A handle holds one reference.
 */
import { closeFile } from "./io/close.ts";
import type { Kernel } from "./kernel.ts";
import { free } from "./pool.ts";
import { oneOf, pointer, struct, u32, type ViewOf } from "./struct.ts";

export const MANAGED_KINDS = ["Event", "Semaphore", "Thread", "Process", "File", "Key", "Callback"] as const;
export type ManagedKind = (typeof MANAGED_KINDS)[number];

export const ManagedObject = struct("ManagedObject", {
  kind: oneOf(...MANAGED_KINDS),
  /** What drivers get a pointer to: a block of pool, or 0. It goes with the object. */
  body: u32,
  references: u32,
  handles: u32,
  /** The kind's own object: a Device for a file, a thread, a registry key. */
  detail: u32,
});
export type ManagedObject = ViewOf<typeof ManagedObject>;

/** A handle, from its opening to its close. */
export const Handle = struct("Handle", {
  object: pointer(() => ManagedObject),
  /** Address of the Process whose handle it is; 0: the system's. */
  process: u32,
  access: u32,
  /** 1 + slot of the driver that opened it; 0: the system, or an application. */
  opener: u32,
});
export type Handle = ViewOf<typeof Handle>;

/** A new object with one reference, which is the caller's. */
export function createManaged(k: Kernel, kind: ManagedKind, body: number, detail = 0): ManagedObject {
  const object = k.objects.create(ManagedObject);
  object.kind = kind;
  object.body = body;
  object.references = 1;
  object.detail = detail;
  return object;
}

/** The object with that body. */
export function managedAt(k: Kernel, body: number): ManagedObject | undefined {
  return body === 0 ? undefined : k.objects.all(ManagedObject).find((each) => each.body === body);
}

/** A handle of that process (0: the system's) with a reference of its own; the number that its owner gets. */
export function openHandle(k: Kernel, object: ManagedObject, access: number, process = k.current.process): number {
  const handle = k.objects.create(Handle);
  handle.object = object;
  handle.process = process;
  handle.access = access;
  handle.opener = k.driverOfThread(k.current) + 1;
  object.handles += 1;
  object.references += 1;
  return k.objects.handleOf(handle);
}

/** The handle, if it is one in the current process: handles of the system are good everywhere, those of a process only there. */
export function resolveHandle(k: Kernel, handle: number): Handle | undefined {
  const found = k.objects.resolve(handle, Handle);
  return found === undefined || found.process === 0 || found.process === k.current.process ? found : undefined;
}

/** The handle is gone, and its reference. */
export function closeHandle(k: Kernel, handle: Handle): void {
  const { object } = handle;
  k.objects.release(handle);
  if (object === undefined) return;
  object.handles -= 1;
  dereference(k, object);
}

/** What is counted, in the notes that tell of it. */
export const REFERENCE = "reference";

/** One reference more, which a driver has asked for and has to give back. */
export function reference(k: Kernel, object: ManagedObject): void {
  object.references += 1;
  k.note("taken", object.address, 1, REFERENCE);
}

/** One reference less. The last one takes the object with it; before a file goes, its driver gets IRP_MJ_CLOSE, from a thread of the system. */
export function dereference(k: Kernel, object: ManagedObject): void {
  object.references -= 1;
  if (object.references > 0) return;
  if (object.kind === "File") k.startThread("System", { kind: "plan", plan: closeFile, args: [object.address] });
  else removeManaged(k, object);
}

export function removeManaged(k: Kernel, object: ManagedObject): void {
  k.note("managed object gone", object.address);
  if (object.body !== 0) free(k, object.body);
  k.objects.release(object);
}
