/**
 * How bad a race is, when both accesses are known.
 *
 * Kernel code has idioms in which two accesses are not ordered and nothing goes wrong as long as the compiler and the processor are kind: a flag that
 * is volatile, an aligned read of a counter or of what others change with interlocked operations. These are warnings, as long as the write is of one
 * aligned word, too: whole structures, what is freed, and what is inserted into a list are neither flags nor counters.
 */
import type { CodeLocation } from "../cdriver/image.ts";
import type { CheckHost, Race, RacingAccess, WatchedAccess } from "../cdriver/checks/host.ts";
import type { Entry } from "../kernel/trace.ts";
import { type RecordedEntry, type RelatedPlace, locksHeld, placeOf } from "./origins.ts";

export interface JudgedRace {
  readonly isWarning: boolean;
  /** What to say besides: the levels and the locks of both, and why it is a warning. */
  readonly remark: string;
  readonly related: readonly RelatedPlace[];
}

/** A recorded run that is over: `checks` has kept the accesses, `stackOf` finds the places of JavaScript's stacks. */
export interface RaceRecord {
  readonly checks: CheckHost;
  readonly entries: readonly RecordedEntry[];
  readonly stackOf: (stack: string) => CodeLocation[];
}

/** `at` is the number of the entry before which the race was found. Undefined: the other access is not known. */
export function judgeRace(race: Race, at: number, record: RaceRecord): JudgedRace | undefined {
  const { access, otherThread, otherWrites, kept } = race;
  const { checks, entries, stackOf } = record;
  const { before, after } = checks.accessesBy(otherThread, access, kept);
  const index = before.findLastIndex(({ writes }) => writes === otherWrites);
  const other = before[index];
  if (other === undefined) return undefined;
  const idiom = idiomOf(access, other, halves(race, [...before, ...after], index, record));
  const otherAt = entries.findIndex(({ entry }) => isAccess(entry, other));
  const locks = { here: locksHeld(entries, access.thread, at), there: locksHeld(entries, otherThread, otherAt) };
  const what = `the other access, ${kindOf(other)} of ${other.bytes === 1 ? "1 byte" : `${other.bytes} bytes`}`;
  const level = ({ irql }: RacingAccess, held: readonly RelatedPlace[]): string =>
    `at IRQL ${irql} with ${held.length === 0 ? "no lock" : held.length === 1 ? "1 lock" : `${held.length} locks`}`;
  return {
    isWarning: idiom !== "",
    remark: `It is ${level(access, locks.here)}, the other ${level(other, locks.there)}.${idiom === "" ? "" : ` ${idiom}`}`,
    related: [
      { ...placeOf(entries, otherAt, what), stack: stackOf(other.stack), thread: other.thread },
      ...locks.here.map((lock) => ({ ...lock, what: `held here: ${lock.what}` })),
      ...locks.there.map((lock) => ({ ...lock, what: `held there: ${lock.what}` })),
    ],
  };
}

const isAccess = (entry: Entry, { number }: WatchedAccess): boolean =>
  entry.kind === "note" && entry.what === "watched access" && entry.value === number;

interface Halves {
  /** The read is one half of a write, as that of `count += 1` is. */
  readonly isOfWrite: boolean;
  /** The write is the other half of such a read. */
  readonly isCounted: boolean;
}

function halves(
  { access, kept }: Race,
  others: readonly WatchedAccess[],
  index: number,
  { checks, stackOf }: RaceRecord,
): Halves {
  const isHalf = (read: WatchedAccess | undefined, write: WatchedAccess | undefined) => isIncrement(read, write, stackOf);
  const own = checks.accessesBy(access.thread, access, kept);
  return access.writes
    ? { isOfWrite: isHalf(others[index], others[index + 1]), isCounted: isHalf(own.before.at(-2), own.before.at(-1)) }
    : { isOfWrite: isHalf(own.before.at(-1), own.after[0]), isCounted: isHalf(others[index - 1], others[index]) };
}

function kindOf({ writes, isVolatile, isInterlocked }: RacingAccess): string {
  if (isInterlocked) return "an interlocked operation";
  return `a ${isVolatile ? "volatile " : ""}${writes ? "write" : "read"}`;
}

/** Why it may be forgiven; "": it may not. */
function idiomOf(access: RacingAccess, other: RacingAccess, { isOfWrite, isCounted }: Halves): string {
  const [read, write] = access.writes ? [other, access] : [access, other];
  if (isOfWrite || !isWord(write)) return "";
  if (access.isVolatile && other.isVolatile)
    return "Both are volatile: Microsoft's compiler orders them for x86 and x64, not for ARM64.";
  if (read.writes || !isWord(read)) return "";
  if (write.isInterlocked)
    return "The read is of one aligned word that others change with interlocked operations: it is old, at worst.";
  return isCounted ? "The read is of one aligned word that is counted, or changed bit by bit, there: it is old, at worst." : "";
}

/** What a processor reads or writes at once. */
const isWord = ({ address, bytes }: RacingAccess): boolean => bytes <= 4 && address % bytes === 0;

/** Whether one line reads what it then writes, as `count += 1` does. */
function isIncrement(read: WatchedAccess | undefined, write: WatchedAccess | undefined, stackOf: RaceRecord["stackOf"]): boolean {
  if (read === undefined || write === undefined || read.writes || !write.writes) return false;
  const [from] = stackOf(read.stack);
  const [at] = stackOf(write.stack);
  return at !== undefined && from !== undefined && at.file === from.file && at.line === from.line;
}
