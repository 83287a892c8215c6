/** Exceptions that routines raise. No `__except` block can be entered here, so a raise ends the run without a verdict. */
import { ntStatusName } from "../contract/index.ts";
import type { Kernel } from "./kernel.ts";
import { RunFailed } from "./outcome.ts";
import { leaf } from "./routine.ts";

const ACCESS_VIOLATION = 0xc000_0005;
const DATATYPE_MISALIGNMENT = 0x8000_0002;

/** `who` raises the status: Windows would go on in the innermost `__except` around the call, or stop if there is none. */
export function raise(k: Kernel, who: string, status: number): never {
  const name = ntStatusName(status | 0) ?? `0x${(status >>> 0).toString(16)}`;
  const driver = k.driverOfThread(k.current);
  throw new RunFailed(`${who} raised the exception ${name} in driver ${driver}; no __except block can be entered here`);
}

export const exceptionRoutines = [
  leaf("ExRaiseStatus", (k, status) => raise(k, "ExRaiseStatus", status)),
  leaf("ExRaiseAccessViolation", (k) => raise(k, "ExRaiseAccessViolation", ACCESS_VIOLATION)),
  leaf("ExRaiseDatatypeMisalignment", (k) => raise(k, "ExRaiseDatatypeMisalignment", DATATYPE_MISALIGNMENT)),
];
