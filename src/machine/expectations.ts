/** What a scenario says about the end of a call. */
import { constant, ntStatusName, statusName } from "../contract/index.ts";
import { DriverFault } from "../kernel/outcome.ts";
import type { Expecting } from "./application-actions.ts";

const nameOfStatus = (status: number): string =>
  ntStatusName(status) ?? statusName(status) ?? `0x${(status >>> 0).toString(16).padStart(8, "0")}`;

/** Ends the run when the call did not end as the scenario says. */
export function judge(what: string, { expect, expectOutput }: Expecting, status: number, output?: Uint8Array): void {
  if (expect !== undefined && constant(expect) >>> 0 !== status >>> 0)
    throw new DriverFault("scenario-assert", `${what} ended with ${nameOfStatus(status)}, and ${expect} was expected`);
  const place = expectOutput?.findIndex((byte, index) => output?.[index] !== byte) ?? -1;
  if (place < 0) return;
  throw new DriverFault(
    "scenario-assert",
    `${what} gave ${output?.length ?? 0} bytes; byte ${place} is ${output?.[place] ?? "missing"}, and ${expectOutput?.[place]} was expected`,
  );
}
