/**
 * Events by handles, and waits for whatever a handle stands for.
 *
 * Pages: nf-ntifs-zwcreateevent, nf-wdm-zwopenevent, nf-ntifs-zwsetevent, nf-ntifs-zwwaitforsingleobject.
 */
import { constant } from "../contract/index.ts";
import { DISPATCHER_TYPE, isSignalled, setSignal, typeOf } from "./dispatcher-objects.ts";
import { FileObject } from "./io/irps.ts";
import type { Kernel } from "./kernel.ts";
import { createEvent, eventNamed, nameEvent } from "./named-events.ts";
import { ManagedObject, dereference, openHandle, resolveHandle } from "./object-manager.ts";
import { done, goTo, plan, step, until } from "./plan.ts";
import { leaf, planned } from "./routine.ts";
import { readUnicodeString } from "./strings.ts";
import { struct, u32 } from "./struct.ts";
import { dueAt, read64 } from "./times.ts";
import { windowsStruct } from "./windows.ts";

const Attributes = windowsStruct("OBJECT_ATTRIBUTES");
const KERNEL_HANDLE = constant("OBJ_KERNEL_HANDLE");
const OPEN_IF = constant("OBJ_OPENIF");
const TIMEOUT = constant("STATUS_TIMEOUT");

interface Named {
  readonly name: string;
  readonly flags: number;
}

/** What OBJECT_ATTRIBUTES say of an event; without them it has no name. A status: they say it wrongly. */
function namedBy(k: Kernel, attributes: number): Named | string {
  if (attributes === 0) return { name: "", flags: 0 };
  const given = Attributes.at(k.memory, attributes);
  if (given.Length !== Attributes.bytes) return "STATUS_INVALID_PARAMETER";
  const { Attributes: flags, ObjectName } = given;
  if (ObjectName === 0) return { name: "", flags };
  const name = readUnicodeString(k.memory, ObjectName);
  return name.startsWith("\\") ? { name, flags } : "STATUS_OBJECT_PATH_SYNTAX_BAD";
}

function giveHandle(k: Kernel, object: ManagedObject, access: number, flags: number, variable: number): void {
  const process = (flags & KERNEL_HANDLE) === 0 ? k.current.process : 0;
  k.memory.writeU32(variable, openHandle(k, object, access, process));
}

function create(k: Kernel, variable: number, access: number, attributes: number, type = 0, state = 0): string {
  if (type !== DISPATCHER_TYPE.NotificationEvent && type !== DISPATCHER_TYPE.SynchronizationEvent)
    return "STATUS_INVALID_PARAMETER_4";
  const named = namedBy(k, attributes);
  if (typeof named === "string") return named;
  const { name, flags } = named;
  const known = name === "" ? undefined : eventNamed(k, name);
  if (known !== undefined) {
    if ((flags & OPEN_IF) === 0) return "STATUS_OBJECT_NAME_COLLISION";
    giveHandle(k, known, access, flags, variable);
    return "STATUS_OBJECT_NAME_EXISTS";
  }
  const event = createEvent(k, type, (state & 0xff) !== 0);
  if (event === undefined || (name !== "" && !nameEvent(k, event, name))) return "STATUS_INSUFFICIENT_RESOURCES";
  giveHandle(k, event, access, flags, variable);
  // The handle holds the only reference.
  dereference(k, event);
  return "STATUS_SUCCESS";
}

/** The dispatcher object inside the object; 0: it has none to wait for. */
function waitable(k: Kernel, object: number): number {
  const { kind, body } = ManagedObject.at(k.memory, object);
  if (kind === "File") return body + FileObject.offset("Event");
  return kind === "Event" || kind === "Semaphore" || kind === "Thread" || kind === "Process" ? body : 0;
}

const isReady = (k: Kernel, object: number): boolean => isSignalled(k, waitable(k, object));

/** The wait is over: what it does to the object is done. */
function satisfy(k: Kernel, object: number): void {
  const address = waitable(k, object);
  k.ordering.acquire(address);
  if (typeOf(k, address) === DISPATCHER_TYPE.SynchronizationEvent) setSignal(k, address, false);
  dereference(k, ManagedObject.at(k.memory, object));
}

/** The object stays while it is waited for, even if its handle is closed meanwhile. */
const waitForObject = plan(
  "ZwWaitForSingleObject",
  struct("WaitForHandle", { handle: u32, alertable: u32, timeout: u32, object: u32 }),
  [
    step("the handle is looked up", (k, p) => {
      const object = resolveHandle(k, p.handle)?.object;
      if (object === undefined) return done(constant("STATUS_INVALID_HANDLE"));
      // Undocumented: the status for an object that is never signalled.
      if (waitable(k, object.address) === 0) return done(constant("STATUS_OBJECT_TYPE_MISMATCH"));
      object.references += 1;
      p.object = object.address;
      if (isReady(k, p.object)) return goTo("the wait is satisfied");
      return p.timeout === 0 ? goTo("the object is signalled") : undefined;
    }),
    until("the object is signalled or the time is over", (k, p) => isReady(k, p.object), {
      deadline: (k, p) => dueAt(k, read64(k, p.timeout)),
    }),
    step("who waited is told", (k, p) => {
      if (!k.current.timedOut) return goTo("the wait is satisfied");
      dereference(k, ManagedObject.at(k.memory, p.object));
      return done(TIMEOUT);
    }),
    until("the object is signalled", (k, p) => isReady(k, p.object)),
    step("the wait is satisfied", (k, p) => {
      satisfy(k, p.object);
      return done();
    }),
  ],
);

export const eventHandleRoutines = [
  leaf("ZwCreateEvent", create),
  leaf("ZwOpenEvent", (k, variable, access, attributes) => {
    const named = namedBy(k, attributes);
    if (typeof named === "string") return named;
    const event = eventNamed(k, named.name);
    if (event === undefined) return "STATUS_OBJECT_NAME_NOT_FOUND";
    giveHandle(k, event, access, named.flags, variable);
    return "STATUS_SUCCESS";
  }),
  leaf("ZwSetEvent", (k, handle, previous) => {
    const object = resolveHandle(k, handle)?.object;
    if (object === undefined) return "STATUS_INVALID_HANDLE";
    if (object.kind !== "Event") return "STATUS_OBJECT_TYPE_MISMATCH";
    const old = setSignal(k, object.body, true);
    if (previous !== 0) k.memory.writeU32(previous, old);
    return "STATUS_SUCCESS";
  }),
  planned("ZwWaitForSingleObject", waitForObject),
];
