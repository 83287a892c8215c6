/**
 * Callback objects: one component notifies, others have registered functions.
 *
 * Pages: nf-wdm-excreatecallback, nf-wdm-exregistercallback, nf-wdm-exunregistercallback, nf-wdm-exnotifycallback.
 */
import { countedStringBytes, writeCountedString } from "./counted-strings.ts";
import { constant } from "../contract/index.ts";
import type { Kernel } from "./kernel.ts";
import { ManagedObject, REFERENCE, createManaged, dereference, managedAt, reference } from "./object-manager.ts";
import { DriverFault } from "./outcome.ts";
import { call, done, goTo, plan, step } from "./plan.ts";
import { allocate } from "./pool.ts";
import { leaf, planned } from "./routine.ts";
import { readGiven, readUnicodeString, upcase } from "./strings.ts";
import { boolean, pointer, struct, u32 } from "./struct.ts";
import { windowsStruct } from "./windows.ts";

/** The body of a callback object: its name follows, as a counted string with its characters. */
const CallbackBody = struct("CallbackBody", { allowsMany: boolean, reserved: u32 });
/** A function that is registered. Its handle is the registration that the driver gets. */
export const CallbackRegistration = struct("CallbackRegistration", {
  slot: u32,
  object: pointer(() => ManagedObject),
  function: u32,
  context: u32,
  /** Registrations are called in this order. */
  order: u32,
});

const Attributes = windowsStruct("OBJECT_ATTRIBUTES");
const PERMANENT = constant("OBJ_PERMANENT");
const CALLBACK_TAG = 0x6c62_4343;
/** That the operating system creates for drivers. Nothing ever changes that they tell of. */
const SYSTEM_OBJECTS: readonly string[] = ["\\CALLBACK\\SETSYSTEMTIME", "\\CALLBACK\\POWERSTATE", "\\CALLBACK\\PROCESSORADD"];

const nameAt = (k: Kernel, object: ManagedObject): string => readUnicodeString(k.memory, object.body + CallbackBody.bytes);

function createObject(k: Kernel, name: string, allowsMany: boolean, isPermanent: boolean): ManagedObject | undefined {
  const body = allocate(k, CallbackBody.bytes + countedStringBytes(name), CALLBACK_TAG, -1);
  if (body === 0) return undefined;
  CallbackBody.at(k.memory, body).allowsMany = allowsMany;
  writeCountedString(k.memory, body + CallbackBody.bytes, name);
  const object = createManaged(k, "Callback", body);
  // A permanent object stays when nobody has a reference to it.
  if (isPermanent) object.references += 1;
  return object;
}

function open(k: Kernel, variable: number, attributes: number, creates: boolean, allowsMany: boolean): string {
  k.memory.writeU32(variable, 0);
  const given = Attributes.at(k.memory, attributes);
  const name = readGiven(k, given.ObjectName);
  if (name === "") return "STATUS_UNSUCCESSFUL";
  const wanted = upcase(name);
  const known = k.objects.all(ManagedObject).find((each) => each.kind === "Callback" && upcase(nameAt(k, each)) === wanted);
  if (known !== undefined) {
    reference(k, known);
    k.memory.writeU32(variable, known.body);
    return "STATUS_SUCCESS";
  }
  const isSystem = SYSTEM_OBJECTS.includes(wanted);
  if (!creates && !isSystem) return "STATUS_OBJECT_NAME_NOT_FOUND";
  const made = createObject(k, name, allowsMany || isSystem, isSystem || (given.Attributes & PERMANENT) !== 0);
  if (made === undefined) return "STATUS_INSUFFICIENT_RESOURCES";
  k.note("taken", made.address, 1, REFERENCE);
  k.memory.writeU32(variable, made.body);
  return "STATUS_SUCCESS";
}

function objectAt(k: Kernel, body: number): ManagedObject {
  const object = managedAt(k, body);
  if (object?.kind === "Callback") return object;
  throw new DriverFault("trap", `0x${body.toString(16)} is used as a callback object, but is none`);
}

/** Registrations of the object, the oldest first. */
function registrationsOf(k: Kernel, object: ManagedObject) {
  return k.objects
    .all(CallbackRegistration)
    .filter((each) => each.object?.address === object.address)
    .toSorted((a, b) => a.order - b.order);
}

function register(k: Kernel, body: number, target: number, context: number): number {
  const object = objectAt(k, body);
  const last = registrationsOf(k, object).at(-1);
  if (last !== undefined && !CallbackBody.at(k.memory, body).allowsMany) return 0;
  const registration = k.objects.create(CallbackRegistration);
  registration.slot = k.driverOfThread(k.current);
  registration.object = object;
  registration.function = target;
  registration.context = context;
  registration.order = (last?.order ?? 0) + 1;
  object.references += 1;
  return k.objects.handleOf(registration);
}

/** Undocumented: a function of it that runs now. It is not waited for. */
function unregister(k: Kernel, handle: number): void {
  const registration = k.objects.resolve(handle, CallbackRegistration);
  if (registration === undefined) {
    k.note("bad handle", handle, 0, `${k.objects.stateOf(handle, CallbackRegistration)}: a callback registration was expected`);
    return;
  }
  const { object } = registration;
  k.objects.release(registration);
  if (object !== undefined) dereference(k, object);
}

/** Calls the functions at the caller's IRQL, in the order of their registration. */
const notify = plan("ExNotifyCallback", struct("NotifyCallback", { body: u32, argument1: u32, argument2: u32, order: u32 }), [
  step("the next function is called", (k, p) => {
    const next = registrationsOf(k, objectAt(k, p.body)).find(({ order }) => order > p.order);
    if (next === undefined) return done();
    p.order = next.order;
    return call(next.function, "CallbackFunction", [next.context, p.argument1, p.argument2]);
  }),
  step("there may be another", () => goTo("the next function is called")),
]);

export const callbackRoutines = [
  leaf("ExCreateCallback", (k, variable, attributes, creates, allowsMany) =>
    open(k, variable, attributes, (creates & 0xff) !== 0, (allowsMany & 0xff) !== 0),
  ),
  leaf("ExRegisterCallback", register),
  leaf("ExUnregisterCallback", unregister),
  planned("ExNotifyCallback", notify),
];
export const callbackHandlers = ["CallbackFunction"] as const;
