/** The ways a run ends before its scenario does. They are thrown through the frames of the host, and the instances go with the run. */

/** Windows would stop with a blue screen. `parameters` are the four that it prints. */
export class BugCheck extends Error {
  override readonly name = "BugCheck";
  readonly code: number;
  readonly parameters: readonly number[];
  constructor(code: number, parameters: readonly number[], message: string) {
    super(message);
    this.code = code;
    this.parameters = parameters;
  }
}

/** A driver's code could not go on: it trapped, ran out of steps or stack, or jumped to nowhere. `rule` is the id to report. */
export class DriverFault extends Error {
  override readonly name = "DriverFault";
  readonly rule: string;
  /** Address of the block that it is about. */
  readonly thing: number | undefined;
  /** Function to blame, where no call of a driver is under way. */
  readonly target: number | undefined;
  constructor(rule: string, message: string, cause?: unknown, { thing, target }: { thing?: number; target?: number } = {}) {
    super(message, { cause });
    this.rule = rule;
    this.thing = thing;
    this.target = target;
  }
}

/** The scenario cannot be carried out: a missing routine was called, or the scenario itself threw. Never a verdict about the driver. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
}
