/** Where the explorer lets threads be switched away. */
import type { Strategy } from "../kernel/index.ts";
import type { MachineDriver } from "../machine/machine.ts";

/** Who tries for a lock without waiting can tell whether it is held. */
const TRIES = /TryToAcquire|TryConvert|TestSpinLock/;

/** The coarsest points at which nothing that one of the drivers could notice is left out. */
export function pointsFor(drivers: readonly MachineDriver[]): Exclude<Strategy["points"], undefined> {
  const canTry = drivers.some(
    (driver) => driver.kind === "typescript" || driver.image.imports.some(({ name }) => TRIES.test(name)),
  );
  return canTry ? "calls" : "acquisitions";
}
