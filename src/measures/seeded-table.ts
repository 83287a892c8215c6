/** The table of the seeded defects, and the count of the replays of what was found. */
import type { Builder } from "../machine/build.ts";
import { ReplayCount } from "./replays.ts";
import { BUDGET, defects, measureDefect, measureRight } from "./seeded.ts";
import { seededDrivers } from "./seeded-drivers.ts";
import { cells } from "./table.ts";

const WIDTHS = [22, 8, 12, 7, 30];
/** Of the defects, in a quick sample. */
const SAMPLE = 5;

/** Only in the drivers of these names, if there are any. Returns what does not meet the aims. */
export async function measureSeeded(
  builder: Builder,
  only: ReadonlySet<string>,
  isQuick: boolean,
  print: (line: string) => void,
): Promise<string[]> {
  const isWanted = (name: string): boolean => only.size === 0 || only.has(name);
  const problems: string[] = [];
  const replays = new ReplayCount();
  const wanted = defects.filter(({ driver }, index) => isWanted(driver) && (!isQuick || index % SAMPLE === 0));
  print(`Seeded defects: each found within ${BUDGET / 1000} s, and the cost of the story that is handed back`);
  print(`${cells(["", "s", "preemptions", "faults", "rule"], WIDTHS)}  defect`);
  for (const defect of wanted) {
    const { found, seconds, looks } = await measureDefect(builder, defect);
    const { preemptions = "", faults = "" } = found?.cost ?? {};
    const rule = found?.violation.rule ?? "MISSED";
    print(`${cells([defect.driver, seconds.toFixed(2), preemptions, faults, rule], WIDTHS)}  ${defect.what}`);
    if (found === undefined) problems.push(`${defect.driver}: missed: ${defect.what}`);
    for (const { subject, failures } of looks) replays.add(`${defect.driver}, ${defect.what}`, subject, failures);
  }
  print("");
  print(`The same drivers as they are`);
  print(`${cells(["", "s", "claim", "runs", "errors"], WIDTHS)}  scenario`);
  for (const driver of seededDrivers.filter(({ name }) => isWanted(name) && wanted.some((each) => each.driver === name))) {
    for (const scenario of Object.keys(driver.scenarios).slice(0, isQuick ? 1 : undefined)) {
      const { explored, seconds, errors } = await measureRight(builder, driver, scenario);
      const { claim, runs, reason } = explored;
      print(`${cells([driver.name, seconds.toFixed(2), claim.kind, runs, errors.length], WIDTHS)}  ${scenario}`);
      if (reason !== undefined) problems.push(`${driver.name}: ${scenario} could not be carried out: ${reason}`);
      for (const { violation, token } of errors)
        problems.push(`${driver.name} is right, and accused in ${scenario}: ${violation.rule}: ${violation.message} (${token})`);
    }
  }
  print("");
  print(`Replays: ${replays.tokens} tokens, ${replays.replays} runs; the longest token has ${replays.longest} characters`);
  return [...problems, ...replays.problems];
}
