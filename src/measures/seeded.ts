/** Defects put into right drivers, each found or missed; and what is said of the drivers without them. */
import { readFileSync } from "node:fs";
import type { Found } from "../explorer/failures.ts";
import type { Builder } from "../machine/build.ts";
import { isFailure } from "./classic.ts";
import { type Defect, type ExploredDriver, type SeededDriver, exploreSeeded } from "./seeded-driver.ts";
import { seededDrivers } from "./seeded-drivers.ts";

export const defects = JSON.parse(readFileSync(new URL("seeded-defects.json", import.meta.url), "utf8")) as readonly Defect[];

/** Milliseconds for each. */
export const BUDGET = 10_000;

const isError = ({ violation }: Found): boolean => violation.severity === "error";

/** An error that has happened; a race only foretells one. */
const hasFailed = (failures: readonly Found[]): boolean =>
  failures.some((found) => isError(found) && isFailure(found.violation.rule));

export interface MeasuredDefect extends ExploredDriver {
  /** What happens; else what foretells it; undefined: nothing was found. */
  readonly found: Found | undefined;
}

export async function measureDefect(builder: Builder, defect: Defect, budget = BUDGET): Promise<MeasuredDefect> {
  const driver = driverOf(defect);
  const explored = await exploreSeeded(builder, driver, defect.scenario, defect, { budget, isEnough: hasFailed });
  const errors = explored.failures.filter(isError);
  const found = errors.find(({ violation }) => isFailure(violation.rule)) ?? errors[0];
  return { ...explored, found };
}

/** The driver as it is: whatever it is accused of is wrong. */
export async function measureRight(
  builder: Builder,
  driver: SeededDriver,
  scenario: string,
  budget = BUDGET,
): Promise<ExploredDriver & { readonly errors: readonly Found[] }> {
  const explored = await exploreSeeded(builder, driver, scenario, undefined, { budget });
  return { ...explored, errors: explored.failures.filter(isError) };
}

export function driverOf({ driver, what }: Defect): SeededDriver {
  const found = seededDrivers.find(({ name }) => name === driver);
  if (found === undefined) throw new Error(`${what}: no driver is called ${driver}`);
  return found;
}
