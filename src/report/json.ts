/** A report as JSON text. */
import type { Report } from "./report.ts";
import { reportSchema } from "./report-schema.ts";

/** Two spaces, a line break at the end. A report that its schema refuses is our own mistake: it throws. */
export function reportAsJson(report: Report): string {
  return `${JSON.stringify(reportSchema.parse(report), undefined, 2)}\n`;
}
