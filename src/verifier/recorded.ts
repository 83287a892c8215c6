/** A run is made without a record first, and again, recorded, when it found what is not known yet. */
import type { PlacedFinding, RunOptions, RunResult } from "./run.ts";

/** `once` makes the run, the same each time. The recorded one has places and story, and the other access of each race. */
export function runAndRecord(
  once: (options: Pick<RunOptions, "records" | "words">) => RunResult,
  isKnown: (finding: PlacedFinding) => boolean = () => false,
): { quick: RunResult; result: RunResult } {
  const quick = once({ records: false });
  const result = quick.findings.every(isKnown) ? quick : once({ records: true, words: wordsOf(quick) });
  return { quick, result };
}

/** Of the accesses that races are about. */
const wordsOf = ({ findings }: RunResult): number[] =>
  findings.flatMap(({ race }) => {
    if (race === undefined) return [];
    const { address, bytes } = race.access;
    const first = address & ~3;
    return Array.from({ length: Math.ceil((address + bytes - first) / 4) }, (_, index) => first + index * 4);
  });
