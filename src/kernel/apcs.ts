/** Regions in which a thread gets no asynchronous procedure calls. There are none here; what disables them is counted. */
import { leaf } from "./routine.ts";
import { IRQL } from "./state.ts";

export const apcRoutines = [
  leaf("KeEnterCriticalRegion", (k) => {
    k.current.criticalRegions += 1;
  }),
  leaf("KeLeaveCriticalRegion", (k) => {
    if (k.current.criticalRegions > 0) k.current.criticalRegions -= 1;
  }),
  leaf("KeEnterGuardedRegion", (k) => {
    k.current.guardedRegions += 1;
  }),
  leaf("KeLeaveGuardedRegion", (k) => {
    if (k.current.guardedRegions > 0) k.current.guardedRegions -= 1;
  }),
  leaf("KeAreApcsDisabled", (k) => k.current.criticalRegions > 0 || k.current.guardedRegions > 0),
  leaf("KeAreAllApcsDisabled", (k) => k.current.guardedRegions > 0 || k.current.irql >= IRQL.APC),
];
