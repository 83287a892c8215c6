/** Where the explorer lets threads be switched away. */
import type { Strategy } from "../kernel/index.ts";
import { isRelease } from "../kernel/routine.ts";
import type { MachineDriver } from "../machine/machine.ts";

export type Points = Pick<Strategy, "points" | "passes">;

/** Before every call. */
export const allCalls: Points = { points: "calls" };

/** Who tries for a lock without waiting can tell whether it is held. */
const TRIES = /TryToAcquire|TryConvert|TestSpinLock/;

/** The coarsest points at which nothing that one of the drivers could notice is left out: the release of a lock is none, unless somebody tries for it. */
export function pointsFor(drivers: readonly MachineDriver[]): Points {
  const canTry = drivers.some((driver) => driver.kind === "typescript" || driver.image.imports.some(({ name }) => TRIES.test(name)));
  return canTry ? allCalls : { ...allCalls, passes: isRelease };
}
