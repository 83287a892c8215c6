/** What NDIS had before version 6: a driver that calls it declares it on its own, and no library of NDIS 6 has it. */
import { ddi } from "../contract/index.ts";
import { DriverFault } from "../kernel/outcome.ts";

/** Ends the run if the routine that a driver of NDIS 6 calls is one of NDIS 5. */
export function refuseOlder(name: string): void {
  const fault = (rule: string, why: string): DriverFault => new DriverFault(rule, `${name} was called: ${why}`);
  if (name === "NdisReset") throw fault("mp-reset-protocol-cannot-initiate", "from NDIS 6 on a protocol cannot start a reset");
  if (ddi(name)?.legacyNdis5Only !== true) return;
  throw fault("mp-ndis5-call", "it is a function of NDIS 5, and a driver of NDIS 6 calls none of them");
}
