/** The one source of choice. Everything that could go another way asks here; strategies are small files behind this interface. */
import type { Thread } from "./state.ts";

/** Who could go on: a thread, or the clock, so that a timer is due or a wait is over by its time-out though threads could run. */
export type Candidate = Thread | "clock";

/** Whom a choice of "schedule" is about. */
export interface Candidates {
  readonly all: readonly Candidate[];
  /** The first is the thread that ran, and could go on: another one preempts it. */
  readonly couldGoOn: boolean;
}

export interface Choose {
  /**
   * A number below `count`; 0 is what happens when nobody interferes.
   * `what` names the choice, such as "schedule" or "NdisOpenAdapterEx pends".
   */
  (count: number, what: string, candidates?: Candidates): number;
}

/** How a run is scheduled. */
export interface Strategy {
  readonly choose: Choose;
  /** Whether to be asked at every scheduling point; if not, a thread runs until it waits. */
  readonly preempts: boolean;
  /** Park at every scheduling point, even to go on with the same thread: a test of parking itself. */
  readonly parksAlways: boolean;
  /**
   * Where a thread may be switched away: "steps", the default, is before whatever another thread could notice, each step of the library too. "calls"
   * is before drivers' calls of routines, after their handlers have returned, where a thread waits, and where it ends: steps of the library follow each
   * other at once.
   */
  readonly points?: "steps" | "calls";
  /** Routines whose calls are no such point, because nobody can tell whether somebody else ran before them. */
  readonly passes?: (routine: string) => boolean;
  /** At a point with several candidates, park and ask when nothing is on the host's stack: then the machine can be copied. */
  readonly stops?: boolean;
  /** Whether the clock is among the candidates. */
  readonly timePasses?: boolean;
}

export const firstCome: Strategy = { choose: () => 0, preempts: false, parksAlways: false };
