/** A finished check: as data, as JSON, as text. */
export { type Location, type Report, type ReportRun, type ReportTarget, type ReportViolation, exitCodeOf } from "./report.ts";
export {
  type LineCoverage,
  coverageAsCobertura,
  coverageAsHtml,
  coverageAsLcov,
  coverageAsText,
} from "./code-coverage/index.ts";
export { groupBy } from "./group-by.ts";
export { reportAsJson } from "./json.ts";
export { jsonSchema } from "./report-schema.ts";
export { mergeViolations } from "./merge.ts";
export { pageUrl } from "./page-url.ts";
export { reportAsText } from "./text.ts";
export { verdictLine } from "./text-verdict.ts";
export type { Colors, TextOptions } from "./text-options.ts";
export { clip, labelled, plural, printable, wrap } from "./wrap.ts";
