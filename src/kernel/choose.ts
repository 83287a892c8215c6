/** The one source of choice. Everything that could go another way asks here; strategies are small files behind this interface. */
export interface Choose {
  /**
   * A number below `count`; 0 is what happens when nobody interferes.
   * `what` names the choice, such as "schedule" or "NdisOpenAdapterEx pends".
   */
  (count: number, what: string): number;
}

/** How a run is scheduled. */
export interface Strategy {
  readonly choose: Choose;
  /** Whether to be asked at every scheduling point; if not, a thread runs until it waits. */
  readonly preempts: boolean;
  /** Park at every scheduling point, even to go on with the same thread: a test of parking itself. */
  readonly parksAlways: boolean;
}

export const firstCome: Strategy = { choose: () => 0, preempts: false, parksAlways: false };
