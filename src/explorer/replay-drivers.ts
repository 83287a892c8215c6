/** `replay`: builds the drivers and makes one run again, along its token. */
import { InputError } from "../cdriver/errors.ts";
import type { Report } from "../report/report.ts";
import { type CheckRequest, coverageOf, headOf, setUp } from "../verifier/check.ts";
import { type Story, tellRun } from "./story.ts";
import { parseToken } from "./token.ts";

export interface Replayed {
  readonly report: Report;
  readonly story: Story;
}

/** Throws InputError and CompileError for what the user can put right. */
export async function replayDrivers(request: CheckRequest, token: string, progress: (line: string) => void): Promise<Replayed> {
  const parsed = parseToken(token);
  const setup = await setUp({ ...request, points: parsed.points ?? [], scenario: request.scenario ?? parsed.scenario }, progress);
  const [scenario] = setup.scenarios;
  if (scenario === undefined) throw new InputError(`no scenario is called ${parsed.scenario}`);
  const story = tellRun(
    { drivers: setup.stack, scenario, ...(parsed.processors === undefined ? {} : { processors: parsed.processors }) },
    parsed,
    token,
  );
  return {
    story,
    report: {
      ...headOf(request, setup, new Set()),
      runs: [story.run],
      violations: story.violations,
      coverage: coverageOf(setup, story.exercised, new Set()),
    },
  };
}
