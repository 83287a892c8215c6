/** Resources run out: a choice at every call of a driver under test that may fail for want of them. */
import type { Kernel } from "./kernel.ts";

/** Ends the name of each such choice, so that strategies can tell them from others. */
const SUFFIX = ": no resources";

export const isAboutResources = (what: string): boolean => what.endsWith(SUFFIX);

/** The call that such a choice is about: the routine, and the handler that calls it. */
export const scarceCall = (what: string): string => what.slice(0, -SUFFIX.length);

/**
 * Whether the routine that the driver calls now finds no resources. Counterparts, and the system itself, always find them; in a scenario that says so
 * every driver does.
 */
export function isScarce(k: Kernel, driver = k.driverOfThread(k.current)): boolean {
  if (driver < 0 || (k.header.scarceDrivers & (1 << driver)) === 0) return false;
  return k.choose(2, `${k.routineNow} in ${k.handlerNow}${SUFFIX}`) === 1;
}
