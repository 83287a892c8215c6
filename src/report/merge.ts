/** The same rule broken at the same place is told once. */
import type { ReportViolation } from "./report.ts";

/** The first of each stays, with the sum of the counts; errors come before warnings, else the order is kept. */
export function mergeViolations(violations: readonly ReportViolation[]): ReportViolation[] {
  const merged = new Map<string, ReportViolation>();
  for (const violation of violations) {
    const key = placeOf(violation);
    const first = merged.get(key);
    merged.set(key, first === undefined ? violation : { ...first, count: first.count + violation.count });
  }
  const all = [...merged.values()];
  return [...all.filter(({ severity }) => severity === "error"), ...all.filter(({ severity }) => severity === "warning")];
}

function placeOf({ rule, driver, location, message }: ReportViolation): string {
  // Without a place only the message tells two violations apart.
  return JSON.stringify(location === undefined ? [rule, driver, message] : [rule, driver, location.file, location.line]);
}
