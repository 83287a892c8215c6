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

/** `checks` has kept the accesses; `stackOf` finds the places of JavaScript's stacks. Undefined: the other access is not known. */
export function judgeRace(
  { access, otherThread, otherWrites }: Race,
  checks: CheckHost,
  stackOf: StackOf,
): JudgedRace | undefined {
  const accesses = checks.accessesBy(otherThread, access);
  const index = accesses.findIndex(({ writes }) => writes === otherWrites);
  const other = accesses[index];
  if (other === undefined) return undefined;
  const idiom = idiomOf(access, other, isIncrement(other, accesses[index + 1], stackOf));
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
  return isCounter && write === other
    ? "The read is of one aligned word that is counted, or changed bit by bit, there: it is old, at worst."
    : "";
}

/** What a processor reads at once. */
const isWord = ({ address, bytes }: RacingAccess): boolean => bytes <= 4 && address % bytes === 0;

/** Whether the write is that of what was read in the same line just before, as `count++` is. */
function isIncrement(write: WatchedAccess, before: WatchedAccess | undefined, stackOf: StackOf): boolean {
  if (!write.writes || before === undefined || before.writes) return false;
  const [at] = stackOf(write.stack);
  const [from] = stackOf(before.stack);
  return at !== undefined && from !== undefined && at.file === from.file && at.line === from.line;
}
