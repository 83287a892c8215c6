/**
 * What only a recorded run can say of a finding: leaks by the call that made them, how often each place took and gave back what is counted, where
 * locks were acquired that are still held.
 */
import { countsText } from "./leak-words.ts";
import type { Left } from "./left-things.ts";
import { type RecordedEntry, type RelatedPlace, callAt, locksHeld, madeAt, placeOf, placesOf } from "./origins.ts";
import type { Finding } from "./rule.ts";

type Recorded = readonly RecordedEntry[];

/** A finding as it is shown, with its further places. */
export interface Part extends Finding {
  readonly related: readonly RelatedPlace[];
  /** Number of the entry at whose call it is shown. */
  readonly shownAt?: number;
}

/** Places that took what is counted that are shown with their stacks. */
const SHOWN = 6;

/** The finding, in parts where each has a place of its own. */
export function partsOf(entries: Recorded, finding: Finding): Part[] {
  const parts = finding.left === undefined ? [finding] : byMaker(entries, finding, finding.left);
  return parts.map((part) => {
    const things = (part.things ?? []).flatMap((thing) => placesOf(entries, thing));
    const locks = part.heldBy === undefined ? [] : locksHeld(entries, part.heldBy);
    const related = [...(part.related ?? []), ...things, ...locks];
    return part.counted === undefined ? { ...part, related } : withBalance(entries, { ...part, related }, part.counted);
  });
}

/** What was made by the same calls is told of together. */
function byMaker(entries: Recorded, finding: Finding, { things, say }: NonNullable<Finding["left"]>): Finding[] {
  const groups = new Map<string, { things: Left[]; routines: Set<string> }>();
  for (const thing of things) {
    const call = entries[callAt(entries, madeAt(entries, thing.address))];
    const key = (call?.stack ?? []).map(({ file, line }) => `${file}:${line}`).join(" ");
    const group = groups.get(key) ?? { things: [], routines: new Set() };
    group.things.push(thing);
    group.routines.add(call?.entry.kind === "call" ? call.entry.name : "");
    groups.set(key, group);
  }
  return [...groups.values()].map((group) => {
    const [first] = group.things;
    const [routine = ""] = group.routines.size === 1 ? group.routines : [];
    const message = say(group.things, routine === "" ? undefined : routine);
    if (first === undefined) return { ...finding, message };
    return { ...finding, message, allocation: first.address, things: [first] };
  });
}

/** +1 for each time that the entry says that it was taken, -1 for each time that it was given back. */
function changeOf({ entry }: RecordedEntry, address: number): number {
  if (entry.kind === "lock" && entry.lock === address) return entry.action === "acquire" ? 1 : -1;
  if (entry.kind !== "note" || entry.address !== address) return 0;
  return entry.what === "taken" ? entry.value : entry.what === "given back" ? -entry.value : 0;
}

/** The message says how often which place took and gave back; the finding is shown where most was taken. */
function withBalance(entries: Recorded, part: Part, address: number): Part {
  const taken = new Map<string, number>();
  const given = new Map<string, number>();
  const lastAt = new Map<string, number>();
  for (let at = Math.max(madeAt(entries, address), 0); at < entries.length; at += 1) {
    const recorded = entries[at];
    const change = recorded === undefined ? 0 : changeOf(recorded, address);
    if (change === 0) continue;
    const location = entries[callAt(entries, at)]?.location;
    const place =
      location === undefined ? "elsewhere" : `${location.file.slice(location.file.lastIndexOf("/") + 1)}:${location.line}`;
    const counts = change > 0 ? taken : given;
    counts.set(place, (counts.get(place) ?? 0) + Math.abs(change));
    if (change > 0) lastAt.set(place, at);
  }
  if (taken.size === 0) return part;
  const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, each) => all + each, 0);
  const back = given.size === 0 ? "never given back" : `given back ${sum(given)} time(s): ${countsText(given)}`;
  const most = [...taken].toSorted(([, one], [, other]) => other - one);
  const places = most.slice(0, SHOWN).map(([place, count]) => placeOf(entries, lastAt.get(place) ?? 0, `taken ${count} time(s)`));
  return {
    ...part,
    message: `${part.message} Taken ${sum(taken)} time(s): ${countsText(taken)}; ${back}.`,
    related: [...part.related, ...places],
    shownAt: lastAt.get(most[0]?.[0] ?? "") ?? -1,
  };
}
