/**
 * How bad a race is, when both accesses are known.
 *
 * Kernel code has idioms in which two accesses are not ordered and nothing goes wrong as long as the compiler and the processor are kind: a flag that
 * is volatile, an aligned read of a counter or of what others change with interlocked operations. These are warnings.
 */
import type { CodeLocation } from "../cdriver/image.ts";
import type { CheckHost, Race, RacingAccess, WatchedAccess } from "../cdriver/checks/host.ts";
import type { RelatedPlace } from "./origins.ts";

export interface JudgedRace {
  readonly isWarning: boolean;
  /** A sentence that says why it is a warning; empty: it is none. */
  readonly idiom: string;
  readonly related: readonly RelatedPlace[];
}

type StackOf = (stack: string) => CodeLocation[];

/**
 * `checks` has kept the accesses of the run, which is over; `stackOf` finds the places of JavaScript's stacks. Undefined: the other access is not
 * known.
 */
export function judgeRace(race: Race, checks: CheckHost, stackOf: StackOf): JudgedRace | undefined {
  const { access, otherThread, otherWrites, kept } = race;
  const { before } = checks.accessesBy(otherThread, access, kept);
  const index = before.findLastIndex(({ writes }) => writes === otherWrites);
  const other = before[index];
  if (other === undefined) return undefined;
  const isHalf = (reads: WatchedAccess | undefined, writes: WatchedAccess | undefined) => isIncrement(reads, writes, stackOf);
  const own = checks.accessesBy(access.thread, access, kept);
  // The read of `count += 1` is one half of a write.
  const reading = access.writes ? other : access;
  const isOfWrite = reading === access ? isHalf(own.before.at(-1), own.after[0]) : isHalf(other, before[index + 1]);
  const isCounted = access.writes ? isHalf(own.before.at(-2), own.before.at(-1)) : isHalf(before[index - 1], other);
  const idiom = isOfWrite ? "" : idiomOf(access, other, isCounted);
  const what = `the other access, ${kindOf(other)} of ${other.bytes === 1 ? "1 byte" : `${other.bytes} bytes`} at IRQL ${other.irql}`;
  return { isWarning: idiom !== "", idiom, related: [{ what, stack: stackOf(other.stack), thread: other.thread }] };
}

function kindOf({ writes, isVolatile, isInterlocked }: RacingAccess): string {
  if (isInterlocked) return "an interlocked operation";
  return `a ${isVolatile ? "volatile " : ""}${writes ? "write" : "read"}`;
}

function idiomOf(access: RacingAccess, other: RacingAccess, isCounter: boolean): string {
  if (access.isVolatile && other.isVolatile)
    return "Both are volatile: Microsoft's compiler orders them for x86 and x64, not for ARM64.";
  const [read, write] = access.writes ? [other, access] : [access, other];
  if (read.writes || !isWord(read)) return "";
  if (write.isInterlocked)
    return "The read is of one aligned word that others change with interlocked operations: it is old, at worst.";
  return isCounter ? "The read is of one aligned word that is counted, or changed bit by bit, there: it is old, at worst." : "";
}

/** What a processor reads at once. */
const isWord = ({ address, bytes }: RacingAccess): boolean => bytes <= 4 && address % bytes === 0;

/** Whether one line reads what it then writes, as `count += 1` does. */
function isIncrement(read: WatchedAccess | undefined, write: WatchedAccess | undefined, stackOf: StackOf): boolean {
  if (read === undefined || write === undefined || read.writes || !write.writes) return false;
  const [from] = stackOf(read.stack);
  const [at] = stackOf(write.stack);
  return at !== undefined && from !== undefined && at.file === from.file && at.line === from.line;
}
