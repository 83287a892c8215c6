/**
 * Events by names, for drivers that share them.
 *
 * Page: nf-wdm-iocreatenotificationevent.
 */
import { keepText } from "./counted-strings.ts";
import { DISPATCHER_TYPE, initializeDispatcher } from "./dispatcher-objects.ts";
import type { Kernel } from "./kernel.ts";
import { ManagedObject, createManaged, dereference, openHandle } from "./object-manager.ts";
import { allocate, free } from "./pool.ts";
import { leaf } from "./routine.ts";
import { readGiven, readUnicodeString, upcase } from "./strings.ts";
import { struct, u32 } from "./struct.ts";

/** The name of an event, for as long as the event is there. `name` is the address of a counted string. */
export const NamedEvent = struct("NamedEvent", { name: u32, object: u32 });

const EVENT_TAG = 0x7645_6f49;
const EVENT_BYTES = 16;
const EVENT_ALL_ACCESS = 0x001f_0003;

/** The event of that name; a name whose event is gone is forgotten. */
export function eventNamed(k: Kernel, name: string): ManagedObject | undefined {
  for (const each of k.objects.all(NamedEvent)) {
    const object = k.objects.resolve(each.object, ManagedObject);
    if (object !== undefined && upcase(readUnicodeString(k.memory, each.name)) === upcase(name)) return object;
    if (object !== undefined) continue;
    free(k, each.name);
    k.objects.release(each);
  }
  return undefined;
}

/** A new event with one reference, which is the caller's. */
export function createEvent(k: Kernel, type: number, isSignalled: boolean): ManagedObject | undefined {
  const body = allocate(k, EVENT_BYTES, EVENT_TAG, -1);
  if (body === 0) return undefined;
  initializeDispatcher(k, body, type, isSignalled);
  return createManaged(k, "Event", body);
}

/** Others can find the event by the name; false: there is no memory to keep it in, and the event is given up. */
export function nameEvent(k: Kernel, event: ManagedObject, name: string): boolean {
  const string = keepText(k, name, EVENT_TAG);
  if (string === 0) {
    dereference(k, event);
    return false;
  }
  const named = k.objects.create(NamedEvent);
  named.name = string;
  named.object = k.objects.handleOf(event);
  return true;
}

export const namedEventRoutines = [
  leaf("IoCreateNotificationEvent", (k, nameAddress, handleVariable) => {
    const name = readGiven(k, nameAddress);
    const known = eventNamed(k, name);
    // A new notification event is signalled.
    const event = known ?? createEvent(k, DISPATCHER_TYPE.NotificationEvent, true);
    if (event === undefined || (known === undefined && !nameEvent(k, event, name))) return 0;
    // The handle holds the only reference that this call adds.
    k.memory.writeU32(handleVariable, openHandle(k, event, EVENT_ALL_ACCESS, 0));
    if (known === undefined) dereference(k, event);
    return event.body;
  }),
];
