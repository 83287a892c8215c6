/** Names that are nearly what was typed. */

/** At most so many, the nearest first; none that is far off. */
export function closest(typed: string, names: Iterable<string>, most = 5): string[] {
  const wanted = fold(typed);
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  const ranked: { name: string; distance: number }[] = [];
  for (const name of new Set(names)) {
    const folded = fold(name);
    // What was typed may be a part of the name; parts of two or three letters say nothing.
    const isPart = wanted.length > 3 && folded.includes(wanted);
    const distance = isPart ? (folded.length - wanted.length) / folded.length : editDistance(wanted, folded, limit);
    if (distance <= limit) ranked.push({ name, distance });
  }
  return ranked
    .toSorted((a, b) => a.distance - b.distance || a.name.localeCompare(b.name, "en"))
    .slice(0, most)
    .map(({ name }) => name);
}

const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Insertions, deletions and replacements of one letter; more than `limit` comes back as infinity. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  const distance = above[b.length] ?? 0;
  return distance <= limit ? distance : Number.POSITIVE_INFINITY;
}
