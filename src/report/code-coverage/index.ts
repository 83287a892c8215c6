/** Coverage of a driver's lines, in each form that it is written in. */
export type { LineCoverage } from "./line-coverage.ts";
export { coverageAsCobertura } from "./cobertura.ts";
export { coverageAsHtml } from "./html.ts";
export { coverageAsLcov } from "./lcov.ts";
export { coverageAsText } from "./text.ts";
