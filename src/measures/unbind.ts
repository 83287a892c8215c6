/** The unbind measure as a table: the search to its end, and beside it the one that reduces nothing. */
import { type UnbindModel, onBareKernel, overNdis, searchUnbind } from "../bench/exploration.ts";
import type { Builder } from "../machine/build.ts";

const SIZES = [
  [1, 1],
  [2, 1],
  [2, 2],
  [3, 1],
  [3, 2],
] as const;
/** Seconds for a search, and for one that reduces nothing. */
const LIMIT = 60;
const PLAIN_LIMIT = 10;

/** Prints a row each; returns what is wrong. */
export async function measureUnbind(builder: Builder, print: (line: string) => void, isQuick: boolean): Promise<string[]> {
  const problems: string[] = [];
  for (const [name, make] of [["over NDIS, all rules", overNdis] as const, ["on the bare kernel", onBareKernel] as const]) {
    for (const [count, packets] of isQuick ? SIZES.slice(0, 2) : SIZES) {
      const what = `S${count}K${packets} ${name}`;
      const broken = row(what, await make(builder, count, packets), print);
      problems.push(...broken.map((rule) => `${what} is right, and breaks ${rule}`));
    }
  }
  return problems;
}

function row(what: string, model: UnbindModel, print: (line: string) => void): readonly string[] {
  const reduced = searchUnbind(model, LIMIT, true);
  const plain = searchUnbind(model, PLAIN_LIMIT, false);
  const claim = reduced.isComplete ? "PROVED" : "not done";
  const work = `${reduced.states} states, ${reduced.transitions} transitions, ${reduced.seconds.toFixed(2)} s`;
  const rate = `${Math.round(reduced.transitions / reduced.seconds)}/s`;
  const beside = `unreduced ${plain.isComplete ? "" : "more than "}${plain.transitions} transitions, ${plain.seconds.toFixed(1)} s`;
  print(`${what.padEnd(28)} ${claim}: ${work} (${rate}); ${beside}`);
  return reduced.broken;
}
