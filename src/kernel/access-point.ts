/** The scheduling point before an access to memory, as a routine: code that is about to make such an access calls it. */
import { leaf } from "./routine.ts";

/** No routine of Windows. */
export const ACCESS_POINT = "NdislabAccess";

export const accessPointRoutines = [leaf(ACCESS_POINT, () => {})];
