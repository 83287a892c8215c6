/** Where the explorer lets threads be switched away. */
import { lineName } from "../cdriver/access-points.ts";
import type { Strategy } from "../kernel/index.ts";
import { isAboutMemory, isRelease } from "../kernel/routine.ts";
import type { MachineDriver } from "../machine/machine.ts";
import type { Found } from "./failures.ts";

export type Points = Pick<Strategy, "points" | "passes">;

/** Before every call. */
export const allCalls: Points = { points: "calls" };

/** Who tries for a lock without waiting can tell whether it is held. */
const TRIES = /TryToAcquire|TryConvert|TestSpinLock/;

/**
 * The coarsest at which nothing that a driver could notice is left out. To allocate and to free is none: who uses what another thread has freed does
 * it before or after all of that thread's step. Nor is the release of a lock, unless somebody tries for it.
 */
export function pointsFor(drivers: readonly MachineDriver[]): Points {
  const canTry = drivers.some(
    (driver) => driver.kind === "typescript" || driver.image.imports.some(({ name }) => TRIES.test(name)),
  );
  return { ...allCalls, passes: (routine) => isAboutMemory(routine) || (!canTry && isRelease(routine)) };
}

/** Lines before whose accesses to memory threads are to be switched: where both sides of each race are. */
export function racingLines(failures: readonly Found[]): string[] {
  return failures.flatMap(({ violation: { rule, location, related = [] } }) =>
    rule === "data-race"
      ? [location, ...related.map((each) => each.location)].flatMap((at) =>
          at === undefined ? [] : [lineName(at.file, at.line)],
        )
      : [],
  );
}
