/** What time it is. The clock is the machine's: it stands still while code runs, and jumps to the next moment at which something happens. */
import type { Kernel } from "./kernel.ts";
import { local } from "./routine.ts";

/** 100-nanosecond units of a clock tick. */
const TICK = 156_250;
/** Undocumented: when the machine was started. All machines start at the beginning of 2020, so that every run has the same times. */
const STARTED_AT = 132_223_104_000_000_000n;
/** Of the performance counter, in ticks per second: its unit is that of all other times. */
const FREQUENCY = 10_000_000n;

export function write64(k: Kernel, address: number, value: bigint): void {
  k.memory.data.setBigInt64(address, BigInt.asIntN(64, value), true);
}

/** 100-nanosecond units since the start. Finer than a tick, so that a timer that has fired finds its time reached. */
export const interruptTime = (k: Kernel): bigint => BigInt(Math.floor(k.header.clock));
/** 100-nanosecond units since January 1, 1601. */
export const systemTime = (k: Kernel): bigint => STARTED_AT + interruptTime(k);

/** When a due time of Windows is reached: a negative one counts from now, any other from January 1, 1601. Never 0. */
export function dueAt(k: Kernel, time: bigint): number {
  const due = time < 0n ? k.header.clock + Number(-time) : Number(time - STARTED_AT);
  return Math.max(due, Number.MIN_VALUE);
}
export const read64 = (k: Kernel, address: number): bigint => k.memory.data.getBigInt64(address, true);

const writeSystemTime = (k: Kernel, time: number): void => write64(k, time, systemTime(k));
const answerInterruptTime = (k: Kernel, result: number): void => write64(k, result, interruptTime(k));

export const timeRoutines = [
  local("KeQuerySystemTime", writeSystemTime),
  local("KeQuerySystemTimePrecise", writeSystemTime),
  local("KeQueryTickCount", (k, count) => write64(k, count, interruptTime(k) / BigInt(TICK))),
  local("KeQueryTimeIncrement", () => TICK),
  local("KeQueryInterruptTime_split", answerInterruptTime),
  local("KeQueryInterruptTimePrecise_split", (k, result, counter) => {
    answerInterruptTime(k, result);
    write64(k, counter, interruptTime(k));
  }),
  // A machine does not sleep: there is no bias.
  local("KeQueryUnbiasedInterruptTime_split", answerInterruptTime),
  local("KeQueryPerformanceCounter", (k, result, frequency) => {
    if (frequency !== 0) write64(k, frequency, FREQUENCY);
    answerInterruptTime(k, result);
  }),
  // The time zone of a machine is that of Greenwich.
  local("ExSystemTimeToLocalTime", (k, time, localTime) => k.memory.copy(localTime, time, 8)),
];
