/** Who made a thing and who gave it back: the calls, with their stacks, among the entries of a recorded run. */
import type { CodeLocation } from "../cdriver/image.ts";
import type { Entry } from "../kernel/trace.ts";

export interface RecordedEntry {
  readonly entry: Entry;
  /** Of a call: where in the drivers' code it was made. */
  readonly location?: CodeLocation;
  /** Of a call: the drivers' functions that were active, innermost first. */
  readonly stack?: readonly CodeLocation[];
}

/** Another place that belongs to a finding. */
export interface RelatedPlace {
  /** What happened there: "allocated", "freed", "the other access". */
  readonly what: string;
  /** Innermost first. */
  readonly stack: readonly CodeLocation[];
  /** Number of the entry. */
  readonly entry?: number;
  readonly thread?: number;
  /** The handler in which it happened; left out: no handler was under way. */
  readonly handler?: string;
  /** What the scenario was doing. */
  readonly during?: string;
}

/** A block of memory or an object of the kernel or of NDIS, by its address. */
export interface Thing {
  readonly address: number;
  /** What to call it when a finding is about several. */
  readonly name?: string;
}

/** Notes that say that something came to be at their address, and that it is gone; in words. */
const MADE: Readonly<Record<string, string>> = { allocate: "allocated", "object made": "made" };
const GONE: Readonly<Record<string, string>> = { free: "freed", "object gone": "released" };

type Recorded = readonly RecordedEntry[];

const isNote = ({ entry }: RecordedEntry, words: Readonly<Record<string, string>>, address: number): boolean =>
  entry.kind === "note" && entry.address === address && entry.what in words;

/** Number of the entry that says that the thing came to be, the last time that something did there; -1: no entry does. */
export const madeAt = (entries: Recorded, address: number): number =>
  entries.findLastIndex((each) => isNote(each, MADE, address));

/** The calls that made the thing and gave it back, as far as there are entries of them. */
export function placesOf(entries: Recorded, { address, name = "" }: Thing): RelatedPlace[] {
  const made = madeAt(entries, address);
  if (made < 0) return [];
  const gone = entries.findIndex((each, index) => index > made && isNote(each, GONE, address));
  return [made, gone].flatMap((at) => {
    const entry = entries[at]?.entry;
    if (entry?.kind !== "note") return [];
    const what = MADE[entry.what] ?? GONE[entry.what] ?? entry.what;
    return [placeOf(entries, at, name === "" ? what : `${name} ${what}`)];
  });
}

/** Where the entry was made: the stack is that of the call that was under way. */
export function placeOf(entries: Recorded, at: number, what: string): RelatedPlace {
  const thread = entries[at]?.entry.thread;
  const call = callAt(entries, at);
  const handler = entries[handlerAt(entries, at)]?.entry;
  const during = duringAt(entries, at);
  return {
    what,
    stack: entries[call]?.stack ?? [],
    entry: at,
    ...(thread === undefined ? {} : { thread }),
    ...(handler?.kind === "handler" ? { handler: handler.name } : {}),
    ...(during === undefined ? {} : { during }),
  };
}

/** Where the thread acquired the locks that it holds before that entry; left out: at the end. */
export function locksHeld(entries: Recorded, thread: number, before = entries.length): RelatedPlace[] {
  const held = new Map<number, number>();
  for (const [at, { entry }] of entries.slice(0, before).entries()) {
    if (entry.kind !== "lock" || entry.thread !== thread) continue;
    if (entry.action === "acquire") held.set(entry.lock, at);
    else held.delete(entry.lock);
  }
  return [...held].map(([lock, at]) => placeOf(entries, at, `the lock at 0x${lock.toString(16)} acquired`));
}

/** The driver's call during which the entry was made, or which it is; -1: the entry is no driver's doing. */
export const callAt = (entries: Recorded, at: number): number =>
  entries[at]?.entry.kind === "call" ? at : openAt(entries, at, "call");

/** The handler during which the entry was made; -1: none. */
function handlerAt(entries: Recorded, at: number): number {
  const call = callAt(entries, at);
  return openAt(entries, call < 0 ? at : call, "handler");
}

/** The innermost call or handler of the entry's thread that is not over there, if it is of that kind. */
function openAt(entries: Recorded, at: number, wanted: "call" | "handler"): number {
  const thread = entries[at]?.entry.thread;
  let over = 0;
  for (let index = at - 1; index >= 0; index -= 1) {
    const entry = entries[index]?.entry;
    if (entry === undefined || entry.thread !== thread) continue;
    if (entry.kind === "return" || entry.kind === "handler return") over += 1;
    else if (entry.kind === "call" || entry.kind === "handler") {
      if (over === 0) return entry.kind === wanted ? index : -1;
      over -= 1;
    }
  }
  return -1;
}

function duringAt(entries: Recorded, at: number): string | undefined {
  for (let index = at; index >= 0; index -= 1) {
    const entry = entries[index]?.entry;
    if (entry?.kind === "step" && entry.plan.startsWith("scenario ")) return entry.sentence;
  }
  return undefined;
}
