/**
 * The shape of the JSON report, checked when one is written, and published as `report.schema.json`.
 */
import { z } from "zod";
import type { Report } from "./report.ts";

const count = z.int().min(0);

const location = z.strictObject({
  file: z.string(),
  line: count,
  function: z.string(),
});

const target = z.strictObject({
  path: z.string().describe("As the user gave it."),
  name: z.string(),
  kind: z.enum(["protocol", "miniport", "filter", "intermediate", "unknown"]),
  language: z.enum(["c", "typescript"]),
  imports: z.strictObject({
    used: count.describe("Routines that it imports and ndislab has."),
    missing: z
      .array(z.strictObject({ name: z.string(), location: location.exactOptional() }))
      .describe("Routines that it imports and ndislab lacks, with the first place that calls each."),
  }),
  warnings: z.array(z.string()),
});

const run = z.strictObject({
  scenario: z.string(),
  answers: z.string().describe("How NDIS and the counterparts answered: at once, or pending, and when they completed."),
  outcome: z.enum(["passed", "violated", "bugcheck", "hung", "failed"]),
  token: z.string().describe("Reproduces the run."),
  entries: count,
  reason: z.string().exactOptional().describe("Why, when the outcome is not 'passed'."),
});

const stackFrame = z.strictObject({
  name: z.string(),
  kind: z.enum(["driver", "routine", "step"]),
  location: location.exactOptional(),
});

const historyEntry = z.strictObject({
  step: count,
  thread: count,
  text: z.string(),
  location: location.exactOptional(),
});

const related = z.strictObject({
  what: z.string().describe("What happened there, such as 'allocated'."),
  location: location.exactOptional(),
  stack: z.array(stackFrame).describe("Innermost first."),
  step: count.exactOptional(),
  thread: count.exactOptional(),
  handler: z.string().exactOptional().describe("The handler in which it happened."),
  during: z.string().exactOptional().describe("What the scenario was doing."),
});

const violation = z.strictObject({
  rule: z.string(),
  severity: z.enum(["error", "warning"]).describe("error: a must or must-not rule; warning: a should rule."),
  driver: z.string().describe("The accused driver's name."),
  title: z.string(),
  message: z.string(),
  page: z.string().describe("Path of the documentation page, or a URL."),
  codes: z.array(z.string()).describe("Windows bug-check codes and statuses by which the same mistake shows there."),
  scenario: z.string(),
  answers: z.string(),
  token: z.string(),
  location: location.exactOptional(),
  stack: z.array(stackFrame).describe("Innermost first."),
  related: z
    .array(related)
    .exactOptional()
    .describe("Other places that belong to it: where the block was allocated and freed, the other access of a race."),
  deviations: z
    .array(z.string())
    .exactOptional()
    .describe("Of an exploration: what this run did in another way than when nobody interferes, in order."),
  history: z.array(historyEntry).describe("What led to it, oldest first."),
  count: count.describe("In how many runs the same rule was broken at the same place."),
});

const lineCoverage = z.strictObject({
  runs: count,
  files: z.array(
    z.strictObject({
      file: z.string(),
      lines: z
        .array(z.strictObject({ line: count, runs: count.describe("In how many runs it was executed.") }))
        .describe("Executable lines."),
      branches: z
        .array(
          z.strictObject({ line: count, ways: z.array(count).describe("For each way out the number of runs that took it.") }),
        )
        .describe("Conditional branches."),
      functions: z.array(z.strictObject({ name: z.string(), line: count, runs: count })),
    }),
  ),
  scenarios: z
    .array(z.strictObject({ scenario: z.string(), runs: count, lines: count, branches: count, functions: count }))
    .describe("What the runs of each scenario alone have executed."),
  unreached: z
    .array(
      z.strictObject({
        kind: z.enum(["function", "lines"]),
        file: z.string(),
        function: z.string(),
        line: count,
        lastLine: count,
        reason: z.string().exactOptional().describe("What would reach it, or why nothing has, where that is known."),
      }),
    )
    .describe("Functions that no run has entered, and lines that no run has executed of the others."),
});

const exploration = z.strictObject({
  scenario: z.string(),
  claim: z
    .enum(["BROKEN", "PROVED", "BOUNDED", "SAMPLED"])
    .describe(
      "A rule is broken; or none in all runs of the model, in all of at most so many preemptions and failures, or in so many random ones.",
    ),
  text: z.string().describe("What has been covered, and what is left."),
  sampled: z.string().describe("What the random runs beside the search came to."),
  assumptions: z.array(z.string()).describe("What the claim holds under."),
  states: count,
  transitions: count,
  merged: count.describe("Transitions that led to a state which was known."),
  runs: count.describe("Random runs."),
  milliseconds: count,
});

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(1),
  tool: z.strictObject({ name: z.literal("ndislab"), version: z.string() }),
  targets: z.array(target),
  runs: z.array(run),
  violations: z.array(violation),
  exploration: z.array(exploration).exactOptional().describe("Of each scenario, when it was explored."),
  coverage: z.strictObject({
    rules: z.strictObject({
      watched: count,
      exercised: count.describe("Rules that saw something to judge."),
    }),
    routines: z.array(z.string()).describe("Documented routines that the targets called."),
    lines: lineCoverage.exactOptional().describe("What was executed of the driver under test, with --coverage."),
  }),
});

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Does not compile when the schema and `Report` say different things. */
export const schemaIsTheType: Equal<DeepReadonly<z.output<typeof reportSchema>>, DeepReadonly<Report>> = true;

/** The JSON Schema of a report. */
export function jsonSchema(): object {
  return { title: "Report of ndislab", ...z.toJSONSchema(reportSchema) };
}
