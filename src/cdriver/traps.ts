/** What it means that a driver's code trapped. */
import { DriverFault } from "../kernel/outcome.ts";

/** Calls between functions of drivers that may be open at once. */
export const CALL_DEPTH = 2000;

/** What was left of each limit; below zero it was passed. */
export interface Limits {
  readonly stepsLeft: number;
  readonly depthLeft: number;
  /** Bytes of the C stack. */
  readonly stackLeft: number;
}

/** `error` as it came out of the driver's code; one that is not the driver's doing is given back. */
export function trapFault(error: unknown, name: string, { stepsLeft, depthLeft, stackLeft }: Limits): unknown {
  if (error instanceof RangeError)
    return new DriverFault("trap", `the call depth in ${name} passed what the host can hold`, error);
  if (!(error instanceof WebAssembly.RuntimeError)) return error;
  if (stepsLeft < 0)
    return new DriverFault("step-budget", `${name} ran without end: the step budget of the run is used up`, error);
  if (depthLeft < 0)
    return new DriverFault("trap", `the C stack overflowed: more than ${CALL_DEPTH} calls deep below ${name}`, error);
  if (stackLeft < 0) return new DriverFault("trap", `the C stack overflowed below ${name}`, error);
  return new DriverFault("trap", `${name} trapped: ${error.message}`, error);
}

/** Whether a function of that type takes so many words. */
export function takesWords(type: string, count: number): boolean {
  const parameters = type.split(":")[0] ?? "";
  return parameters.length === count && /^i*$/.test(parameters);
}

/** A driver registered a function as a handler that it cannot be. */
export const wrongPrototype = (name: string, handler: string, count: number, type: string, target: number): DriverFault =>
  new DriverFault("trap", `${name} was called as ${handler} with ${count} arguments, but its C type is ${type}`, undefined, {
    target,
  });
