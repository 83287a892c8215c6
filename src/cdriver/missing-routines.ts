/**
 * Calls of routines that there are none of. What NDIS had before version 6, a driver that calls it declares on its own, and no library of NDIS 6
 * has it.
 */
import { ddi } from "../contract/index.ts";
import { DriverFault, RunFailed } from "../kernel/outcome.ts";

/** Ends the run, in which that routine was called. */
export function refuseMissing(name: string): never {
  refuseOlder(name);
  const isKnown = ddi(name) !== undefined;
  throw new RunFailed(
    isKnown
      ? `${name} was called, which ndislab does not have`
      : `${name} was called, which no header declares and no source of the driver defines: is the name right?`,
  );
}

/** A driver of NDIS 6 calls none of NDIS 5. */
function refuseOlder(name: string): void {
  const fault = (rule: string, why: string): DriverFault => new DriverFault(rule, `${name} was called: ${why}`);
  if (name === "NdisReset") throw fault("mp-reset-protocol-cannot-initiate", "from NDIS 6 on a protocol cannot start a reset");
  if (ddi(name)?.legacyNdis5Only !== true) return;
  throw fault("mp-ndis5-call", "it is a function of NDIS 5, and a driver of NDIS 6 calls none of them");
}
